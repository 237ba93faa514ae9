"""Fitting intervals: rows that their models did not see in, bounds around every logit out.

Turns predicted and observed rows into the curve of what is truly seen at each score, as a Gaussian process
around the calibration line: a level and a slope, a smooth bend, chance as the rows of one account share it,
and how far past time slices lie from each other. Time rule: each row was predicted by a model that did not
see its account, or by one of earlier rows only. Null rule: without rows of both classes nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.intervals import LEVEL, Intervals
from training.learning.learn import Learned

__all__ = ["between_slices", "design_effect", "fit_intervals", "intervals_of"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_BINS = 40
_ROWS_PER_BIN = 5
_POINTS = 41
_LEAST = 1e-12
_SLICES = 6
_LEVEL_VARIANCE, _SLOPE_VARIANCE = 25.0, 4.0
"""In squared log-odds: wide enough to leave both to the rows."""

# Chosen on simulated markets with seeds below 500; `training.checks.interval_coverage` judges on others.
_BEND = 0.3
"""Log-odds by which what is seen bends around the line; one standard deviation."""
_BEND_LENGTH = 0.7
"""Log-odds along the line over which it bends."""
_UNSEEN = 0.08
"""Log-odds between the models that were judged and the one that serves, and between any past and now."""


@dataclass(frozen=True)
class _Seen:
    """Rows by rising logit, in bins. logit: (b,) means. surprise: (b,) what was seen beyond what was told,
    in log-odds. noise: (b,) its variance."""

    logit: Vector
    surprise: Vector
    noise: Vector


def fit_intervals(learned: Learned, *, level: float = LEVEL) -> Intervals:
    """Bounds around the logits of a model: see `models.intervals` for what they mean.

    The rows are those of `learned.crossed`, where there are any, else those of `learned.later`.
    """
    return intervals_of(learned.later if learned.crossed is None else learned.crossed, level=level)


def intervals_of(rows: pd.DataFrame, *, level: float = LEVEL) -> Intervals:
    """Bounds from rows that were predicted by models which did not see them.

    rows: account_id, as_of, label (0 or 1), probability.
    A level, a slope and a smooth bend in log-odds with normal priors, and binned rows as normal evidence
    (Rasmussen and Williams 2006, chapter 2); Student's t for few accounts with the rarer outcome.
    """
    if rows["label"].nunique() < 2:
        return Intervals.nothing_known(level=level)
    seen = _seen(rows)
    points = _points(seen.logit)
    middle, variance = _posterior(seen, points)
    half = _quantile(rows, level=level) * np.sqrt(variance + _UNSEEN**2 + between_slices(rows))
    lows, highs = np.minimum(points + middle - half, points), np.maximum(points + middle + half, points)
    return Intervals(
        level=level,
        logits=_told(points),
        lows=_told(np.maximum.accumulate(lows)),
        highs=_told(np.minimum.accumulate(highs[::-1])[::-1]),
        rows=len(rows),
        accounts=int(rows["account_id"].nunique()),
    )


def design_effect(rows: pd.DataFrame) -> float:
    """How many rows tell as much as one independent row would, at least 1.

    The variance of the sum of what was seen beyond what was told, with the rows of an account taken
    together, over what it would be if every row stood alone (Kish 1965).
    """
    variance = (rows["probability"] * (1 - rows["probability"])).sum()
    return max(1.0, float((_beyond(rows) ** 2).sum() / variance))


def between_slices(rows: pd.DataFrame) -> float:
    """Variance of the level between past time slices, in squared log-odds, beyond what chance gives.

    Six slices of about as many dates each; the estimator of moments (DerSimonian and Laird 1986).
    """
    dates, code = np.unique(rows["as_of"].to_numpy(), return_inverse=True)
    parts = np.array_split(np.arange(len(dates)), min(_SLICES, len(dates)))
    slices = [rows[np.isin(code, part)] for part in parts]
    found = [_level(one) for one in slices if one["label"].nunique() == 2]
    if len(found) < 2:
        return 0.0
    level, noise = (np.array(values) for values in zip(*found, strict=True))
    weight = 1 / noise
    mean = float((weight * level).sum() / weight.sum())
    excess = float((weight * (level - mean) ** 2).sum()) - (len(found) - 1)
    return max(0.0, excess / float(weight.sum() - (weight**2).sum() / weight.sum()))


def _level(rows: pd.DataFrame) -> tuple[float, float]:
    """What was seen beyond what was told, in log-odds, and its variance."""
    variance = float((rows["probability"] * (1 - rows["probability"])).sum())
    return float((rows["label"] - rows["probability"]).sum()) / variance, design_effect(rows) / variance


def _beyond(rows: pd.DataFrame) -> Vector:
    """Sums of label minus probability, one per account."""
    beyond = (rows["label"] - rows["probability"]).groupby(rows["account_id"], sort=False).sum()
    return np.asarray(beyond, dtype=np.float64)


def _seen(rows: pd.DataFrame) -> _Seen:
    told = np.clip(rows["probability"].to_numpy(dtype=np.float64), _LEAST, 1 - _LEAST)
    logit, label = np.log(told / (1 - told)), rows["label"].to_numpy(dtype=np.float64)
    bins = max(1, min(_BINS, len(rows) // _ROWS_PER_BIN))
    parts = np.array_split(np.argsort(logit, kind="stable"), bins)
    variance = np.array([(told[part] * (1 - told[part])).sum() for part in parts])
    surprise = np.array([(label[part] - told[part]).sum() for part in parts]) / variance
    centre = np.array([logit[part].mean() for part in parts])
    return _Seen(centre, surprise, design_effect(rows) / variance)


def _points(logit: Vector) -> Vector:
    """Where the table speaks: from the lowest bin to the highest."""
    return np.unique(np.linspace(logit[0], logit[-1], _POINTS).round(6))


def _posterior(seen: _Seen, points: Vector) -> tuple[Vector, Vector]:
    """Mean and variance of what is truly beyond the line at the points, in log-odds."""
    centre = float(seen.logit.mean())
    across = _kernel(points, seen.logit, centre=centre)
    solved = np.linalg.solve(
        _kernel(seen.logit, seen.logit, centre=centre) + np.diag(seen.noise),
        np.column_stack([seen.surprise, across.T]),
    )
    prior = _kernel(points, points, centre=centre).diagonal()
    explained = np.einsum("ij,ji->i", across, solved[:, 1:])
    return across @ solved[:, 0], np.maximum(prior - explained, 0.0)


def _kernel(one: Vector, other: Vector, *, centre: float) -> Matrix:
    line = _LEVEL_VARIANCE + _SLOPE_VARIANCE * np.outer(one - centre, other - centre)
    bend = _BEND**2 * np.exp(-0.5 * ((one[:, None] - other[None, :]) / _BEND_LENGTH) ** 2)
    return np.asarray(line + bend)


def _quantile(rows: pd.DataFrame, *, level: float) -> float:
    """Of Student's t, with the accounts of the rarer outcome less level and slope as degrees of freedom."""
    from scipy.stats import t

    accounts = rows.groupby("label")["account_id"].nunique().min()
    return float(t.ppf(0.5 + level / 2, max(int(accounts) - 2, 1)))


def _told(values: NDArray[Any]) -> tuple[float, ...]:
    """Nine digits: what the last bits of a machine's linear algebra are does not make another model."""
    return tuple(float(f"{value:.9g}") for value in values.tolist())
