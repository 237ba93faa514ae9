"""Activities that are sent: taken once, counted from the next answer on, moved into the tables once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import small_workspace
from in_process import ask, open_to_everybody
from server_process import until
from small_workspace import account_id
from sqlalchemy import Connection, event

from features.mapping import load_config
from features.point_in_time import build_features
from features.privacy.forgetting import Request
from features.privacy.suppression import FORGOTTEN_FILE, Forgotten
from features.workspace import Workspace
from serving.answers import iso
from serving.desk import Desk, open_desk
from serving.holder import DeskHolder
from serving.log.replay import Replayer
from serving.ranking import known_accounts
from serving.requests import ScoreRequest
from serving.scoring import score_subjects, utc_now
from serving.store import Store, activities, feedback
from serving.store.activities import Activity
from serving.subjects import find_subjects
from training.forgetting import forget
from training.ingesting import ingest_all

END = datetime.fromisoformat("9999-01-01")
ADDRESS = "Zoe.Unique@Example.com"


@pytest.fixture
def home(company: Workspace, tmp_path: Path) -> Workspace:
    """The company, for those who write into its store and its tables."""
    shutil.copytree(company.home, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def holder(home: Workspace) -> Iterator[DeskHolder]:
    made = DeskHolder(home)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def app(holder: DeskHolder) -> Any:
    return open_to_everybody(holder)


def row(name: str, number: int = 7, **told: Any) -> dict[str, Any]:
    sent = {"activity_id": name, "account_id": account_id(number), "channel": "web_visit"}
    return sent | {"direction": "inbound", "occurred_at": "2026-03-01T10:00:00Z"} | told


def send(app: Any, *rows: Any, **headers: str) -> httpx.Response:
    return ask(app, "POST", "/v1/activities", json={"activities": list(rows)}, headers=headers)


def statuses(response: httpx.Response) -> list[str]:
    return [one["status"] for one in response.raise_for_status().json()["results"]]


def score(app: Any, number: int = 7, **told: Any) -> dict[str, Any]:
    response = ask(app, "POST", "/v1/score", json={"account_id": account_id(number), **told})
    answer: dict[str, Any] = response.raise_for_status().json()
    return answer


def stored(home: Workspace) -> list[Activity]:
    with Store.open(home.store_url) as store, store.reading() as connection:
        return list(activities.between(connection, after=0, before=END, limit=10_000))


def ingest(company: Workspace, home: Workspace) -> Any:
    return ingest_all(load_config(company.home.parent / "small.toml"), workspace=home)


def asked_for_rows(holder: DeskHolder) -> list[str]:
    """The statements, from now on, that look activities of accounts up."""
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "FROM activities" in statement and "account_id IN" in statement:
            asked.append(statement)

    event.listen(holder.door.open().engine, "before_cursor_execute", note)
    return asked


def let_the_second_pass(home: Workspace) -> None:
    newest = max(one.known_at for one in stored(home))
    until(lambda: utc_now() > newest)


def test_each_row_is_taken_or_refused_for_itself(app: Any, home: Workspace) -> None:
    before = utc_now()
    later = iso(before + timedelta(hours=1))
    answer = send(
        app,
        row("a"),
        row("a"),
        row("a", channel="webinar"),
        row("b", account_id="nobody-yet"),
        row("c", occurred_at=later),
        row("d", known_at="2020-01-01T00:00:00Z"),
        row("e", quantity=-1),
        "no row",
        row("f", contact_id=ADDRESS, seconds=60),
    )
    expected = ["accepted", "repeated", "refused", "set_aside", *["refused"] * 4, "accepted"]
    assert statuses(answer) == expected
    told = answer.json()
    counts = {name: told[name] for name in ("accepted", "repeated", "set_aside", "refused")}
    assert counts == {"accepted": 2, "repeated": 1, "set_aside": 1, "refused": 5}
    fields = [one["problem"]["errors"][0]["field"] for one in told["results"] if one["problem"]]
    assert fields == [
        *("activities[2].activity_id", "activities[4].occurred_at", "activities[5].known_at"),
        *("activities[6].quantity", "activities[7]"),
    ]
    kept = stored(home)
    assert [one.activity_id for one in kept] == ["a", "b", "f"]
    assert all(before <= one.known_at <= utc_now() and not one.known_at.microsecond for one in kept)
    # An address is kept as the hash that the tables keep of it.
    assert "@" not in str(kept[2].contact_id)
    assert statuses(send(app, row("a"), row("a", seconds=5))) == ["repeated", "refused"]
    assert stored(home) == kept


def test_a_request_is_done_once_under_its_key(app: Any, home: Workspace) -> None:
    first, again = (send(app, row("a"), **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.json(), again.headers["Idempotency-Replayed"]) == (again.json(), "true")
    assert send(app, row("b"), **{"Idempotency-Key": "k"}).status_code == 422
    assert len(stored(home)) == 1


@pytest.mark.parametrize("body", [{}, {"activities": []}, {"activities": [row("a")] * 1_001}, {"rows": []}])
def test_a_body_that_is_none_is_refused_as_a_whole(app: Any, body: dict[str, Any]) -> None:
    assert ask(app, "POST", "/v1/activities", json=body).status_code == 422


def test_an_answer_counts_what_was_sent_at_once_and_elsewhere_soon(
    app: Any, home: Workspace, holder: DeskHolder
) -> None:
    other = DeskHolder(home)
    other.start()
    try:
        elsewhere, before = open_to_everybody(other), score(app)
        assert statuses(send(app, row("a", channel="webinar", quantity=40))) == ["accepted"]
        after = score(app)
        (kept,) = stored(home)
        assert after["as_of"] == iso(kept.known_at + timedelta(seconds=1))
        assert after["intent"] != before["intent"]
        until(lambda: score(elsewhere)["as_of"] == after["as_of"], patience=2)
        assert score(elsewhere)["intent"] == after["intent"]
        # It was not known before that second had passed, and of others nothing has changed.
        desk = holder.desk()
        offline = desk.rows(account_id(7), as_of=kept.known_at)
        for (_, model), features in rows_served(desk, [7], as_of=kept.known_at).items():
            assert features[0] == offline[model].tobytes()
        assert score(app, 8)["as_of"] == score(elsewhere, 8)["as_of"] == before["as_of"]
    finally:
        other.stop()


def test_a_batch_asks_once_for_what_its_accounts_have_since(app: Any, holder: DeskHolder) -> None:
    assert set(statuses(send(app, *(row(f"a{n}", n, channel="webinar") for n in range(20, 50))))) == {
        "accepted"
    }
    asked = asked_for_rows(holder)
    rows = [{"account_id": account_id(n)} for n in range(10, 60)]
    batch = ask(app, "POST", "/v1/score/batch", json={"accounts": rows}).raise_for_status().json()
    assert len(asked) == 1
    for number in (19, 20, 49, 50):
        told, alone = batch["results"][number - 10]["answer"], score(app, number)
        assert told | {"request_id": ""} == alone | {"request_id": ""}
    known_accounts(holder.desk(), now=utc_now())
    assert len(asked) == 4


def many(random: np.random.Generator, accounts: Sequence[int], *, now: datetime) -> list[dict[str, Any]]:
    """Activities of all kinds: people known, unknown and of other accounts, recent and old."""
    return [
        row(
            f"new-{place}",
            int(random.choice(accounts)),
            contact_id=[None, "c-09-0", "c-10-1", "stranger"][random.integers(4)],
            channel=["web_visit", "webinar", "meeting", "a_new_kind"][random.integers(4)],
            direction=["inbound", "mutual", "outbound"][random.integers(3)],
            occurred_at=iso(now - timedelta(seconds=int(random.integers(300 * 86_400)))),
            quantity=int(random.integers(0, 9)),
            seconds=None if random.integers(2) else int(random.integers(5_000)),
            traffic="bot" if random.integers(9) == 0 else None,
        )
        for place in range(300)
    ]


def take(home: Workspace, rows: Sequence[dict[str, Any]]) -> None:
    """Have activities taken, and let their second pass."""
    holder = DeskHolder(home)
    holder.look()
    assert set(statuses(send(open_to_everybody(holder), *rows))) == {"accepted"}
    holder.executor.shutdown()
    holder.door.close()
    let_the_second_pass(home)


def rows_served(desk: Desk, accounts: Sequence[int], *, as_of: datetime) -> dict[Any, list[bytes]]:
    """The features of accounts, one by one and in a batch, as bytes."""
    asked = [ScoreRequest.model_validate({"account_id": account_id(number)}) for number in accounts]
    requests = [one.model_copy(update={"as_of": as_of}) for one in asked]
    now = as_of + timedelta(days=1)
    subjects: list[Any] = find_subjects(desk, requests=requests, now=now, language="en")
    found: dict[Any, list[bytes]] = {}
    for some in (subjects, *([one] for one in subjects[50:60])):
        names = [str(place) for place in range(len(some))]
        for scored in score_subjects(desk, some, request_ids=names, now=now, language="en"):
            for model, features in scored.rows.items():
                found.setdefault((scored.answer.account.account_id, model), []).append(features.tobytes())
    return found


def test_served_equals_offline_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 accounts before and after the ingest, alone and in a batch, and as training builds their rows."""
    monkeypatch.setattr(small_workspace, "ACCOUNTS", 1_000)
    home, accounts = small_workspace.build_workspace(tmp_path), list(range(1_000))
    sent = many(np.random.default_rng(3), accounts[:600], now=utc_now())
    take(home, sent)
    as_of = utc_now()
    with open_desk(home, now=as_of) as desk:
        before = rows_served(desk, accounts, as_of=as_of)
    assert ingest_all(load_config(tmp_path / "small.toml"), workspace=home).changed
    keys = pd.DataFrame({"account_id": [account_id(one) for one in accounts], "as_of": as_of})
    with open_desk(home, now=as_of) as desk:
        assert desk.newer(account_id(7)) == ()
        after = rows_served(desk, accounts, as_of=as_of)
        offline = {
            one.bundle.key: build_features(
                home.tables(), keys.astype({"as_of": "datetime64[us]"}), catalogue=one.bundle.catalogue
            ).to_numpy()
            for one in desk.release.scorers
        }
    assert len(before) == 2_000
    for (account, model), features in before.items():
        expected = offline[model][int(account.removeprefix("acc-"))].tobytes()
        assert {*features, *after[account, model]} == {expected}


