"""Measures against the truth of a simulated market, and their means over markets.

Turns probabilities, bounds and true chances of the same accounts into figures of 20 bins of equal count by
probability (calibration error, coverage of intervals), and figures of markets into a mean with its interval.
Time rule: none of its own. Null rule: every account has its true chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["BINS", "Coverage", "calibration_error", "coverage", "mean_of", "twentieths"]

Vector = NDArray[np.float64]

BINS = 20
_TAIL: Final = 0.025
"""Of a 95 % interval, at each end."""


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


def mean_of(values: ArrayLike, *, share: bool = False) -> dict[str, float | None]:
    """The mean of one figure per market with its 95 % interval (Student's t); no interval for one market.

    share: the figure lies in [0, 1], and so does its interval, which is found on the scale of logits (delta
    method). Where every market has 0, or every one 1, a market of another kind may have been missed: its
    chance is at most 1 - .025 ** (1 / markets), which bounds the mean, too.
    """
    figures = np.asarray(values, dtype=np.float64)
    mean = float(figures.mean())
    if len(figures) < 2:
        return {"mean": mean, "low": None, "high": None}
    low, high = _share_bounds(figures) if share else _bounds(figures)
    return {"mean": mean, "low": low, "high": high}


def _bounds(figures: Vector) -> tuple[float, float]:
    mean, half = float(figures.mean()), _half(figures)
    return mean - half, mean + half


def _share_bounds(figures: Vector) -> tuple[float, float]:
    mean = float(figures.mean())
    if mean in (0.0, 1.0):
        missed = 1 - _TAIL ** (1 / len(figures))
        return (0.0, missed) if mean == 0 else (1 - missed, 1.0)
    half = _half(figures) / (mean * (1 - mean))
    logit = np.log(mean) - np.log1p(-mean)
    low, high = (float(1 / (1 + np.exp(-end))) for end in (logit - half, logit + half))
    return low, high


def _half(figures: Vector) -> float:
    from scipy.stats import t

    return float(t.ppf(1 - _TAIL, len(figures) - 1) * figures.std(ddof=1) / np.sqrt(len(figures)))
