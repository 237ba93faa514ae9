"""What the estimators share: checked input, the two classes, and chances as scikit-learn wants them.

Turns (X, y) into a float matrix and flags of the known positives. Time rule: none. Null rule: NaN passes
where the learner takes it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from models.estimator_errors import NotEnoughRowsError, UnfitValueError

__all__ = ["Floats", "PositiveUnlabelled", "default_learner"]

Floats = NDArray[np.float64]


def default_learner(*, seed: int = 0) -> LGBMClassifier:
    """Small boosted trees, on one thread and the same on every machine."""
    return LGBMClassifier(
        n_estimators=200,
        learning_rate=0.05,
        num_leaves=15,
        min_child_samples=30,
        colsample_bytree=0.5,
        subsample=0.8,
        subsample_freq=1,
        reg_lambda=5.0,
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )


# scikit-learn ships no types, so its classes are Any to the checker; an estimator has to be one of them, or
# pipelines, cloning and its own checks do not know it.
class PositiveUnlabelled(ABC, ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # a base without types
    """A classifier of rows that are known positives, or not known.

    estimator: any scikit-learn classifier with chances; LightGBM with small trees without one.
    """

    classes_: NDArray[Any]
    n_features_in_: int

    def __init__(self, estimator: Any = None, *, random_state: int = 0) -> None:
        self.estimator = estimator
        self.random_state = random_state

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Chances (n, 2): that a row is no positive, and that it is one, known or hidden."""
        check_is_fitted(self)
        checked = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite=self._finite)
        positive = self._chances(checked)
        return np.column_stack([1.0 - positive, positive])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The likelier class of each row (n,)."""
        likely = self.predict_proba(X)[:, 1] > 0.5
        labels: NDArray[Any] = self.classes_[likely.astype(np.int64)]
        return labels

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = not self._finite
        return tags

    def _begin(self, X: ArrayLike, y: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
        """The matrix, and 1 for known positives: the larger of the two labels."""
        matrix, labels = validate_data(self, X, y, dtype=np.float64, ensure_all_finite=self._finite)
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise NotEnoughRowsError(
                "one class only: there is nothing to tell apart",
                got=f"{len(labels)} rows of one label",
                allowed="known positives and rows without a label",
            )
        if len(self.classes_) > 2:
            raise UnfitValueError(
                "Only binary classification is supported: the target has more than two labels",
                got=len(self.classes_),
                allowed="1 known positive, 0 not known",
            )
        return matrix, (labels == self.classes_[1]).astype(np.int64)

    @abstractmethod
    def _chances(self, X: Floats) -> Floats:
        """The chance (n,) that a row is a positive, known or hidden."""

    def _learner(self) -> Any:
        return default_learner(seed=self.random_state) if self.estimator is None else self.estimator

    @property
    def _finite(self) -> bool | str:
        """Whether NaN is refused, as the learner has it."""
        return not get_tags(self._learner()).input_tags.allow_nan

    @abstractmethod
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """X: float (n, k). y: (n,), the larger label for known positives."""