def test_each_activity_is_in_the_tables_or_beside_them(app: Any, company: Workspace, home: Workspace) -> None:
    def held() -> tuple[list[str], list[str]]:
        found = home.tables().read("activities")["activity_id"]
        with open_desk(home, now=utc_now()) as desk:
            return sorted(found[found.str.startswith("x")]), [one.activity_id for one in desk.newer("acc-07")]

    send(app, row("x1"))
    assert held() == ([], ["x1"])
    let_the_second_pass(home)
    ingest(company, home)
    assert held() == (["x1"], [])
    send(app, row("x2"), row("x1"), row("x3", account_id="later"))
    assert held() == (["x1"], ["x2"])
    let_the_second_pass(home)
    report = ingest(company, home)
    assert held() == (["x1", "x2"], [])
    assert {table.name: table.quarantined for table in report.tables}["activities"] == {"unknown account": 1}
    rebuilt = ingest_all(load_config(company.home.parent / "small.toml"), workspace=home, rebuild=True)
    assert (rebuilt.fingerprint, held()) == (report.fingerprint, (["x1", "x2"], []))


def test_a_worker_goes_on_from_the_tables_without_counting_twice(
    app: Any, company: Workspace, home: Workspace, holder: DeskHolder
) -> None:
    send(app, row("a", channel="webinar", quantity=40))
    told, snapshot = score(app), holder.desk().snapshot
    let_the_second_pass(home)
    ingest(company, home)
    until(lambda: holder.desk().snapshot is not snapshot, patience=20)
    moved = score(app)
    assert holder.desk().newer(account_id(7)) == ()
    assert {name: moved[name] for name in ("as_of", "fit", "intent", "data_through")} == {
        name: told[name] for name in ("as_of", "fit", "intent", "data_through")
    }


