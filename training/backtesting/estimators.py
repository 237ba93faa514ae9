"""Anybody's classifier as the learner of a backtest: a scikit-learn estimator in, answers out.

Turns the labelled rows of a question into a frame that the estimator can read, fits a clone of it, and takes
its probabilities. Time rule: a clone learns from the rows that ours would learn from, whose labels were known
at the cutoff. Null rule: an estimator that takes missing values gets them; for any other, numbers are filled
with the median and flagged, both learned from the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from features.catalogue import Catalogue
from features.errors import InputError
from models.booster import Matrix
from training.backtesting.baselines import filled_columns
from training.backtesting.learners import Answerer, Learner, undo_sampling
from training.backtesting.questions import Question
from training.learning.learn import Progress, require_both_classes
from training.learning.splits import keep_negatives

__all__ = ["OTHER", "Preparation", "as_frame", "estimator_learner"]

Preparation = Literal["auto", "frame", "numbers", "filled"]

OTHER = "(other)"
"""The level of a category that was rare, or unknown when the levels were learned."""


def estimator_learner(estimator: Any, *, prepare: Preparation = "auto") -> Learner:
    """A learner that fits clones of `estimator`, which stays as it is.

    prepare: `frame` hands it categories as pandas has them, `numbers` one column per level, missing numbers
    as NaN; `filled` leaves no gap and standardises; `auto` takes the first that its tags say it can read.
    Raises InputError for anything that is no classifier with probabilities.
    """
    _require_classifier(estimator)
    if prepare not in get_args(Preparation):
        raise InputError(
            "prepare names no preparation", got=repr(prepare), allowed=", ".join(get_args(Preparation))
        )
    chosen = _readable(estimator) if prepare == "auto" else prepare

    def learn(question: Question, progress: Progress | None = None) -> Answerer:
        return _answerer(clone(estimator), question, prepare=chosen)

    return learn


def _require_classifier(estimator: Any) -> None:
    lacking = [name for name in ("fit", "predict_proba", "get_params") if not hasattr(estimator, name)]
    if lacking or isinstance(estimator, type):
        raise InputError(
            "a backtest takes a classifier of scikit-learn's interface that tells probabilities",
            got=f"{estimator!r} without {', '.join(lacking)}" if lacking else f"the class {estimator!r}",
            allowed="an object with fit and predict_proba",
            fix="make one of the class"
            if not lacking
            else "wrap it in sklearn.calibration.CalibratedClassifierCV",
        )


def _readable(estimator: Any) -> Preparation:
    tags = get_tags(estimator).input_tags
    if not tags.allow_nan:
        return "filled"
    return "frame" if tags.categorical else "numbers"


def _answerer(estimator: Any, question: Question, *, prepare: Preparation) -> Answerer:
    rows, settings = question.own_rows, question.settings
    require_both_classes(rows.label)
    everything = np.arange(len(rows.frame), dtype=np.int64)
    limit = settings.negatives_per_positive
    kept = keep_negatives(rows.label, positions=everything, per_positive=limit, seed=settings.seed)
    model, read = _prepared(estimator, question.selected, prepare=prepare)
    model.fit(read(rows.X[kept]), rows.label[kept])

    def predict(X: Matrix) -> Matrix:
        chances = np.asarray(model.predict_proba(read(question.own(X))), dtype=np.float64)
        event = list(model.classes_).index(1)
        return undo_sampling(chances[:, event], label=rows.label, kept=kept)

    counts = {"rows": len(rows.frame), "events": int(rows.label.sum()), "rows_kept": len(kept)}
    return Answerer(predict, lambda X: iter(()), counts)


def _prepared(
    estimator: Any, catalogue: Catalogue, *, prepare: Preparation
) -> tuple[Any, Callable[[Matrix], Any]]:
    """What is fitted, and how it reads a matrix."""
    if prepare == "filled":
        return make_pipeline(filled_columns(catalogue, logarithms=True), estimator), np.asarray
    if prepare == "frame":
        return estimator, lambda X: as_frame(X, catalogue=catalogue)
    return estimator, lambda X: _one_hot(as_frame(X, catalogue=catalogue))


def as_frame(X: Matrix, *, catalogue: Catalogue, index: pd.Index | None = None) -> pd.DataFrame:
    """A matrix (n, k) in catalogue order as people and pandas read it.

    Numbers and flags are float64 with NaN; a category has its levels and OTHER, and NaN where missing.
    """
    columns = {
        feature.name: _levels(X[:, position], levels=feature.levels)
        if feature.kind == "category"
        else X[:, position]
        for position, feature in enumerate(catalogue.features)
    }
    return pd.DataFrame(columns, index=index)


def _levels(codes: NDArray[np.float64], *, levels: tuple[str, ...]) -> pd.Categorical:
    known = np.where(np.isnan(codes), -1, codes).astype(np.int64)
    return pd.Categorical.from_codes(known, categories=pd.Index([*levels, OTHER], dtype=object))


def _one_hot(frame: pd.DataFrame) -> pd.DataFrame:
    """One column per level, 0 or 1; a missing category is 0 in all of them."""
    categories = [name for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    return pd.get_dummies(frame, columns=categories, dtype=np.float64)
