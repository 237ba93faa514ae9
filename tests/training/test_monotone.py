"""Monotone effects: which features a pattern binds, and names that would bind nothing."""

from __future__ import annotations

import pandas as pd
import pytest

from features.catalogue import Catalogue
from features.errors import ConfigError
from features.feature import Feature, Kind
from features.settings import LearningSettings
from training.learning.estimator import SpearfishClassifier
from training.learning.monotone import directions, require_directions


def feature(name: str, kind: Kind = "number") -> Feature:
    levels = ("a", "b") if kind == "category" else ()
    return Feature(name, "firmographic", kind, "accounts", "latest", "", "", name, "", levels=levels)


CATALOGUE = Catalogue(
    (
        feature("visits_count"),
        feature("topic_count", "category"),
        feature("rank"),
        feature("is_new", "flag"),
    )
)


def test_a_pattern_binds_what_grows_and_passes_categories_by() -> None:
    settings = LearningSettings(rising=("*_count", "is_new"), falling=("rank",))
    require_directions(CATALOGUE, settings)
    assert directions(CATALOGUE, settings) == [1, 0, -1, 1]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"rising": ("visit_count",)},
            r"\[model.fit\] rising names no feature .*'visit_count'.*visits",
        ),
        ({"falling": ("topic_count",)}, "falling names a category, which can neither grow nor fall"),
        ({"rising": ("rank",), "falling": ("r*",)}, "rising and falling name the same features .*rank"),
    ],
)
def test_a_name_that_would_require_nothing_is_refused(given: dict[str, tuple[str, ...]], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        require_directions(CATALOGUE, LearningSettings.model_validate(given), where="[model.fit]")


def test_the_estimator_refuses_a_category_that_lightgbm_would_end_the_process_over() -> None:
    frame = pd.DataFrame({"industry": ["steel", "ships"] * 40, "visits": range(80)})
    with pytest.raises(ConfigError, match="rising names a category"):
        SpearfishClassifier(rising=("industry",)).fit(frame, [0, 1] * 40)
