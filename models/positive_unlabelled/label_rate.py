"""The label rate: which share of the positives is known, as far as unlabelled rows can tell.

Turns scores and labels into the largest share of known positives that any top of the ranking holds. Where
some profiles always are positive, that share is the label rate itself; where none is, the label rate is at
least as large. Time rule: scores are out of fold. Null rule: there are no nulls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.estimator_errors import NotEnoughRowsError
from models.positive_unlabelled.base import Floats

__all__ = ["LabelRate", "largest_label_share"]

_Top = tuple[float, int]
"""The share of known positives in a top of the ranking, and its rows."""

_SMALLEST_TOP = 50
_CAUTION = 3.0
_DIVISIONS = 20
_SMALLEST_CLASS = 2 * _SMALLEST_TOP


@dataclass(frozen=True)
class LabelRate:
    """A share of known positives with its 95 % interval, and how many rows would tell it as surely.

    The interval speaks of the share that was measured: where the ranking has not found the profiles that
    always are positive, the label rate is larger.
    """

    value: float
    low: float
    high: float
    rows: float

    def among(self, positives: float, *, others: float) -> LabelRate:
        """The share among all rows, where a known positive and another row stand for so many each.

        >>> LabelRate(0.5, 0.2, 1.0, rows=100.0).among(1.0, others=3.0)
        LabelRate(value=0.25, low=0.07692307692307693, high=1.0, rows=100.0)
        """
        value, low, high = (
            share * positives / (share * positives + (1.0 - share) * others)
            for share in (self.value, self.low, self.high)
        )
        return LabelRate(value, low, high, self.rows)


def largest_label_share(scores: Floats, *, labelled: NDArray[np.int64], seed: int = 0) -> LabelRate:
    """The largest share of known positives in a top of the ranking by scores (n,).

    The top is chosen on one half of the rows, three standard errors on the cautious side, and its share is
    measured on the other half, so that the largest of many shares is not larger than it is; the mean over 20
    divisions, both ways. After best bin estimation (Garg, Wu, Smola, Balakrishnan and Lipton 2021), which
    chooses and measures on the same rows. Raises NotEnoughRowsError below 100 known positives or others.
    """
    known = int(labelled.sum())
    if min(known, len(labelled) - known) < _SMALLEST_CLASS:
        raise NotEnoughRowsError(
            "too few rows to measure which share of the positives is known",
            got=f"{known:,} known positives, {len(labelled) - known:,} other rows",
            allowed=f"at least {_SMALLEST_CLASS} of each",
            fix="name the label rate, or audit a sample",
        )
    # A stream of its own: a caller may have drawn the rows with the same seed.
    generator = np.random.default_rng([seed, _DIVISIONS])
    divisions = [generator.random(len(scores)) < 0.5 for _ in range(_DIVISIONS)]
    tops = [
        _other_half(scores, labelled, chosen_on=half)
        for division in divisions
        for half in (division, ~division)
    ]
    whole, better = (_pooled([top[part] for top in tops]) for part in range(2))
    # Where the better half of the top holds more, the top is no plateau, and the label rate may be larger.
    return LabelRate(whole.value, whole.low, max(whole.high, better.high), whole.rows)


def _pooled(tops: list[_Top]) -> LabelRate:
    """The mean over both halves of all divisions, with its interval."""
    shares, rows = (np.array(column) for column in zip(*tops, strict=True))
    share = float(shares.mean())
    # Both halves speak: what is measured rests on twice the rows of one half's top. How differently the tops
    # are chosen adds to chance.
    counted = share * (1.0 - share) / (2.0 * float(np.median(rows)))
    chosen = float(shares.reshape(_DIVISIONS, 2).mean(axis=1).var(ddof=1))
    size = share * (1.0 - share) / (counted + chosen) if 0.0 < share < 1.0 else float(np.median(rows))
    return LabelRate(share, *_wilson(share, rows=size), size)


def _other_half(
    scores: Floats, labelled: NDArray[np.int64], *, chosen_on: NDArray[np.bool_]
) -> tuple[_Top, _Top]:
    """The other half's top, which begins where the chosen one does, and the better half of that top."""
    threshold = _best_top(scores[chosen_on], labelled=labelled[chosen_on])
    top = ~chosen_on & (scores >= min(threshold, scores[~chosen_on].max()))
    better = top & (scores >= np.median(scores[top]))
    whole, part = ((float(labelled[rows].mean()), int(rows.sum())) for rows in (top, better))
    return whole, part


def _best_top(scores: Floats, *, labelled: NDArray[np.int64]) -> float:
    """The score at which the top with the surely largest share of known positives begins."""
    order = np.argsort(-scores, kind="stable")
    rows = np.arange(1, len(order) + 1)
    share = np.cumsum(labelled[order]) / rows
    cautious = share - _CAUTION * np.sqrt(share * (1.0 - share) / rows)
    return float(scores[order][_SMALLEST_TOP - 1 + np.argmax(cautious[_SMALLEST_TOP - 1 :])])


def _wilson(share: float, *, rows: float) -> tuple[float, float]:
    """The 95 % interval of a share: Wilson 1927."""
    z = 1.959964
    centre = share + z * z / (2.0 * rows)
    half = z * float(np.sqrt(share * (1.0 - share) / rows + z * z / (4.0 * rows * rows)))
    scale = 1.0 + z * z / rows
    return (centre - half) / scale, (centre + half) / scale
