"""Folds for rows without dates: labels and features in, parts that share no equal row out.

Turns a matrix into groups of rows that say the same, and these into stratified folds, several times over.
Time rule: none, nothing here has a date; such folds cannot show how a model ages. Null rule: two missing
values are equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from features.errors import NotEnoughDataError

__all__ = ["Positions", "Split", "equal_rows", "stratified_splits"]

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """One fold of one repeat: the positions that are learned from, and those that are judged."""

    repeat: int
    fold: int
    learn: Positions
    judge: Positions


def equal_rows(X: NDArray[np.float64]) -> Positions:
    """A number for each row, (n,), the same for rows that are equal in every column.

    >>> equal_rows(np.array([[2.0, np.nan], [1.0, 0.0], [2.0, np.nan]])).tolist()
    [1, 0, 1]
    """
    known = np.nan_to_num(X, nan=0.0) + 0.0  # -0.0 equals 0.0
    _, groups = np.unique(np.hstack([known, np.isnan(X)]), axis=0, return_inverse=True)
    return groups.reshape(-1).astype(np.int64)


def stratified_splits(
    label: NDArray[np.int64], *, groups: Positions, folds: int, repeats: int = 1, seed: int
) -> tuple[Split, ...]:
    """`folds` parts of about the same base rate, `repeats` times; a group is never divided.

    Raises NotEnoughDataError when a class has fewer groups than there are folds, so that some part would
    lack it.
    """
    for value, name in ((1, "with the event"), (0, "without it")):
        found = len(np.unique(groups[label == value]))
        if found < folds:
            raise NotEnoughDataError(
                f"too few different rows {name} for {folds} folds",
                got=f"{found:,} different among {int((label == value).sum()):,} rows {name}",
                allowed=f"at least {folds}",
                fix="add rows, or ask for fewer folds",
            )
    return tuple(_splits(label, groups=groups, folds=folds, repeats=repeats, seed=seed))


def _splits(
    label: NDArray[np.int64], *, groups: Positions, folds: int, repeats: int, seed: int
) -> Iterator[Split]:
    for repeat in range(repeats):
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed + repeat)
        for fold, (learn, judge) in enumerate(splitter.split(label, label, groups)):
            yield Split(repeat, fold, learn.astype(np.int64), judge.astype(np.int64))
