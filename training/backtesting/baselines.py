"""Baselines: what a model has to beat.

Turns the same rows and features into an activity heuristic (how many actions in the last 30 days), recency
(how long since the last one) and logistic regressions, plain and on logarithms. Time rule: a regression
learns from the same earlier rows as the model; the other two learn nothing. Null rule: a missing number is
the median, with a flag that says so; a missing category is a level of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from features.catalogue import Catalogue
from features.settings import LearningSettings
from training.learning.learn import Rows
from training.learning.splits import Positions, keep_negatives

__all__ = [
    "activity_heuristic",
    "filled_columns",
    "logistic_regression",
    "logistic_regression_probabilities",
    "recency",
]

Matrix = NDArray[np.float64]


def activity_heuristic(X: Matrix, *, catalogue: Catalogue) -> Matrix | None:
    """Engagement count of the last 30 days, (n,): a ranking, not a probability. None without the feature."""
    return _column(X, catalogue=catalogue, name="engagement_count_30d", missing=0.0)


def recency(X: Matrix, *, catalogue: Catalogue) -> Matrix | None:
    """Minus the days since the last engagement, (n,); never is furthest away. None without the feature."""
    days = _column(X, catalogue=catalogue, name="engagement_days_since", missing=1e6)
    return None if days is None else -days


def _column(X: Matrix, *, catalogue: Catalogue, name: str, missing: float) -> Matrix | None:
    if name not in catalogue.names:
        return None
    values: Matrix = np.nan_to_num(X[:, catalogue.index(name)], nan=missing)
    return values


def logistic_regression(catalogue: Catalogue, *, strength: float = 1.0, logarithms: bool = True) -> Pipeline:
    """A scikit-learn pipeline over the matrix: numbers filled with the median, flagged and standardised;
    categories one-hot; ridge penalty with C = `strength`, by default scikit-learn's own.

    logarithms: whether numbers are read on a log scale, which is worth a lot where they are counts.
    """
    return make_pipeline(
        filled_columns(catalogue, logarithms=logarithms),
        LogisticRegression(C=strength, solver="lbfgs", max_iter=2000),
    )


def filled_columns(catalogue: Catalogue, *, logarithms: bool) -> ColumnTransformer:
    """Columns without gaps: numbers filled with the median, flagged and standardised; categories one-hot."""
    kinds = [feature.kind for feature in catalogue.features]
    categories = [position for position, kind in enumerate(kinds) if kind == "category"]
    numbers = [position for position, kind in enumerate(kinds) if kind != "category"]
    number = make_pipeline(
        FunctionTransformer(_signed_log if logarithms else None),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    category = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1.0),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    return ColumnTransformer([("number", number, numbers), ("category", category, categories)])


def logistic_regression_probabilities(
    rows: Rows,
    *,
    earlier: Positions,
    X: Matrix,
    settings: LearningSettings,
    strength: float = 1.0,
    logarithms: bool = True,
) -> Matrix:
    """Probabilities (m,) of the rows of X by a logistic regression that learned from `earlier` rows."""
    kept = keep_negatives(
        rows.label, positions=earlier, per_positive=settings.negatives_per_positive, seed=settings.seed
    )
    # One thread: the same bits on any machine.
    with threadpool_limits(limits=1):
        model = logistic_regression(rows.catalogue, strength=strength, logarithms=logarithms)
        chances: Matrix = model.fit(rows.X[kept], rows.label[kept]).predict_proba(X)[:, 1]
    return chances


def _signed_log(X: Matrix) -> Matrix:
    logs: Matrix = np.sign(X) * np.log1p(np.abs(X))
    return logs
