"""Intervals of means over folds: how much wider they are, and that they cover what is true of noise."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from training.backtesting.evaluate import Estimate, measure

TABLES, ROWS, FOLDS = 200, 80, 5


def test_the_variance_is_that_of_nadeau_and_bengio() -> None:
    # Two folds: 1 + 2 / 1 = 3 times the variance; five: 1 + 5 / 4 = 2.25, one and a half times the length.
    told = Estimate(0.6, low=0.5, high=0.64, base=0.5)
    five = told.over_folds(5)
    assert (five.value, five.base) == (0.6, 0.5)
    assert [five.low, five.high] == pytest.approx([0.45, 0.66])
    assert told.over_folds(2).high == pytest.approx(0.6 + 0.04 * math.sqrt(3))
    # The corrected variance of the mean of k figures of variance s: (1 / k + 1 / (k - 1)) s, for k = 10.
    corrected, alone = 1 / 10 + 1 / 9, 1 / 10
    assert (told.over_folds(10).high - 0.6) ** 2 == pytest.approx(0.04**2 * corrected / alone)


def test_a_bound_stays_within_what_the_figure_can_be_and_unknown_stays_unknown() -> None:
    sure = Estimate(0.95, low=0.9, high=0.99, base=0.5).over_folds(5, lowest=0.0, highest=1.0)
    assert [sure.low, sure.high] == pytest.approx([0.875, 1.0])
    unknown = Estimate(0.6, low=math.nan, high=math.nan, base=0.5).over_folds(5, lowest=0.0, highest=1.0)
    assert math.isnan(unknown.low)
    assert math.isnan(unknown.high)


@pytest.fixture(scope="module")
def noise() -> list[Estimate]:
    """The ROC AUC of logistic regressions over the folds of tables in which nothing tells the event."""
    random, found = np.random.default_rng(11), []
    for table in range(TABLES):
        X, label = random.normal(size=(ROWS, 3)), np.tile([0, 1], ROWS // 2)
        rows = pd.DataFrame({"account_id": np.arange(ROWS).astype(str), "label": label})
        for fold, (learn, judge) in enumerate(
            StratifiedKFold(FOLDS, shuffle=True, random_state=table).split(X, label)
        ):
            model = LogisticRegression().fit(X[learn], label[learn])
            rows.loc[judge, ["probability", "cutoff"]] = np.column_stack(
                [model.predict_proba(X[judge])[:, 1], np.full(len(judge), fold)]
            )
        told = measure(rows, probabilities=(), replicates=200)
        found.append(told.estimates["probability"]["roc_auc"])
    return found


def covered(told: list[Estimate]) -> float:
    return float(np.mean([one.low <= 0.5 <= one.high for one in told]))


def test_corrected_intervals_cover_what_is_true_of_noise(noise: list[Estimate]) -> None:
    assert covered([one.over_folds(FOLDS, lowest=0.0, highest=1.0) for one in noise]) >= 0.93


def test_resampling_alone_is_too_sure_of_noise(noise: list[Estimate]) -> None:
    # Else the correction would not be needed: the figures differ by more than their intervals say.
    assert covered(noise) < 0.93
