"""Evaluation: labels and probabilities in, metrics with base values and bootstrap intervals out.

Turns a frame with one row per account and date into ranking, probability and calibration metrics. Time
rule: none of its own; the rows must be later than what the model learned from. Null rule: there are none,
every row has a label and a probability. Intervals are percentiles over resampled accounts (all rows of an
account stay together), the same accounts for everything that is compared: Efron and Tibshirani 1993.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError, NotEnoughDataError

__all__ = [
    "Estimate",
    "Measured",
    "calibration_curve",
    "evaluate",
    "grade_conversion",
    "measure",
    "resampled",
    "roc_auc",
]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_CELLS_PER_CHUNK = 4_000_000
_SMALLEST = 1e-12
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

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def roc_auc(labels: NDArray[np.int64], *, probabilities: Vector) -> float:
    """Area under the ROC curve; ties count half. NotEnoughDataError when only one class is there."""
    _require_both_classes(np.asarray(labels))
    ranked = _Slice.of(pd.DataFrame({"label": labels, "probability": probabilities}))
    return float(_roc_auc(*ranked.tally(np.ones((1, len(labels)))))[0])


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
    top_k: int = 10,
    replicates: int = 1000,
    seed: int = 0,
) -> Measured:
    """Every metric of every column, with intervals over resampled accounts, the same for all columns.

    rows: account_id, label (0 or 1) and the columns; with a column `cutoff`, the mean over cutoffs. The first
    column holds probabilities and gets all metrics; the others are rankings and get those of a ranking:
    roc_auc, pr_auc (average precision), precision_at_k, recall_at_k, lift_at_k. The rest are log_loss, brier,
    calibration_slope (1 is right) and calibration_error (mean gap over ten equal bins).
    """
    slices = {column: _slices(rows, column) for column in columns}
    drawn: dict[str, dict[str, list[Vector]]] = {column: {} for column in columns}
    with np.errstate(divide="ignore", invalid="ignore"):
        for weights in _weights(_codes(rows), replicates=replicates, seed=seed):
            for position, column in enumerate(columns):
                means = _means(slices[column], weights, top_k=top_k, probabilities=position == 0)
                for name, values in means.items():
                    drawn[column].setdefault(name, []).append(values)
    whole = {
        column: {name: np.concatenate(parts) for name, parts in metrics.items()}
        for column, metrics in drawn.items()
    }
    first = columns[0]
    return Measured(
        {
            column: {
                name: _estimate(values, base=_base(name, slices[column], top_k))
                for name, values in metrics.items()
            }
            for column, metrics in whole.items()
        },
        {
            other: {
                name: _estimate(whole[first][name] - values, base=0.0)
                for name, values in whole[other].items()
            }
            for other in columns[1:]
        },
    )


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
    (conversion over that of all rows). A grade without rows has no conversion.
    """
    label = rows["label"].to_numpy(dtype=np.float64)
    inside = np.stack([(rows["grade"] == grade).to_numpy(dtype=np.float64) for grade in grades], axis=1)
    drawn = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for weights in _weights(_codes(rows), replicates=replicates, seed=seed):
            drawn.append((weights @ (inside * label[:, None])) / (weights @ inside))
    conversion = np.concatenate(drawn)
    intervals = [_interval(conversion[1:, column]) for column in range(len(grades))]
    return pd.DataFrame(
        {
            "accounts": inside.sum(axis=0).astype(int),
            "events": (inside * label[:, None]).sum(axis=0).astype(int),
            "conversion": conversion[0],
            "low": [low for low, _ in intervals],
            "high": [high for _, high in intervals],
            "lift": conversion[0] / label.mean() if label.any() else np.full(len(grades), np.nan),
        },
        index=pd.Index(list(grades), name="grade"),
    )


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


@dataclass(frozen=True)
class _Slice:
    """The rows of one cutoff, with the groups of tied probabilities in falling order."""

    rows: NDArray[np.int64]
    label: Vector
    probability: Vector
    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pd.DataFrame, *, positions: NDArray[np.int64] | None = None) -> _Slice:
        label = rows["label"].to_numpy(dtype=np.float64)
        probability = rows["probability"].to_numpy(dtype=np.float64)
        order = np.argsort(-probability, kind="stable")
        falling = probability[order]
        starts = np.flatnonzero(np.concatenate([[True], falling[1:] != falling[:-1]]))
        where = np.arange(len(rows)) if positions is None else positions
        return cls(where, label, probability, order, starts)

    def tally(self, weights: Matrix) -> tuple[Matrix, Matrix]:
        """Positives and rows in each group of ties, (replicates, groups), best first."""
        sorted_weights = weights[:, self.order]
        positives = np.add.reduceat(sorted_weights * self.label[self.order], self.starts, axis=1)
        return positives, np.add.reduceat(sorted_weights, self.starts, axis=1)


