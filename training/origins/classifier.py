"""The classifier that tries to tell origins apart: small trees, each asked about rows it never saw.

Turns a float64 matrix and labels (1 for the origin that is to be told) into predictions out of fold. Time
rule: none. Null rule: NaN is a value of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from features.catalogue import Catalogue

__all__ = ["OriginClassifier", "fold_of", "folds", "out_of_fold"]

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

_FOLDS = 5
_SEED = 7


class OriginClassifier:
    """A classifier of the whole, as each fold has it. told: float64 (n,), predictions out of fold."""

    def __init__(self, X: Matrix, label: Labels, catalogue: Catalogue) -> None:
        self.X, self.label, self.catalogue = X, label, catalogue
        self.categories = _categories(catalogue)
        self.folds = list(folds(label))
        self.boosters = [_grown(X[train], label[train], self.categories) for train, _ in self.folds]
        self.told = self.predict(X)

    def predict(self, X: Matrix) -> Matrix:
        """What each fold's booster says of the rows that it did not see."""
        told = np.empty(len(X))
        for booster, (_, test) in zip(self.boosters, self.folds, strict=True):
            told[test] = booster.predict(X[test], num_threads=1)
        return told

    def lost(self, columns: Sequence[int]) -> float:
        """What the ROC AUC loses when these columns are shuffled together, within the rows of each fold."""
        shuffled, generator = self.X.copy(), np.random.default_rng(_SEED)
        for _, test in self.folds:
            mixed = generator.permutation(test)
            for column in columns:
                shuffled[test, column] = self.X[mixed, column]
        return self.auc(self.told) - self.auc(self.predict(shuffled))

    def alone(self, columns: Sequence[int]) -> float:
        """The ROC AUC of a classifier that sees these columns only."""
        categories = tuple(at for at, column in enumerate(columns) if column in self.categories)
        return self.auc(out_of_fold(self.X[:, columns], self.label, categories))

    def auc(self, told: Matrix) -> float:
        """The mean over folds."""
        return float(np.mean([roc_auc_score(self.label[test], told[test]) for _, test in self.folds]))


def _categories(catalogue: Catalogue) -> tuple[int, ...]:
    return tuple(at for at, feature in enumerate(catalogue.features) if feature.kind == "category")


def folds(label: Labels) -> Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows to learn from and rows to predict; there is one row per account, so accounts never repeat."""
    split = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    return list(split.split(np.zeros((len(label), 1)), label))


def fold_of(label: Labels) -> Labels:
    """The fold in which each row is predicted."""
    fold = np.empty(len(label), dtype=np.int64)
    for number, (_, test) in enumerate(folds(label)):
        fold[test] = number
    return fold


def out_of_fold(X: Matrix, label: Labels, categories: Sequence[int]) -> Matrix:
    told = np.empty(len(label))
    for train, test in folds(label):
        told[test] = _grown(X[train], label[train], categories).predict(X[test], num_threads=1)
    return told


def _grown(X: Matrix, label: Labels, categories: Sequence[int]) -> lightgbm.Booster:
    data = lightgbm.Dataset(X, label=label, categorical_feature=list(categories), params={"verbosity": -1})
    booster: lightgbm.Booster = lightgbm.train(
        {
            "objective": "binary",
            "learning_rate": 0.1,
            "num_leaves": 7,
            "min_data_in_leaf": int(np.clip(len(label) // 50, 5, 20)),
            "lambda_l2": 5.0,
            "feature_fraction": 0.8,
            "max_bin": 63,
            "seed": _SEED,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        },
        data,
        num_boost_round=60,
    )
    return booster
