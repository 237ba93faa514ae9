"""Learning from small tables without dates: rows in, one booster with its linear part and calibration out.

Turns labelled rows into the model whose length and calibration were found on folds. Time rule: none, the
rows have no dates; equal rows are never on both sides of a fold. Null rule: NaN is a value of its own.
"""

from __future__ import annotations

from features.errors import NotEnoughDataError
from features.settings import LearningSettings
from training.folds import equal_rows, stratified_splits
from training.learn import Learned, Progress, Rows, learn
from training.splits import Fold

__all__ = ["SMALLEST_CLASS", "learn_small"]

SMALLEST_CLASS = 40
"""Fewer rows of a class bear no model that one could be sure of."""

_FOLDS = 5


def learn_small(rows: Rows, *, settings: LearningSettings, progress: Progress | None = None) -> Learned:
    """The model of rows without dates. Raises NotEnoughDataError below 40 rows of a class."""
    _require_enough(rows)
    splits = stratified_splits(rows.label, groups=equal_rows(rows.X), folds=_FOLDS, seed=settings.seed)
    folds = tuple(Fold(None, split.learn, split.judge) for split in splits)
    return learn(rows, settings=settings, folds=folds, progress=progress)


def _require_enough(rows: Rows) -> None:
    events = int(rows.label.sum())
    lacking = [
        f"{SMALLEST_CLASS - found} more {name}"
        for found, name in ((events, "with the event"), (len(rows.label) - events, "without it"))
        if found < SMALLEST_CLASS
    ]
    if lacking:
        raise NotEnoughDataError(
            "too few rows of one class to learn from",
            got=f"{events:,} rows with the event, {len(rows.label) - events:,} without",
            allowed=f"at least {SMALLEST_CLASS} of each",
            fix=f"add {' and '.join(lacking)}",
        )