def _means(
    slices: Sequence[_Slice], weights: Matrix, *, top_k: int, probabilities: bool
) -> dict[str, Vector]:
    """Every metric for each replicate, (replicates,): the mean over the slices in which it is defined."""
    found = []
    for part in slices:
        drawn = weights[:, part.rows]
        metrics = _ranking_metrics(*part.tally(drawn), top_k=top_k)
        found.append(metrics | _probability_metrics(part, drawn) if probabilities else metrics)
    stacked = {name: np.stack([metrics[name] for metrics in found]) for name in found[0]}
    return {
        name: np.nansum(values, axis=0) / np.isfinite(values).sum(axis=0) for name, values in stacked.items()
    }


def _ranking_metrics(positives: Matrix, total: Matrix, *, top_k: int) -> dict[str, Vector]:
    events, rows = positives.sum(axis=1), total.sum(axis=1)
    found = _found(positives, total, top_k)
    return {
        "roc_auc": _roc_auc(positives, total),
        "pr_auc": _average_precision(positives, total),
        "precision_at_k": found / top_k,
        "recall_at_k": found / events,
        "lift_at_k": found / top_k / (events / rows),
    }


def _probability_metrics(part: _Slice, weights: Matrix) -> dict[str, Vector]:
    return {
        "log_loss": _log_loss(part, weights),
        "brier": _brier(part, weights),
        "calibration_slope": _calibration_slope(part, weights),
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


def _log_loss(part: _Slice, weights: Matrix) -> Vector:
    chance = np.clip(part.probability, _SMALLEST, 1 - _SMALLEST)
    loss = -(part.label * np.log(chance) + (1 - part.label) * np.log1p(-chance))
    mean: Vector = weights @ loss / weights.sum(axis=1)
    return mean


def _brier(part: _Slice, weights: Matrix) -> Vector:
    mean: Vector = weights @ (part.probability - part.label) ** 2 / weights.sum(axis=1)
    return mean


def _calibration_slope(part: _Slice, weights: Matrix) -> Vector:
    """Slope of a logistic regression of the label on the logit (Cox 1958).

    Replicates take one Newton step from the estimate on all rows, which is exact to first order.
    """
    chance = np.clip(part.probability, _SMALLEST, 1 - _SMALLEST)
    logit = np.log(chance) - np.log1p(-chance)
    line = np.array([0.0, 1.0])
    for _ in range(25):
        line = line + _newton(line, logit, part.label, np.ones((1, len(logit))))[0]
    slopes: Vector = (line + _newton(line, logit, part.label, weights))[:, 1]
    return slopes


def _newton(line: Vector, logit: Vector, label: Vector, weights: Matrix) -> Matrix:
    expected = 1.0 / (1.0 + np.exp(-np.clip(line[0] + line[1] * logit, -30, 30)))
    error, spread = label - expected, expected * (1 - expected)
    sums = weights @ np.stack([error, error * logit, spread, spread * logit, spread * logit**2], axis=1)
    g0, g1, h00, h01, h11 = sums.T
    determinant = np.maximum(h00 * h11 - h01**2, _SMALLEST)
    step: Matrix = np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0], axis=1) / determinant[:, None]
    return np.clip(step, -2.0, 2.0)


def _calibration_error(part: _Slice, weights: Matrix) -> Vector:
    gap = (part.probability - part.label)[part.order]
    starts = np.unique(np.linspace(0, len(gap), _BINS + 1)[:-1].astype(np.int64))
    gaps = np.add.reduceat(weights[:, part.order] * gap, starts, axis=1)
    mean: Vector = np.abs(gaps).sum(axis=1) / weights.sum(axis=1)
    return mean


def _base(name: str, slices: Sequence[_Slice], top_k: int) -> float:
    fixed = {"roc_auc": 0.5, "lift_at_k": 1.0, "calibration_slope": 1.0, "calibration_error": 0.0}
    if name in fixed:
        return fixed[name]
    return float(np.mean([_base_of_slice(name, part, top_k) for part in slices]))


def _base_of_slice(name: str, part: _Slice, top_k: int) -> float:
    rate = float(part.label.mean())
    if name == "recall_at_k":
        return min(1.0, top_k / len(part.label))
    if name == "log_loss":
        return float(-(rate * np.log(rate) + (1 - rate) * np.log1p(-rate)))
    return rate * (1 - rate) if name == "brier" else rate


def _slices(rows: pd.DataFrame, column: str) -> list[_Slice]:
    missing = [name for name in ("account_id", "label", column) if name not in rows.columns]
    if missing:
        given = ", ".join(map(str, rows.columns))
        raise InputError("rows to evaluate lack columns", got=given, fix=f"add {', '.join(missing)}")
    _require_both_classes(rows["label"].to_numpy())
    scored = rows.assign(probability=rows[column])
    if "cutoff" not in rows.columns:
        return [_Slice.of(scored)]
    groups = rows.groupby("cutoff", sort=True).indices
    parts = [_Slice.of(scored.iloc[where], positions=np.asarray(where)) for where in groups.values()]
    return [part for part in parts if 0 < part.label.mean() < 1]


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
    return Estimate(float(drawn[0]), *_interval(drawn[1:]), base=base)


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


def _interval(values: Vector) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
