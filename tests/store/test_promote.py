"""Promotion and rollback on a real store, a real MLflow and a real BentoML store."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import trained
from store_processes import NOON

from features.errors import BundleError, InputError, WorkspaceError
from features.settings import ServingSettings
from features.tables import Attribute
from features.workspace import Workspace
from models.bundle import Bundle
from serving.store import Store
from training import promote as promotion
from training.bento_models import is_imported
from training.promote import HEAD_START, Promotion, Rollback, promote, rollback

FIT, FIT_2, INTENT = trained.bundle("fit"), trained.bundle("fit", seed=2), trained.bundle("intent")


def promoted(workspace: Workspace, *, now: datetime = NOON, **choice: str | None) -> Promotion:
    return promote(workspace, who="Ada", why="better", now=now, **choice)  # type: ignore[arg-type]  # fit, intent


def rolled_back(workspace: Workspace, *, now: datetime = NOON) -> Rollback:
    return rollback(workspace, who="Bob", why="worse", now=now)


def served(workspace: Workspace, *, now: datetime = NOON) -> dict[str, str]:
    with Store.open(workspace.store_url) as store:
        release = store.current(now)
        return {} if release is None else release.fingerprints


def test_the_challengers_become_the_release_the_champions_and_bento_models(workspace: Workspace) -> None:
    trained.register(workspace, FIT, INTENT)
    done = promoted(workspace)
    assert done.changed
    assert done.versions == {"icp_fit": 1, "buying_intent": 1}
    assert served(workspace) == {"fit": FIT.fingerprint, "intent": INTENT.fingerprint}
    assert trained.champions(workspace) == [1, 1]
    assert done.release.settings["time_zone"] == "Europe/Berlin"
    assert ServingSettings.model_validate(done.release.settings["serving"]) == ServingSettings()
    for bundle in (FIT, INTENT):
        assert is_imported(workspace, name=bundle.name, fingerprint=bundle.fingerprint)
        with Store.open(workspace.store_url) as store:
            assert Bundle.from_bytes(store.bundle_bytes(bundle.fingerprint)) == bundle


@pytest.mark.parametrize(("kind", "bundle"), [("fit", FIT), ("intent", INTENT)])
def test_one_model_alone_is_a_release(workspace: Workspace, kind: str, bundle: Bundle) -> None:
    trained.register(workspace, bundle)
    assert promoted(workspace).release.fingerprints == {kind: bundle.fingerprint}


def test_a_workspace_without_models_cannot_promote(workspace: Workspace) -> None:
    with pytest.raises(InputError, match=r"no model to promote.*spearfish train") as error:
        promoted(workspace)
    assert error.value.exit_code == 2
    assert served(workspace) == {}


def test_a_workspace_that_never_trained_cannot_promote_and_gets_no_empty_mlflow(workspace: Workspace) -> None:
    (workspace.home / "mlflow.db").unlink()
    with pytest.raises(WorkspaceError, match="no model was trained yet"):
        promoted(workspace)
    assert not (workspace.home / "mlflow.db").exists()


def test_a_workspace_without_tables_cannot_promote(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no tables in the workspace"):
        promoted(Workspace(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_promoting_the_same_pair_again_changes_nothing_and_says_so(workspace: Workspace) -> None:
    trained.register(workspace, FIT, INTENT)
    first = promoted(workspace)
    again = promoted(workspace, now=NOON + timedelta(hours=1))
    assert not again.changed
    assert again.release == first.release
    assert "nothing was changed" in again.sentence
    with Store.open(workspace.store_url) as store:
        assert len(store.history()) == len(store.events()) == 1


def test_without_a_challenger_the_newest_version_is_promoted(workspace: Workspace) -> None:
    trained.register(workspace, FIT, FIT_2)
    trained.client(workspace).delete_registered_model_alias("icp_fit", "challenger")
    assert promoted(workspace).versions == {"icp_fit": 2}


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
    trained.register(workspace, FIT, FIT_2, INTENT)
    assert promoted(workspace, **choice).versions == versions


@pytest.mark.parametrize("wanted", ["9", "champion", "ffffffff", ""])
def test_an_unknown_version_is_refused_with_the_choices(workspace: Workspace, wanted: str) -> None:
    trained.register(workspace, FIT)
    with pytest.raises(InputError, match=r"icp_fit has no such version.*1, challenger, none"):
        promoted(workspace, fit=wanted)


def test_a_release_without_fit_has_no_fit_champion(workspace: Workspace) -> None:
    trained.register(workspace, FIT, INTENT)
    promoted(workspace)
    promoted(workspace, fit="none")
    assert trained.champions(workspace) == [None, 1]


def test_the_first_release_answers_at_once_and_the_next_after_a_head_start(workspace: Workspace) -> None:
    trained.register(workspace, FIT)
    assert promoted(workspace).activate_at == NOON
    trained.register(workspace, FIT_2)
    assert promoted(workspace, now=NOON).activate_at == NOON + HEAD_START
    assert served(workspace, now=NOON + HEAD_START - timedelta(seconds=1)) == {"fit": FIT.fingerprint}
    assert served(workspace, now=NOON + HEAD_START) == {"fit": FIT_2.fingerprint}


def test_the_clock_is_read_in_utc_and_cut_to_seconds(workspace: Workspace) -> None:
    trained.register(workspace, FIT)
    release = promote(workspace, who="Ada", why="better").release
    assert release.created_at.tzinfo is None
    assert abs(release.created_at - promotion._now()) < timedelta(seconds=30)


def damage_golden_rows(folder: Path) -> None:
    """A bundle whose files agree with each other and whose golden rows are wrong."""
    from dataclasses import replace

    from models.bundle import load, save

    bundle = load(folder)
    wrong = replace(bundle.golden[0], logit=(5.0).hex())
    shutil.rmtree(folder)
    save(replace(bundle, golden=(wrong, *bundle.golden[1:])), folder)


def flip_a_byte(folder: Path) -> None:
    text = (folder / "model.txt").read_text()
    (folder / "model.txt").write_text(text.replace("leaf_value=", "leaf_value=1", 1))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_golden_rows, "another bundle than it says|not reproduced"),
        (flip_a_byte, "altered or is incomplete"),
        (shutil.rmtree, "has no bundle"),
    ],
)
def test_a_broken_bundle_is_refused_and_nothing_changes(
    workspace: Workspace, damage: object, message: str
) -> None:
    trained.register(workspace, FIT)
    promoted(workspace)
    trained.register(workspace, FIT_2)
    folders = [path for path in workspace.artifacts.rglob("bundle") if path.is_dir()]
    [newest] = [path for path in folders if FIT_2.fingerprint in (path / "manifest.json").read_text()]
    damage(newest)  # type: ignore[operator]  # one of three functions
    with pytest.raises(BundleError, match=message):
        promoted(workspace)
    assert served(workspace) == {"fit": FIT.fingerprint}
    assert trained.champions(workspace) == [1, None]


def test_a_model_whose_account_columns_are_gone_is_refused(workspace: Workspace) -> None:
    trained.register(workspace, trained.bundle("fit", attributes=(Attribute("plan", "category", "plan"),)))
    with pytest.raises(InputError, match="account columns that the workspace lacks.*plan"):
        promoted(workspace)


def test_a_store_that_cannot_be_written_leaves_the_aliases_as_they_were(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained.register(workspace, FIT)
    promoted(workspace)
    trained.register(workspace, FIT_2)
    url = f"sqlite:///file:{workspace.home}/store.db?mode=ro&uri=true"
    monkeypatch.setenv("SPEARFISH_STORE_URL", url)
    with pytest.raises(WorkspaceError, match="cannot be written to"):
        promoted(workspace)
    assert trained.champions(workspace) == [1, None]


def test_rollback_walks_back_release_by_release_and_the_aliases_follow(workspace: Workspace) -> None:
    for bundle in (FIT, INTENT, FIT_2):
        trained.register(workspace, bundle)
        promoted(workspace)
    later = NOON + timedelta(minutes=1)
    assert trained.champions(workspace) == [2, 1]
    assert rolled_back(workspace).release.id == 2
    assert (served(workspace, now=later)["fit"], trained.champions(workspace)) == (FIT.fingerprint, [1, 1])
    assert rolled_back(workspace, now=later).left.id == 2
    assert trained.champions(workspace) == [1, None]
    with pytest.raises(InputError, match="no release to go back to") as error:
        rolled_back(workspace, now=later)
    assert error.value.exit_code == 2


def test_rollback_before_any_promotion_says_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match=r"there is no store.*promote"):
        rolled_back(workspace)


def test_rollback_works_without_mlflow_and_says_that_aliases_stay(workspace: Workspace) -> None:
    for bundle in (FIT, FIT_2):
        trained.register(workspace, bundle)
        promoted(workspace)
    (workspace.home / "mlflow.db").unlink()
    done = rolled_back(workspace)
    assert done.release.fit_fingerprint == FIT.fingerprint
    assert "spearfish doctor" in done.sentence
    assert done.to_json()["problem"] is not None


def test_a_rolled_back_challenger_can_be_promoted_again(workspace: Workspace) -> None:
    for bundle in (FIT, FIT_2):
        trained.register(workspace, bundle)
        promoted(workspace)
    rolled_back(workspace)
    assert promoted(workspace).release.fit_fingerprint == FIT_2.fingerprint
    assert rolled_back(workspace).release.fit_fingerprint == FIT.fingerprint


def test_half_a_bento_model_is_made_whole(workspace: Workspace) -> None:
    trained.register(workspace, FIT)
    promoted(workspace)
    copy = workspace.bentoml_home / "models" / "spearfish_icp_fit" / FIT.version
    (copy / "bundle" / "model.txt").unlink()
    assert not is_imported(workspace, name=FIT.name, fingerprint=FIT.fingerprint)
    promoted(workspace)
    assert is_imported(workspace, name=FIT.name, fingerprint=FIT.fingerprint)


def test_bentoml_itself_lists_the_promoted_models(workspace: Workspace) -> None:
    from bentoml._internal.models.model import ModelStore

    trained.register(workspace, FIT, INTENT)
    promoted(workspace)
    listed = {
        str(model.tag): model.info.metadata for model in ModelStore(workspace.bentoml_home / "models").list()
    }
    assert {tag: facts["fingerprint"] for tag, facts in listed.items()} == {
        f"spearfish_icp_fit:{FIT.version}": FIT.fingerprint,
        f"spearfish_buying_intent:{INTENT.version}": INTENT.fingerprint,
    }


def test_promotions_and_rollbacks_say_themselves_in_json(workspace: Workspace) -> None:
    for bundle in (FIT, FIT_2):
        trained.register(workspace, bundle)
        document = promoted(workspace).to_json()
    assert document["versions"] == {"icp_fit": 2}
    assert document["activate_at"] == "2026-05-01T12:00:03Z"
    assert document["release"]["fit"] == FIT_2.fingerprint
    back = rolled_back(workspace).to_json()
    assert (back["left"]["id"], back["release"]["id"], back["problem"]) == (2, 1, None)
