"""Fitting the linear part: against theory, and against a pipeline of scikit-learn's own parts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from features.catalogue import Catalogue, Feature
from models.linear import doublings
from training.learning.linear import fit_linear_part

NOTHING = np.nan


def feature(name: str, *, levels: tuple[str, ...] = ()) -> Feature:
    kind = "category" if levels else "number"
    return Feature(name, "firmographic", kind, "accounts", "latest", "", "", name, "", levels=levels)


def drawn(*, rows: int = 3_000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    X = np.column_stack(
        [random.poisson(6, rows) * 1.0, random.normal(size=rows), random.integers(0, 3, rows)]
    )
    X[random.random(rows) < 0.2, 0] = NOTHING
    X[random.random(rows) < 0.1, 2] = NOTHING
    logit = np.nan_to_num(X[:, 0]) / 4 - X[:, 1] + (X[:, 2] == 1) - 1.5
    return X, (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.int64)


CATALOGUE = Catalogue((feature("visits"), feature("change"), feature("industry", levels=("a", "b"))))


def fitted(X, y, catalogue=CATALOGUE, *, strength=0.5, directions=(0, 0, 0)):
    return fit_linear_part(X, label=y, catalogue=catalogue, strength=strength, directions=directions)


def test_it_is_the_logistic_regression_of_scikit_learn():
    X, y = drawn()
    number = make_pipeline(
        FunctionTransformer(doublings), SimpleImputer(add_indicator=True), StandardScaler()
    )
    level = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1.0), OneHotEncoder(sparse_output=False)
    )
    # A level is a column of its own scale here, too: the penalty has to be the same.
    columns = ColumnTransformer(
        [("number", number, [0, 1]), ("level", make_pipeline(level, StandardScaler()), [2])]
    )
    theirs = make_pipeline(columns, LogisticRegression(C=0.5, max_iter=2000)).fit(X, y)
    np.testing.assert_allclose(fitted(X, y).margins(X), theirs.decision_function(X), rtol=0, atol=2e-3)


def test_levels_without_a_penalty_have_the_log_odds_of_their_rows():
    """A saturated model reproduces each group's rate: 1 of 4, 3 of 4, and 2 of 4 where nothing is known."""
    X = np.repeat([[0.0], [1.0], [NOTHING]], 4, axis=0)
    y = np.array([1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0])
    part = fitted(X, y, Catalogue((feature("industry", levels=("a", "b")),)), strength=1e6, directions=(0,))
    margins = part.margins(np.array([[0.0], [1.0], [NOTHING]]))
    np.testing.assert_allclose(margins, [-np.log(3), np.log(3), 0.0], atol=1e-3)


@pytest.mark.parametrize("directions", [(-1, 0, 0), (-1, 1, 0), (0, 1, 0)])
def test_lines_never_go_against_their_direction(directions):
    X, y = drawn()
    part = fitted(X, y, directions=directions)
    weights = [line.weight for line in part.lines]
    assert all(direction * weight >= 0 for direction, weight in zip(directions, weights, strict=True))
    assert [weight == 0.0 for weight in weights] == [directions[0] == -1, directions[1] == 1, True]


def test_what_is_the_same_in_every_row_has_nothing_to_say():
    X, y = drawn()
    X[:, 1] = 3.0
    part = fitted(X, y)
    assert part.lines[1].weight == part.lines[1].missing == 0.0


def test_two_fits_are_one():
    X, y = drawn()
    assert fitted(X, y) == fitted(X.copy(), y)