def test_who_is_forgotten_leaves_nothing(app: Any, company: Workspace, home: Workspace) -> None:
    sent = row("moved", contact_id=ADDRESS), row(f"id of {ADDRESS}"), row("other", contact_id="c-09-0")
    first = send(app, *sent, row("none", contact_id=f"{ADDRESS}\n"))
    assert statuses(first) == [*["accepted"] * 3, "refused"]
    assert "unique" not in first.text.lower()
    let_the_second_pass(home)
    ingest(company, home)
    send(app, row("waiting", contact_id=ADDRESS), row("c", 9, contact_id="c-09-0"))
    digest = str(stored(home)[0].contact_id)
    done = forget(home, Request(emails=(ADDRESS,)), who="Ada", now=utc_now(), patience=30)
    assert (done.store["activities"], done.moved, done.complete, done.elsewhere) == (2, 1, True, ())
    left = [one for one in stored(home) if one.contact_id not in ("c-09-0", None)]
    assert left == []
    files = [file for file in home.home.rglob("*") if file.is_file() and file.name != "forgotten.json"]
    assert not [file for file in files if digest.encode() in file.read_bytes()]
    answer = send(app, row("again", contact_id=ADDRESS), row("c2", 9, contact_id="c-09-0"))
    assert statuses(answer) == ["refused", "accepted"]
    assert "unique" not in json.dumps(answer.json()).lower()


