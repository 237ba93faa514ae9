"""Calibration slopes: tallies of tied probabilities in, the slope of each weighting of the rows out.

Regresses the label on the logit of what was said (Cox 1958), for many weightings of the rows at once. Time
rule: none. Null rule: where the likelihood has no greatest value (the events all lie above, or below, the
rest, or the probability is the same for all rows) the slope is NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["calibration_slopes"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_SMALLEST = 1e-12
_STEPS = 100
_HALVINGS = 60
_NEAR = 0.01
"""A first Newton step this short, in standard deviations of the logit, leaves an error of its square."""


def calibration_slopes(probability: Vector, *, positives: Matrix, total: Matrix) -> Vector:
    """The slope of each weighting, (weightings,): 1 is right, below 1 the probabilities are too bold.

    probability: (groups,), distinct. positives, total: (weightings, groups), the weight of the events and of
    all rows with that probability.
    """
    found = np.full(len(total), np.nan)
    defined = _overlapping(positives, total - positives)
    if not defined.any():
        return found
    chance = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    logit = np.log(chance) - np.log1p(-chance)
    spread = float(logit.std())
    found[defined] = _slopes((logit - logit.mean()) / spread, positives[defined], total[defined]) / spread
    return found


def _overlapping(positives: Matrix, negatives: Matrix) -> NDArray[np.bool_]:
    """Whether neither class lies wholly at or beyond the other (Albert and Anderson 1984)."""
    first, last = _ends(positives > 0)
    other_first, other_last = _ends(negatives > 0)
    both = (positives.sum(axis=1) > 0) & (negatives.sum(axis=1) > 0)
    return np.asarray(both & (first < other_last) & (other_first < last))


def _ends(there: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first and the last group with such a row."""
    return there.argmax(axis=1), there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)


def _slopes(logit: Vector, positives: Matrix, total: Matrix) -> Vector:
    """Replicates are near the rows that they were drawn from: one step from their line often is enough."""
    whole = _climbed(np.zeros((1, 2)), logit, positives.sum(axis=0)[None], total.sum(axis=0)[None])
    step = _newton(whole, logit, positives, total)
    lines = whole + step
    far = np.abs(step).max(axis=1) > _NEAR
    if far.any():
        start = np.repeat(whole, int(far.sum()), axis=0)
        lines[far] = _climbed(start, logit, positives[far], total[far])
    slopes: Vector = lines[:, 1]
    return slopes


def _climbed(lines: Matrix, logit: Vector, positives: Matrix, total: Matrix) -> Matrix:
    """Intercept and slope of the greatest likelihood; Newton steps that are halved until they help."""
    for _ in range(_STEPS):
        step, loss = _newton(lines, logit, positives, total), _loss(lines, logit, positives, total)
        for _ in range(_HALVINGS):
            worse = _loss(lines + step, logit, positives, total) > loss
            if not worse.any():
                break
            step[worse] /= 2
        lines = lines + step
        if np.abs(step).max() < 1e-9:
            break
    return lines


def _loss(lines: Matrix, logit: Vector, positives: Matrix, total: Matrix) -> Vector:
    drawn = lines[:, :1] + lines[:, 1:] * logit
    loss: Vector = (total * np.logaddexp(0.0, drawn) - positives * drawn).sum(axis=1)
    return loss


def _newton(lines: Matrix, logit: Vector, positives: Matrix, total: Matrix) -> Matrix:
    """lines: one for all weightings, (1, 2), or one for each, (weightings, 2)."""
    expected = 1.0 / (1.0 + np.exp(-np.clip(lines[:, :1] + lines[:, 1:] * logit, -30, 30)))
    error, spread = positives - total * expected, total * (expected * (1 - expected))
    g0, g1 = error.sum(axis=1), error @ logit
    h00, h01, h11 = spread.sum(axis=1), spread @ logit, spread @ logit**2
    determinant = np.maximum(h00 * h11 - h01**2, _SMALLEST)
    step: Matrix = np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0], axis=1) / determinant[:, None]
    return step
