"""Positives hidden at random: the plain ranking, its level corrected by the label rate.

Turns chances of a known label into chances of a positive, chance / label rate (Elkan and Noto 2008). Where
every positive is known with the same chance no method ranks better than the plain classifier, as both
orders are the same; only the level moves. Time rule: none. Null rule: that of the learner.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from models.estimator_errors import UnfitValueError
from models.positive_unlabelled.base import Floats, PositiveUnlabelled
from models.positive_unlabelled.cross_fitting import out_of_fold
from models.positive_unlabelled.label_rate import largest_label_share

__all__ = ["HiddenAtRandomClassifier"]

_NEVER_SURE = 1e-6


class HiddenAtRandomClassifier(PositiveUnlabelled):
    """The chance of being a positive, known or hidden.

    estimator: any classifier with chances. label_rate: the share of the positives that is known; without one
    it is estimated, which assumes that some profiles always are positive. folds: for that estimate.
    After fit, label_rate_ is what was used.
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        label_rate: float | None = None,
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        super().__init__(estimator, random_state=random_state)
        self.label_rate = label_rate
        self.folds = folds

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """X: float (n, k). y: (n,), the larger label for known positives, the other for rows without one.

        Raises NotEnoughRowsError where the label rate has to be estimated from fewer than 100 of a class.
        """
        matrix, labelled = self._begin(X, y)
        if self.label_rate is None:
            scores = out_of_fold(self._learner(), matrix, labelled, folds=self.folds, seed=self.random_state)
            self.label_rate_ = largest_label_share(scores, labelled=labelled, seed=self.random_state).value
        elif 0.0 < self.label_rate <= 1.0:
            self.label_rate_ = float(self.label_rate)
        else:
            raise UnfitValueError("label_rate", got=self.label_rate, allowed="above 0, at most 1")
        self.estimator_ = clone(self._learner()).fit(matrix, labelled)
        return self

    def _chances(self, X: Floats) -> Floats:
        known: Floats = self.estimator_.predict_proba(X)[:, 1]
        # Never 1: where the label rate was exceeded, the order stays that of the plain classifier.
        return np.minimum(known / self.label_rate_, 1.0 - _NEVER_SURE * (1.0 - known))
