"""Evaluation: labels and probabilities in, metrics with base values and bootstrap intervals out.

Turns a frame with one row per account and date into ranking, probability and calibration metrics. Time
rule: none of its own; the rows must be later than what the model learned from. Null rule: there are none,
every row has a label and a probability. Intervals are percentiles over resampled accounts (all rows of an
account stay together), the same accounts for everything that is compared: Efron and Tibshirani 1993.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError, NotEnoughDataError
from training.backtesting.metrics import Matrix, Slice, Vector, base_value, means

__all__ = [
    "Estimate",
    "Measured",
    "calibration_curve",
    "evaluate",
    "grade_conversion",
    "interval",
    "mean_roc_auc",
    "measure",
    "resampled",
    "roc_auc",
]

_CELLS_PER_CHUNK = 4_000_000
_BINS = 10


@dataclass(frozen=True)
class Estimate:
    """One figure: its value, its 95 % interval and what a ranker without knowledge would get."""

    value: float
    low: float
    high: float
    base: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)

    def over_folds(self, folds: int, *, lowest: float = -math.inf, highest: float = math.inf) -> Estimate:
        """The same figure where it is a mean over folds, each judged by a model of all the others.

        Resampling what was said of rows holds their models fixed, but models whose rows overlap err together,
        and what a model learned by chance is missing from the fold that judges it. With the corrected
        variance of Nadeau and Bengio (2003, Machine Learning 52) the mean of k folds has not the k-th part of
        the variance of one, but 1 / k + 1 / (k - 1) of it, the second being the rows that are judged over
        those that were learned from: the interval grows by the square root of 1 + k / (k - 1) around the
        value. On tables of noise it covers .5 in 96 of 100, the uncorrected one in 78 to 90; where there is
        much to learn it is wider than need be. lowest, highest: what the figure can be.
        """
        wider = math.sqrt(1.0 + folds / (folds - 1))
        bounds = (self.value + wider * (bound - self.value) for bound in (self.low, self.high))
        low, high = (float(np.clip(bound, lowest, highest)) for bound in bounds)
        return Estimate(self.value, low, high, self.base)

    @property
    def shown(self) -> str:
        """The value with three digits, or that the rows do not define one."""
        return "undefined" if math.isnan(self.value) else f"{self.value:.3f}"

    @property
    def bounds(self) -> str:
        """The interval with three digits; nothing where there is none."""
        return "" if math.isnan(self.low) else f"{self.low:.3f} to {self.high:.3f}"

    def __str__(self) -> str:
        return f"{self.shown} ({self.bounds})" if self.bounds else self.shown


def roc_auc(labels: NDArray[np.int64], *, probabilities: Vector) -> float:
    """Area under the ROC curve; ties count half. NotEnoughDataError when only one class is there."""
    _require_both_classes(np.asarray(labels))
    ranked = Slice.of(pd.DataFrame({"label": labels, "probability": probabilities}))
    return float(means([ranked], np.ones((1, len(labels))), top_k=1, probabilities=False)["roc_auc"][0])


@dataclass(frozen=True)
class Measured:
    """Metrics of several rankings of the same rows, and how far the first is ahead of each other one.

    estimates: by column, then by metric. ahead: by other column, then by metric; first minus other, paired.
    """

    estimates: dict[str, dict[str, Estimate]]
    ahead: dict[str, dict[str, Estimate]]


def measure(
    rows: pd.DataFrame,
    *,
    columns: Sequence[str] = ("probability",),
    probabilities: Collection[str] | None = None,
    top_k: int = 10,
    replicates: int = 1000,
    seed: int = 0,
) -> Measured:
    """Every metric of every column, with intervals over resampled accounts, the same for all columns.

    rows: account_id, label (0 or 1) and the columns; with a column `cutoff`, the mean over cutoffs.
    probabilities: the columns that hold probabilities and get all metrics, by default the first; the others
    are rankings and get those of a ranking: roc_auc, pr_auc (average precision), precision_at_k, recall_at_k,
    lift_at_k. The rest are log_loss, brier, calibration_slope (1 is right) and calibration_error (mean gap
    over ten equal bins). Raises NotEnoughDataError where one class only is there.
    """
    slices = {column: _slices(rows, column) for column in columns}
    told = columns[:1] if probabilities is None else probabilities
    drawn = _drawn(rows, slices, probabilities=told, top_k=top_k, replicates=replicates, seed=seed)
    first = columns[0]
    return Measured(
        {
            column: {
                name: _estimate(values, base=base_value(name, slices[column], top_k=top_k))
                for name, values in metrics.items()
            }
            for column, metrics in drawn.items()
        },
        {
            other: {
                name: _estimate(drawn[first][name] - values, base=0.0)
                for name, values in drawn[other].items()
                if name in drawn[first]
            }
            for other in columns[1:]
        },
    )


def _drawn(
    rows: pd.DataFrame,
    slices: Mapping[str, Sequence[Slice]],
    *,
    probabilities: Collection[str],
    top_k: int,
    replicates: int,
    seed: int,
) -> dict[str, dict[str, Vector]]:
    """By column and metric: of the sample itself (first), then of each replicate."""
    drawn: dict[str, dict[str, list[Vector]]] = {column: {} for column in slices}
    with np.errstate(divide="ignore", invalid="ignore"):
        for weights in _weights(_codes(rows), replicates=replicates, seed=seed):
            for column, parts in slices.items():
                found = means(parts, weights, top_k=top_k, probabilities=column in probabilities)
                for name, values in found.items():
                    drawn[column].setdefault(name, []).append(values)
    return {
        column: {name: _unbiased(name, np.concatenate(parts)) for name, parts in metrics.items()}
        for column, metrics in drawn.items()
    }


def _unbiased(name: str, drawn: Vector) -> Vector:
    """Resampling adds noise, and noise to a mean of absolute gaps makes it larger: the replicates are moved
    by as much as their mean is above the sample's own figure, never below zero."""
    if name != "calibration_error" or len(drawn) < 2:
        return drawn
    moved = np.maximum(drawn[1:] - (np.nanmean(drawn[1:]) - drawn[0]), 0.0)
    return np.concatenate([drawn[:1], moved])


