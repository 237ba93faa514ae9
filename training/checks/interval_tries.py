"""Other ways to find intervals, which `training.checks.interval_coverage` compares with the one that is used.

Turns rows that were predicted by models which did not see them into bounds around any logit, always widened
to hold the probability itself. Time rule: that of the rows. Null rule: both classes must be there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta, norm
from sklearn.isotonic import IsotonicRegression, isotonic_regression

from models.intervals import LEVEL
from training.learning.intervals import design_effect

__all__ = ["TRIES", "Bounds"]

Vector = NDArray[np.float64]
Bounds = Callable[[Vector], tuple[Vector, Vector]]

_POINTS = 20
_BINS = 20
_REPLICATES = 400
_LEAST = 1e-9


def venn_abers(rows: pd.DataFrame) -> Bounds:
    """Two isotonic fits, the row in question with either outcome (Vovk and Petej 2014, inductive)."""
    logit, label = _logit(rows), rows["label"].to_numpy(dtype=np.float64)
    points = np.unique(np.quantile(logit, np.linspace(0.01, 0.99, _POINTS)))
    ends = [
        [_isotonic(np.append(logit, point), np.append(label, outcome), point) for point in points]
        for outcome in (0.0, 1.0)
    ]
    return lambda at: _holding(np.interp(at, points, ends[0]), np.interp(at, points, ends[1]), at)


def bootstrap(rows: pd.DataFrame) -> Bounds:
    """The calibration line of resampled accounts, each refitted by one step of Newton's method."""
    logit, told = _logit(rows), rows["probability"].to_numpy()
    design = np.column_stack([logit, np.ones(len(logit))])
    information = (design * (told * (1 - told))[:, None]).T @ design + np.diag([1.0, 0.0])
    score = design * (rows["label"].to_numpy() - told)[:, None]
    by_account = pd.DataFrame(score).groupby(pd.factorize(rows["account_id"])[0]).sum().to_numpy()
    accounts = len(by_account)
    drawn = np.random.default_rng(0).multinomial(accounts, np.full(accounts, 1 / accounts), _REPLICATES)
    steps = np.linalg.solve(information, ((drawn - 1) @ by_account).T)

    def bounds(at: Vector) -> tuple[Vector, Vector]:
        lines = np.outer(at, 1 + steps[0]) + steps[1]
        low, high = np.quantile(lines, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
        return _holding(_chance(low), _chance(high), at)

    return bounds


def clopper_pearson(rows: pd.DataFrame) -> Bounds:
    """Exact binomial bounds in bins of equal count, with as many rows as tell something of their own."""
    return _binned(rows, bounds=_exact)


def wilson(rows: pd.DataFrame) -> Bounds:
    """Wilson's bounds in bins of equal count, with as many rows as tell something of their own."""
    return _binned(rows, bounds=_wilson)


TRIES: Final[dict[str, Callable[[pd.DataFrame], Bounds]]] = {
    "venn_abers": venn_abers,
    "bootstrap_of_the_line": bootstrap,
    "binned_clopper_pearson": clopper_pearson,
    "binned_wilson": wilson,
}


def _binned(rows: pd.DataFrame, *, bounds: Callable[[Vector, Vector], tuple[Vector, Vector]]) -> Bounds:
    logit, label = _logit(rows), rows["label"].to_numpy(dtype=np.float64)
    parts = np.array_split(np.argsort(logit, kind="stable"), _BINS)
    own = np.array([len(part) for part in parts]) / design_effect(rows)
    low, high = bounds(np.array([label[part].mean() for part in parts]), own)
    centre = np.array([logit[part].mean() for part in parts])
    low, high = isotonic_regression(low), isotonic_regression(high)
    return lambda at: _holding(np.interp(at, centre, low), np.interp(at, centre, high), at)


def _exact(share: Vector, rows: Vector) -> tuple[Vector, Vector]:
    events, tail = share * rows, (1 - LEVEL) / 2
    low = np.where(events > 0, beta.ppf(tail, np.maximum(events, _LEAST), rows - events + 1), 0.0)
    high = np.where(events < rows, beta.ppf(1 - tail, events + 1, np.maximum(rows - events, _LEAST)), 1.0)
    return low, high


def _wilson(share: Vector, rows: Vector) -> tuple[Vector, Vector]:
    z = norm.ppf((1 + LEVEL) / 2)
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return middle - half, middle + half


def _holding(low: Vector, high: Vector, at: Vector) -> tuple[Vector, Vector]:
    told = _chance(at)
    return np.minimum(low, told), np.maximum(high, told)


def _isotonic(logit: Vector, label: Vector, point: float) -> float:
    fitted = IsotonicRegression(out_of_bounds="clip").fit(logit, label)
    return float(np.asarray(fitted.predict(np.array([point])))[0])


def _logit(rows: pd.DataFrame) -> Vector:
    told = np.clip(rows["probability"].to_numpy(dtype=np.float64), 1e-12, 1 - 1e-12)
    logit: Vector = np.log(told) - np.log1p(-told)
    return logit


def _chance(logit: Vector) -> Vector:
    chance: Vector = 1.0 / (1.0 + np.exp(-logit))
    return chance
