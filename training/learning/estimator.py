"""Spearfish's learner as an estimator of scikit-learn: frames or matrices and classes in, probabilities out.

Turns columns of numbers, flags and categories into the learner's matrix, and back into probabilities. Time
rule: none, rows have no dates; whoever has dates splits by them. Null rule: NaN and None are a value of their
own, and so is a category that training did not see.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from features.feature import Feature, Kind
from features.settings import LearningSettings
from models.calibration import probabilities
from models.estimator_errors import NotEnoughRowsError, UnfitValueError
from models.margin import MarginModel
from training.backtesting.evaluate import Estimate, measure
from training.learning.learn import Rows
from training.learning.monotone import require_directions
from training.learning.small import SMALLEST_CLASS, learn_small

__all__ = ["SpearfishClassifier"]

Matrix = NDArray[np.float64]
_MOST_LEVELS = 255


# scikit-learn ships no types, so its classes are Any to the checker; an estimator has to be one of them, or
# pipelines, cloning and its own checks do not know it.
class SpearfishClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # a base without types
    """A mean of straight lines and small trees whose contributions add up exactly.

    rising, falling: names of columns that may only raise, or only lower, the probability; with *.
    smallest_class: fewest rows of a class to learn from. least_rows: of a level of its own; rarer ones share
    one. most_rounds: of trees. random_state: seed of folds and trees.

    After `fit`: classes_ (the second is the event), catalogue_, learned_ (what was averaged and why), and
    roc_auc_, an estimate with a 95 % interval from rows that their models did not see: how sure it is.

    >>> frame = pd.DataFrame({"visits": range(200), "industry": ["a", "b"] * 100})
    >>> won = [row % 100 > 40 for row in range(200)]
    >>> model = SpearfishClassifier().fit(frame, won)
    >>> model.predict_proba(frame.head(3)).shape
    (3, 2)
    """

    def __init__(
        self,
        *,
        rising: tuple[str, ...] = (),
        falling: tuple[str, ...] = (),
        smallest_class: int = SMALLEST_CLASS,
        least_rows: int = 5,
        most_rounds: int = 600,
        random_state: int = 7,
    ) -> None:
        self.rising = rising
        self.falling = falling
        self.smallest_class = smallest_class
        self.least_rows = least_rows
        self.most_rounds = most_rounds
        self.random_state = random_state

    def fit(self, X: pd.DataFrame | ArrayLike, y: ArrayLike) -> SpearfishClassifier:
        """Learn. X: (n, k), a frame or a matrix of numbers. y: (n,), two classes.

        Raises NotEnoughRowsError for one class or too few rows, ValueError for what cannot be read,
        ConfigError for a name in `rising` or `falling` that no column of numbers has.
        """
        columns = self._columns(X, reset=True)
        label = self._label(y, rows=len(columns))
        self.catalogue_ = Catalogue(
            tuple(_feature(columns[name], name=str(name), least_rows=self.least_rows) for name in columns)
        )
        rows = Rows(_frame(label), _matrix(columns, catalogue=self.catalogue_), self.catalogue_)
        settings = LearningSettings(
            rising=tuple(self.rising),
            falling=tuple(self.falling),
            max_rounds=self.most_rounds,
            seed=self.random_state,
        )
        require_directions(self.catalogue_, settings)
        try:
            self.learned_ = learn_small(rows, settings=settings, smallest_class=self.smallest_class)
        except NotEnoughDataError as error:
            raise NotEnoughRowsError(
                error.what, got=error.got, allowed=error.allowed, fix=error.fix
            ) from error
        return self

    @property
    def _model(self) -> MarginModel:
        # Made when needed: a booster ready to score cannot be copied or stored, its text can.
        return MarginModel(self.learned_.booster_text, linear=self.learned_.linear, threads=1)

    @property
    def roc_auc_(self) -> Estimate:
        """Of rows that their models did not see, mean over the folds; the models of folds overlap, which the
        interval knows of (`Estimate.over_folds`)."""
        check_is_fitted(self)
        later = self.learned_.later.rename(columns={"fold": "cutoff"})
        later["account_id"] = later["position"].astype(str)
        # The ranking alone: calibration slopes of every replicate would take most of the time.
        told = measure(later, probabilities=()).estimates["probability"]["roc_auc"]
        return told.over_folds(later["cutoff"].nunique(), lowest=0.0, highest=1.0)

    def decision_function(self, X: pd.DataFrame | ArrayLike) -> Matrix:
        """float64 (n,): calibrated log-odds of the second class."""
        matrix = self._read(X)
        return self.learned_.calibration.logits(self._model.margins(matrix))

    def predict_proba(self, X: pd.DataFrame | ArrayLike) -> Matrix:
        """float64 (n, 2): probabilities of the two classes."""
        chance = probabilities(self.decision_function(X))
        return np.column_stack([1.0 - chance, chance])

    def predict(self, X: pd.DataFrame | ArrayLike) -> NDArray[Any]:
        """(n,): the likelier class of each row."""
        decision = self.decision_function(X)
        likelier: NDArray[Any] = self.classes_[(decision > 0).astype(np.int64)]
        return likelier

    def contributions(self, X: pd.DataFrame | ArrayLike) -> Matrix:
        """float64 (n, k + 1), calibrated log-odds; the last is the baseline. Rows add up to the decision."""
        matrix = self._read(X)
        calibration = self.learned_.calibration
        scaled: Matrix = calibration.slope * self._model.contributions(matrix)
        scaled[:, -1] += calibration.intercept
        return scaled

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _read(self, X: pd.DataFrame | ArrayLike) -> Matrix:
        check_is_fitted(self)
        return _matrix(self._columns(X, reset=False), catalogue=self.catalogue_)

    def _columns(self, X: pd.DataFrame | ArrayLike, *, reset: bool) -> pd.DataFrame:
        """X as a frame with texts for names; a matrix of numbers is checked as scikit-learn checks it."""
        if isinstance(X, pd.DataFrame) and any(_is_category(X[name]) for name in X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if X.empty:
                raise UnfitValueError("Found array with 0 sample(s)", got=X.shape, fix="pass rows")
            return X.rename(columns=str)
        names = [str(name) for name in X.columns] if isinstance(X, pd.DataFrame) else None
        checked = validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
        return pd.DataFrame(checked, columns=names or [f"x{at}" for at in range(checked.shape[1])])

    def _label(self, y: ArrayLike, *, rows: int) -> NDArray[np.int64]:
        if y is None:
            raise UnfitValueError(
                "this estimator requires y to be passed, but the target y is None", fix="pass the classes"
            )
        classes = column_or_1d(y, warn=True)
        if np.asarray(classes).dtype.kind == "f" and not np.isfinite(classes).all():
            raise UnfitValueError("Input y contains NaN or infinity", fix="leave these rows out")
        check_classification_targets(classes)
        self.classes_, label = np.unique(classes, return_inverse=True)
        if len(classes) != rows:
            raise UnfitValueError(
                "X and y differ in length", got=f"{rows} and {len(classes)}", fix="pass one class per row"
            )
        if len(self.classes_) > 2:
            raise UnfitValueError(
                "Only binary classification is supported: the target has several classes",
                got=len(self.classes_),
                allowed="2 classes",
                fix="learn one class against the others",
            )
        if len(self.classes_) < 2:
            raise NotEnoughRowsError(
                "one class only: there is nothing to tell apart",
                got=self.classes_.tolist(),
                allowed="2 classes",
                fix="pass rows of both",
            )
        return label.astype(np.int64)


def _is_category(values: pd.Series[Any]) -> bool:
    return not pd.api.types.is_numeric_dtype(values)


def _feature(values: pd.Series[Any], *, name: str, least_rows: int) -> Feature:
    levels: tuple[str, ...] = ()
    if _is_category(values):
        counts = values.dropna().astype(str).value_counts()
        levels = tuple(sorted(counts[counts >= least_rows].head(_MOST_LEVELS).index)) or ("",)
    kind: Kind = "category" if levels else "number"
    return Feature(name, "firmographic", kind, "accounts", "latest", "", "", name, "", levels=levels)


def _matrix(columns: pd.DataFrame, *, catalogue: Catalogue) -> Matrix:
    read = [_codes(columns[one.name], feature=one) for one in catalogue.features]
    matrix = np.column_stack(read).astype(np.float64)
    if np.isinf(matrix).any():
        raise UnfitValueError("X holds infinity", allowed="finite numbers and NaN", fix="replace it")
    return np.ascontiguousarray(matrix)


def _codes(values: pd.Series[Any], *, feature: Feature) -> Matrix:
    """Numbers as they are; a level as its position, any other as their number, none as NaN."""
    if feature.kind != "category":
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    known = {level: float(code) for code, level in enumerate(feature.levels)}
    told = values.astype(object)
    found = told.where(told.isna(), told.astype(str).map(known).fillna(float(len(known))))
    return found.to_numpy(dtype=np.float64, na_value=np.nan)


def _frame(label: NDArray[np.int64]) -> pd.DataFrame:
    return pd.DataFrame({"account_id": "", "as_of": pd.NaT, "label": label})
