"""Target encoding: smoothed log-odds by hand, no row sees its own label, and trees read codes again."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from models.booster import NativeBooster, canonical_text, merge_boosters
from training.learning.target_encoding import Encoding, encoded_out_of_fold, fit_encoding

NOTHING = np.nan


def test_a_level_is_the_log_odds_of_its_rows_with_twenty_more_of_the_base_rate():
    """The base rate is (4 + .5) / (8 + 1) = 1/2; level 0 has 3 of 4: (3 + 10) / (4 + 20)."""
    X = np.array([[0.0]] * 4 + [[NOTHING]] * 4)
    y = np.array([1, 1, 1, 0, 1, 0, 0, 0])
    table = fit_encoding(X, label=y, levels={0: 2}).tables[0]
    np.testing.assert_allclose(table, [np.log(13 / 11), 0.0, np.log(11 / 13)], atol=1e-9)


def test_no_row_is_encoded_by_its_own_label():
    X, y, fold = np.zeros((6, 1)), np.array([1, 0, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 2])
    told = encoded_out_of_fold(X, label=y, levels={0: 1}, fold=fold)
    for row in range(len(y)):
        turned = y.copy()
        turned[row] = 1 - turned[row]
        again = encoded_out_of_fold(X, label=turned, levels={0: 1}, fold=fold)
        assert again[row] == told[row]


def world() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(size=2000), random.integers(0, 40, 2000), random.integers(0, 4, 2000)])
    X[random.random(2000) < 0.1, 1] = NOTHING
    X[random.random(2000) < 0.1, 2] = NOTHING
    effect = random.normal(size=41)
    logit = X[:, 0] + effect[np.nan_to_num(X[:, 1]).astype(int)] + np.isnan(X[:, 1])
    return X, (random.random(2000) < 1 / (1 + np.exp(-logit))).astype(np.int64)


def grown(X: np.ndarray, y: np.ndarray, *, categories: list[int]) -> lightgbm.Booster:
    data = lightgbm.Dataset(X, y, categorical_feature=categories, feature_name=["a", "b", "c"])
    parameters = {"objective": "binary", "num_leaves": 12, "num_threads": 1, "verbosity": -1}
    return lightgbm.train(parameters, data, num_boost_round=30)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_compiled_booster_says_of_codes_what_it_said_of_their_log_odds(sign: float):
    X, y = world()
    fitted = fit_encoding(X, label=y, levels={1: 42})
    # With the sign turned, a missing category falls on the other side of every split.
    encoding = Encoding({1: sign * fitted.tables[1]})
    booster = grown(encoding.encode(X), y, categories=[2])
    compiled = NativeBooster(encoding.compiled(canonical_text(booster)))
    unseen = X.copy()
    unseen[:50, 1] = 41.0
    expected = booster.predict(encoding.encode(unseen), raw_score=True)
    np.testing.assert_array_equal(compiled.margins(unseen), expected)
    np.testing.assert_allclose(compiled.contributions(unseen).sum(axis=1), expected, rtol=0, atol=1e-12)


def test_compiled_and_other_boosters_are_averaged_by_weight():
    X, y = world()
    encoding = fit_encoding(X, label=y, levels={1: 41})
    encoded, plain = grown(encoding.encode(X), y, categories=[2]), grown(X, y, categories=[1, 2])
    merged = merge_boosters([plain, encoding.compiled(canonical_text(encoded))], weights=[0.25, 0.75])
    expected = 0.25 * plain.predict(X, raw_score=True) + 0.75 * encoded.predict(
        encoding.encode(X), raw_score=True
    )
    np.testing.assert_allclose(NativeBooster(merged).margins(X), expected, rtol=0, atol=1e-12)
