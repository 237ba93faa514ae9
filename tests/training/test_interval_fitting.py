"""Intervals hold what they speak of; rows of one account and drift between slices widen them."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from models.calibration import Calibration
from models.intervals import Intervals
from training.fit import Training
from training.learning.intervals import between_slices, design_effect, fit_intervals, intervals_of

NEW_YEAR = datetime.fromisoformat("2025-01-01")
POINTS = np.linspace(-3, 1, 9)


def rows(
    number: int, *, seed: int = 0, bend: float = 0.0, levels: tuple[float, ...] = (0.0,)
) -> pd.DataFrame:
    """Rows of one account each, told by a line that the truth bends around; one level per time slice."""
    random = np.random.default_rng(seed)
    logit = random.normal(-1, 1, number)
    slices = np.arange(number) * len(levels) // number
    truth = logit + bend * np.sin(2 * logit) + np.array(levels)[slices]
    return pd.DataFrame(
        {
            "account_id": np.arange(number),
            "as_of": [NEW_YEAR + timedelta(days=int(day)) for day in slices],
            "label": (random.random(number) < 1 / (1 + np.exp(-truth))).astype(np.int64),
            "probability": 1 / (1 + np.exp(-logit)),
        }
    )


def width(found: Intervals) -> float:
    lows, highs = found.bounds(POINTS)
    return float((highs - lows).mean())


@pytest.mark.parametrize(("number", "bend"), [(300, 0.25), (3000, 0.25)])
def test_nine_in_ten_hold_the_truth_or_a_few_more(number: int, bend: float) -> None:
    truth = 1 / (1 + np.exp(-(POINTS + bend * np.sin(2 * POINTS))))
    inside = []
    for seed in range(60):
        lows, highs = intervals_of(rows(number, seed=seed, bend=bend)).bounds(POINTS)
        inside.append((lows <= truth) & (truth <= highs))
    assert 0.86 < np.mean(inside) < 0.99


def test_rows_told_four_times_make_nobody_surer() -> None:
    once = rows(500)
    four = pd.concat([once] * 4, ignore_index=True)
    # Each account's sum is four times as large, its variance 16 times; four times as many rows.
    assert design_effect(four) == pytest.approx(
        4
        * (once["label"] - once["probability"]).pow(2).sum()
        / (once["probability"] * (1 - once["probability"])).sum()
    )
    assert width(intervals_of(four)) == pytest.approx(width(intervals_of(once)), rel=0.05)
    assert width(intervals_of(rows(2000))) < 0.85 * width(intervals_of(once))


def test_the_level_between_slices_is_found_and_widens_the_interval() -> None:
    still, moved = rows(6000), rows(6000, levels=(-0.5, 0.5, -0.5, 0.5))
    # Four levels of +-.5 have a variance of 4 / 3 * .25.
    assert between_slices(moved) == pytest.approx(1 / 3, rel=0.35)
    assert between_slices(still) == pytest.approx(0.0, abs=0.01)
    assert width(intervals_of(moved)) > 3 * width(intervals_of(still))


@pytest.mark.parametrize("number", [2, 7, 60])
def test_a_handful_of_rows_gives_wide_bounds(number: int) -> None:
    few = rows(number).assign(label=np.arange(number) % 2)
    assert width(intervals_of(few)) > width(intervals_of(rows(2000)))


def test_one_class_says_that_anything_may_be() -> None:
    assert intervals_of(rows(50).assign(label=0)) == Intervals.nothing_known()


def test_a_line_behind_the_calibration_takes_the_bounds_along() -> None:
    found, line = intervals_of(rows(500)), Calibration(1.5, -0.3)
    moved = found.along(line)
    assert moved.bounds(line.logits(np.array(found.logits)))[0] == pytest.approx(
        1 / (1 + np.exp(-line.logits(np.array(found.lows))))
    )


def test_a_trained_model_carries_them(fit_training: Training, intent_training: Training) -> None:
    for trained in (fit_training, intent_training):
        assert trained.bundle.intervals == fit_intervals(trained.learned)
        assert trained.bundle.intervals.accounts > 100
        assert width(trained.bundle.intervals) < 0.4
