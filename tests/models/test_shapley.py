"""Contributions are Shapley values: by the definition, and by the shap package."""

from __future__ import annotations

import math
import warnings
from itertools import combinations
from typing import Any

import lightgbm
import numpy as np
import pytest
from small_world import LEVELS, Matrix, World, feature, make

from features.catalogue import Catalogue
from models.calibration import Calibration
from models.scoring import Scorer


@pytest.fixture(scope="module")
def shap() -> Any:
    with warnings.catch_warnings():
        # shap uses what matplotlib is about to deprecate.
        warnings.simplefilter("ignore")
        import shap

        return shap


@pytest.mark.filterwarnings("ignore:LightGBM binary classifier")
def test_shap_agrees_with_the_contributions(
    shap: Any, scorer: Scorer, booster: lightgbm.Booster, world: World
) -> None:
    scores = scorer.score(world.X)
    slope = scorer.bundle.calibration.slope
    native = shap.TreeExplainer(booster)
    linear = scorer.bundle.linear
    lines = 0.0 if linear is None else linear.contributions(world.X)
    assert np.allclose(
        scores.contributions, slope * (native.shap_values(world.X) + lines), rtol=0, atol=1e-12
    )


@pytest.mark.filterwarnings("ignore:LightGBM binary classifier")
def test_shap_with_its_own_algorithm_agrees_on_numbers(shap: Any, world: World) -> None:
    numbers = world.X[:, 1:]
    catalogue = Catalogue(tuple(feature(f"trait_{position}") for position in range(numbers.shape[1])))
    data = lightgbm.Dataset(numbers, world.y, feature_name=list(catalogue.names))
    booster = lightgbm.train(
        {"objective": "binary", "num_leaves": 7, "num_threads": 1, "verbose": -1}, data, 20
    )
    bundle = make(booster, world, catalogue=catalogue, population=numbers, calibration=Calibration(1.0, 0.0))
    explainer = shap.TreeExplainer(booster)
    explainer.model.model_type = "internal"
    theirs = explainer.shap_values(numbers[:100])
    assert np.allclose(Scorer(bundle).score(numbers[:100]).contributions, theirs, rtol=0, atol=1e-5)


def test_contributions_are_the_shapley_values_of_the_tree(world: World) -> None:
    """Against the definition: all coalitions of four features, each tree walked by hand."""
    catalogue = Catalogue((feature("industry", levels=LEVELS), *(feature(f"trait_{n}") for n in "abc")))
    X = np.ascontiguousarray(world.X[:, [0, 1, 4, 5]])
    data = lightgbm.Dataset(X, world.y, categorical_feature=[0], feature_name=list(catalogue.names))
    settings = {
        "objective": "binary",
        "num_leaves": 6,
        "min_data_per_group": 5,
        "num_threads": 1,
        "verbose": -1,
    }
    booster = lightgbm.train(settings, data, 4)
    bundle = make(booster, world, catalogue=catalogue, population=X, calibration=Calibration(0.7, 0.1))
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    scores = Scorer(bundle).score(X[:20])
    assert scores.contributions is not None
    assert scores.baseline == pytest.approx(0.7 * sum(expected(t, X[0], set()) for t in trees) + 0.1)
    for row, got in zip(X[:20], scores.contributions, strict=True):
        assert got == pytest.approx([0.7 * shapley(trees, row, column) for column in range(4)], abs=1e-12)


def shapley(trees: list[dict[str, Any]], row: Matrix, column: int) -> float:
    others = [other for other in range(len(row)) if other != column]
    total = 0.0
    for size in range(len(row)):
        weight = math.factorial(size) * math.factorial(len(row) - size - 1) / math.factorial(len(row))
        for known in map(set, combinations(others, size)):
            gain = sum(expected(t, row, known | {column}) - expected(t, row, known) for t in trees)
            total += weight * gain
    return total


def expected(node: dict[str, Any], row: Matrix, known: set[int]) -> float:
    """The mean output of a tree when only the features in `known` are: others follow the training rows."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return expected(left if goes_left(node, row) else right, row, known)
    sizes = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    mean = sizes[0] * expected(left, row, known) + sizes[1] * expected(right, row, known)
    return float(mean / sum(sizes))


def goes_left(node: dict[str, Any], row: Matrix) -> bool:
    value, threshold = row[int(str(node["split_feature"]))], node["threshold"]
    if node["decision_type"] == "==":
        return not math.isnan(value) and str(int(value)) in str(threshold).split("||")
    if math.isnan(value):
        if node["missing_type"] == "NaN":
            return bool(node["default_left"])
        value = 0.0
    return bool(value <= float(str(threshold)))
