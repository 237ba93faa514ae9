"""The few statistics that findings rest on: folds, ranking by one column, and intervals.

Time rule: none; rows of one group are on one side of every fold. Null rule: emptiness is a value, bin 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import beta, norm, rankdata

__all__ = ["FOLDS", "exact_interval", "fold_of", "log_loss", "rates", "roc_auc_interval", "shifted", "sure"]

Vector = NDArray[np.float64]
Labels = NDArray[np.int64]

FOLDS = 5
_STEPS = 6
_SHRINKAGE = 4.0
"""A value counts as if four rows that are like all others had it, too."""


def fold_of(groups: Labels, *, seed: int = 0) -> Labels:
    """int64 (n,), 0 to 4: the fold of each row, at random, groups whole."""
    names, inverse = np.unique(groups, return_inverse=True)
    return (np.random.default_rng(seed).permutation(len(names))[inverse] % FOLDS).astype(np.int64)


def rates(bins: Labels, *, label: Labels, folds: Labels) -> Vector:
    """Cross-fitted chances from one column's bins, float64 (n,): each bin's rate, shrunk to that of all."""
    result, cells = np.empty(len(label)), (int(bins.max()) + 1) * folds + bins
    width = (int(bins.max()) + 1) * FOLDS
    events = np.bincount(cells, label, width).reshape(FOLDS, -1)
    counts = np.bincount(cells, minlength=width).reshape(FOLDS, -1)
    for fold in range(FOLDS):
        learned, among = events.sum(axis=0) - events[fold], counts.sum(axis=0) - counts[fold]
        rate = (learned + _SHRINKAGE * learned.sum() / among.sum()) / (among + _SHRINKAGE)
        result[folds == fold] = rate[bins[folds == fold]]
    return result


def shifted(bins: Labels, *, label: Labels, folds: Labels, base: Vector) -> Vector:
    """Cross-fitted chances, float64 (n,), from one column's bins upon the chances `base`.

    Each bin shifts the log-odds; a ridge penalty shrinks the shift (Newton's method, on the other folds).
    """
    margin, result, width = logit(base), np.empty(len(label)), int(bins.max()) + 1
    for fold in range(FOLDS):
        learn = folds != fold
        shift = np.zeros(width)
        for _ in range(_STEPS):
            chance = expit(margin[learn] + shift[bins[learn]])
            slope = np.bincount(bins[learn], label[learn] - chance, width) - _SHRINKAGE * 0.25 * shift
            shift += slope / (np.bincount(bins[learn], chance * (1 - chance), width) + _SHRINKAGE * 0.25)
        result[~learn] = expit(margin[~learn] + shift[bins[~learn]])
    return np.clip(result, 1e-5, 1 - 1e-5)


def log_loss(label: Labels, chance: Vector) -> Vector:
    """The loss of each row in nats, float64 (n,)."""
    return -np.where(label == 1, np.log(chance), np.log1p(-chance))


def roc_auc_interval(
    label: Labels, score: Vector, *, groups: Labels, confidence: float = 0.95
) -> tuple[float, float, float]:
    """ROC AUC and its interval by the standard error of Hanley and McNeil 1982, groups counted once."""
    positive = label == 1
    many, few = int(positive.sum()), int((~positive).sum())
    area = (rankdata(score)[positive].sum() - many * (many + 1) / 2) / (many * few)
    events, others = len(np.unique(groups[positive])), len(np.unique(groups[~positive]))
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (events - 1) * (first - area**2) + (others - 1) * (second - area**2)
    error = float(np.sqrt(max(variance, 0.0) / (events * others))) * norm.ppf(0.5 + confidence / 2)
    return float(area), max(0.0, float(area - error)), min(1.0, float(area + error))


def exact_interval(count: int, among: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson 1934: the interval of a share.

    >>> [round(bound, 3) for bound in exact_interval(0, 20)]
    [0.0, 0.168]
    """
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, count, among - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - tail, count + 1, among - count)) if count < among else 1.0
    return low, high


def sure(gain: Vector, *, groups: Labels, tests: int, level: float) -> tuple[float, float, float, bool]:
    """Mean of a gain per row, its 95 % interval (groups together), and whether it is above 0.

    tests: how many were made; `level` is divided by it (Bonferroni), one-sided.
    """
    names = np.unique(groups, return_inverse=True)[1]
    sums, mean = np.bincount(names, gain), float(gain.mean())
    counts = np.bincount(names)
    error = float(np.sqrt(np.sum((sums - mean * counts) ** 2))) / len(gain)
    beyond = mean > norm.isf(level / max(tests, 1)) * error
    return mean, mean - 1.96 * error, mean + 1.96 * error, bool(beyond and error > 0)
