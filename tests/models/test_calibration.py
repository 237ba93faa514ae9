"""Calibration: likeliest line, never falling, exact for samples, one definition of probability."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from features.errors import BundleError, InputError, NotEnoughDataError
from models.calibration import SMALLEST_SLOPE, Calibration, fit_calibration, probabilities, probability


def sample(rows: int, *, slope: float, intercept: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    margins = random.normal(-2, 1.5, rows)
    return margins, (random.random(rows) < 1 / (1 + np.exp(-slope * margins - intercept))).astype(float)


def test_on_many_rows_it_is_the_maximum_likelihood_line() -> None:
    margins, labels = sample(50_000, slope=0.6, intercept=-0.4)
    ours = fit_calibration(margins, labels=labels, strength=0.0)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(margins[:, None], labels)
    assert ours.slope == pytest.approx(theirs.coef_[0, 0], abs=1e-3)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-3)
    assert (ours.slope, ours.intercept) == pytest.approx((0.6, -0.4), abs=0.05)


@pytest.mark.parametrize("strength", [0.0, 1.0, 25.0])
def test_the_gradient_of_the_penalised_likelihood_is_zero(strength: float) -> None:
    margins, labels = sample(300, slope=1.3, intercept=0.2)
    line = fit_calibration(margins, labels=labels, strength=strength)
    positives = labels.sum()
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (300 - positives + 2))
    error = probabilities(line.logits(margins)) - target
    assert error.sum() == pytest.approx(0, abs=1e-3)
    assert (error * margins).sum() + strength * (line.slope - 1) == pytest.approx(0, abs=1e-3)


@settings(deadline=None, max_examples=30)
@given(
    margins=st.lists(st.floats(-30, 30), min_size=2, max_size=8),
    data=st.data(),
)
def test_a_handful_of_rows_gives_a_sane_rising_line(margins: list[float], data: st.DataObject) -> None:
    positives = data.draw(st.integers(1, len(margins) - 1))
    labels = [1] * positives + [0] * (len(margins) - positives)
    line = fit_calibration(margins, labels=labels)
    assert SMALLEST_SLOPE <= line.slope < 10
    assert math.isfinite(line.intercept)


def test_a_slice_without_contrast_keeps_the_slope_and_gives_the_base_rate() -> None:
    line = fit_calibration(np.full(1000, 3.0), labels=np.repeat([0, 1], [900, 100]))
    assert line.slope == pytest.approx(1, abs=1e-6)
    assert probability(line.slope * 3 + line.intercept) == pytest.approx(0.1, abs=0.002)


def test_a_slice_ranked_backwards_never_turns_the_ranking_around() -> None:
    margins, labels = sample(2000, slope=-2.0, intercept=0.0)
    assert fit_calibration(margins, labels=labels).slope == SMALLEST_SLOPE


@settings(deadline=None)
@given(st.floats(-800, 800))
def test_probability_is_the_ieee_quotient(logit: float) -> None:
    exponential = math.exp(-logit) if logit > -709 else math.inf
    wanted = 1 / (1 + exponential) if logit > -709 else pytest.approx(0.0, abs=1e-300)
    assert probability(logit) == wanted
    assert probabilities(np.array([logit, 0.0])).tolist() == [probability(logit), 0.5]


@pytest.mark.parametrize(
    ("margins", "labels", "error"),
    [
        ([1.0, 2.0], [1, 1], NotEnoughDataError),
        ([], [], NotEnoughDataError),
        ([1.0, math.nan], [0, 1], InputError),
        ([1.0, 2.0], [0, 2], InputError),
        ([1.0, 2.0], [0, math.nan], InputError),
        ([1.0, 2.0, 3.0], [0, 1], InputError),
    ],
)
def test_rows_that_cannot_be_calibrated_are_refused(
    margins: list[float], labels: list[float], error: type[Exception]
) -> None:
    with pytest.raises(error):
        fit_calibration(margins, labels=labels)


@pytest.mark.parametrize(("slope", "intercept"), [(0.0, 0.0), (-1.0, 0.0), (math.nan, 0.0), (1.0, math.inf)])
def test_a_line_that_does_not_rise_is_no_calibration(slope: float, intercept: float) -> None:
    with pytest.raises(BundleError, match="rising"):
        Calibration(slope, intercept)
