"""Promotion and rollback on a real store, a real MLflow and a real BentoML store."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tracked_models
from promotions import HOUR, promoted, served
from store_processes import NOON
from tracked_models import FIT, FIT_2, INTENT, LABELS, SERVING

from features.errors import BundleError, InputError, WorkspaceError
from features.mapping import WorkspaceSettings
from features.settings import (
    FitLabelSettings,
    GateSettings,
    IntentLabelSettings,
    LabelSettings,
    ServingSettings,
)
from features.tables import Attribute
from features.workspace import Workspace
from models.bundle import Bundle, load, save
from serving.store import Store
from training.releasing import promote as promotion
from training.releasing.promote import HEAD_START, Promotion, promote
from training.tracking.bento_models import is_imported
from training.tracking.registered import RegisteredModels

SECOND = timedelta(seconds=1)


def test_the_challengers_become_the_release_the_champions_and_bento_models(workspace: Workspace) -> None:
    done = promoted(workspace)
    assert done.changed
    assert done.versions == {"icp_fit": 2, "buying_intent": 1}
    assert served(workspace) == {"fit": FIT_2.fingerprint, "intent": INTENT.fingerprint}
    assert tracked_models.champions(workspace) == [2, 1]
    with Store.open(workspace.store_url) as store:
        for bundle in (FIT_2, INTENT):
            assert is_imported(workspace, name=bundle.name, fingerprint=bundle.fingerprint)
            assert Bundle.from_bytes(store.bundle_bytes(bundle.fingerprint)) == bundle


@pytest.mark.parametrize(
    ("choice", "versions"),
    [
        ({"fit": "1"}, {"icp_fit": 1, "buying_intent": 1}),
        ({"fit": FIT.version}, {"icp_fit": 1, "buying_intent": 1}),
        ({"fit": "challenger", "intent": "none"}, {"icp_fit": 2}),
        ({"fit": "none"}, {"buying_intent": 1}),
    ],
)
def test_versions_can_be_chosen(
    workspace: Workspace, choice: dict[str, str], versions: dict[str, int]
) -> None:
    done = promoted(workspace, fit=choice.get("fit"), intent=choice.get("intent"))
    assert done.versions == versions
    assert tracked_models.champions(workspace) == [versions.get("icp_fit"), versions.get("buying_intent")]


@pytest.mark.parametrize("wanted", ["9", "champion", "ffffffff", "", FIT.version[:4]])
def test_an_unknown_version_is_refused_with_the_choices(workspace: Workspace, wanted: str) -> None:
    with pytest.raises(InputError, match=r"icp_fit has no such version.*2, 1, challenger, none"):
        promoted(workspace, fit=wanted)


def test_a_workspace_that_trained_intent_only_has_a_release_of_it(untrained: Workspace) -> None:
    tracked_models.register(untrained, INTENT)
    assert promoted(untrained).release.fingerprints == {"intent": INTENT.fingerprint}


def test_without_challengers_the_newest_versions_are_promoted(workspace: Workspace) -> None:
    for name in ("icp_fit", "buying_intent"):
        tracked_models.client(workspace).delete_registered_model_alias(name, "challenger")
    assert promoted(workspace).versions == {"icp_fit": 2, "buying_intent": 1}


def test_a_kind_that_lost_its_challenger_stays_out(workspace: Workspace) -> None:
    tracked_models.client(workspace).delete_registered_model_alias("icp_fit", "challenger")
    assert promoted(workspace).versions == {"buying_intent": 1}


def test_a_workspace_without_models_cannot_promote(untrained: Workspace) -> None:
    with pytest.raises(InputError, match=r"no model to promote.*spearfish train") as error:
        promoted(untrained)
    assert error.value.exit_code == 2
    assert served(untrained) == {}


def test_a_workspace_that_never_trained_cannot_promote_and_gets_no_empty_mlflow(
    untrained: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(WorkspaceError, match="no model was trained yet"):
        promoted(untrained)
    assert not list(untrained.home.glob("*.db"))


def test_a_workspace_without_tables_cannot_promote(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no tables in the workspace"):
        promoted(Workspace(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_promoting_the_same_pair_again_changes_nothing_and_says_so(workspace: Workspace) -> None:
    first, again = promoted(workspace), promoted(workspace, hour=1)
    assert (again.changed, again.release) == (False, first.release)
    assert "nothing was changed" in again.sentence
    with Store.open(workspace.store_url) as store:
        assert len(store.history()) == len(store.events()) == 1


def test_a_release_serves_what_its_models_were_trained_with(workspace: Workspace) -> None:
    settings = promoted(workspace).release.settings
    assert settings["time_zone"] == "Europe/Berlin"
    assert LabelSettings.model_validate(settings["labels"]) == LABELS
    assert ServingSettings.model_validate(settings["serving"]) == SERVING


def test_half_a_release_serves_the_labels_of_its_model(workspace: Workspace) -> None:
    labels = promoted(workspace, fit="none").release.settings["labels"]
    assert LabelSettings.model_validate(labels).intent == LABELS.intent


CONFIG = SimpleNamespace(
    file=Path("by_hand.toml"),
    workspace=WorkspaceSettings(name="by hand", time_zone="Europe/Berlin"),
    labels=LABELS,
    serving=ServingSettings(priority={"A": {"A": "nurture"}}),
    gate=GateSettings(),
)
"""What promotion reads of a config."""


def promoted_with(workspace: Workspace, sections: dict[str, Any], *, fit: str | None = None) -> Promotion:
    config: Any = SimpleNamespace(**(vars(CONFIG) | sections))
    config.of_model = lambda key: config
    return promote(workspace, who="Ada", why="test", config=config, fit=fit, force="made by hand", now=NOON)


def test_a_config_replaces_serving_alone(workspace: Workspace) -> None:
    first = promoted(workspace).release.settings
    other = promoted_with(workspace, {})
    assert other.changed
    assert ServingSettings.model_validate(other.release.settings["serving"]) == CONFIG.serving
    assert {**other.release.settings, "serving": None} == {**first, "serving": None}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {
                "labels": LABELS.model_copy(
                    update={"intent": IntentLabelSettings(event="won", horizon_days=30)}
                )
            },
            r"\[labels.intent\] of by_hand.toml is not what the intent model was trained with "
            r"\(got horizon_days = 30; allowed horizon_days = 60\); run `spearfish train`",
        ),
        (
            {"labels": LABELS.model_copy(update={"fit": FitLabelSettings(product="gate")})},
            r"\[labels.fit\].*got product = gate; allowed product = None",
        ),
        (
            {"workspace": WorkspaceSettings(name="by hand", time_zone="UTC")},
            r"not the config of this workspace's tables.*time zone UTC.*time zone Europe/Berlin.*ingest",
        ),
        ({"workspace": WorkspaceSettings(name="demo", time_zone="Europe/Berlin")}, r"got name 'demo'"),
        ({"serving": ServingSettings(grade_cuts=(0.1234, 0.3, 0.6))}, "grade cuts do not divide"),
    ],
)
def test_a_config_that_contradicts_the_models_or_the_workspace_is_refused(
    workspace: Workspace, sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        promoted_with(workspace, sections)
    assert served(workspace) == {}


def test_a_kind_that_is_left_out_cannot_contradict(workspace: Workspace) -> None:
    labels = LABELS.model_copy(update={"fit": FitLabelSettings(product="gate")})
    assert promoted_with(workspace, {"labels": labels}, fit="none").changed


def test_models_trained_with_different_serving_need_a_config(untrained: Workspace) -> None:
    tracked_models.register(untrained, INTENT)
    tracked_models.register(untrained, tracked_models.bundle("fit", serving=ServingSettings()))
    with pytest.raises(
        InputError,
        match=r"different \[serving\] settings \(got fit grade_cuts = \[0.1, 0.3, 0.6\]; "
        r"intent grade_cuts = \[0.05, 0.2, 0.5\].*--config FILE",
    ):
        promoted(untrained)
    settings = promoted_with(untrained, {}).release.settings
    assert ServingSettings.model_validate(settings["serving"]) == CONFIG.serving


def test_a_model_that_does_not_name_its_settings_is_refused(untrained: Workspace) -> None:
    tracked_models.register(untrained, tracked_models.bundle("fit", serving=None))
    with pytest.raises(InputError, match=r"with which settings it was trained.*train` again"):
        promoted(untrained)


def test_the_first_release_answers_at_once_and_the_next_after_a_head_start(workspace: Workspace) -> None:
    assert promoted(workspace, fit="1").activate_at == NOON
    assert promoted(workspace, hour=1).activate_at == NOON + HOUR + HEAD_START
    with Store.open(workspace.store_url) as store:
        answering = [store.current(NOON + HOUR + HEAD_START - late * SECOND) for late in (1, 0)]
    assert [release and release.fingerprints["fit"] for release in answering] == [
        FIT.fingerprint,
        FIT_2.fingerprint,
    ]


def test_the_clock_is_read_in_utc_and_cut_to_seconds(workspace: Workspace) -> None:
    release = promote(workspace, who="Ada", why="better", force="made by hand").release
    assert release.created_at.tzinfo is None
    assert abs(release.created_at - promotion._now()) < timedelta(seconds=60)


def damage_golden_rows(folder: Path) -> None:
    """A bundle that is whole, and does not score as it says."""
    bundle = load(folder)
    wrong = replace(bundle.golden[0], logit=(5.0).hex())
    shutil.rmtree(folder)
    save(replace(bundle, golden=(wrong, *bundle.golden[1:])), folder)


def change_a_leaf(folder: Path) -> None:
    text = (folder / "model.txt").read_text()
    (folder / "model.txt").write_text(text.replace("leaf_value=", "leaf_value=1", 1))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_golden_rows, "another bundle than it says"),
        (change_a_leaf, "altered or is incomplete"),
        (shutil.rmtree, "has no bundle"),
    ],
)
def test_a_broken_bundle_is_refused_and_nothing_changes(
    workspace: Workspace, damage: Callable[[Path], None], message: str
) -> None:
    promoted(workspace, fit="1")
    run = tracked_models.client(workspace).get_model_version("icp_fit", "2").run_id
    shared = tracked_models.artifacts(workspace) / run / "artifacts" / "bundle"
    kept = shared.with_name("kept")
    shutil.copytree(shared, kept)
    try:
        damage(shared)
        with pytest.raises(BundleError, match=message):
            promoted(workspace)
    finally:
        shutil.rmtree(shared, ignore_errors=True)
        kept.rename(shared)
    assert served(workspace)["fit"] == FIT.fingerprint
    assert tracked_models.champions(workspace) == [1, 1]


def test_golden_rows_that_are_not_reproduced_are_refused(untrained: Workspace) -> None:
    wrong = replace(FIT, golden=(replace(FIT.golden[0], logit=(5.0).hex()), *FIT.golden[1:]))
    tracked_models.register(untrained, wrong)
    with pytest.raises(BundleError, match="golden row 0 is not reproduced"):
        promoted(untrained)
    assert served(untrained) == {}


def test_a_model_whose_account_columns_are_gone_is_refused(untrained: Workspace) -> None:
    tracked_models.register(
        untrained, tracked_models.bundle("fit", attributes=(Attribute("plan", "category", "plan"),))
    )
    with pytest.raises(InputError, match=r"account columns that the workspace lacks.*plan"):
        promoted(untrained)


def test_a_store_that_cannot_be_written_leaves_the_aliases_as_they_were(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted(workspace, fit="1")
    read_only = f"sqlite:///file:{workspace.home}/store.db?mode=ro&uri=true"
    monkeypatch.setenv("SPEARFISH_STORE_URL", read_only)
    with pytest.raises(WorkspaceError, match="cannot be written to"):
        promoted(workspace)
    assert tracked_models.champions(workspace) == [1, 1]


def test_promotions_at_the_same_time_wait_for_each_other(workspace: Workspace) -> None:
    promoted(workspace, fit="none")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda fit: promoted(workspace, hour=1, fit=fit), ["1", "2"]))
    last = max(done, key=lambda promotion: promotion.release.id)
    assert {promotion.release.id for promotion in done} == {2, 3}
    assert served(workspace) == last.release.fingerprints
    assert tracked_models.champions(workspace) == [last.versions["icp_fit"], 1]


def test_half_a_bento_model_is_made_whole(workspace: Workspace) -> None:
    promoted(workspace)
    copy = workspace.bentoml_home / "models" / "spearfish_icp_fit" / FIT_2.version
    (copy / "bundle" / "model.txt").unlink()
    assert not is_imported(workspace, name=FIT_2.name, fingerprint=FIT_2.fingerprint)
    promoted(workspace)
    assert is_imported(workspace, name=FIT_2.name, fingerprint=FIT_2.fingerprint)


def test_bentoml_itself_lists_the_promoted_models(workspace: Workspace) -> None:
    from bentoml._internal.models.model import ModelStore

    promoted(workspace)
    models = ModelStore(workspace.bentoml_home / "models").list()
    assert {str(model.tag): model.info.metadata["fingerprint"] for model in models} == {
        f"spearfish_icp_fit:{FIT_2.version}": FIT_2.fingerprint,
        f"spearfish_buying_intent:{INTENT.version}": INTENT.fingerprint,
    }


def test_what_training_tracks_can_be_promoted(untrained: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a location of its own, MLflow would put artifacts into the current folder.
    monkeypatch.chdir(untrained.home)
    assert tracked_models.log(untrained, FIT, name="by hand") == 1
    assert not (untrained.home / "mlruns").exists()
    assert promoted(untrained).release.fingerprints == {"fit": FIT.fingerprint}
    assert tracked_models.champions(untrained) == [1, None]


def test_a_force_without_a_reason_leaves_no_note(workspace: Workspace) -> None:
    tags = [one.tags for one in RegisteredModels(workspace).versions("fit")]
    with pytest.raises(InputError, match="--force needs a reason"):
        promote(workspace, who="Ada", why="better", force="  ", now=NOON)
    assert [one.tags for one in RegisteredModels(workspace).versions("fit")] == tags
    assert served(workspace) == {}
