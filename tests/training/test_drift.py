"""Drift: the stability index and its spread by chance, and what it says of a served model."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from trained_market import MARKET

from features.ageing import ageing
from features.feature import Feature
from features.mapping import Config
from features.settings import DriftSettings, LabelSettings
from features.tables import Tables
from models.bundle import Bundle
from models.calibration import Calibration
from models.inputs import InputReference, input_references
from training.drift.measuring import ModelDrift, measure_drift
from training.drift.stability import stability
from training.fit import Training, train_fit, train_intent

SETTINGS = DriftSettings(replicates=100)


def counts(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_the_index_is_the_one_of_the_formula() -> None:
    found = stability(counts(500, 500), counts(30, 70), chance=0.05)
    # Shares with half a row added to each bin; 3.841 is the 95 % point of chi-square with one degree.
    (e1, e2), (a1, a2) = (500.5 / 1001, 500.5 / 1001), (30.5 / 101, 70.5 / 101)
    assert found.psi == pytest.approx((a1 - e1) * math.log(a1 / e1) + (a2 - e2) * math.log(a2 / e2))
    assert found.by_chance == pytest.approx((1 / 1000 + 1 / 100) * 3.841459)
    assert found.drifted(least=0.1)
    assert not found.drifted(least=0.2)


@pytest.mark.parametrize(
    ("reference", "actual", "bins"),
    [
        ((100, 100, 100), (100, 100, 100), 3),
        # Two bins of which the smaller sample would hold one or two are one with their neighbour.
        ((1000, 30, 30, 1000), (50, 1, 1, 50), 2),
        ((1000, 0), (1000, 0), 1),
        ((1000, 0), (970, 30), 2),
        ((0, 0), (10, 10), 1),
    ],
)
def test_bins_that_hold_too_few_are_merged(
    reference: tuple[int, ...], actual: tuple[int, ...], bins: int
) -> None:
    found = stability(counts(*reference), counts(*actual), chance=0.01)
    assert found.bins == bins
    assert (found.psi > found.by_chance) is (actual == (970, 30))


@pytest.mark.parametrize("rows", [20, 60, 1_000])
@pytest.mark.parametrize("shape", ["even", "skewed"])
def test_nothing_changed_alarms_no_oftener_than_it_says(rows: int, shape: str) -> None:
    """A hundred inputs, each with a chance of a hundredth of 5 %: some alarm in about 5 % of the rounds."""
    random = np.random.default_rng(0)
    shares = np.full(10, 0.1) if shape == "even" else np.array([0.9, *[0.1 / 9] * 9])
    rounds, inputs = 60, 100
    alarms = 0
    for _ in range(rounds):
        reference = random.multinomial(2_000, shares, size=inputs)
        actual = random.multinomial(rows, shares, size=inputs)
        found = [
            stability(one.astype(float), other.astype(float), chance=0.05 / inputs)
            for one, other in zip(reference, actual, strict=True)
        ]
        alarms += any(one.psi > one.by_chance for one in found)
    assert alarms <= 9  # of 60 at 5 %, nine or fewer with a probability of 99.9 %


@pytest.mark.parametrize(
    ("values", "edges", "counted"),
    [
        ([1.0, 2.0, 3.0, math.nan], (1.0, 2.0, 3.0), (1, 1, 1, 0, 1)),
        ([0.0] * 30, (0.0,), (30, 0, 0)),
        ([math.nan] * 3, (), (0, 3)),
    ],
)
def test_references_count_every_value(
    values: list[float], edges: tuple[float, ...], counted: tuple[int, ...], fit_training: Training
) -> None:
    catalogue = fit_training.bundle.catalogue
    number = next(feature.name for feature in catalogue.features if feature.kind == "number")
    X = np.full((len(values), len(catalogue.names)), math.nan)
    X[:, catalogue.index(number)] = values
    found = input_references(X, catalogue=catalogue)[number]
    assert (found.edges, found.counts) == (edges, counted)
    assert InputReference.from_json(found.to_json()) == found


def test_a_category_has_a_bin_for_what_training_never_saw(fit_training: Training) -> None:
    reference = InputReference((5, 5, 0, 0), None)
    assert reference.count(np.array([0.0, 2.0, 2.0, math.nan])).tolist() == [1, 0, 2, 1]


@pytest.fixture(scope="module")
def bundle(intent_training: Training) -> Bundle:
    return intent_training.bundle


def measured(market: Tables, bundle: Bundle, *, as_of: datetime = MARKET.end) -> ModelDrift:
    return measure_drift(market, bundle, labels=LabelSettings(), settings=SETTINGS, as_of=as_of)


@pytest.fixture(scope="module")
def earlier(market: Tables, config: Config) -> dict[str, Bundle]:
    """Models of the same market, in which nothing ever changes, ninety days before."""
    cutoff = MARKET.end - timedelta(days=90)
    trained = (grow(market, cutoff=cutoff, config=config) for grow in (train_fit, train_intent))
    return {one.kind: one.bundle for one in trained if isinstance(one, Training)}


@pytest.mark.parametrize("kind", ["fit", "intent"])
@pytest.mark.parametrize("days", [7, 30, 90])
def test_time_that_passes_is_no_drift(
    market: Tables, earlier: dict[str, Bundle], kind: str, days: int
) -> None:
    found = measured(market, earlier[kind], as_of=MARKET.end - timedelta(days=90 - days))
    assert not found.drifted, found.lines()
    if (kind, days) == ("intent", 90):
        assert found.inputs["engagement_days_since_first"].drifted(least=SETTINGS.psi)
        assert "no alarm for engagement_days_since_first" in "".join(found.lines())
        assert "engagement_days_since_first" in found.to_json()["inputs"]["no_alarm"]


def test_a_column_that_changed_alarms_whatever_the_time(market: Tables, earlier: dict[str, Bundle]) -> None:
    accounts = market.read("accounts")
    grown = accounts.assign(employees=accounts["employees"] * 3)
    frames = {"accounts": grown, "opportunities": market.read("opportunities")}
    found = measured(Tables.from_frames(frames, attributes=market.attributes), earlier["fit"])
    assert "employees" in found.drifted_inputs


@pytest.mark.parametrize(
    ("changed", "moves"),
    [
        ({"formula": "min(age) / 86400", "unit": "days"}, True),
        ({"formula": "coalesce(sum(quantity), 0)"}, True),
        ({"formula": "coalesce(sum(quantity), 0)", "window_days": 30}, False),
        ({"formula": "count(DISTINCT day)", "unit": "days", "window_days": 30}, False),
        ({"formula": "count(*) FILTER (WHERE day < 180)", "unit": "activities"}, False),
        ({"formula": "year(as_of) - founded_year", "table": "accounts"}, True),
        ({"formula": "payment_days", "table": "accounts", "unit": "days"}, False),
        ({"formula": "count(*) FILTER (WHERE won = 1)", "table": "opportunities"}, True),
        ({"formula": "count(*)", "table": "intent_topics"}, False),
        ({}, False),
    ],
)
def test_ages_and_counts_of_everything_so_far_move_with_time(changed: dict[str, Any], moves: bool) -> None:
    known = Feature("one", "engagement", "number", "activities", "made", "{value}", "{value}", "one", "0")
    assert bool(ageing(replace(known, **changed))) is moves


def test_the_population_of_the_training_has_not_drifted(market: Tables, bundle: Bundle) -> None:
    found = measured(market, bundle)
    assert not found.drifted
    assert set(found.inputs) == set(bundle.catalogue.names)
    assert max(one.psi for one in found.inputs.values()) == 0.0
    assert found.score.psi < 0.01
    assert found.calibration_note == "no outcome became known since the training"


def test_an_input_that_changed_is_named(market: Tables, bundle: Bundle) -> None:
    inputs = dict(bundle.card["inputs"])
    name = max(inputs, key=lambda one: len(inputs[one]["edges"] or ()))
    inputs[name] = inputs[name] | {"counts": [*sorted(inputs[name]["counts"][:-1], reverse=True), 0]}
    inputs[name]["counts"][0] += 10 * sum(inputs[name]["counts"])
    found = measured(market, replace(bundle, card=bundle.card | {"inputs": inputs}))
    assert found.drifted_inputs == [name]
    assert found.drifted
    assert any(name in line for line in found.lines())
    assert found.to_json()["inputs"]["drifted"] == [name]


def test_scores_and_calibration_that_no_longer_hold_are_drift(market: Tables, bundle: Bundle) -> None:
    line = bundle.calibration
    high = replace(
        bundle,
        calibration=Calibration(line.slope, line.intercept + 2.0),
        card=bundle.card | {"cutoff": "2024-06-01T00:00:00Z"},
    )
    found = measured(market, high)
    assert found.score_drifted
    assert found.calibration_drifted
    assert found.calibration is not None
    assert found.calibration.level.high < 0.67
    assert "observed by expected" in "".join(found.lines())


def test_a_model_from_before_there_were_references_says_so(market: Tables, bundle: Bundle) -> None:
    card = {name: value for name, value in bundle.card.items() if name != "inputs"}
    found = measured(market, replace(bundle, card=card))
    assert found.inputs == {}
    assert "train again" in found.inputs_note
