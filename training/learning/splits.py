"""Splits: labelled rows in, folds that only ever look forward out.

Turns rows with `as_of` and `label_known_at` (the end of the label's window) into an earlier and a later
part. Time rule: a row trains a fold only if its label was known when the later slice starts, so there is an
embargo of one horizon between the two and no label window reaches from one into the other. Null rule: rows
have both times; a fold in which a class is missing on either side is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import NotEnoughDataError

__all__ = ["Fold", "keep_negatives", "time_folds"]

Positions = NDArray[np.int64]

_SMALLEST_CLASS = 5


@dataclass(frozen=True)
class Fold:
    """Positions of rows. earlier: label known by `starts`; later: as_of in [starts, next fold's starts)."""

    starts: datetime
    earlier: Positions
    later: Positions


def time_folds(rows: pd.DataFrame, *, folds: int, later_share: float = 0.15) -> tuple[Fold, ...]:
    """The newest rows cut into `folds` later slices of about `later_share` each, oldest slice first.

    rows: as_of, label_known_at, label. Rows of one date are never divided. Raises NotEnoughDataError, with
    counts, when no fold has five rows of each class on both sides.
    """
    as_of = rows["as_of"].to_numpy(dtype="datetime64[us]")
    known_at = rows["label_known_at"].to_numpy(dtype="datetime64[us]")
    label = rows["label"].to_numpy(dtype=np.int64)
    bounds = _bounds(as_of, folds=folds, later_share=later_share)
    found = [
        Fold(
            starts=start.astype(datetime),
            earlier=np.flatnonzero((known_at <= start) & (as_of < start)),
            later=np.flatnonzero((as_of >= start) & (as_of < end)),
        )
        for start, end in pairwise(bounds)
    ]
    usable = tuple(fold for fold in found if _both_classes(label, fold))
    if not usable:
        raise _too_short(rows, found)
    return usable


def _bounds(as_of: NDArray[np.datetime64], *, folds: int, later_share: float) -> NDArray[np.datetime64]:
    """Dates at which later slices start, rising, and the end of the last one."""
    if len(as_of) == 0:
        return as_of
    ordered = np.sort(as_of)
    shares = 1.0 - later_share * np.arange(folds, 0, -1)
    positions = np.clip((shares * len(ordered)).astype(int), 0, len(ordered) - 1)
    end = ordered[-1] + np.timedelta64(1, "s")
    return np.unique(np.append(ordered[positions], end))


def _both_classes(label: NDArray[np.int64], fold: Fold) -> bool:
    sides = (label[fold.earlier], label[fold.later])
    return all(min(side.sum(), len(side) - side.sum()) >= _SMALLEST_CLASS for side in sides)


def _too_short(rows: pd.DataFrame, found: list[Fold]) -> NotEnoughDataError:
    label = rows["label"].to_numpy()
    sides = [f"{label[fold.earlier].sum()} before, {label[fold.later].sum()} after" for fold in found]
    events = f"{int(label.sum())} of {len(rows)} rows with the event"
    return NotEnoughDataError(
        "too little history to learn from earlier rows and check on later ones",
        got=f"{events}; by slice: {'; '.join(sides) or 'none'}",
        allowed=f"at least {_SMALLEST_CLASS} rows with the event and {_SMALLEST_CLASS} without on both sides",
        fix="load a longer history, or choose a later cutoff or a shorter horizon",
    )


def keep_negatives(
    label: NDArray[np.int64], *, positions: Positions, per_positive: float | None, seed: int
) -> Positions:
    """`positions` with at most `per_positive` times as many negatives as positives, drawn by `seed`.

    The calibration, found on whole slices, undoes what this does to the probabilities.
    """
    positive = positions[label[positions] == 1]
    negative = positions[label[positions] == 0]
    wanted = len(negative) if per_positive is None else int(per_positive * len(positive))
    if wanted >= len(negative):
        return positions
    kept = np.random.default_rng(seed).choice(negative, size=wanted, replace=False)
    return np.sort(np.concatenate([positive, kept]))
