"""Nested judgement: what tuning gives on slices of time that it never saw.

Turns labelled rows into outer folds, each with rows to tune on and later rows to judge. Time rule: an outer
fold tunes on rows whose label was known when its later slice starts, an embargo of one horizon, weighed by
what was known then; the figure that is reported is of those later slices, never of the folds that chose. Null
rule: an outer fold whose earlier rows can be neither weighed nor cut again is left out; where none is left,
it is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from features.errors import NotEnoughDataError
from features.settings import LearningSettings, TuningSettings
from training.backtesting.directions import WITHOUT_DIRECTIONS
from training.backtesting.evaluate import Measured, measure
from training.learning.learn import Rows, learn
from training.learning.monotone import directions
from training.learning.splits import Fold, time_folds

__all__ = ["Outer", "judge_nested", "outer_folds"]


@dataclass(frozen=True)
class Outer:
    """An outer fold. rows: to tune on. fold: positions in all rows."""

    fold: Fold
    rows: Rows


def outer_folds(rows: Rows, *, settings: LearningSettings, tuning: TuningSettings) -> tuple[Outer, ...]:
    """The outer folds, oldest first. Raises NotEnoughDataError where none can be tuned for."""
    folds = time_folds(rows.frame, folds=tuning.outer_folds, later_share=tuning.later_share)
    least = max(tuning.inner_folds, settings.folds)
    usable = tuple(one for fold in folds if (one := _outer(rows, fold, folds=least)))
    if not usable:
        raise NotEnoughDataError(
            "too little history to tune on earlier rows and judge on later ones",
            got="; ".join(_told(rows, fold) for fold in folds),
            allowed="rows before each later slice that can be cut in time once more",
            fix="load a longer history, take a shorter horizon, or train with the settings as they are",
        )
    return usable


def _outer(rows: Rows, fold: Fold, *, folds: int) -> Outer | None:
    """None where the rows before it can be neither weighed nor cut in time."""
    try:
        earlier = rows.as_of(fold.earlier, cutoff=fold.starts)
        time_folds(earlier.frame, folds=folds)
    except NotEnoughDataError:
        return None
    return Outer(fold, earlier)


def _told(rows: Rows, fold: Fold) -> str:
    label = rows.label[fold.earlier]
    return f"{len(label):,} rows with {int(label.sum()):,} events before {fold.starts.date().isoformat()}"


def judge_nested(
    rows: Rows,
    *,
    outer: Sequence[Outer],
    tuned: Sequence[LearningSettings],
    untuned: LearningSettings,
    top_k: int,
    replicates: int,
) -> Measured:
    """The later slices of the outer folds, predicted with what was chosen for each and with `untuned`.

    tuned: by outer fold. Columns: probability (tuned) and untuned, compared in pairs, by account; where
    monotone effects are declared also without_directions, the tuned one without them.
    """
    parts = []
    declared = any(directions(rows.catalogue, untuned))
    columns = ("probability", "untuned", *((WITHOUT_DIRECTIONS,) if declared else ()))
    for one, settings in zip(outer, tuned, strict=True):
        free = settings.model_copy(update={"rising": (), "falling": ()})
        later = one.fold.later
        frame = rows.frame.iloc[later][["account_id", "label"]].reset_index(drop=True)
        told = {
            name: learn(one.rows, settings=given).probabilities(rows.X[later])
            for name, given in zip(columns, (settings, untuned, free), strict=False)
        }
        parts.append(frame.assign(cutoff=pd.Timestamp(one.fold.starts), **told))
    return measure(
        pd.concat(parts, ignore_index=True),
        columns=columns,
        probabilities=columns,
        top_k=top_k,
        replicates=replicates,
    )
