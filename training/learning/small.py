"""Learning from few rows: rows in, one booster with its linear part and calibration out.

Turns labelled rows into a mean of straight lines and of trees of several kinds; which of them, how long and
how strongly drawn to zero is chosen on folds, the simpler one where the difference is noise. The simple model
that few rows are drawn to is a logistic regression whose weights are drawn to zero, and so to the base rate;
the more rows, the less it weighs.
Time rule: none, whoever has dates judges by them (`training.learning.few_rows`); rows of one group, equal
ones for want of another, are never on both sides of a fold. Null rule: NaN is a value of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from features.settings import LearningSettings
from models.booster import merge_boosters
from models.calibration import Calibration, fit_calibration, probabilities
from models.linear import LinearPart
from training.learning.folds import Positions, equal_rows, stratified_splits
from training.learning.learn import Learned, Rows
from training.learning.linear import fit_linear_part
from training.learning.monotone import directions
from training.learning.small_trees import KINDS, STRONGEST, Table, Tried, grow_all, nothing_grown, try_out

__all__ = ["LINES", "SMALLEST_CLASS", "SmallLearned", "learn_small"]

SMALLEST_CLASS = 40
"""Fewer rows of a class bear no model that one could be sure of."""

LINES = "straight lines"

_FOLDS = 5
_STRENGTHS = (0.1, 0.3, 1.0)
_FEW_ROWS = 500
"""Here the lines weigh as much as a kind of trees; of four times as many rows half as much."""

_MEMBERS = 5

Matrix = NDArray[np.float64]

_MIXTURES: tuple[tuple[str, ...], ...] = (
    (LINES, *(kind.name for kind in KINDS)),
    tuple(kind.name for kind in STRONGEST),
)
"""What may be averaged, the one nearer to the simple model first: all that is simple goes where it harms."""


@dataclass(frozen=True)
class SmallLearned(Learned):
    """parts: what was averaged. strength: C of the straight lines; the smaller, the nearer to the base rate.

    tried: by mixture, the mean log loss of rows that its models did not see.
    """

    parts: tuple[str, ...] = ()
    strength: float = 1.0
    tried: dict[str, float] | None = None


def learn_small(
    rows: Rows,
    *,
    settings: LearningSettings,
    smallest_class: int = SMALLEST_CLASS,
    groups: Positions | None = None,
) -> SmallLearned:
    """The model of few rows.

    settings: for `seed`, `rising`, `falling`, `max_rounds` and `max_bin`; the rest follows from how many rows
    there are. groups: int (n,), rows that are never divided by folds, as those of an account, and that tell
    no more together than one row would; without it, rows that are equal are never divided.
    With fewer than two different rows of a class nothing can be compared: then the straight lines alone are
    fitted, drawn to zero as strongly as any. Raises NotEnoughDataError below `smallest_class` of a class.
    """
    _require_enough(rows, smallest_class=smallest_class)
    fold = _fold(rows, groups=equal_rows(rows.X) if groups is None else groups, settings=settings)
    table = Table(rows.X, rows.label, fold, rows.catalogue, settings, rows.weight)
    strengths = _strengths(groups, rows=len(table.label))
    if len(np.unique(table.fold)) < 2:
        return _unjudged(rows, table, strength=strengths[0])
    strength, lines = _best_lines(table, strengths=strengths)
    tried = {kind.name: try_out(table, kind=kind) for kind in KINDS}
    margins = {LINES: lines} | {name: one.margins for name, one in tried.items()}
    told_by = {mixture: _mean(margins, _shares(mixture, rows=len(table.label))) for mixture in _MIXTURES}
    parts, losses = _simplest(table, told_by)
    told = told_by[parts]
    calibration = fit_calibration(told, labels=table.label)
    text, linear = _whole_model(table, [tried[name] for name in parts if name in tried], parts, strength)
    return SmallLearned(
        booster_text=text,
        members=(text,),
        calibration=calibration,
        rounds=max((tried[name].rounds for name in parts if name in tried), default=0),
        folds=(),
        later=_judged(rows, table, told, calibration),
        linear=linear,
        parts=parts,
        strength=strength,
        tried=losses,
    )


def _unjudged(rows: Rows, table: Table, *, strength: float) -> SmallLearned:
    linear = _lines(table, strength=strength, learn=table.fold >= 0)
    text, later = nothing_grown(table), rows.frame[["account_id", "as_of", "label"]].head(0)
    none = later.assign(position=0, fold=0, probability=0.0)
    return SmallLearned(
        booster_text=text,
        members=(text,),
        calibration=Calibration(slope=1.0, intercept=0.0),
        rounds=0,
        folds=(),
        later=none,
        linear=linear,
        parts=(LINES,),
        strength=strength,
        tried={},
    )


def _whole_model(
    table: Table, trees: Sequence[Tried], parts: Sequence[str], strength: float
) -> tuple[str, LinearPart | None]:
    """Grown on all rows, each part with its share of the margin."""
    shares = _shares(parts, rows=len(table.label))
    texts = {
        one.kind.name: grow_all(table, kind=one.kind, rounds=_longer(one.rounds), members=_MEMBERS)
        for one in trees
    }
    merged = merge_boosters(
        [text for own in texts.values() for text in own],
        weights=[shares[name] / _MEMBERS for name in texts for _ in range(_MEMBERS)],
    )
    if LINES not in parts:
        return merged, None
    return merged, _lines(table, strength=strength, learn=table.fold >= 0).scaled(shares[LINES])


def _shares(parts: Sequence[str], *, rows: int) -> dict[str, float]:
    """Of the mean, by part; they sum to 1. Four times the rows halve what the lines weigh beside trees."""
    lines = float(np.sqrt(_FEW_ROWS / rows))
    weights = {name: lines if name == LINES else 1.0 for name in parts}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


def _longer(rounds: int) -> int:
    """More rows bear more trees, by the square root of how many more."""
    return max(1, round(rounds * float(np.sqrt(_FOLDS / (_FOLDS - 1)))))


def _strengths(groups: Positions | None, *, rows: int) -> tuple[float, ...]:
    """What to try for the straight lines: where rows repeat each other, as many snapshots of an account do,
    all of them together weigh no more beside the penalty than one row for each group would."""
    share = 1.0 if groups is None else len(np.unique(groups)) / rows
    return tuple(strength * share for strength in _STRENGTHS)


def _best_lines(table: Table, *, strengths: Sequence[float]) -> tuple[float, Matrix]:
    """The strength of the straight lines, and their margins (n,) of rows that they did not see."""
    found: dict[tuple[str, ...], Matrix] = {
        (str(strength),): _beside(table, strength=strength) for strength in strengths
    }
    chosen, _ = _simplest(table, found)
    return float(chosen[0]), found[chosen]


def _beside(table: Table, *, strength: float) -> Matrix:
    margins = np.empty(len(table.label))
    for fold in np.unique(table.fold):
        own = table.fold == fold
        margins[own] = _lines(table, strength=strength, learn=~own).margins(table.X[own])
    return margins


def _lines(table: Table, *, strength: float, learn: NDArray[np.bool_]) -> LinearPart:
    return fit_linear_part(
        table.X[learn],
        label=table.label[learn],
        catalogue=table.catalogue,
        strength=strength,
        directions=directions(table.catalogue, table.settings),
        small=True,
        weight=None if table.weight is None else table.weight[learn],
    )


def _simplest(table: Table, found: dict[tuple[str, ...], Matrix]) -> tuple[tuple[str, ...], dict[str, float]]:
    """The first that is not worse than the best by more than one standard error; and all mean log losses."""
    weight = np.ones(len(table.label)) if table.weight is None else table.weight
    loss = {name: _log_loss(margins, label=table.label) for name, margins in found.items()}
    mean = {name: float(np.average(losses, weights=weight)) for name, losses in loss.items()}
    best = min(mean, key=lambda name: mean[name])
    good = (name for name, own in loss.items() if _is_noise(own - loss[best], weight=weight))
    return next(good), {" + ".join(name): told for name, told in mean.items()}


def _is_noise(worse: Matrix, *, weight: Matrix) -> bool:
    """Whether the weighed mean of differences (n,) is at most one standard error above zero."""
    mean = float(np.average(worse, weights=weight))
    error = float(np.sqrt((weight**2 * (worse - mean) ** 2).sum())) / float(weight.sum())
    return mean <= error


def _log_loss(margins: Matrix, *, label: NDArray[np.int64]) -> Matrix:
    """Of each row, (n,), once calibrated."""
    logits = fit_calibration(margins, labels=label).logits(margins)
    losses: Matrix = np.logaddexp(0.0, logits) - label * logits
    return losses


def _mean(margins: Mapping[str, Matrix], shares: Mapping[str, float]) -> Matrix:
    mean: Matrix = np.sum([share * margins[name] for name, share in shares.items()], axis=0)
    return mean


def _fold(rows: Rows, *, groups: Positions, settings: LearningSettings) -> NDArray[np.int64]:
    """The fold of each row, (n,): as many as each class has groups, five at most."""
    fold = np.zeros(len(rows.label), dtype=np.int64)
    folds = min(_FOLDS, *(len(np.unique(groups[rows.label == one])) for one in (0, 1)))
    if folds < 2:
        return fold
    for split in stratified_splits(rows.label, groups=groups, folds=folds, seed=settings.seed):
        fold[split.judge] = split.fold
    return fold


def _judged(rows: Rows, table: Table, margins: Matrix, calibration: Calibration) -> pd.DataFrame:
    return rows.frame[["account_id", "as_of", "label"]].assign(
        position=np.arange(len(rows.frame)),
        fold=table.fold,
        probability=probabilities(calibration.logits(margins)),
    )


def _require_enough(rows: Rows, *, smallest_class: int) -> None:
    events = int(rows.label.sum())
    counts = ((events, "with the event"), (len(rows.label) - events, "without it"))
    lacking = [f"{smallest_class - found} more {name}" for found, name in counts if found < smallest_class]
    if lacking:
        raise NotEnoughDataError(
            "too few rows of one class to learn from",
            got=f"{events:,} rows with the event, {len(rows.label) - events:,} without",
            allowed=f"at least {smallest_class} of each",
            fix=f"add {' and '.join(lacking)}",
        )
