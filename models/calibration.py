"""Calibration: a booster's raw margins in, log-odds that mean what they say out.

Platt scaling on the margin, z = slope * margin + intercept with slope > 0, so that a ranking never changes
and contributions still add up; an isotonic step would break the sum. Time rule: fit it on rows later than
those the booster learned from. Null rule: margins and labels have no nulls; a non-finite one is an error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import BundleError, InputError, NotEnoughDataError, SpearfishError

__all__ = ["Calibration", "fit_calibration", "probabilities", "probability"]

SMALLEST_SLOPE = 0.01
"""A held-out slice on which the booster ranks backwards must not turn the ranking around."""


@dataclass(frozen=True)
class Calibration:
    """z = slope * margin + intercept, in log-odds.

    slope: above 0. intercept: any finite number.
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and self.slope > 0 and math.isfinite(self.intercept)):
            raise BundleError(
                "calibration is not a rising line",
                got=f"slope {self.slope!r}, intercept {self.intercept!r}",
                allowed="a finite slope above 0 and a finite intercept",
                fix="fit the calibration again on held-out rows",
            )

    def logits(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated log-odds of raw margins, same shape; the same bits for one row and for a million."""
        return self.slope * margins + self.intercept

    def to_json(self) -> dict[str, float]:
        return {"intercept": self.intercept, "slope": self.slope}

    @classmethod
    def from_json(cls, data: Mapping[str, float]) -> Calibration:
        return cls(slope=float(data["slope"]), intercept=float(data["intercept"]))


def probability(logit: float) -> float:
    """1 / (1 + exp(-logit)) in IEEE doubles, the one definition on every path.

    Anyone can recompute it from a served logit to the last bit. Below about -709 exp(-logit) is infinity,
    so the quotient is 0, as in any language with IEEE arithmetic; Python raises there instead.

    >>> probability(0.0), probability(-1000.0), probability(1000.0)
    (0.5, 0.0, 1.0)
    """
    try:
        return 1 / (1 + math.exp(-logit))
    except OverflowError:
        return 0.0


def probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """`probability` of each, float64 (n,). NumPy's own exp differs from the C library's in the last bit."""
    return np.fromiter((probability(logit) for logit in logits.tolist()), dtype=np.float64, count=len(logits))


def fit_calibration(margins: ArrayLike, *, labels: ArrayLike, strength: float = 1.0) -> Calibration:
    """The likeliest calibration of held-out rows.

    Maximum likelihood with Platt's smoothed targets, (n1 + 1) / (n1 + 2) and 1 / (n0 + 2), and a normal
    prior on the slope around 1 with precision `strength`, so that a handful of rows, or a slice that is
    separated perfectly, gives a sane line (Platt 1999; Lin, Lin and Weng 2007).

    margins: float (n,), raw scores. labels: 0 or 1 (n,).
    Raises NotEnoughDataError when only one class is there, InputError for values that are not finite.
    """
    from scipy.optimize import minimize

    margin, label = _checked(margins, labels)
    positives, rows = float(label.sum()), len(label)
    target = np.where(label == 1, (positives + 1) / (positives + 2), 1 / (rows - positives + 2))

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, intercept = line
        z = slope * margin + intercept
        error = _rough_probabilities(z) - target
        value = np.sum(np.logaddexp(0, z) - target * z) + strength / 2 * (slope - 1) ** 2
        gradient = np.array([np.sum(error * margin) + strength * (slope - 1), np.sum(error)])
        return float(value) / rows, gradient / rows

    odds = positives / (rows - positives)
    found = minimize(
        loss,
        x0=np.array([1.0, math.log(odds) - float(np.mean(margin))]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(SMALLEST_SLOPE, None), (None, None)],
        options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10},
    )
    if not np.isfinite(found.fun):
        raise SpearfishError(
            f"calibration did not converge: {found.message}",
            got=f"{rows} rows, margins from {margin.min():g} to {margin.max():g}",
            fix="look for margins far outside the usual -20 to 20",
        )
    return Calibration(slope=float(found.x[0]), intercept=float(found.x[1]))


def _rough_probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities for fitting only: right to a few units in the last place, not to the last bit."""
    return np.exp(-np.logaddexp(0, -logits))


def _checked(margins: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    margin, label = np.asarray(margins, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if margin.ndim != 1 or margin.shape != label.shape:
        raise InputError(
            "margins and labels do not belong together",
            got=f"shapes {margin.shape} and {label.shape}",
            allowed="two vectors of one length",
            fix="pass one margin and one label per row",
        )
    if not np.isfinite(margin).all() or not np.isin(label, (0, 1)).all():
        raise InputError(
            "margins or labels hold values that cannot be calibrated",
            got=f"{int((~np.isfinite(margin)).sum())} non-finite margins, "
            f"{int((~np.isin(label, (0, 1))).sum())} labels other than 0 and 1",
            allowed="finite margins, labels 0 or 1",
            fix="drop rows without an outcome before calibrating",
        )
    if len(np.unique(label)) < 2:
        raise NotEnoughDataError(
            "calibration needs both classes",
            got=f"{int(label.sum())} positives among {len(label)} rows",
            allowed="at least one positive and one negative",
            fix="hold out a longer time slice",
        )
    return margin, label
