"""Peers: other people's learners on our columns, as they come.

Turns a matrix, labels and a catalogue into probabilities by logistic regression, scikit-learn's histogram
boosting, LightGBM and, where the extra `peers` is installed, CatBoost, XGBoost and FLAML, each with its own
defaults and told which columns are categories. Time rule: none. Null rule: each treats a missing
number in its own way; a missing category is a level of its own where the learner knows no missing ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from features.catalogue import Catalogue
from training.backtesting.baselines import logistic_regression

__all__ = ["BASELINES", "BOOSTERS", "TITLES", "Peer"]

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Peer:
    """A learner as it comes. column: its name in frames and files. title: for people.

    predict: from X (n, k), label (n,), new rows (m, k) and their catalogue to the probabilities (m,).
    budgeted: whether it searches for as long as it may, and takes that time as `seconds`.
    """

    column: str
    title: str
    predict: Callable[..., Matrix]
    budgeted: bool = False

    def __call__(
        self, X: Matrix, *, label: Labels, new: Matrix, catalogue: Catalogue, seconds: float = 60.0
    ) -> Matrix:
        """Probabilities float64 (m,) of `new`; on one thread, so that all have the same time."""
        budget = {"seconds": seconds} if self.budgeted else {}
        with threadpool_limits(limits=1):
            return np.asarray(self.predict(X, label, new, catalogue, **budget), dtype=np.float64)


def _logistic(X: Matrix, label: Labels, new: Matrix, catalogue: Catalogue, *, logarithms: bool) -> Matrix:
    model = logistic_regression(catalogue, logarithms=logarithms).fit(X, label)
    chances: Matrix = model.predict_proba(new)[:, 1]
    return chances


def _histogram_boosting(X: Matrix, label: Labels, new: Matrix, catalogue: Catalogue) -> Matrix:
    # It cannot bin a column without any value, from which nothing can be learned either.
    known = np.flatnonzero(~np.isnan(X).all(axis=0))
    categories = np.flatnonzero(np.isin(known, _categories(catalogue))).tolist()
    model = HistGradientBoostingClassifier(categorical_features=categories, random_state=0)
    chances: Matrix = model.fit(X[:, known], label).predict_proba(new[:, known])[:, 1]
    return chances


def _lightgbm(X: Matrix, label: Labels, new: Matrix, catalogue: Catalogue) -> Matrix:
    names = list(catalogue.names)
    data = lightgbm.Dataset(X, label, feature_name=names, categorical_feature=_categories(catalogue))
    parameters = {"objective": "binary", "num_threads": 1, "verbosity": -1, "seed": 0}
    booster = lightgbm.train(parameters, data, num_boost_round=100)
    return np.asarray(booster.predict(new, num_threads=1), dtype=np.float64)


def _catboost(X: Matrix, label: Labels, new: Matrix, catalogue: Catalogue) -> Matrix:
    from catboost import CatBoostClassifier

    categories = _categories(catalogue)
    model = CatBoostClassifier(
        cat_features=categories, random_seed=0, thread_count=1, verbose=False, allow_writing_files=False
    )
    model.fit(_codes(X, categories), label)
    chances: Matrix = model.predict_proba(_codes(new, categories))[:, 1]
    return chances


def _xgboost(X: Matrix, label: Labels, new: Matrix, catalogue: Catalogue) -> Matrix:
    from xgboost import XGBClassifier

    model = XGBClassifier(enable_categorical=True, n_jobs=1, random_state=0)
    chances: Matrix = model.fit(_typed(X, catalogue), label).predict_proba(_typed(new, catalogue))[:, 1]
    return chances


def _flaml(X: Matrix, label: Labels, new: Matrix, catalogue: Catalogue, *, seconds: float) -> Matrix:
    from flaml import AutoML

    search = AutoML()
    search.fit(
        _named(X, catalogue),
        label,
        task="classification",
        metric="roc_auc",
        time_budget=seconds,
        estimator_list=["lgbm", "xgboost", "catboost", "rf", "extra_tree", "lrl1"],
        n_jobs=1,
        seed=0,
        verbose=0,
    )
    chances: Matrix = search.predict_proba(_named(new, catalogue))[:, 1]
    return chances


BASELINES = (
    Peer("logistic_regression", "logistic regression, as it comes", partial(_logistic, logarithms=False)),
    Peer(
        "logistic_regression_logarithms",
        "logistic regression on logarithms",
        partial(_logistic, logarithms=True),
    ),
    Peer("histogram_boosting", "scikit-learn's histogram boosting, untuned", _histogram_boosting),
    Peer("lightgbm", "LightGBM, untuned", _lightgbm),
)
"""What every backtest is compared with."""

BOOSTERS = (
    Peer("catboost", "CatBoost, untuned", _catboost),
    Peer("xgboost", "XGBoost, untuned", _xgboost),
    Peer("flaml", "FLAML, tuned for as long as Spearfish learns", _flaml, budgeted=True),
)
"""Peers of the extra `peers`."""

TITLES = {"probability": "Spearfish"} | {peer.column: peer.title for peer in (*BASELINES, *BOOSTERS)}
"""What people call each column of predictions."""


def _categories(catalogue: Catalogue) -> list[int]:
    return [position for position, one in enumerate(catalogue.features) if one.kind == "category"]


def _codes(X: Matrix, categories: list[int]) -> pd.DataFrame:
    """Categories as whole numbers, -1 where missing."""
    frame = pd.DataFrame(X)
    for position in categories:
        frame[position] = frame[position].fillna(-1).astype(np.int64)
    return frame


def _typed(X: Matrix, catalogue: Catalogue) -> pd.DataFrame:
    """Categories as pandas has them, with every code that there can be."""
    frame = pd.DataFrame(X)
    for position in _categories(catalogue):
        codes = list(range(len(catalogue.features[position].levels) + 1))
        frame[position] = pd.Categorical(frame[position].astype("Int64"), categories=codes)
    return frame


def _named(X: Matrix, catalogue: Catalogue) -> pd.DataFrame:
    """As `_typed`, under the names of the features."""
    frame = _typed(X, catalogue)
    frame.columns = pd.Index(catalogue.names)
    return frame
