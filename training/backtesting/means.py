"""The mean of one figure over independent repeats, such as markets or samples, with its interval.

Turns figures into their mean and a 95 % interval. Time rule: none. Null rule: one figure has no interval.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["mean_of"]

Vector = NDArray[np.float64]

_TAIL: Final = 0.025
"""Of a 95 % interval, at each end."""


def mean_of(values: ArrayLike, *, share: bool = False) -> dict[str, float | None]:
    """The mean of one figure per repeat with its 95 % interval (Student's t); no interval for one.

    share: the figure lies in [0, 1], and so does its interval, which is found on the scale of logits (delta
    method). Where every repeat has 0, or every one 1, one of another kind may have been missed: its
    chance is at most 1 - .025 ** (1 / repeats), which bounds the mean, too.
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
