"""Positives hidden by selection: learning from those that were pursued, and weighing them for all.

Turns wins, and who was pursued, into the chance to win if pursued, also of accounts that nobody pursued.
Where pursuit depends on what is known of an account, won against pursued and not won tells the chance;
kinds that were rarely pursued are weighed up by a power of 1 / propensity (Shimodaira 2000), the propensity
out of fold and clipped. Time rule: none. Null rule: that of the learner.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_array, check_consistent_length

from models.estimator_errors import NotEnoughRowsError, UnfitValueError
from models.positive_unlabelled.base import Floats, PositiveUnlabelled
from models.positive_unlabelled.cross_fitting import out_of_fold

__all__ = ["CLIP", "FLATTENING", "PursuitWeightedClassifier", "pursuit_weights"]

FLATTENING = 0.25
CLIP = 0.05


def pursuit_weights(propensities: Floats, *, flattening: float = FLATTENING, clip: float = CLIP) -> Floats:
    """Weights (n,) of mean 1, as a power of 1 / propensity; propensities below `clip` count as `clip`.

    A learner's regularisation means the same with and without weights of mean 1.

    >>> pursuit_weights(np.array([1.0, 0.25]), flattening=0.5).round(3).tolist()
    [0.667, 1.333]
    """
    weights = np.maximum(propensities, clip) ** -flattening
    told: Floats = weights / weights.mean()
    return told


class PursuitWeightedClassifier(PositiveUnlabelled):
    """The chance to win if pursued.

    estimator: any classifier with chances that takes sample weights; of pursuit and of winning alike.
    flattening: the power of 1 / propensity; 0 weighs nothing, 1 weighs fully.
    clip: the smallest propensity that counts; below it there is next to nothing to weigh up.
    folds: for the propensities. After fit, propensities_ holds those of the rows (n,).
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        flattening: float = FLATTENING,
        clip: float = CLIP,
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        super().__init__(estimator, random_state=random_state)
        self.flattening = flattening
        self.clip = clip
        self.folds = folds

    def fit(self, X: ArrayLike, y: ArrayLike, pursued: ArrayLike | None = None) -> Self:
        """X: float (n, k). y: (n,), the larger label for wins. pursued: flags (n,) of accounts whose pursuit
        has ended, wins included; without them everybody counts as pursued, and nothing is corrected.

        Raises NotEnoughRowsError where everyone who was pursued was won, UnfitValueError for a win that was
        not pursued and for settings outside of their bounds.
        """
        self._check_settings()
        matrix, won = self._begin(X, y)
        flags = self._flags(pursued, won=won)
        if won[flags].all():
            raise NotEnoughRowsError(
                "everybody who was pursued was won: there is no loss to learn from",
                got=f"{int(won.sum()):,} wins",
                fix="hand in accounts whose opportunities were lost, or learn at random without `pursued`",
            )
        self.propensities_ = self._propensities(matrix, flags)
        weights = pursuit_weights(self.propensities_[flags], flattening=self.flattening, clip=self.clip)
        learner = clone(self._learner())
        given = {"sample_weight": weights} if self.flattening and pursued is not None else {}
        self.estimator_ = learner.fit(matrix[flags], won[flags], **given)
        return self

    def _check_settings(self) -> None:
        for name, smallest in (("flattening", 0.0), ("clip", 1e-6)):
            value = getattr(self, name)
            if not smallest <= value <= 1.0:
                raise UnfitValueError(name, got=value, allowed=f"{smallest:g} to 1")

    def _flags(self, pursued: ArrayLike | None, *, won: NDArray[np.int64]) -> NDArray[np.bool_]:
        if pursued is None:
            return np.ones(len(won), dtype=np.bool_)
        flags: NDArray[np.bool_] = check_array(pursued, ensure_2d=False, dtype=None).astype(np.bool_)
        check_consistent_length(flags, won)
        contradicting = int((won.astype(np.bool_) & ~flags).sum())
        if contradicting:
            raise UnfitValueError(
                "wins that were not pursued",
                got=contradicting,
                fix="flag every win as pursued, or leave it out",
            )
        return flags

    def _propensities(self, X: Floats, pursued: NDArray[np.bool_]) -> Floats:
        """Out-of-fold chances of being pursued (n,), clipped from below."""
        if pursued.all():
            return np.ones(len(pursued))
        found = out_of_fold(
            self._learner(), X, pursued.astype(np.int64), folds=self.folds, seed=self.random_state
        )
        return np.clip(found, self.clip, 1.0)

    def _chances(self, X: Floats) -> Floats:
        chances: Floats = self.estimator_.predict_proba(X)[:, 1]
        return chances
