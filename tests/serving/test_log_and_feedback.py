"""Logged answers, the history of an account, and what feedback does to the working score."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from in_process import ask, open_to_everybody, slug_of
from server_process import until
from small_workspace import AS_OF, account_id

from features.tables import Tables
from features.workspace import Workspace
from serving.answers import Priority, iso
from serving.history import AccountHistory, LoggedAnswer
from serving.holder import DeskHolder
from serving.log.replay import Replayer
from serving.log.settings import LogSettings
from serving.log.writer import PredictionLog
from serving.scoring import utc_now
from serving.store import Store, feedback
from serving.store.feedback import Feedback
from serving.working import HELD_AT, Verdicts, threshold, working

NOON = datetime.fromisoformat("2026-05-01T12:00:00")
SALES = Priority(action="sales now", to_sales=True, why="Fit A and intent A")


@pytest.fixture(scope="module")
def home(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The company, for those who write into its store."""
    made = tmp_path_factory.mktemp("logged") / "workspace"
    shutil.copytree(company.home, made)
    return Workspace(made)


@pytest.fixture(scope="module")
def holder(home: Workspace) -> Iterator[DeskHolder]:
    made = DeskHolder(home)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def app(holder: DeskHolder) -> Any:
    return open_to_everybody(holder)


def score(app: Any, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ask(app, "POST", "/v1/score", json=request).raise_for_status().json()
    return answer


def say(app: Any, number: int, **told: Any) -> httpx.Response:
    return ask(app, "POST", "/v1/feedback", json={"account_id": account_id(number), **told})


def logged(app: Any, holder: DeskHolder, path: str) -> dict[str, Any]:
    """What a path says once the log has caught up."""
    until(lambda: holder.log.waiting == 0)
    found: dict[str, Any] = ask(app, "GET", path).raise_for_status().json()
    return found


def test_an_answer_is_kept_as_it_was_given(app: Any, holder: DeskHolder, home: Workspace) -> None:
    answer = score(app, account_id=account_id(20), as_of=AS_OF)
    found = logged(app, holder, f"/v1/predictions/{answer['request_id']}")
    assert found["answer"] == answer
    assert (found["release_id"], found["erased"]) == (answer["release"]["id"], None)
    LoggedAnswer.model_validate(found)
    with Replayer(home) as replayer:
        assert replayer.of(answer["request_id"]).equal


def test_a_durable_answer_is_kept_or_refused(home: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEARFISH_LOG", "durable")
    monkeypatch.setenv("SPEARFISH_LOG_PATIENCE", "1")
    holder = DeskHolder(home)
    holder.start()
    try:
        app = open_to_everybody(holder)
        answer = score(app, account_id=account_id(30))
        assert ask(app, "GET", f"/v1/predictions/{answer['request_id']}").status_code == 200
        rows = {"accounts": [{"account_id": account_id(30)}, {"account_id": "nobody"}]}
        records = {"accounts": [{"SpearfishAccountId": account_id(30)}]}
        with closing(sqlite3.connect(home.home / "store.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            for path, body in (
                ("/v1/score", {"account_id": account_id(30)}),
                # A batch is answered row by row, but not where it holds nothing but our own fault.
                ("/v1/score/batch", rows),
                ("/v1/salesforce/score/batch", records),
            ):
                refused = ask(app, "POST", path, json=body)
                assert refused.status_code == 503, path
                assert int(refused.headers["retry-after"]) > 0
            other.rollback()
        assert score(app, account_id=account_id(30))["fit"] == answer["fit"]
        later = ask(app, "POST", "/v1/score/batch", json=rows).raise_for_status().json()
        assert [row["problem"] and row["problem"]["status"] for row in later["results"]] == [None, 404]
    finally:
        holder.stop()


def test_an_answer_that_a_full_log_does_not_keep_says_so(home: Workspace) -> None:
    holder = DeskHolder(home)
    holder.look()
    holder.log = PredictionLog(holder.door.open, settings=LogSettings(longest=1), clock=utc_now)
    app = open_to_everybody(holder)
    told = [score(app, account_id=account_id(31))["warnings"] for _ in range(2)]
    assert [any("not kept" in warning for warning in warnings) for warnings in told] == [False, True]
    holder.executor.shutdown()
    holder.door.close()


def test_an_answer_that_counts_newer_activities_is_replayed(
    app: Any, holder: DeskHolder, home: Workspace
) -> None:
    before = score(app, account_id=account_id(32))
    occurred_at = iso(utc_now() - timedelta(minutes=5))
    visit = {"activity_id": "new", "account_id": account_id(32), "channel": "webinar", "seconds": 2_400}
    rows = {"activities": [visit | {"occurred_at": occurred_at, "direction": "inbound"}]}
    assert ask(app, "POST", "/v1/activities", json=rows).json()["results"][0]["status"] == "accepted"
    after = score(app, account_id=account_id(32))
    assert after["fire"]["engagement_minutes_90d"] > before["fire"]["engagement_minutes_90d"]
    until(lambda: holder.log.waiting == 0)
    with Replayer(home) as replayer:
        for answer in (before, after):
            found = replayer.of(answer["request_id"])
            assert (found.scores, found.features) == ((), ())


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/predictions/none", "/v1/predictions/%00", "/v1/predictions/a%0d%0ab", "/v1/predictions/%ff"),
        *("/v1/accounts/nobody", "/v1/accounts/%00", "/v1/accounts/a%1bb"),
        *("/v1/accounts/a%2Fb", "/v1/accounts/a/b/", "/v1/accounts/%0a"),
    ],
)
def test_what_is_not_known_is_a_404(app: Any, path: str) -> None:
    response = ask(app, "GET", path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert slug_of(response) == f"unknown-{path.split('/')[2].removesuffix('s')}"


def test_an_account_has_its_scores_a_page_at_a_time(app: Any, holder: DeskHolder) -> None:
    path, given = f"/v1/accounts/{account_id(21)}", []
    assert logged(app, holder, path) == {
        "account": {"account_id": account_id(21), "name": "Company 21", "domain": "company21.example"},
        "latest": None,
        "scores": [],
        "next_page": None,
        "feedback": [],
    }
    for day in range(1, 8):
        given.append(score(app, account_id=account_id(21), as_of=f"2025-11-{day:02}T00:00:00Z"))
    pages, page = [], ""
    while page is not None:
        found = logged(app, holder, f"{path}?limit=3{page and '&page='}{page}")
        AccountHistory.model_validate(found)
        pages.append(found["scores"])
        page = found["next_page"]
    assert [len(rows) for rows in pages] == [3, 3, 1]
    shown = [row for rows in pages for row in rows]
    assert {row["request_id"] for row in shown} == {answer["request_id"] for answer in given}
    by_request = {answer["request_id"]: answer for answer in given}
    for row in shown:
        answer = by_request[row["request_id"]]
        assert (row["as_of"], row["fit_probability"]) == (answer["as_of"], answer["fit"]["probability"])
    assert found["latest"] == by_request[shown[0]["request_id"]]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=0000010000", "limit=x", "page=tomorrow", "page=2026-01-01T00:00:00Z~"],
)
def test_a_page_that_is_none_is_refused(app: Any, query: str) -> None:
    assert ask(app, "GET", f"/v1/accounts/{account_id(21)}?{query}").status_code == 422


def test_a_rejection_holds_the_working_score_and_nothing_else(app: Any, holder: DeskHolder) -> None:
    before = score(app, account_id=account_id(22))
    assert (before["adjustment"], before["working_score"]) == (0.0, before["machine_score"])
    response = say(app, 22, verdict="rejected", reason="no budget", request_id=before["request_id"])
    assert response.status_code == 201
    after = score(app, account_id=account_id(22))
    for name in ("fit", "intent", "fire", "priority", "machine_score"):
        assert after[name] == before[name], name
    held = min(HELD_AT, before["machine_score"])
    assert after["working_score"] == pytest.approx(held)
    assert after["machine_score"] + after["adjustment"] == pytest.approx(held)
    assert "Rejected by sales" in after["adjustment_reason"]
    assert not after["working_priority"]["to_sales"]
    assert response.json()["working_score"] == after["working_score"]
    earlier = score(app, account_id=account_id(22), as_of=AS_OF)
    assert earlier["adjustment"] == 0.0, "what was said later is not known at an earlier moment"
    assert say(app, 22, verdict="accepted").json()["adjustment"] == 0.0
    assert score(app, account_id=account_id(22))["working_score"] == before["machine_score"]
    said = logged(app, holder, f"/v1/accounts/{account_id(22)}")["feedback"]
    assert [one["verdict"] for one in said] == ["accepted", "rejected"]
    assert said[1]["machine_score"] == before["machine_score"]


def test_feedback_that_is_sent_twice_is_stored_once(app: Any, holder: DeskHolder) -> None:
    told = {"account_id": account_id(27), "verdict": "outcome", "outcome": "won"}
    first, again = (
        ask(app, "POST", "/v1/feedback", json=told, headers={"Idempotency-Key": "k-1"}) for _ in range(2)
    )
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert len(logged(app, holder, f"/v1/accounts/{account_id(27)}")["feedback"]) == 1


@pytest.mark.parametrize(
    "told",
    [
        {"verdict": "rejected"},
        {"verdict": "accepted", "reason": "why not"},
        {"verdict": "outcome"},
        {"verdict": "outcome", "outcome": "maybe"},
        {"verdict": "perhaps"},
        {"verdict": "accepted", "extra": 1},
    ],
)
def test_incomplete_feedback_is_refused(app: Any, told: dict[str, Any]) -> None:
    assert say(app, 23, **told).status_code == 422


VISIT = {"activity_id": "a", "account_id": account_id(23), "channel": "web_visit", "direction": "inbound"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/feedback", {"account_id": "acc-23", "verdict": "rejected", "reason": "a\x00b"}, "reason"),
        ("/v1/feedback", {"account_id": "acc\x1b", "verdict": "accepted"}, "account_id"),
        ("/v1/score", {"account_id": "\x07"}, "account_id"),
        (
            "/v1/activities",
            {"activities": [VISIT | {"activity_id": "a\x00", "occurred_at": "2026-03-01T10:00:00Z"}]},
            "activities[0].activity_id",
        ),
        (
            "/v1/activities",
            {"activities": [VISIT | {"occurred_at": "2999-01-01T00:00:00Z"}]},
            "activities[0].occurred_at",
        ),
    ],
    ids=["reason", "account", "score", "activity", "future"],
)
def test_control_characters_and_the_future_are_refused_where_something_is_written(
    app: Any, path: str, body: dict[str, Any], field: str
) -> None:
    told = ask(app, "POST", path, json=body).json()
    problem = told["results"][0]["problem"] if "results" in told else told
    assert (problem["status"], problem["errors"][0]["field"]) == (422, field)


