"""Intervals: they hold the probability, rise with the score and read the same alone and in a batch."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_world import World, make, train

from features.errors import BundleError
from models.bundle import Bundle
from models.calibration import probability
from models.intervals import Intervals, interval_meaning
from models.scoring import Scorer

TABLE = Intervals(0.9, (-2.0, 0.0, 1.0), (-3.0, -0.5, 1.0), (-2.0, 0.5, 3.0), rows=40, accounts=9)
logits = st.floats(-50, 50)


@pytest.mark.parametrize(
    ("logit", "low", "high"),
    [
        (-2.0, -3.0, -2.0),
        (-1.0, -1.75, -0.75),  # half way between two points
        (0.5, 0.25, 1.75),
        (-5.0, -6.0, -5.0),  # beyond the ends: as far from the logit as at the end
        (4.0, 4.0, 6.0),
    ],
)
def test_bounds_are_read_off_straight_lines(logit: float, low: float, high: float) -> None:
    lows, highs = TABLE.bounds(np.array([logit]))
    assert (lows[0], highs[0]) == (probability(low), probability(high))


@settings(deadline=None)
@given(st.lists(logits, min_size=2, max_size=30))
def test_they_hold_the_probability_and_rise_with_it(values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    lows, highs = TABLE.bounds(ordered)
    told = np.array([probability(value) for value in ordered.tolist()])
    assert ((lows <= told) & (told <= highs)).all()
    assert (np.diff(lows) >= 0).all()
    assert (np.diff(highs) >= 0).all()
    alone = [TABLE.bounds(ordered[position : position + 1])[0][0] for position in range(len(ordered))]
    assert alone == lows.tolist()


def test_nothing_known_says_that_anything_may_be() -> None:
    lows, highs = Intervals.nothing_known().bounds(np.array([-8.0, 0.0, 8.0]))
    assert lows.max() < 1e-200
    assert highs.min() == 1.0


@pytest.mark.parametrize(
    ("logits", "lows", "highs"),
    [
        ((), (), ()),
        ((0.0, 0.0), (-1.0, -1.0), (1.0, 1.0)),
        ((0.0, 1.0), (-1.0, -2.0), (1.0, 1.0)),
        ((0.0, 1.0), (-1.0, 1.5), (1.0, 2.0)),
        ((0.0, 1.0), (-1.0, 0.0), (1.0, math.inf)),
    ],
)
def test_a_table_that_does_not_hold_its_logits_is_refused(
    logits: tuple[float, ...], lows: tuple[float, ...], highs: tuple[float, ...]
) -> None:
    with pytest.raises(BundleError, match="interval table"):
        Intervals(0.9, logits, lows, highs, rows=1, accounts=1)


@pytest.mark.parametrize("level", [0.0, 1.0, math.nan])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(BundleError, match="level"):
        Intervals(level, (0.0,), (-1.0,), (1.0,), rows=1, accounts=1)


def test_scores_carry_them_and_the_card_says_what_they_mean(bundle: Bundle, world: World) -> None:
    given = make(bundle.booster_text, world, linear=bundle.linear, intervals=TABLE)
    scores = Scorer(given).score(world.X[:50], contributions=False)
    explained = Scorer(given).explain_row(world.X[0])
    lows, highs = TABLE.bounds(scores.logit)
    assert scores.low.tolist() == lows.tolist()
    assert (explained.low, explained.high) == (lows[0], highs[0])
    assert given.card["interval"] == {
        "level": 0.9,
        "meaning": interval_meaning(0.9),
        "rows": 40,
        "accounts": 9,
    }
    assert Bundle.from_bytes(given.to_bytes()) == given
    assert given.fingerprint != bundle.fingerprint


def test_a_bundle_without_rows_to_find_them_on_says_so(world: World) -> None:
    assert make(train(world), world).intervals == Intervals.nothing_known()
