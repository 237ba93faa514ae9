"""Which of several models answers, for one account and for many."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from features.errors import WorkspaceError
from features.label_settings import LabelSettings
from models.choice import ORDER, first_that_speaks, in_order, labels_of, speakers


@pytest.mark.parametrize(
    ("silent", "expected"),
    [
        ({}, ("emea", None)),
        ({"emea": "other region"}, ("large", None)),
        ({"emea": "other region", "large": "other size"}, ("all", None)),
        ({"large": "other size"}, ("emea", None)),
        ({"emea": "other region", "large": "other size", "all": "an owner"}, (None, "an owner")),
    ],
)
def test_the_first_that_speaks_answers_for_one_as_for_many(
    silent: dict[str, str], expected: tuple[str | None, str | None]
) -> None:
    models = ["emea", "large", "all"]
    assert first_that_speaks(models, silence=silent.get) == expected
    place = int(speakers([np.array([model not in silent]) for model in models])[0])
    assert (None if place < 0 else models[place]) == expected[0]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # Of an older release: the places that their configs gave them, which may be the same ones.
        ({}, ["fit.emea", "intent.a", "fit.dach", "fit", "intent"]),
        # The order of the release, whatever the cards say of an older config; what it lacks comes last.
        ({ORDER: ["fit.dach", "fit.emea"]}, ["fit.dach", "fit.emea", "intent.a", "fit", "intent"]),
    ],
)
def test_the_release_says_in_which_order_its_models_are_asked(
    settings: dict[str, Any], expected: list[str]
) -> None:
    places = {"fit.dach": 1, "fit.emea": 0, "intent.a": 0}
    keys = ("intent", "fit", *places)
    models: Any = [
        SimpleNamespace(key=key, card={"place": places[key]} if key in places else {}) for key in keys
    ]
    assert [one.key for one in in_order(models, settings=settings)] == expected


def test_without_models_nobody_answers_and_no_reason_is_told() -> None:
    assert first_that_speaks([], silence={}.get) == (None, None)


def test_a_named_model_has_labels_of_its_own() -> None:
    shared = LabelSettings().model_dump(mode="json")
    own = {**shared["fit"], "where": {"region": ["EMEA"]}}
    settings = {"labels": shared, "named_labels": {"fit.emea": own}}
    assert labels_of(settings, key="fit.emea").fit.where == {"region": ("EMEA",)}
    assert labels_of(settings, key="fit.emea").intent == LabelSettings().intent
    assert labels_of(settings, key="fit") == LabelSettings() == labels_of({}, key="intent")


@pytest.mark.parametrize(
    ("settings", "got"),
    [
        ({"named_labels": {"fit.emea": {"maturity": 1}}}, "Extra inputs are not permitted"),
        ({"labels": {}}, "none of fit.emea"),
    ],
)
def test_labels_that_this_version_does_not_know_are_told(settings: dict[str, Any], got: str) -> None:
    with pytest.raises(WorkspaceError, match=f"wrong labels section .got {got}.*spearfish promote"):
        labels_of(settings, key="fit.emea")
