"""One answer, looked at closely: sums, bits, times, and who is outside the population."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from small_workspace import ACCOUNTS, AS_OF, CUTOFF, NOW, account_id, as_record, load_data, publish

from features.errors import UnknownAccountError, WorkspaceError
from features.point_in_time import build_features
from features.settings import IntentLabelSettings
from features.workspace import Workspace
from serving.answers import FitScore, IntentScore, ScoreAnswer
from serving.desk import Desk, open_desk
from serving.population import Deal, intent_obstacle
from serving.problems import AmbiguousDomainError, InvalidRequestError, NotReadyError
from serving.ranking import rank_accounts
from serving.requests import parse_request
from serving.scoring import default_as_of, score_account, score_once
from training.labels import intent_population

Score = Callable[..., ScoreAnswer]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def score(desk: Desk) -> Score:
    def ask(now: datetime = NOW, language: Any = "en", **request: Any) -> ScoreAnswer:
        body = json.dumps(request).encode()
        checked = parse_request(body, attributes=desk.snapshot.manifest.attributes)
        return score_account(desk, request=checked, now=now, language=language)

    return ask


def comparable(answer: ScoreAnswer) -> dict[str, Any]:
    return answer.model_dump(exclude={"request_id", "account", "data_through"})


def halves(answer: ScoreAnswer) -> list[FitScore | IntentScore]:
    return [half for half in (answer.fit, answer.intent) if half is not None]


@pytest.mark.parametrize("number", range(0, ACCOUNTS, 9))
def test_the_sums_lead_to_the_probability(score: Score, number: int) -> None:
    for half in halves(score(account_id=account_id(number), as_of=AS_OF)):
        shown = [reason["contribution"] for reason in (*half.reasons_for, *half.reasons_against)]
        assert math.fsum([half.baseline, half.other, *shown]) == pytest.approx(half.logit, abs=1e-9)
        assert half.probability == 1 / (1 + math.exp(-half.logit))
        sure = half.probability_interval
        assert sure.low <= half.probability <= sure.high
        assert "scored like this one" in sure.meaning
        assert all(reason["contribution"] > 0 for reason in half.reasons_for)
        assert all(reason["contribution"] < 0 for reason in half.reasons_against)


def test_served_equals_offline_bit_for_bit(score: Score, desk: Desk) -> None:
    keys = pd.DataFrame({"account_id": [account_id(n) for n in range(ACCOUNTS)], "as_of": CUTOFF})
    keys["as_of"] = keys["as_of"].astype("datetime64[us]")
    answers = [score(account_id=account, as_of=AS_OF) for account in keys["account_id"]]
    for kind in ("fit", "intent"):
        (model,) = desk.release.of_kind(kind)
        scorer = model.scorer
        frame = build_features(desk.snapshot.tables, keys, catalogue=scorer.bundle.catalogue)
        offline = scorer.score(np.ascontiguousarray(frame.to_numpy())).logit.tolist()
        served = [getattr(answer, kind) for answer in answers]
        assert sum(half is not None for half in served) > ACCOUNTS / 2
        for half, logit in zip(served, offline, strict=True):
            assert half is None or half.logit == logit


@pytest.mark.parametrize("number", [0, 3, 4, 5, 7, 10, 39, 119])
def test_an_account_sent_along_gets_the_answer_of_the_known_one(
    score: Score, desk: Desk, number: int
) -> None:
    sent = score(record=as_record(desk.snapshot.tables, number=number), as_of=AS_OF)
    known = score(account_id=account_id(number), as_of=AS_OF)
    assert comparable(sent) == comparable(known)
    assert sent.account.account_id is None


def test_a_domain_leads_to_its_account(score: Score) -> None:
    by_domain = score(domain="www.Company9.example", as_of=AS_OF)
    assert comparable(by_domain) == comparable(score(account_id="acc-09", as_of=AS_OF))
    assert by_domain.account.account_id == "acc-09"


def test_an_ambiguous_domain_names_the_accounts(score: Score) -> None:
    with pytest.raises(AmbiguousDomainError) as caught:
        score(domain="company1.example")
    assert caught.value.allowed == "acc-01, acc-02"


@pytest.mark.parametrize(
    ("newest", "now", "zone", "expected"),
    [
        (None, "2026-07-01T01:30:00", "UTC", "2026-07-01T00:00:00"),
        ("2026-06-01T00:00:00", "2026-07-01T21:59:59", "Europe/Berlin", "2026-06-30T22:00:00"),
        ("2026-06-01T00:00:00", "2026-07-01T22:00:00", "Europe/Berlin", "2026-07-01T22:00:00"),
        ("2026-07-01T09:59:59", "2026-07-01T12:00:00", "UTC", "2026-07-01T10:00:00"),
        ("2026-03-28T00:00:00", "2026-03-29T12:00:00", "Europe/Berlin", "2026-03-28T23:00:00"),
        (None, "2026-11-01T20:00:00", "America/New_York", "2026-11-01T04:00:00"),
    ],
)
def test_the_default_moment_is_midnight_or_just_after_the_newest_fact(
    newest: str | None, now: str, zone: str, expected: str
) -> None:
    found = default_as_of(
        datetime.fromisoformat(newest) if newest else None,
        now=datetime.fromisoformat(now),
        time_zone=ZoneInfo(zone),
    )
    assert found == datetime.fromisoformat(expected)


def test_without_new_facts_the_answer_stays_all_day(score: Score) -> None:
    morning, evening = (
        score(now=NOW.replace(hour=hour), account_id="acc-20").model_dump(exclude={"request_id"})
        for hour in (1, 21)
    )
    assert morning == evening
    assert morning["as_of"] == NOW.replace(day=14, hour=23, minute=0, second=0)


def test_old_data_are_pointed_out(score: Score) -> None:
    (warning,) = score(account_id="acc-20").warnings
    assert "days older than as_of" in warning
    assert not score(account_id="acc-20", as_of=AS_OF).warnings


def test_who_is_outside_the_population_gets_no_intent_but_a_reason(score: Score) -> None:
    customer, busy = (score(account_id=account, as_of=AS_OF) for account in ("acc-03", "acc-04"))
    for answer, part in ((customer, "is a customer since"), (busy, "has an open opportunity since")):
        assert answer.intent is None
        assert part in str(answer.intent_unavailable_reason)
        assert answer.fit is not None
        assert answer.fit_unavailable_reason is None
        assert answer.fire.intent is None
        assert answer.fire.recency is not None


def test_the_population_is_the_one_of_the_training(desk: Desk) -> None:
    index = desk.snapshot.accounts
    for months in range(0, 11, 2):
        as_of = CUTOFF - timedelta(days=30 * months)
        frame = intent_population(desk.snapshot.tables, as_of=as_of, settings=IntentLabelSettings())
        free = {
            account_id(n)
            for n in range(ACCOUNTS)
            if index.by_id(account_id(n)).first_known_at < as_of
            and intent_obstacle(index.deals(account_id(n)), as_of=as_of, product=None) is None
        }
        assert free == set(frame["account_id"])


def test_deals_of_another_product_are_no_obstacle() -> None:
    deal = Deal("o", CUTOFF, "crm", CUTOFF, None, None)
    assert intent_obstacle([deal], as_of=CUTOFF + HOUR, product="crm") == deal
    assert intent_obstacle([deal], as_of=CUTOFF + HOUR, product="chat") is None
    assert intent_obstacle([deal], as_of=CUTOFF, product=None) is None
    lost = deal._replace(known_at=CUTOFF + HOUR, closed_at=CUTOFF + HOUR, outcome="lost")
    assert intent_obstacle([lost, deal], as_of=CUTOFF + DAY, product=None) is None


def test_chinese_readers_get_chinese_sentences(score: Score) -> None:
    answer = score(account_id="acc-20", as_of=AS_OF, language="zh")
    assert answer.fit is not None
    assert answer.fit.meaning == "若跟进，赢得该客户的概率。"
    english = score(account_id="acc-20", as_of=AS_OF)
    assert answer.fit.logit == english.fit.logit if english.fit else False
    assert "契合度" in answer.priority.why


def test_a_category_that_training_never_saw_is_named(score: Score) -> None:
    record = {"account": {"industry": "beekeeping"}}
    assert score(record=record, as_of=AS_OF).unseen_categories == ["industry"]


@pytest.mark.parametrize(
    ("request_", "error", "part"),
    [
        ({"account_id": "nobody"}, UnknownAccountError, "nobody"),
        ({"domain": "nobody.example"}, UnknownAccountError, "nobody.example"),
        ({"account_id": "acc-07", "as_of": "2024-01-01T00:00:00Z"}, UnknownAccountError, "not known yet"),
        ({"account_id": "acc-07", "as_of": "2026-03-15T10:30:01Z"}, InvalidRequestError, "in the future"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    score: Score, request_: dict[str, Any], error: type[Exception], part: str
) -> None:
    with pytest.raises(error, match=part):
        score(**request_)


ACTIVITY = {"channel": "web_visit", "direction": "inbound", "occurred_at": "2025-01-01T00:00:00Z"}
DEAL = {"created_at": "2025-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("rows", "field", "part"),
    [
        (
            {"activities": [ACTIVITY | {"occurred_at": "2030-01-01T00:00:00Z"}]},
            "record.activities[0].occurred_at",
            "in the future",
        ),
        (
            {"activities": [ACTIVITY | {"known_at": "2024-01-01T00:00:00Z"}]},
            "record.activities[0].known_at",
            "lies before the row happened",
        ),
        (
            {"activities": [ACTIVITY | {"activity_id": "x"}, ACTIVITY | {"activity_id": "x"}]},
            "record.activities[1]",
            "the same activity_id as record.activities[0]",
        ),
        (
            {"opportunities": [DEAL | {"outcome": "won"}]},
            "record.opportunities[0].outcome",
            "must both be sent, or neither",
        ),
        (
            {"opportunities": [DEAL | {"outcome": "won", "closed_at": "2024-01-01T00:00:00Z"}]},
            "record.opportunities[0].closed_at",
            "before created_at",
        ),
        ({"earlier_versions": [{}]}, "record.account", "the same known_at"),
    ],
)
def test_contradictions_within_a_record_are_refused(
    score: Score, rows: dict[str, Any], field: str, part: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        score(record={"account": {"employees": 10}, **rows})
    error = caught.value.errors[0]
    assert error.field == field
    assert part in error.what


def test_a_closed_deal_in_a_record_was_open_before(score: Score) -> None:
    deal = DEAL | {"outcome": "lost", "closed_at": "2025-03-01T00:00:00Z"}
    record = {"account": {"employees": 10}, "opportunities": [deal]}
    assert score(record=record, as_of="2025-02-01T00:00:00Z").intent is None
    assert score(record=record, as_of="2025-04-01T00:00:00Z").intent is not None


@pytest.mark.parametrize("kind", ["fit", "intent"])
def test_a_release_may_hold_one_model(tmp_path: Path, kind: Any) -> None:
    workspace = Workspace(tmp_path / "workspace")
    load_data(workspace, folder=tmp_path)
    publish(workspace, kinds=[kind])
    answer = score_once(workspace, request={"account_id": "acc-00", "as_of": AS_OF}, now=NOW)
    missing = {"fit": "intent", "intent": "fit"}[kind]
    assert getattr(answer, missing) is None
    assert getattr(answer, f"{missing}_unavailable_reason") == f"The current release holds no {missing} model"
    assert getattr(answer, kind) is not None
    assert (answer.fire.recency is None) == (kind == "fit")


def test_a_release_may_cut_grades_otherwise_than_its_models(tmp_path: Path) -> None:
    """Top 90, 95 and 99 %: a score of 10 is an A. The models themselves cut at 10, 30 and 60 %."""
    workspace = Workspace(tmp_path / "workspace")
    load_data(workspace, folder=tmp_path)
    publish(workspace, kinds=["fit"], serving={"grade_cuts": [0.9, 0.95, 0.99]})
    with open_desk(workspace, now=NOW) as opened:
        ranked = rank_accounts(opened, now=NOW)
    assert set(ranked.loc[ranked["fit_score"] >= 10, "fit_grade"]) == {"A"}
    assert set(ranked.loc[ranked["fit_score"] < 5, "fit_grade"]) == {"C", "D"}
    low = ranked[ranked["fit_score"].between(10, 40)].iloc[0]
    answer = score_once(workspace, request={"account_id": low["account_id"]}, now=NOW)
    assert answer.fit is not None
    assert answer.fit.grade == "A"


def test_nothing_to_answer_with_is_said_plainly(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    with pytest.raises(WorkspaceError, match="spearfish ingest"):
        score_once(workspace, request={"account_id": "acc-00"})
    load_data(workspace, folder=tmp_path)
    with pytest.raises(NotReadyError, match="spearfish promote"):
        score_once(workspace, request={"account_id": "acc-00"})


def test_a_desk_takes_the_release_of_now(company: Workspace) -> None:
    before = datetime.now(UTC).replace(tzinfo=None, year=2020)
    with pytest.raises(NotReadyError):
        open_desk(company, now=before)
