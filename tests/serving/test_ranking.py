"""The ranking of every account gives each the scores of its single answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from small_workspace import ACCOUNTS, CUTOFF, NOW, START, account_id

from features.errors import NotEnoughDataError
from models.fire import PriorityTable
from serving.activities.waiting import Waiting
from serving.answers import ScoreAnswer
from serving.desk import Desk
from serving.flat_reasons import Reasoned, flat_reasons
from serving.ranking import known_accounts, rank_accounts, scored_parts
from serving.requests import ScoreRequest
from serving.scoring import default_as_of, score_account
from serving.store import activities
from serving.store.activities import Activity
from serving.store.door import StoreDoor
from serving.store.feedback import Feedback
from serving.working import HELD_AT, Verdicts

AMID = START + timedelta(days=318, hours=12)
"""A moment after which some accounts, and only some, have facts."""


@pytest.fixture(scope="module")
def livelier(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The desk, on which accounts 20 and 21 have newer activities, and sales rejected 20, 22, 24, ..."""
    folder: Path = tmp_path_factory.mktemp("livelier")
    door, verdicts = StoreDoor(f"sqlite:///{folder / 'store.db'}"), Verdicts()
    just_now = NOW - timedelta(minutes=5)
    rows = [
        Activity(
            f"new-{n}-{k}", account_id(n), f"c-{n}-0", "webinar", "inbound", just_now, just_now, seconds=900
        )
        for n in (20, 21)
        for k in range(3)
    ]
    with door.open().writing() as connection:
        activities.add(connection, rows)
    waiting = Waiting(door)
    waiting.cover(desk.snapshot.moved_through)
    for number in range(20, ACCOUNTS, 2):
        said = Feedback(just_now, account_id(number), "rejected", reason="no", machine_score=1e3, id=number)
        verdicts.note(said)
    yield Desk(desk.snapshot, release=desk.release, verdicts=verdicts, waiting=waiting)
    waiting.close()


def single(desk: Desk, account: str, *, now: datetime, as_of: datetime | None = None) -> ScoreAnswer:
    asked = {"account_id": account} | ({"as_of": f"{as_of.isoformat()}Z"} if as_of else {})
    return score_account(desk, request=ScoreRequest.model_validate(asked), now=now)


@pytest.mark.parametrize(
    ("now", "as_of"), [(NOW, None), (AMID, None), (NOW, CUTOFF)], ids=["nothing new", "newer facts", "given"]
)
def test_the_ranking_agrees_with_single_answers(desk: Desk, now: datetime, as_of: datetime | None) -> None:
    ranked = rank_accounts(desk, now=now, as_of=as_of)
    assert set(ranked["account_id"]) == {account_id(number) for number in range(ACCOUNTS)}
    assert len(ranked) == ACCOUNTS
    for row in ranked.to_dict("records"):
        answer = single(desk, row["account_id"], now=now, as_of=as_of)
        assert row["as_of"] == answer.as_of
        assert (row["name"], row["priority"]) == (answer.account.name, answer.priority.action)
        for kind in ("fit", "intent"):
            half = getattr(answer, kind)
            told = None if half is None else (half.probability, half.score, half.grade)
            ranks = tuple(row[f"{kind}_{name}"] for name in ("probability", "score", "grade"))
            assert (None if pd.isna(ranks[0]) else ranks) == told


def test_an_account_with_newer_facts_is_ranked_just_after_them(desk: Desk) -> None:
    ranked = rank_accounts(desk, now=AMID).set_index("account_id")
    midnight = default_as_of(None, now=AMID, time_zone=desk.time_zone)
    later = ranked[ranked["as_of"] > midnight]
    assert 0 < len(later) < ACCOUNTS
    facts = pd.concat(
        desk.snapshot.tables.read(name)[["account_id", "known_at"]]
        for name in ("accounts", "contacts", "activities", "intent_topics", "opportunities")
    )
    newest = facts.groupby("account_id")["known_at"].max()
    assert (later["as_of"] == newest.loc[later.index] + timedelta(seconds=1)).all()
    assert (newest.loc[ranked.index.difference(later.index)] < midnight).all()


def test_accounts_unknown_at_the_moment_are_left_out(desk: Desk) -> None:
    """Account n becomes known n % 30 days after the start."""
    ranked = rank_accounts(desk, now=NOW, as_of=START + timedelta(days=10))
    assert set(ranked["account_id"]) == {account_id(n) for n in range(ACCOUNTS) if n % 30 < 10}


def test_a_moment_before_every_account_is_refused(desk: Desk) -> None:
    with pytest.raises(NotEnoughDataError, match=r"no account was known yet.*choose a later moment"):
        rank_accounts(desk, now=NOW, as_of=START)


@pytest.mark.parametrize("as_of", [None, CUTOFF, NOW], ids=["each its own", "before it", "now"])
def test_newer_activities_and_feedback_count_as_in_single_answers(
    livelier: Desk, as_of: datetime | None
) -> None:
    names = [account_id(number) for number in (3, 20, 21, 22, 23, 40)]
    parts = list(scored_parts(livelier, known_accounts(livelier, now=NOW, as_of=as_of), reasons=3, rows=50))
    assert [len(part) for part in parts] == [50, 50, 20]
    rows = pd.concat(parts).set_index("account_id")
    ranked = rank_accounts(livelier, now=NOW, as_of=as_of).set_index("account_id")
    for name in names:
        answer, row = single(livelier, name, now=NOW, as_of=as_of), rows.loc[name]
        told = (answer.machine_score, answer.adjustment, answer.working_score, answer.working_priority.action)
        numbers = ["machine_score", "adjustment", "working_score", "working_priority"]
        assert tuple(row[numbers]) == tuple(ranked.loc[name, numbers]) == told
        assert row["as_of"] == answer.as_of
        assert list(row[["reason_1", "reason_2", "reason_3"]]) == told_for(answer)
    counted = as_of != CUTOFF
    assert (rows.loc[account_id(20), "adjustment"] < 0) == counted
    assert (rows["as_of"].nunique() == 2) == (as_of is None)


def told_for(answer: ScoreAnswer) -> list[str | None]:
    reasons: list[Reasoned] = [
        (kind, reason["contribution"], reason["sentence"])
        for kind, half in (("fit", answer.fit), ("intent", answer.intent))
        for reason in (half.reasons_for if half else ())
    ]
    return flat_reasons(reasons, most=3, language="en")


def test_what_sales_rejected_comes_after_what_it_may_work_with(livelier: Desk) -> None:
    everywhere = dict.fromkeys(("A", "B", "C", "D", "none"), "sales now")
    eager = replace(livelier.release, priorities=PriorityTable(dict.fromkeys("ABC", everywhere)))
    asked = Desk(livelier.snapshot, release=eager, verdicts=livelier.verdicts)
    ranked = rank_accounts(asked, now=NOW)
    held = ranked["adjustment"] < 0
    assert (ranked.loc[held, "working_score"] == HELD_AT).all()
    assert not set(ranked.loc[held, "working_priority"]) & {"sales now", "sales"}
    assert set(ranked.loc[held, "priority"]) & {"sales now", "sales"}
    for _, alike in ranked.groupby("working_priority"):
        assert (alike["adjustment"] < 0).is_monotonic_increasing
