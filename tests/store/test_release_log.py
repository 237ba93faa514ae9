"""The log of releases: who changed what is served, when and why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from store_processes import NOON, draft

from features.errors import WorkspaceError
from features.workspace import Workspace
from serving.store import Store
from training.releasing.promote import promote, rollback
from training.releasing.release_log import release_log

HOUR = timedelta(hours=1)


@pytest.fixture
def changed(untrained: Workspace) -> Workspace:
    """Two promotions and a rollback, an hour apart; the second release forced a model through the gate."""
    waiver = {"model": "fit-2", "kind": "gate_comparison", "column": "", "why": "we know", "who": "Bob"}
    told = {"gate": {"fit": {"outcome": "refused"}}, "waivers": [waiver]}
    with Store.open(untrained.store_url) as store:
        store.publish(draft("fit-1", why="the first"), activate_at=None, now=NOON)
        store.publish(draft("fit-2", who="Bob", why="newer", **told), activate_at=None, now=NOON + HOUR)
        store.step_back(activate_at=None, who="Eve", why="worse", now=NOON + 2 * HOUR)
    return untrained


def test_every_change_names_who_when_and_why(changed: Workspace) -> None:
    log = release_log(changed, now=NOON + 3 * HOUR)
    assert [(one.event.action, one.event.who, one.event.why, one.event.release_id) for one in log] == [
        ("rollback", "Eve", "worse", 1),
        ("promote", "Bob", "newer", 2),
        ("promote", "Ada", "the first", 1),
    ]
    document = [one.to_json() for one in log]
    assert [one["at"] for one in document] == [f"2026-05-01T{hour}:00:00Z" for hour in (14, 13, 12)]
    assert document[1]["waivers"][0]["why"] == "we know"
    assert document[1]["gate"] == {"fit": {"outcome": "refused"}}
    assert "fit refused; 1 answered for" in log[1].cells()


@pytest.mark.parametrize(("hours", "answers"), [(0, 2), (1.5, 1), (3, 0)])
def test_the_change_that_decides_what_is_served_is_marked(
    changed: Workspace, hours: float, answers: int
) -> None:
    log = release_log(changed, now=NOON + hours * HOUR)
    assert [one.answers for one in log] == [position == answers for position in range(3)]


def test_a_workspace_without_a_store_has_no_entries_and_gets_no_store(untrained: Workspace) -> None:
    assert release_log(untrained, now=NOON) == ()
    assert not (untrained.home / "store.db").exists()


def test_reasons_are_kept_without_addresses(workspace: Workspace) -> None:
    why = "asked by ann@example.com, +49 30 123-456"
    promote(workspace, who="Ada", why="first", fit="1", now=NOON, force="made by hand")
    promote(workspace, who="Ada", why=why, now=NOON + HOUR, force="made by hand")
    rollback(workspace, who="Ada", why=why, now=NOON + 2 * HOUR)
    with Store.open(workspace.store_url) as store:
        assert [event.why for event in store.events()][:2] == ["asked by [address], [telephone number]"] * 2
        assert "ann@" not in repr(store.history())


def test_a_workspace_that_is_not_there_is_no_workspace_without_releases(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no workspace here"):
        release_log(Workspace(tmp_path / "wrong"), now=NOON)
