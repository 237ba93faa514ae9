"""Measures against the truth of a simulated market.

Turns probabilities, bounds and true chances of the same accounts into figures of 20 bins of equal count by
probability (calibration error, coverage of intervals).
Time rule: none of its own. Null rule: every account has its true chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "Coverage", "calibration_error", "coverage", "twentieths"]

Vector = NDArray[np.float64]

BINS = 20


@dataclass(frozen=True)
class Coverage:
    """Of 20 bins by rising probability. held: whether the mean of the true chances of the bin lies between
    the means of its accounts' bounds. each: the share of its accounts whose own bounds hold that mean.
    width: mean of high less low."""

    held: NDArray[np.bool_]
    each: Vector
    width: Vector


def twentieths(chances: Vector) -> list[NDArray[np.int64]]:
    """Positions of the accounts of each bin, by rising probability; at least 20 accounts."""
    return [np.asarray(part) for part in np.array_split(np.argsort(chances, kind="stable"), BINS)]


def calibration_error(chances: Vector, *, truth: Vector) -> float:
    """Mean over 20 bins of |mean true chance - mean probability|."""
    gaps = (truth[part].mean() - chances[part].mean() for part in twentieths(chances))
    return float(np.mean(np.abs(list(gaps))))


def coverage(chances: Vector, *, low: Vector, high: Vector, truth: Vector) -> Coverage:
    """How well intervals hold the mean true chance of accounts that are scored alike."""
    parts = twentieths(chances)
    mean = [float(truth[part].mean()) for part in parts]
    return Coverage(
        held=np.array(
            [low[part].mean() <= one <= high[part].mean() for part, one in zip(parts, mean, strict=True)]
        ),
        each=np.array(
            [((low[part] <= one) & (one <= high[part])).mean() for part, one in zip(parts, mean, strict=True)]
        ),
        width=np.array([(high[part] - low[part]).mean() for part in parts]),
    )
