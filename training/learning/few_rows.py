"""Learning from few rows with dates: the mean of lines and small trees, judged on later rows.

Turns rows into the same as `training.learning.learn` does, whichever of the two learners they bear: where the
rarer class is small, boosted trees alone follow chance, and lines drawn to the base rate, averaged with trees
of several kinds, are nearer to the truth; `training.checks.few_rows` shows up to which count. Time rule: what
is told of later rows (`later`) comes from rows whose label was known when the slice starts, weighed by what
was known then; which parts are averaged, and the calibration, are chosen on folds of accounts, as a later
slice of few rows is too small to choose by. Null rule: NaN is a value of its own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from features.settings import LearningSettings
from training.learning.learn import Learned, Progress, Rows, learn
from training.learning.small import SmallLearned, learn_small
from training.learning.splits import Fold, Positions, time_folds

__all__ = ["are_few", "effective_accounts", "grow_few", "learn_few", "learn_rows"]

_LATER_SHARE = 0.35
"""Of forty wins that leaves fourteen to judge by."""

_LEAST_EARLIER = 5
"""Of a class, to be judged at all; the slices are cut so that each side has as many."""


def learn_rows(
    rows: Rows, *, settings: LearningSettings, progress: Progress | None = None, what: str = "learn"
) -> Learned:
    """Learn from rows with dates by the learner that they bear: see `are_few`.

    Raises NotEnoughDataError when one class is missing or the history is too short.
    """
    if are_few(rows, settings=settings):
        return learn_few(rows, settings=settings, progress=progress, what=what)
    return learn(rows, settings=settings, progress=progress, what=what)


def are_few(rows: Rows, *, settings: LearningSettings) -> bool:
    """Whether either class comes to fewer accounts than the settings call few: see `effective_accounts`."""
    return min(effective_accounts(rows, label=label) for label in (0, 1)) < settings.few_rows


def effective_accounts(rows: Rows, *, label: int) -> float:
    """As how many accounts that count alike the rows of a class tell; 0 where it has none.

    An account counts by the sum of the weights w of its rows of the class, as its snapshots and deals tell
    much the same; then (sum w)^2 / sum w^2, which is the number of accounts where all count alike and less
    where few weigh most (Kish 1965, Survey Sampling, section 11.7; Kish 1992, J. Official Statistics 8).
    """
    own = rows.label == label
    weight = np.ones(int(own.sum())) if rows.weight is None else rows.weight[own]
    counts = np.bincount(_accounts(rows)[own], weights=weight)
    total = float((counts**2).sum())
    return float(counts.sum()) ** 2 / total if total > 0.0 else 0.0


def learn_few(
    rows: Rows, *, settings: LearningSettings, progress: Progress | None = None, what: str = "learn"
) -> Learned:
    """The mean of lines and small trees of all rows, and what one of earlier rows said of the later ones.

    Raises NotEnoughDataError where no cut in time leaves five rows of each class on both sides.
    """
    folds = time_folds(rows.frame, folds=1, later_share=_LATER_SHARE)
    parts = []
    for number, fold in enumerate(folds):
        parts.append(_judged(rows, fold, number=number, settings=settings))
        _tell(progress, what, done=number + 1, folds=len(folds))
    whole = grow_few(rows, settings=settings)
    _tell(progress, what, done=len(folds) + 1, folds=len(folds))
    later = pd.concat(parts, ignore_index=True)
    return replace(whole, folds=folds, later=later, crossed=whole.later)


def grow_few(rows: Rows, *, settings: LearningSettings) -> SmallLearned:
    """The mean of lines and small trees of all rows, whose accounts are never divided by folds; nothing of it
    was judged on later rows. Raises NotEnoughDataError below five rows of a class."""
    return learn_small(rows, settings=settings, groups=_accounts(rows), smallest_class=_LEAST_EARLIER)


def _judged(rows: Rows, fold: Fold, *, number: int, settings: LearningSettings) -> pd.DataFrame:
    weight = rows.weight_in(fold)
    earlier = Rows(
        rows.frame.iloc[fold.earlier].reset_index(drop=True),
        rows.X[fold.earlier],
        rows.catalogue,
        weight=None if weight is None else weight[fold.earlier],
    )
    learned = grow_few(earlier, settings=settings)
    frame = rows.frame.iloc[fold.later][["account_id", "as_of", "label"]].reset_index(drop=True)
    return frame.assign(
        position=fold.later, fold=number, probability=learned.probabilities(rows.X[fold.later])
    )


def _accounts(rows: Rows) -> Positions:
    """A number for each account, (n,): its rows are never divided."""
    return np.asarray(pd.factorize(rows.frame["account_id"], sort=True)[0], dtype=np.int64)


def _tell(progress: Progress | None, what: str, *, done: int, folds: int) -> None:
    if progress is not None:
        progress(what, done, folds + 1)
