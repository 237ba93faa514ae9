"""What a model says of itself: its event, its segment and its level, in two languages."""

from __future__ import annotations

from typing import Any

import pytest
from label_tables import account, day, deal, tables, visit

from features.label_settings import FitLabelSettings, IntentLabelSettings
from models.card import HiddenFacts, LevelFacts
from training.labels import first_events
from training.meanings import about, fit_meaning, intent_meaning


@pytest.mark.parametrize(
    ("given", "english", "chinese"),
    [
        ({}, "opens an opportunity within 90 days", "90天内产生商机"),
        ({"event": "won", "horizon_days": 30}, "becomes a customer within 30 days", "30天内成交"),
        ({"event": "stage", "stage": ["SQL", "Demo"]}, "reaches the stage SQL or Demo", "进入阶段 SQL、Demo"),
        ({"event": "activity", "channel": "sign_up"}, "does sign_up within 90 days", "发生行为 sign_up"),
    ],
)
def test_an_intent_says_what_is_foreseen(given: dict[str, Any], english: str, chinese: str) -> None:
    meaning = intent_meaning(IntentLabelSettings.model_validate(given))
    assert english in meaning["en"]
    assert chinese in meaning["zh"]


def test_a_segment_is_named() -> None:
    assert about(FitLabelSettings()) == ""
    segment = {"product": "crm", "where": {"region": ["EMEA", "APAC"], "industry": "software"}}
    assert about(FitLabelSettings.model_validate(segment)) == (
        "; product crm; region EMEA or APAC; industry software"
    )


def test_a_level_says_whether_it_is_relative() -> None:
    hidden = HiddenFacts(estimate=None, low=0.0, high=9.0, rests_on="nothing")
    level = LevelFacts(
        absolute=False, label_rate=None, known=5, unlabelled=95, drawn_per_win=5, hidden=hidden
    )
    assert "relative" in fit_meaning(level)["en"]
    assert "相对" in fit_meaning(level)["zh"]
    assert "if 25% of those are known" in fit_meaning(level | {"absolute": True, "label_rate": 0.25})["en"]
    assert "if it is pursued" in fit_meaning(None)["en"]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event": "activity", "channel": "sign_up"}, {"a": "2024-01-05"}),
        ({"event": "stage", "stage": "Demo"}, {"b": "2024-01-08"}),
        ({"event": "opportunity_created"}, {"b": "2024-01-02"}),
    ],
)
def test_first_events_know_nothing_of_what_became_known_later(
    event: dict[str, str], expected: dict[str, str]
) -> None:
    found = tables(
        accounts=[account("a"), account("b")],
        activities=[
            visit("a", "2024-01-05", "sign_up"),
            visit("b", "2024-01-06", "sign_up", known_at="2024-02-01"),
        ],
        opportunities=[
            deal("1", "b", "2024-01-02"),
            deal("2", "a", "2024-01-03", known_at="2024-02-01"),
        ],
        stage_changes=[
            {"opportunity_id": "1", "stage": "Demo", "occurred_at": "2024-01-08", "known_at": "2024-01-08"},
            {"opportunity_id": "2", "stage": "Demo", "occurred_at": "2024-01-08", "known_at": "2024-01-08"},
        ],
    )
    cutoff = day("2024-02-01")
    settings = IntentLabelSettings.model_validate(event)
    moments = first_events(found, since=None, until=cutoff, settings=settings, known_before=cutoff)
    told = dict(zip(moments["account_id"], moments["happened_at"].dt.strftime("%Y-%m-%d"), strict=True))
    assert told == expected
