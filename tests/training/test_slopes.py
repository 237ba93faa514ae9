"""The calibration slope of each replicate against refits by scikit-learn, and where it does not exist."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from features.errors import NotEnoughDataError
from training.backtesting.evaluate import evaluate, measure
from training.backtesting.slopes import calibration_slopes


def refit(logit: np.ndarray, *, positives: np.ndarray, total: np.ndarray) -> float:
    """The slow other way: scikit-learn's regression of copies of the rows."""
    label = np.concatenate([np.ones(len(logit)), np.zeros(len(logit))])
    weight = np.concatenate([positives, total - positives])
    drawn = weight > 0
    told = np.concatenate([logit, logit])[drawn, None]
    line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    return float(line.fit(told, label[drawn], sample_weight=weight[drawn]).coef_[0, 0])


def test_replicates_far_from_their_rows_are_refitted() -> None:
    """Few events and few distinct scores: one step from the line of all rows would be off by half."""
    generator = np.random.default_rng(3)
    logit = np.array([-3.0, -2.4, -2.0, -1.0])
    total = generator.integers(8, 60, size=(40, 4)).astype(float)
    positives = np.minimum(generator.poisson([0.6, 2.0, 5.0, 9.0], size=(40, 4)), total - 1).astype(float)
    positives[:, 0] = np.maximum(positives[:, 0], 1)
    found = calibration_slopes(1 / (1 + np.exp(-logit)), positives=positives, total=total)
    assert np.ptp(found) > 1
    expected = [refit(logit, positives=p, total=t) for p, t in zip(positives, total, strict=True)]
    assert found == pytest.approx(expected, abs=3e-3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=5))
def test_a_slope_exists_where_the_classes_overlap(counts: list[tuple[int, int]]) -> None:
    events, others = np.array(counts).T
    chance = np.linspace(0.1, 0.6, len(counts))
    with_event, without = np.flatnonzero(events), np.flatnonzero(others)
    exists = (
        len(with_event) > 0
        and len(without) > 0
        and with_event.min() < without.max()
        and without.min() < with_event.max()
    )
    found = calibration_slopes(
        chance, positives=events[None].astype(float), total=(events + others)[None].astype(float)
    )
    assert np.isfinite(found[0]) == exists


@pytest.mark.parametrize(
    ("label", "defined"),
    [([0, 0, 0, 0, 1, 1], False), ([1, 1, 0, 0, 0, 0], False), ([0, 0, 1, 0, 1, 1], True)],
    ids=["events all above", "events all below", "overlap"],
)
def test_only_classes_that_overlap_have_a_slope(label: list[int], defined: bool) -> None:
    frame = pd.DataFrame({"label": label, "probability": [0.1, 0.1, 0.1, 0.4, 0.4, 0.4]})
    found = evaluate(frame.assign(account_id=list("abcdef")), replicates=100)
    assert np.isfinite(found["calibration_slope"].value) == defined
    assert np.isfinite(found["brier"].value)


def test_cutoffs_of_one_class_each_are_refused() -> None:
    frame = pd.DataFrame({"label": [0, 0, 1, 1], "cutoff": [1, 1, 2, 2], "probability": [0.1, 0.2, 0.3, 0.4]})
    with pytest.raises(NotEnoughDataError, match="2 cutoffs with one class each"):
        measure(frame.assign(account_id=list("abcd")), replicates=100)
