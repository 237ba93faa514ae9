"""Three models at once: registered together, promoted, replaced, rolled back and withdrawn together."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import tracked_models
from promotions import HOUR, promoted
from store_processes import NOON
from tracked_models import FIT, FIT_2, INTENT, SERVING

from features.errors import ConfigError
from features.mapping import Config, WorkspaceSettings, load_config
from features.settings import NamedModel
from features.tables import Attribute
from features.workspace import Workspace
from models.bundle import Bundle
from models.choice import ORDER
from models.making import with_name, with_settings
from serving.releases import load_current
from serving.store import Store
from training.gate.asking import Served, replaced_cutoff, served
from training.releasing.doctor import doctor
from training.releasing.promote import rollback
from training.releasing.release_settings import release_settings
from training.tracking.bento_models import is_imported
from training.tracking.registered import RegisteredModels
from training.tracking.registration import leftovers, register_training

CONFIG = load_config(Path(__file__).parents[2] / "configs" / "simulated_market.toml").model_copy(
    update={"workspace": WorkspaceSettings(name="by hand", time_zone="Europe/Berlin")}
)
LABELS = tracked_models.LABELS.model_copy(
    update={"fit": tracked_models.LABELS.fit.model_copy(update={"where": {"region": ("EMEA",)}})}
)


def emea(bundle: Bundle) -> Bundle:
    named = with_name(bundle, key="fit.emea", place=0)
    return with_settings(named, labels=LABELS, serving=tracked_models.SERVING)


EMEA, EMEA_2 = emea(FIT), emea(FIT_2)


def register(workspace: Workspace, *bundles: Bundle) -> RegisteredModels:
    registered = RegisteredModels(workspace)
    logged = {one.key: (one, tracked_models.run_of(workspace, one)) for one in bundles}
    register_training(registered, logged, name="by hand", tags={})
    return registered


def aliases(registered: RegisteredModels) -> dict[str, list[tuple[str, ...]]]:
    return {key: [one.aliases for one in versions] for key, versions in registered.known().items()}


def test_three_models_are_promoted_replaced_and_rolled_back_together(untrained: Workspace) -> None:
    register(untrained, FIT, INTENT, EMEA)
    first = promoted(untrained)
    assert first.versions == {"icp_fit": 1, "buying_intent": 1, "icp_fit.emea": 1}
    assert first.release.fingerprints == {
        "fit": FIT.fingerprint,
        "fit.emea": EMEA.fingerprint,
        "intent": INTENT.fingerprint,
    }
    assert is_imported(untrained, name="icp_fit.emea", fingerprint=EMEA.fingerprint)
    with Store.open(untrained.store_url) as store:
        loaded = load_current(store, now=NOON).models
    assert [one.key for one in loaded] == ["fit.emea", "fit", "intent"]
    assert [one.labels.fit.where for one in loaded] == [{"region": ("EMEA",)}, {}, {}]

    registered = register(untrained, FIT, INTENT, EMEA_2)
    second = promoted(untrained, hour=1)
    assert second.release.fingerprints["fit.emea"] == EMEA_2.fingerprint
    assert aliases(registered)["fit.emea"] == [("challenger", "champion"), ()]
    rollback(untrained, who="Bob", why="worse", now=NOON + 2 * HOUR)
    assert aliases(registered)["fit.emea"] == [("challenger",), ("champion",)]
    wrong = {check.name for check in doctor(untrained, port=0) if not check.ok}
    assert not wrong & {"store", "release", "trainings", "aliases", "bento models"}


def test_a_named_model_that_is_no_longer_trained_leaves_the_release(untrained: Workspace) -> None:
    register(untrained, FIT, INTENT, EMEA)
    promoted(untrained)
    registered = register(untrained, FIT_2, INTENT)
    assert aliases(registered)["fit.emea"] == [("champion",)]
    assert set(promoted(untrained, hour=1).release.fingerprints) == {"fit", "intent"}
    assert aliases(registered)["fit.emea"] == [()]
    again = promoted(untrained, hour=2, named={"fit.emea": "1"}, intent="none")
    assert set(again.release.fingerprints) == {"fit", "fit.emea"}
    with pytest.raises(
        ConfigError, match=r"ever trained here \(got 'fit.apac'; allowed fit, intent, fit.emea"
    ):
        promoted(untrained, hour=3, named={"fit.apac": "1"})


def test_what_stays_comes_from_the_store_though_mlflow_lost_it(untrained: Workspace) -> None:
    register(untrained, FIT, EMEA)
    promoted(untrained)
    registered = register(untrained, FIT_2)
    registered.remove(registered.versions("fit.emea")[0])
    done = promoted(untrained, hour=1, keep={"fit.emea"})
    assert done.release.fingerprints == {"fit": FIT_2.fingerprint, "fit.emea": EMEA.fingerprint}
    assert done.versions == {"icp_fit": 2}
    assert "holds icp_fit version 2 and icp_fit.emea as it was served" in done.sentence


def test_what_stays_and_what_is_new_are_asked_in_the_order_of_the_present_config() -> None:
    """Both cards say the first place: of the config of then, and of that of now."""
    apac = with_settings(with_name(FIT_2, key="fit.apac", place=0), labels=LABELS, serving=SERVING)
    named = tuple(NamedModel(name=name, kind="fit", where={"region": "EMEA"}) for name in ("emea", "apac"))
    config = CONFIG.model_copy(update={"model": CONFIG.model.model_copy(update={"named": named})})
    manifest: Any = SimpleNamespace(workspace="by hand", time_zone="Europe/Berlin")

    def order(given: Config | None, *bundles: Bundle) -> Any:
        keep = [one.key for one in bundles]
        return release_settings(bundles, manifest=manifest, config=given, keep=keep).get(ORDER)

    assert order(config, FIT, apac, EMEA) == ["fit.emea", "fit.apac"]
    assert order(None, FIT, EMEA, apac) == ["fit.apac", "fit.emea"]
    assert order(CONFIG, EMEA, apac) == ["fit.apac", "fit.emea"]
    assert order(config, FIT, INTENT) is None


def test_a_training_of_three_that_lacks_one_is_taken_back(untrained: Workspace) -> None:
    registered = register(untrained, FIT, INTENT, EMEA)
    (lost,) = registered.versions("fit.emea")
    registered.remove(lost)
    assert {one.key for one in leftovers(registered).unfinished} == {"fit", "intent"}


def test_an_older_spearfish_leaves_a_training_with_a_name_alone(untrained: Workspace) -> None:
    """It takes back what lies under `training_kinds` and lacks a model that it can find."""
    registered = register(untrained, FIT, EMEA)
    tags = {key: set(versions[0].tags) for key, versions in registered.known().items() if versions}
    assert [key for key, told in tags.items() if "training_kinds" in told] == []
    assert not leftovers(registered).any
    assert "training_kinds" in register(untrained, FIT, INTENT).versions("intent")[0].tags


def test_names_of_another_workspace_are_not_listed(untrained: Workspace, tmp_path: Path) -> None:
    other = Workspace(tmp_path / "other")
    tracked_models.ingest(other)
    register(untrained, FIT, EMEA)
    assert set(RegisteredModels(untrained).known()) == {"fit", "intent", "fit.emea"}
    assert set(RegisteredModels(other).known()) == {"fit", "intent"}


def test_what_is_served_is_asked_in_its_order_and_tells_what_keeps_it_from_answering() -> None:
    tier = Attribute(name="tier", type="category", label="tier")
    later = with_name(tracked_models.bundle("fit", attributes=(tier,)), key="fit.a_tier", place=1)
    bundles = {one.key: one for one in (FIT, with_settings(later, labels=LABELS, serving=SERVING), EMEA)}
    told = LABELS.fit.model_dump(mode="json")
    settings = {"named_labels": {"fit.emea": told, "fit.a_tier": told}}
    fingerprints = {key: one.fingerprint for key, one in bundles.items()} | {"fit.none": "0"}
    release: Any = SimpleNamespace(fingerprints=fingerprints, settings=settings)
    present = Served(release, {key: one.to_bytes() for key, one in bundles.items()} | {"fit.none": b""})
    manifest: Any = SimpleNamespace(attributes=())
    found = {one.key: one for one in present.champions("fit", manifest=manifest, held=lambda *_: None)}
    assert list(found) == ["fit.emea", "fit.none", "fit.a_tier", "fit"]
    assert found["fit.emea"].labels == LABELS.fit
    assert "wrong labels section (got none of fit.none" in found["fit.none"].fault
    assert "lacks (got tier" in found["fit.a_tier"].fault
    assert (found["fit.a_tier"].bundle, found["fit.a_tier"].labels) == (None, None)


def test_a_rehearsal_is_for_the_cutoff_of_what_answers_its_rows_today(untrained: Workspace) -> None:
    rows = pd.DataFrame({"account_id": ["a"], "as_of": [pd.Timestamp("2026-02-01")]})

    def cutoff(present: Served | None, bundle: Bundle, *, before: Any = (), given: Any = rows) -> Any:
        tables, manifest = untrained.tables(), untrained.manifest()
        return replaced_cutoff(
            present, bundle=bundle, rows=given, before=before, tables=tables, manifest=manifest
        )

    assert cutoff(served(untrained), EMEA) is None
    register(untrained, FIT, INTENT)
    promoted(untrained)
    present = served(untrained)
    assert present is not None
    # Once for however many models a training has.
    assert present.bundle("fit") is present.bundle("fit")
    assert cutoff(present, EMEA) == datetime.fromisoformat("2026-01-01")
    assert cutoff(present, EMEA, given=rows.iloc[:0]) is None
    # Rows of which a model that is asked before speaks are not this one's: here, of everybody.
    assert cutoff(present, FIT, before=(None,)) is None
    product = LABELS.fit.model_copy(update={"product": "CRM"})
    other = with_settings(EMEA, labels=LABELS.model_copy(update={"fit": product}), serving=SERVING)
    assert cutoff(present, other) is None
