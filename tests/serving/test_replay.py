"""Logged answers are computed again to the last bit: after a restart, a promotion, and an erasure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_workspace
from small_workspace import AS_OF, NOW, account_id, as_record
from sqlalchemy import delete, update
from typer.testing import CliRunner

from features.errors import InputError
from features.privacy.addresses import email_digest
from features.workspace import Workspace
from serving.desk import Desk, open_desk
from serving.log import replay as replay_module
from serving.log.entries import Entry
from serving.log.evidence import Evidence
from serving.log.replay import Replay, Replayer
from serving.requests import parse_request
from serving.scoring import score_in_full
from serving.store import Store, predictions
from serving.store.predictions import Prediction
from serving.store.schema import predictions as table
from training.cli.app import app

EMAIL = "ann.lee@customer.example"


def with_people(record: dict[str, Any]) -> dict[str, Any]:
    """A record in which a person is named by her address, and has a title."""
    person = {"contact_id": EMAIL, "title": "Chief Executive Officer"}
    return record | {
        "contacts": [*record["contacts"], person],
        "activities": [row | {"contact_id": EMAIL} for row in record["activities"]],
    }


def requests(desk: Desk) -> list[dict[str, Any]]:
    known: list[dict[str, Any]] = [{"account_id": account_id(n)} for n in range(3, 15)]
    record = as_record(desk.snapshot.tables, number=12)
    return [
        *known,
        {"account_id": account_id(8), "as_of": AS_OF},
        {"domain": "company9.example"},
        {"record": with_people(record)},
        {"record": record, "as_of": AS_OF},
        {"record": {"account": {"country": "DE"}}},
        {"lead": {"email": EMAIL, "company": "Company 9", "employees": 120}},
    ]


def row_of(desk: Desk, *, number: int, request: dict[str, Any], people: Any = None) -> Prediction:
    asked = parse_request(json.dumps(request).encode(), attributes=desk.snapshot.manifest.attributes)
    language = "zh" if number % 2 else "en"
    scored = score_in_full(desk, request=asked, now=NOW, language=language, request_id=f"r{number}")
    fingerprints = desk.release.release.fingerprints
    known = people or desk.snapshot.people
    return Entry(scored, NOW, desk.snapshot.manifest.snapshot, fingerprints, known).row()


@pytest.fixture(scope="module")
def logged(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The company with a log of all kinds of answers."""
    home = tmp_path_factory.mktemp("replay") / "workspace"
    shutil.copytree(company.home, home)
    workspace = Workspace(home)
    with open_desk(workspace, now=NOW) as desk, Store.open(workspace.store_url) as store:
        rows = [row_of(desk, number=n, request=request) for n, request in enumerate(requests(desk))]
        with store.writing() as connection:
            # Servers of other tests keep their answers in what was copied.
            connection.execute(delete(table))
            predictions.insert(connection, rows)
    return workspace


