"""What the leakage audit blocks is not served, unless somebody answers for it by name."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import tracked_models
from tracked_models import CLEAN

from features.errors import BundleError, InputError
from features.workspace import Workspace
from models.making import with_audit
from training.audit.finding import Audit, Finding
from training.releasing.promote import Promotion, promote

NOON = datetime.fromisoformat("2026-05-01T12:00:00")
FAULTS = Audit(
    rows=60,
    events=30,
    columns=2,
    checked={},
    findings=(
        Finding("one_class", "blocks", "employees", "filled only for winners", "leave it out"),
        Finding("overlap", "blocks", "", "rows on both sides", "load each once"),
        Finding("current_value_only", "warns", "company_age", "no history", "export it"),
    ),
)
REASONS = {"employees": "the form asks for it", "overlap": "two products of one account"}


def promoted(
    workspace: Workspace, reasons: dict[str, str] | None = None, *, who: str = "Ada", hours: int = 0
) -> Promotion:
    now = NOON + timedelta(hours=hours)
    return promote(
        workspace, who=who, why="better", intent="none", waive=reasons, force="made by hand", now=now
    )


def _of_the_audit(done: Promotion) -> list[dict[str, str]]:
    """The waivers without those of the gate, which models made by hand have shown nothing."""
    return [one for one in done.release.settings["waivers"] if not one["kind"].startswith("gate_")]


@pytest.fixture
def faulty(untrained: Workspace) -> Workspace:
    tracked_models.register(untrained, tracked_models.bundle("fit", audit=FAULTS))
    return untrained


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ({}, r"audit of icp_fit \w+ blocks .*employees: filled only for winners; and 1 more.*--waive"),
        ({"employees": "asked"}, r"blocks its promotion .*overlap: rows on both sides;"),
        (REASONS | {"overlap": "  "}, r"needs a reason.*'overlap'"),
        (REASONS | {"employes": "asked"}, r"nothing that blocks.*'employes'.*did you mean 'employees'"),
        (REASONS | {"company_age": "asked"}, r"nothing that blocks.*'company_age'"),
    ],
)
def test_what_blocks_is_refused_without_a_reason_of_its_own(
    faulty: Workspace, reasons: dict[str, str], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        promoted(faulty, reasons)
    assert not (faulty.home / "store.db").exists()


def test_a_waiver_is_kept_with_its_reason_its_person_and_its_moment(faulty: Workspace) -> None:
    done = promoted(faulty, REASONS)
    kept = _of_the_audit(done)
    assert [(one["kind"], one["column"], one["why"]) for one in kept] == [
        ("one_class", "employees", "the form asks for it"),
        ("overlap", "", "two products of one account"),
    ]
    assert {(one["who"], one["at"]) for one in kept} == {("Ada", "2026-05-01T12:00:00Z")}
    assert {one["model"] for one in kept} == {done.release.fingerprints["fit"]}


def test_the_same_waivers_again_change_nothing_and_another_reason_does(faulty: Workspace) -> None:
    first = promoted(faulty, REASONS)
    again = promoted(faulty, REASONS, who="Bob", hours=1)
    assert (again.changed, again.release) == (False, first.release)
    other = promoted(faulty, REASONS | {"employees": "checked with sales"}, who="Bob", hours=2)
    kept = {one["column"]: (one["who"], one["at"]) for one in _of_the_audit(other)}
    assert kept == {"employees": ("Bob", "2026-05-01T14:00:00Z"), "": ("Ada", "2026-05-01T12:00:00Z")}


def test_a_model_that_was_never_audited_is_refused(untrained: Workspace) -> None:
    tracked_models.register(untrained, tracked_models.bundle("fit", audit=None))
    with pytest.raises(InputError, match=r"never audited for leakage.*`spearfish train` again"):
        promoted(untrained)


def test_an_audit_that_cannot_be_read_is_refused(untrained: Workspace) -> None:
    tracked_models.register(untrained, with_audit(tracked_models.bundle("fit"), {"rows": 1}))
    with pytest.raises(BundleError, match="cannot be read"):
        promoted(untrained)


def test_a_clean_release_holds_no_waivers(untrained: Workspace) -> None:
    tracked_models.register(untrained, tracked_models.bundle("fit", audit=CLEAN))
    assert _of_the_audit(promoted(untrained)) == []
