"""A training of several models: each by its own population and settings, each told under its own name."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from label_tables import OnlyTables, deals

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from features.mapping import Config
from features.settings import NamedModel
from training import train as whole
from training.fit import Training, Untrained


@pytest.fixture(scope="module")
def found(config: Config) -> dict[str, Training | Untrained]:
    """What a training gives of a hundred and twenty German and sixty French deals; intent is left out."""
    named = (
        NamedModel(name="germany", kind="fit", where={"country": "DE"}, few_rows=0, num_leaves=3),
        NamedModel(name="france", kind="fit", where={"country": "FR"}),
    )
    several = config.model_copy(update={"model": config.model.model_copy(update={"named": named})})
    workspace: Any = OnlyTables(deals(won=90, lost=90, countries=("DE", "DE", "FR")))
    growers: dict[Any, Any] = dict(whole._GROWERS) | {"intent": lambda *_, **__: Untrained("intent", "", {})}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole, "_GROWERS", growers)
        patch.setattr(whole, "_audited", lambda one, **_: one)
        patch.setattr(whole, "_track", lambda _, made, **__: made)
        made: Any = whole.train(workspace, config=several)
    return {one.key: one for one in made}


def test_every_model_is_trained_or_told_under_its_own_name(found: dict[str, Any]) -> None:
    assert list(found) == ["fit", "intent", "fit.germany", "fit.france"]
    assert [key for key, one in found.items() if isinstance(one, Training)] == ["fit", "fit.germany"]
    assert "10 more won and 10 more lost are missing" in found["fit.france"].reason


def test_a_named_model_learns_from_its_population_with_its_settings(found: dict[str, Any]) -> None:
    whole_model, german = found["fit"], found["fit.germany"]
    assert (whole_model.counts["won"], german.counts["won"], german.counts["lost"]) == (90, 60, 60)
    assert german.counts["left_out_other_country"] == 60
    assert (whole_model.settings.num_leaves, german.settings.num_leaves) == (4, 3)
    card = german.bundle.card
    assert (german.bundle.name, card["place"], "place" in whole_model.bundle.card) == (
        "icp_fit.germany",
        0,
        False,
    )
    assert card["label"].endswith("country DE")
    assert card["trained_with"]["labels"]["where"] == {"country": ["DE"]}
    assert type(german.bundle).from_bytes(german.bundle.to_bytes()) == german.bundle


def test_the_origin_is_asked_once_for_models_with_the_same_features(
    found: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check is of all accounts: under a second name it would be the same work and the same answer."""
    monkeypatch.setattr(whole, "check_origin", lambda *_, catalogue, **__: catalogue.fingerprint)
    fit, german, absent = found["fit"], found["fit.germany"], found["fit.france"]
    fewer = Catalogue(fit.bundle.catalogue.features[:2])
    other = replace(german, bundle=replace(german.bundle, catalogue=fewer))
    several: Any = SimpleNamespace(origins=SimpleNamespace(several=True))

    def asked(*models: Training | Untrained) -> list[str]:
        return list(whole._checks(models, several, cutoff=datetime.fromisoformat("2025-01-01")))

    assert fit.bundle.catalogue.fingerprint == german.bundle.catalogue.fingerprint
    assert asked(absent, fit, german) == ["fit"]
    assert asked(absent, german) == ["fit.germany"]
    assert asked(fit, other) == ["fit", "fit.germany"]


def test_a_part_of_the_models_can_be_trained(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the others nothing is asked, so that nothing is said of them."""
    one = NamedModel(name="germany", kind="fit", where={"country": "DE"})
    named = config.model_copy(update={"model": config.model.model_copy(update={"named": (one,)})})
    workspace: Any = OnlyTables(deals(won=2, lost=2, countries=("DE",)))
    monkeypatch.setattr(
        whole, "_GROWERS", dict.fromkeys(("fit", "intent"), lambda *_, **__: Untrained("fit", "few", {}))
    )
    with pytest.raises(NotEnoughDataError, match=r"no model can be had .got fit.germany: few\)$"):
        whole.train(workspace, config=named, models=("fit.germany",))