def test_feedback_on_an_answer_about_another_account_is_refused(app: Any, holder: DeskHolder) -> None:
    answer = score(app, account_id=account_id(24))
    until(lambda: holder.log.waiting == 0)
    response = say(app, 23, verdict="accepted", request_id=answer["request_id"])
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "request_id")


def test_another_worker_learns_of_feedback(app: Any, holder: DeskHolder, home: Workspace) -> None:
    other = DeskHolder(home)
    other.start()
    try:
        say(app, 25, verdict="rejected", reason="wrong time")
        elsewhere = open_to_everybody(other)
        until(
            lambda: score(elsewhere, account_id=account_id(25))["adjustment_reason"] is not None, patience=10
        )
    finally:
        other.stop()


def test_what_was_said_of_an_account_is_said_of_the_one_that_stands_for_it_since(
    app: Any, holder: DeskHolder, home: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = score(app, account_id=account_id(41))
    say(app, 41, verdict="rejected", reason="no budget")
    apart = [
        one
        for number in (40, 41)
        for one in logged(app, holder, f"/v1/accounts/{account_id(number)}")["scores"]
    ]
    alike = {"account_id": account_id(41), "identity": account_id(40), "place": 1, "rule": "name"}
    pd.DataFrame([alike | {"score": 1.0}]).to_parquet(tmp_path / "identity.parquet")
    alone = Workspace.tables

    def as_one(*asked: Any) -> Tables:
        return replace(alone(*asked), merged=tmp_path / "identity.parquet")

    monkeypatch.setattr(Workspace, "tables", as_one)
    later = DeskHolder(home)
    later.look()
    merged = open_to_everybody(later)
    assert "Rejected by sales" in score(merged, account_id=account_id(40))["adjustment_reason"]
    told = ask(merged, "GET", f"/v1/accounts/{account_id(40)}").json()
    assert answer["request_id"] in [one["request_id"] for one in told["scores"]]
    assert sorted(told["scores"], key=str) == sorted(apart, key=str)
    assert [one["verdict"] for one in told["feedback"]] == ["rejected"]
    assert say(merged, 40, verdict="accepted", request_id=answer["request_id"]).status_code == 201
    assert score(merged, account_id=account_id(40))["adjustment"] == 0.0
    assert say(merged, 39, verdict="accepted", request_id=answer["request_id"]).status_code == 422
    later.executor.shutdown()
    later.door.close()


def test_feedback_is_learned_of_whatever_the_clock_of_its_worker_says(tmp_path: Path) -> None:
    verdicts = Verdicts()
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        for minutes, account in ((30, "ahead"), (0, "right"), (-30, "behind")):
            with store.writing() as connection:
                said = Feedback(NOON + timedelta(minutes=minutes), account, "rejected", reason="no")
                feedback.add(connection, said)
            verdicts.refresh(store)
            assert verdicts.rejection(account, before=NOON + timedelta(hours=1)) is not None


def rejection(at: float | None, *, days: int = 0) -> Verdicts:
    verdicts = Verdicts()
    said = NOON - timedelta(days=days)
    verdicts.note(Feedback(said, "a", "rejected", reason="no", machine_score=at, id=1))
    return verdicts


@pytest.mark.parametrize(
    ("rejected_at", "score", "days", "expected"),
    [
        (60.0, 60.0, 0, 20.0),
        (60.0, 69.9, 0, 20.0),
        # 20 - 69.95 is -49.95000000000000284 in floats; its own digits are told.
        (60.0, 69.95, 0, 20.0),
        (60.0, 70.0, 0, 70.0),
        (96.0, 97.9, 0, 20.0),
        (96.0, 98.0, 0, 98.0),
        (100.0, 100.0, 0, 100.0),
        (10.0, 10.0, 0, 10.0),
        (60.0, 60.0, 89, 20.0),
        (60.0, 60.0, 91, 60.0),
        (None, 60.0, 0, 20.0),
        (60.0, None, 0, None),
    ],
)
def test_a_rejected_account_earns_its_score_again(
    rejected_at: float | None, score: float | None, days: int, expected: float | None
) -> None:
    verdicts = rejection(rejected_at, days=days)
    in_force = verdicts.rejection("a", before=NOON + timedelta(seconds=1))
    found = working(score, rejection=in_force, priority=SALES, language="en")
    earned = 0.0 if in_force is None else 101.0 if rejected_at is None else threshold(rejected_at)
    assert found.working_score == expected
    assert found.adjustment == (0.0 if score is None or expected is None else round(expected - score, 6))
    assert (found.reason is None) == found.priority.to_sales == (score is None or score >= earned)


def test_the_latest_word_counts_and_each_is_taken_once() -> None:
    verdicts = rejection(60.0)
    verdicts.note(Feedback(NOON, "a", "rejected", reason="no", machine_score=60.0, id=1))
    verdicts.note(Feedback(NOON, "a", "accepted", id=2))
    verdicts.note(Feedback(NOON, "a", "outcome", outcome="won", id=3))
    assert verdicts.rejection("a", before=NOON + timedelta(seconds=1)) is None
    assert verdicts.rejection("a", before=NOON) is None
    assert verdicts.rejection("b", before=NOON) is None
    assert threshold(60.0) == 70.0