def test_somebody_forgotten_while_rows_wait_for_their_turn_is_not_in_them(
    app: Any, home: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgotten_meanwhile(_: Connection) -> None:
        listed = Forgotten.of(home)
        told = (("contact", "c-07-0"), ("account", account_id(9)))
        digests = {kind: frozenset(filter(None, [listed.digest(kind, name)])) for kind, name in told}
        replace(listed, digests={**listed.digests, **digests}).write(home)

    for route in ("activities", "accounts"):
        monkeypatch.setattr(f"serving.web.routes.{route}.wait_for_erasing", forgotten_meanwhile)
    hers, others = row("hers", contact_id="c-07-0"), row("others", contact_id="c-07-1")
    assert statuses(send(app, hers, row("of nine", 9), others)) == ["refused", "refused", "accepted"]
    assert [one.activity_id for one in stored(home)] == ["others"]
    (home.home / FORGOTTEN_FILE).unlink()
    said = {"account_id": account_id(9), "verdict": "accepted"}
    assert ask(app, "POST", "/v1/feedback", json=said).status_code == 404
    with Store.open(home.store_url) as store, store.reading() as connection:
        assert feedback.of_account(connection, account_ids=[account_id(9)], limit=1) == ()


def test_replay_counts_the_activities_that_counted_then(
    app: Any, home: Workspace, holder: DeskHolder
) -> None:
    send(app, row("a", channel="webinar", quantity=40))
    names = [score(app)["request_id"]]
    # In the same second, or an earlier one than the next answer is of.
    send(app, row("b", channel="meeting", direction="mutual"))
    names.append(score(app)["request_id"])
    until(lambda: holder.log.waiting == 0)
    with Replayer(home) as replayer:
        replays = [replayer.of(name) for name in names]
        with holder.door.open().writing() as connection:
            activities.forget(connection, gone=lambda one: one.activity_id == "b")
        erased = replayer.of(names[1])
    assert [(one.equal, one.features) for one in replays] == [(True, ())] * 2
    assert (erased.features, erased.unchecked) == (None, "activities that counted then were erased since")