def mean_roc_auc(
    rows: pd.DataFrame, *, columns: Sequence[str], replicates: int = 1000, seed: int = 0
) -> Estimate:
    """The mean over several rankings of the ROC AUC of each one alone; see `measure`."""
    slices = {column: _slices(rows, column) for column in columns}
    drawn = _drawn(rows, slices, probabilities=(), top_k=1, replicates=replicates, seed=seed)
    mean: Vector = np.mean([metrics["roc_auc"] for metrics in drawn.values()], axis=0)
    return _estimate(mean, base=0.5)


def evaluate(
    rows: pd.DataFrame, *, top_k: int = 10, replicates: int = 1000, seed: int = 0
) -> dict[str, Estimate]:
    """Every metric of the column `probability` by name; see `measure`."""
    return measure(rows, top_k=top_k, replicates=replicates, seed=seed).estimates["probability"]


def grade_conversion(
    rows: pd.DataFrame, *, grades: Sequence[str], replicates: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Rows, conversions and lift of each grade; index grade.

    rows: account_id, label, grade. Columns: accounts, events, conversion, low, high (95 % interval), lift
    (conversion over that of all rows), lift_low, lift_high, base (the rate of all rows). A grade without rows
    has no conversion.
    """
    label = rows["label"].to_numpy(dtype=np.float64)
    inside = np.stack([(rows["grade"] == grade).to_numpy(dtype=np.float64) for grade in grades], axis=1)
    conversions, rates = [], []
    with np.errstate(divide="ignore", invalid="ignore"):
        for weights in _weights(_codes(rows), replicates=replicates, seed=seed):
            conversions.append((weights @ (inside * label[:, None])) / (weights @ inside))
            rates.append(weights @ label / weights.sum(axis=1))
        conversion, rate = np.concatenate(conversions), np.concatenate(rates)
        lift = conversion / rate[:, None]
    return pd.DataFrame(
        {
            "accounts": inside.sum(axis=0).astype(int),
            "events": (inside * label[:, None]).sum(axis=0).astype(int),
            **_with_bounds(conversion, name="conversion", low="low", high="high"),
            **_with_bounds(lift, name="lift", low="lift_low", high="lift_high"),
            "base": rate[0],
        },
        index=pd.Index(list(grades), name="grade"),
    )


def _with_bounds(drawn: Matrix, *, name: str, low: str, high: str) -> dict[str, Vector]:
    """Of (1 + replicates, grades): the sample's own figure and its interval, by grade."""
    bounds = np.array([interval(column) for column in drawn[1:].T])
    return {name: drawn[0], low: bounds[:, 0], high: bounds[:, 1]}


def calibration_curve(rows: pd.DataFrame, *, bins: int = _BINS) -> pd.DataFrame:
    """Mean predicted and observed rate in equal-sized bins of the probability: predicted, observed, rows."""
    ordered = rows.sort_values("probability", kind="stable")
    pieces = [piece for piece in np.array_split(np.arange(len(ordered)), bins) if len(piece)]
    values = ordered[["probability", "label"]].to_numpy(dtype=np.float64)
    return pd.DataFrame(
        [(*values[piece].mean(axis=0), len(piece)) for piece in pieces],
        columns=["predicted", "observed", "rows"],
    )


def resampled(accounts: pd.Series[str], *, replicates: int, seed: int) -> Iterator[Matrix]:
    """How often each row is drawn when accounts are drawn with replacement; chunks of (replicates, n).

    The first row of the first chunk is all ones: the sample itself.
    """
    yield from _weights(_codes(accounts.to_frame("account_id")), replicates=replicates, seed=seed)


def _slices(rows: pd.DataFrame, column: str) -> list[Slice]:
    missing = [name for name in ("account_id", "label", column) if name not in rows.columns]
    if missing:
        given = ", ".join(map(str, rows.columns))
        raise InputError("rows to evaluate lack columns", got=given, fix=f"add {', '.join(missing)}")
    _require_both_classes(rows["label"].to_numpy())
    scored = rows.assign(probability=rows[column])
    if "cutoff" not in rows.columns:
        return [Slice.of(scored)]
    groups = rows.groupby("cutoff", sort=True).indices
    parts = [Slice.of(scored.iloc[where], positions=np.asarray(where)) for where in groups.values()]
    both = [part for part in parts if 0 < part.label.mean() < 1]
    if not both:
        raise NotEnoughDataError(
            "no cutoff has both classes, so that nothing can be ranked within one",
            got=f"{len(parts)} cutoffs with one class each",
            allowed="at least one cutoff with an event and a row without",
            fix="measure over longer times, or at fewer cutoffs",
        )
    return both


def _require_both_classes(labels: NDArray[np.int64]) -> None:
    if len(labels) == 0 or labels.min() == labels.max():
        raise NotEnoughDataError(
            "both classes are needed to measure a ranking",
            got=f"{int(np.sum(labels))} events among {len(labels)} rows",
            allowed="at least one event and one row without",
            fix="measure over a longer time",
        )


def _estimate(drawn: Vector, *, base: float) -> Estimate:
    """From the sample itself (first) and its replicates (the rest)."""
    return Estimate(float(drawn[0]), *interval(drawn[1:]), base=base)


def _codes(rows: pd.DataFrame) -> NDArray[np.int64]:
    return np.asarray(pd.factorize(rows["account_id"], sort=True)[0], dtype=np.int64)


def _weights(codes: NDArray[np.int64], *, replicates: int, seed: int) -> Iterator[Matrix]:
    generator, accounts = np.random.default_rng(seed), int(codes.max(initial=-1)) + 1
    yield np.ones((1, len(codes)))
    chunk = max(1, _CELLS_PER_CHUNK // max(1, len(codes)))
    for start in range(0, replicates, chunk):
        size = min(chunk, replicates - start)
        picked = generator.integers(0, accounts, size=(size, accounts))
        counts = np.stack([np.bincount(row, minlength=accounts) for row in picked])
        yield counts[:, codes].astype(np.float64)


def interval(values: Vector) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
