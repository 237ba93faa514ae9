"""Metrics of rankings and probabilities: labels, what was said of them and weights in, figures out.

Turns the rows of one cutoff into ranking, probability and calibration metrics, for many weightings of the
rows at once. Time rule: none. Null rule: a metric that a weighting does not define (no event was drawn) is
NaN, and the mean over cutoffs leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.backtesting.slopes import calibration_slopes

__all__ = ["PROBABILITY_METRICS", "RANKING_METRICS", "Matrix", "Slice", "Vector", "base_value", "means"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

RANKING_METRICS = ("roc_auc", "pr_auc", "precision_at_k", "recall_at_k", "lift_at_k")
PROBABILITY_METRICS = ("log_loss", "brier", "calibration_slope", "calibration_error")

_SMALLEST = 1e-12
_BINS = 10


@dataclass(frozen=True)
class Slice:
    """The rows of one cutoff, with the groups of tied probabilities in falling order."""

    rows: NDArray[np.int64]
    label: Vector
    probability: Vector
    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pd.DataFrame, *, positions: NDArray[np.int64] | None = None) -> Slice:
        label = rows["label"].to_numpy(dtype=np.float64)
        probability = rows["probability"].to_numpy(dtype=np.float64)
        order = np.argsort(-probability, kind="stable")
        falling = probability[order]
        starts = np.flatnonzero(np.concatenate([[True], falling[1:] != falling[:-1]]))
        where = np.arange(len(rows)) if positions is None else positions
        return cls(where, label, probability, order, starts)

    @property
    def distinct(self) -> Vector:
        """The probability of each group of ties, best first."""
        return self.probability[self.order][self.starts]

    def tally(self, weights: Matrix) -> tuple[Matrix, Matrix]:
        """Positives and rows in each group of ties, (replicates, groups), best first."""
        sorted_weights = weights[:, self.order]
        positives = np.add.reduceat(sorted_weights * self.label[self.order], self.starts, axis=1)
        return positives, np.add.reduceat(sorted_weights, self.starts, axis=1)


def means(slices: Sequence[Slice], weights: Matrix, *, top_k: int, probabilities: bool) -> dict[str, Vector]:
    """Every metric for each replicate, (replicates,): the mean over the slices in which it is defined."""
    found = []
    for part in slices:
        drawn = weights[:, part.rows]
        positives, total = part.tally(drawn)
        metrics = _ranking_metrics(positives, total, top_k=top_k)
        if probabilities:
            slopes = calibration_slopes(part.distinct, positives=positives, total=total)
            metrics |= _probability_metrics(part, drawn) | {"calibration_slope": slopes}
        found.append(metrics)
    stacked = {name: np.stack([metrics[name] for metrics in found]) for name in found[0]}
    return {
        name: np.nansum(values, axis=0) / np.isfinite(values).sum(axis=0) for name, values in stacked.items()
    }


def _ranking_metrics(positives: Matrix, total: Matrix, *, top_k: int) -> dict[str, Vector]:
    events, rows = positives.sum(axis=1), total.sum(axis=1)
    found, listed = _found(positives, total, top_k), np.minimum(top_k, rows)
    return {
        "roc_auc": _roc_auc(positives, total),
        "pr_auc": _average_precision(positives, total),
        "precision_at_k": found / listed,
        "recall_at_k": found / events,
        "lift_at_k": found / listed / (events / rows),
    }


def _probability_metrics(part: Slice, weights: Matrix) -> dict[str, Vector]:
    return {
        "log_loss": _log_loss(part, weights),
        "brier": _brier(part, weights),
        "calibration_error": _calibration_error(part, weights),
    }


def _roc_auc(positives: Matrix, total: Matrix) -> Vector:
    negatives = total - positives
    above = np.cumsum(negatives, axis=1) - negatives / 2
    lost: Vector = (positives * above).sum(axis=1) / (positives.sum(axis=1) * negatives.sum(axis=1))
    return 1.0 - lost


def _average_precision(positives: Matrix, total: Matrix) -> Vector:
    drawn = np.cumsum(total, axis=1)
    precision = np.divide(np.cumsum(positives, axis=1), drawn, out=np.zeros_like(drawn), where=drawn > 0)
    area: Vector = (positives * precision).sum(axis=1) / positives.sum(axis=1)
    return area


def _found(positives: Matrix, total: Matrix, top_k: int) -> Vector:
    """Expected positives among the first `top_k` when ties are broken at random."""
    before = np.cumsum(total, axis=1) - total
    share = np.clip(np.divide(top_k - before, total, out=np.zeros_like(total), where=total > 0), 0.0, 1.0)
    found: Vector = (positives * share).sum(axis=1)
    return found


def _log_loss(part: Slice, weights: Matrix) -> Vector:
    chance = np.clip(part.probability, _SMALLEST, 1 - _SMALLEST)
    loss = -(part.label * np.log(chance) + (1 - part.label) * np.log1p(-chance))
    mean: Vector = weights @ loss / weights.sum(axis=1)
    return mean


def _brier(part: Slice, weights: Matrix) -> Vector:
    mean: Vector = weights @ (part.probability - part.label) ** 2 / weights.sum(axis=1)
    return mean


def _calibration_error(part: Slice, weights: Matrix) -> Vector:
    gap = (part.probability - part.label)[part.order]
    starts = np.unique(np.linspace(0, len(gap), _BINS + 1)[:-1].astype(np.int64))
    gaps = np.add.reduceat(weights[:, part.order] * gap, starts, axis=1)
    mean: Vector = np.abs(gaps).sum(axis=1) / weights.sum(axis=1)
    return mean


def base_value(name: str, slices: Sequence[Slice], *, top_k: int) -> float:
    """What a ranker without knowledge, or the base rate for all, gets; mean over the slices."""
    fixed = {"roc_auc": 0.5, "lift_at_k": 1.0, "calibration_slope": 1.0, "calibration_error": 0.0}
    if name in fixed:
        return fixed[name]
    return float(np.mean([_base_of_slice(name, part, top_k) for part in slices]))


def _base_of_slice(name: str, part: Slice, top_k: int) -> float:
    rate = float(part.label.mean())
    if name == "recall_at_k":
        return min(1.0, top_k / len(part.label))
    if name == "log_loss":
        return float(-(rate * np.log(rate) + (1 - rate) * np.log1p(-rate)))
    return rate * (1 - rate) if name == "brier" else rate