@pytest.fixture
def workspace(logged: Workspace, tmp_path: Path) -> Workspace:
    """A copy to be changed."""
    shutil.copytree(logged.home, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


def replayed(workspace: Workspace) -> Iterator[Replay]:
    with Replayer(workspace) as replayer:
        yield from replayer.last(1_000)


def change(workspace: Workspace, request_id: str, edit: Callable[[Prediction], Prediction]) -> None:
    with Store.open(workspace.store_url) as store, store.writing() as connection:
        found = predictions.find(connection, request_id=request_id)
        assert found is not None
        values = {name: getattr(edit(found), name) for name in ("inputs", "answer", "evidence", "erased")}
        connection.execute(update(table).where(table.c.request_id == request_id).values(values))


def test_every_answer_is_the_same_to_the_last_bit_after_a_promotion(workspace: Workspace) -> None:
    small_workspace.publish(workspace, kinds=("fit", "intent"), seed=2)
    found = list(replayed(workspace))
    assert len(found) == 18
    for one in found:
        assert (one.request_id, one.scores, one.features) == (one.request_id, (), ())
        assert one.exact
        assert one.wording
        assert one.equal


def test_no_address_and_no_title_is_in_the_log(logged: Workspace) -> None:
    with Store.open(logged.store_url) as store, store.reading() as connection:
        rows = predictions.newest(connection, limit=1_000)
    texts = "".join(f"{row.inputs}{row.answer}" for row in rows)
    assert EMAIL not in texts
    assert "Chief" not in texts
    assert email_digest(logged, EMAIL) in texts


def test_a_changed_number_is_found_and_named(workspace: Workspace) -> None:
    def next_number(row: Prediction) -> Prediction:
        told = json.loads(row.answer)
        told["fit"]["probability"] = float(np.nextafter(told["fit"]["probability"], 1))
        return replace(row, answer=json.dumps(told))

    change(workspace, "r10", next_number)
    with Replayer(workspace) as replayer:
        assert replayer.of("r10").scores == ("fit.probability",)
        assert not replayer.of("r10").equal
        assert replayer.of("r11").equal


def test_a_changed_feature_is_found_and_named(workspace: Workspace) -> None:
    def another_feature(row: Prediction) -> Prediction:
        evidence = Evidence.from_bytes(row.evidence)
        changed = {key: values.copy() for key, values in evidence.rows.items()}
        changed["fit"][0] += 1.0
        return replace(row, evidence=replace(evidence, rows=changed).to_bytes())

    change(workspace, "r10", another_feature)
    with Replayer(workspace) as replayer:
        found = replayer.of("r10")
        (name,) = found.features or ()
        assert name.startswith("fit.")
        assert not found.equal


@pytest.mark.parametrize("gap", [5e-13, 2e-12])
def test_elsewhere_numbers_are_compared_to_a_tolerance(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, gap: float
) -> None:
    def nearly(row: Prediction) -> Prediction:
        told = json.loads(row.answer)
        told["fit"]["probability"] += gap
        return replace(row, answer=json.dumps(told))

    change(workspace, "r10", nearly)
    here = {"lightgbm": "99", "machine": "another", "spearfish": "1"}
    monkeypatch.setattr(replay_module, "versions_here", lambda: here)
    with Replayer(workspace) as replayer:
        found = replayer.of("r10")
    assert (found.exact, found.equal) == (False, gap < 1e-12)
    assert found.here == here


def test_what_was_erased_is_said_and_the_scores_are_still_checked(workspace: Workspace) -> None:
    person = email_digest(workspace, EMAIL)
    gone = {("account", account_id(12)), ("contact", person)}
    with Store.open(workspace.store_url) as store:
        store.erase(lambda text: text, gone=lambda *named: named in gone)
    found = list(replayed(workspace))
    by_erased = {one.erased: one for one in found if one.erased}
    assert set(by_erased) == {"account", "people"}
    for one in by_erased.values():
        assert (one.scores, one.features, one.equal) == ((), None, True)
        assert "erased" in (one.unchecked or "")
    assert sum(one.features == () for one in found) == 16


def test_an_account_that_is_forgotten_before_its_answer_is_written_is_not_named(company: Workspace) -> None:
    class Gone:
        def forgets(self, name: str, *, kind: str = "contact") -> bool:
            return (kind, name) == ("account", account_id(20))

    with open_desk(company, now=NOW) as desk:
        kept = row_of(desk, number=0, request={"account_id": account_id(20)}, people=Gone())
    assert (kept.account_id, kept.inputs, kept.erased) == (None, None, "account")
    assert account_id(20) not in kept.answer


def test_tables_that_changed_leave_the_features_unchecked(workspace: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    accounts = small_workspace.frames()["accounts"]
    newer = accounts.tail(1).assign(known_at=NOW - timedelta(days=1), employees=77)
    small_workspace.load_data(workspace, folder=other, accounts=[accounts, newer])
    with Replayer(workspace) as replayer:
        found = replayer.of("r10")
    assert (found.scores, found.features) == ((), None)
    assert "tables have changed" in (found.unchecked or "")


def test_the_command_says_what_differs_and_prunes(workspace: Workspace) -> None:
    run, place = CliRunner(), ["--workspace", str(workspace.home), "--json"]
    same = run.invoke(app, ["replay", "r1", "r2", *place])
    assert (same.exit_code, json.loads(same.stdout)["equal"], json.loads(same.stdout)["answers"]) == (
        0,
        True,
        2,
    )
    change(workspace, "r1", lambda row: replace(row, answer=row.answer.replace('"grade":"', '"grade":"x')))
    other = run.invoke(app, ["replay", "--last", "18", *place])
    assert other.exit_code == 1
    assert [one["request_id"] for one in json.loads(other.stdout)["replays"] if not one["equal"]] == ["r1"]
    pruned = run.invoke(app, ["predictions", "prune", "--days", "1", *place])
    assert json.loads(pruned.stdout) == {"deleted": 18, "days": 1}


def test_an_unknown_request_is_refused(logged: Workspace) -> None:
    with Replayer(logged) as replayer, pytest.raises(InputError, match="no answer to this request"):
        replayer.of("nothing")
