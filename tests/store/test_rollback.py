"""Going back release by release, on a real store, a real MLflow and a real BentoML store."""

from __future__ import annotations

import pytest
import tracked_models
from promotions import promoted, rolled_back, served
from tracked_models import FIT, FIT_2

from features.errors import BundleError, InputError, WorkspaceError
from features.workspace import Workspace
from serving.store import Store


def test_rollback_walks_back_release_by_release_and_the_aliases_follow(workspace: Workspace) -> None:
    for hour, fit in enumerate(("none", "1", "2")):
        promoted(workspace, hour=hour, fit=fit)
    assert (served(workspace)["fit"], tracked_models.champions(workspace)) == (FIT_2.fingerprint, [2, 1])
    done = rolled_back(workspace, hour=3)
    assert (done.left.id, done.release.id, done.problem) == (3, 2, None)
    assert (served(workspace)["fit"], tracked_models.champions(workspace)) == (FIT.fingerprint, [1, 1])
    assert rolled_back(workspace, hour=4).release.id == 1
    assert ("fit" in served(workspace), tracked_models.champions(workspace)) == (False, [None, 1])
    with pytest.raises(InputError, match="no release to go back to") as error:
        rolled_back(workspace, hour=5)
    assert error.value.exit_code == 2


def test_rollback_before_any_promotion_says_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match=r"there is no store.*promote"):
        rolled_back(workspace, hour=0)


def test_rollback_works_without_mlflow_and_says_that_aliases_stay(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour, fit in enumerate(("1", "2")):
        promoted(workspace, hour=hour, fit=fit)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    done = rolled_back(workspace, hour=2)
    assert served(workspace)["fit"] == FIT.fingerprint
    assert "spearfish doctor" in done.sentence
    assert done.to_json()["problem"] is not None


def test_rollback_refuses_a_release_whose_bundle_is_damaged(workspace: Workspace) -> None:
    for hour, fit in enumerate(("1", "2")):
        promoted(workspace, hour=hour, fit=fit)
    with Store.open(workspace.store_url) as store, store.writing() as connection:
        connection.exec_driver_sql("UPDATE bundles SET content = x'00' WHERE kind = 'fit'")
    with pytest.raises(BundleError):
        rolled_back(workspace, hour=2)
    assert served(workspace)["fit"] == FIT_2.fingerprint


def test_promotions_and_rollbacks_say_themselves_in_json(workspace: Workspace) -> None:
    promoted(workspace, fit="1")
    document = promoted(workspace, hour=1).to_json()
    assert document["versions"] == {"icp_fit": 2, "buying_intent": 1}
    assert document["activate_at"] == "2026-05-01T13:00:03Z"
    assert document["release"]["models"]["fit"] == FIT_2.fingerprint
    back = rolled_back(workspace, hour=2).to_json()
    assert (back["left"]["id"], back["release"]["id"], back["problem"]) == (2, 1, None)
