"""Chances of rows by learners that never saw them.

Turns a classifier and labelled rows into one chance per row, each by a learner that was fitted on the other
folds. Time rule: none; folds are random. Null rule: that of the learner.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from models.estimator_errors import NotEnoughRowsError
from models.positive_unlabelled.base import Floats

__all__ = ["out_of_fold"]


def out_of_fold(
    estimator: Any, X: Floats, y: NDArray[np.int64], *, folds: int = 5, seed: int = 0, repeats: int = 1
) -> Floats:
    """Chances (n,) of the label 1, the mean over `repeats` divisions into folds.

    Fewer folds where a class has fewer rows. Raises NotEnoughRowsError where a class has a single row.
    """
    smallest = int(np.bincount(y, minlength=2).min())
    if smallest < 2:
        raise NotEnoughRowsError(
            "too few rows of one class to learn out of fold", got=smallest, allowed="at least 2 of each class"
        )
    chances = np.zeros(len(y))
    for repeat in range(repeats):
        splits = StratifiedKFold(min(folds, smallest), shuffle=True, random_state=seed + repeat)
        for learned, judged in splits.split(X, y):
            model = clone(estimator).fit(X[learned], y[learned])
            chances[judged] += model.predict_proba(X[judged])[:, 1] / repeats
    return chances
