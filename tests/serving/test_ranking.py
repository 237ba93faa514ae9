"""The ranking of every account gives each the scores of its single answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest
from small_workspace import ACCOUNTS, CUTOFF, NOW, START, account_id

from features.errors import NotEnoughDataError
from serving.answers import ScoreAnswer
from serving.desk import Desk
from serving.ranking import rank_accounts
from serving.requests import ScoreRequest
from serving.scoring import default_as_of, score_account

AMID = START + timedelta(days=318, hours=12)
"""A moment after which some accounts, and only some, have facts."""


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
