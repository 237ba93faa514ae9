"""FIRE is monotone and worked out by hand; fit D never goes to sales."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from features.errors import ConfigError
from features.settings import PRIORITIES, ServingSettings
from models.fire import FIRE_FEATURES, Fire, PriorityTable, fire

ENGAGED, CONTACTED, WINS, LOSSES, MINUTES = FIRE_FEATURES.values()
days = st.floats(0, 180)


@pytest.mark.parametrize(
    ("values", "recency", "engagement"),
    [
        ({}, 0.0, 0.0),
        ({ENGAGED: 0.0, CONTACTED: 0.0}, 80.0, 0.0),
        ({ENGAGED: 30.0, CONTACTED: 90.0, WINS: 1.0, LOSSES: 0.0}, 25 + 15 + 10, 0.0),
        ({ENGAGED: 60.0, CONTACTED: math.nan, WINS: 1.0, LOSSES: 2.0}, 12.5 + 5, 0.0),
        ({WINS: 0.0, LOSSES: 4.0, MINUTES: 60.0}, 0.0, 50.0),
        ({MINUTES: 120.0}, 0.0, 75.0),
        ({MINUTES: math.nan}, 0.0, 0.0),
    ],
)
def test_the_parts_follow_the_documented_formulas(
    values: dict[str, float], recency: float, engagement: float
) -> None:
    got = fire(values, fit=81.5, intent=None)
    assert (got.fit, got.intent, got.recency, got.engagement) == (81.5, None, recency, engagement)


def test_raw_values_are_shown_and_unknown_ones_are_null() -> None:
    values = {ENGAGED: 3.0, CONTACTED: math.nan, WINS: 2.0, LOSSES: 1.0, MINUTES: 41.5}
    assert fire(values, fit=None, intent=7.0) == Fire(
        fit=None,
        intent=7.0,
        recency=56.7,  # 50 * 2^-0.1 = 46.65 and 20 * 2 / 4 = 10
        engagement=38.1,  # 100 * (1 - 2^-0.69167)
        days_since_last_engagement=3.0,
        days_since_last_two_way_contact=None,
        earlier_wins=2,
        earlier_losses=1,
        engagement_minutes_90d=41.5,
    )


@settings(deadline=None)
@given(
    values=st.fixed_dictionaries(
        {
            ENGAGED: days,
            CONTACTED: days,
            WINS: st.integers(0, 9),
            LOSSES: st.integers(0, 9),
            MINUTES: st.floats(0, 5000),
        }
    ),
    more=st.floats(0, 100),
)
def test_every_part_is_monotone_and_within_bounds(values: dict[str, float], more: float) -> None:
    base = fire(values, fit=None, intent=None)
    for name, step in ((ENGAGED, more), (CONTACTED, more), (LOSSES, 1)):
        assert fire(values | {name: values[name] + step}, fit=None, intent=None).recency <= base.recency
    assert fire(values | {WINS: values[WINS] + 1}, fit=None, intent=None).recency >= base.recency
    assert (
        fire(values | {MINUTES: values[MINUTES] + more}, fit=None, intent=None).engagement >= base.engagement
    )
    for unknown in (ENGAGED, CONTACTED):
        assert fire(values | {unknown: math.nan}, fit=None, intent=None).recency <= base.recency
    assert 0 <= base.recency <= 100
    assert 0 <= base.engagement <= 100


@pytest.mark.parametrize("intent", ["A", "B", "C", "D", None])
def test_fit_d_never_goes_to_sales(intent: str | None) -> None:
    assert PriorityTable().priority(fit="D", intent=intent) in ("nurture", "watch", "do not pursue")


@pytest.mark.parametrize("intent", ["A", "B", "C", "D", "none"])
@pytest.mark.parametrize("priority", ["sales", "sales now"])
def test_a_table_that_routes_fit_d_to_sales_is_refused(intent: str, priority: str) -> None:
    with pytest.raises(ConfigError, match="fit D to sales"):
        PriorityTable({"D": {intent: priority}})
    with pytest.raises(ValidationError, match="never routed to sales"):
        ServingSettings.model_validate({"priority": {"D": {intent: priority}}})


def test_given_cells_replace_the_default_ones() -> None:
    table = PriorityTable({"B": {"A": "sales now"}, "none": {"none": "watch"}})
    assert table.priority(fit="B", intent="A") == "sales now"
    assert table.priority(fit="B", intent="B") == PriorityTable().priority(fit="B", intent="B")
    assert table.priority(fit=None, intent=None) == "watch"


def test_the_configuration_carries_the_whole_table() -> None:
    given = {"B": {"A": "sales now"}}
    whole = ServingSettings.model_validate({"priority": given}).priority
    for fit, intent in product(["A", "B", "C", "D", None], ["A", "B", "C", "D", None]):
        wanted = PriorityTable(given).priority(fit=fit, intent=intent)
        assert PriorityTable(whole).priority(fit=fit, intent=intent) == wanted
    assert ServingSettings.model_validate({"priority": whole}).priority == whole


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"E": {"A": "sales"}}, "unknown fit grade"),
        ({"A": {"a": "sales"}}, "unknown intent grade"),
        ({"A": {"A": "sale"}}, "did you mean 'sales'"),
    ],
)
def test_unknown_words_are_refused(given: dict[str, dict[str, str]], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PriorityTable(given)


def test_a_better_grade_never_means_a_worse_priority() -> None:
    table = PriorityTable()
    rank = {
        (fit, intent): PRIORITIES.index(table.priority(fit=fit, intent=intent))
        for fit, intent in product("ABCD", "ABCD")
    }
    for better, worse in ("AB", "BC", "CD"):
        for other in "ABCD":
            assert rank[better, other] <= rank[worse, other]
            assert rank[other, better] <= rank[other, worse]
