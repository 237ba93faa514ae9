"""Two workspaces that track in one MLflow: each sees, promotes and crowns its own models only."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tracked_models
from promotions import promoted
from tracked_models import FIT, FIT_2, INTENT

from features.errors import InputError, WorkspaceError
from features.workspace import Workspace
from training.ownership import make_identity, read_identity
from training.releasing.doctor import Check, doctor
from training.tracking.registered import RegisteredModels
from training.tracking.versions import CHALLENGER, CHAMPION, champions


@pytest.fixture
def other(untrained: Workspace, tmp_path: Path) -> Workspace:
    """Another workspace that tracks in the same MLflow as `untrained`."""
    made = Workspace(tmp_path / "other")
    tracked_models.ingest(made)
    return made


def checks(workspace: Workspace) -> dict[str, Check]:
    return {check.name: check for check in doctor(workspace, port=0)}


def aliases(workspace: Workspace, name: str) -> dict[str, int]:
    found = tracked_models.client(workspace).get_registered_model(name).aliases
    return {alias: int(number) for alias, number in found.items()}


def test_each_workspace_promotes_and_crowns_its_own(untrained: Workspace, other: Workspace) -> None:
    for workspace, bundle in ((untrained, FIT), (other, FIT_2), (other, INTENT)):
        tracked_models.register(workspace, bundle)
    assert promoted(untrained).release.fingerprints == {"fit": FIT.fingerprint}
    assert promoted(other).release.fingerprints == {"fit": FIT_2.fingerprint, "intent": INTENT.fingerprint}
    mine, theirs = (make_identity(workspace)[:8] for workspace in (untrained, other))
    assert mine != theirs
    suffixed = {f"{CHAMPION}-{theirs}": 2, f"{CHALLENGER}-{theirs}": 2}
    assert aliases(untrained, "icp_fit") == {CHAMPION: 1, CHALLENGER: 1, **suffixed}
    # The first to register a model owns its plain aliases.
    assert aliases(untrained, "buying_intent") == {CHAMPION: 1, CHALLENGER: 1}
    for workspace in (untrained, other):
        found = checks(workspace)
        assert found["aliases"].what == "the champions are what is served"
    assert found["mlflow"].what.endswith("1 fit and 1 intent models, and 1 of other workspaces")


def test_only_models_of_others_are_explained(untrained: Workspace, other: Workspace) -> None:
    tracked_models.register(other, FIT, name="demo")
    tracked_models.register(other, INTENT, name="demo")
    digits = make_identity(other)[:8]
    with pytest.raises(InputError, match=rf"2 of demo {digits}.*run `spearfish train` here") as error:
        promoted(untrained)
    assert "another workspace's" in error.value.what
    assert read_identity(untrained) is None


def test_versions_without_an_owner_are_nobody_s_and_their_model_is_free(untrained: Workspace) -> None:
    """As somebody makes them by hand, or an older spearfish did."""
    client = tracked_models.client(untrained)
    client.create_registered_model("icp_fit")
    run = tracked_models.run_of(untrained, FIT_2)
    client.create_model_version("icp_fit", f"runs:/{run}/bundle", run_id=run)
    client.set_registered_model_alias("icp_fit", CHAMPION, "1")
    with pytest.raises(InputError, match="1 of no known workspace"):
        promoted(untrained)
    tracked_models.register(untrained, FIT)
    assert promoted(untrained).versions == {"icp_fit": 2}
    assert aliases(untrained, "icp_fit") == {CHAMPION: 2, CHALLENGER: 2}


def test_a_version_of_another_workspace_cannot_be_named(untrained: Workspace, other: Workspace) -> None:
    tracked_models.register(untrained, FIT)
    tracked_models.register(other, FIT_2)
    for wanted in ("2", FIT_2.version):
        with pytest.raises(
            InputError, match=r"no such version of this workspace.*allowed 1, challenger, none"
        ):
            promoted(untrained, fit=wanted)


def test_a_training_of_another_workspace_keeps_what_is_left_out(
    untrained: Workspace, other: Workspace
) -> None:
    """A fit model that could not be trained this time stays out, whatever the others train."""
    for bundle in (FIT, INTENT):
        tracked_models.register(untrained, bundle)
    RegisteredModels(untrained).withdraw("fit")
    for bundle in (FIT_2, INTENT):
        tracked_models.register(other, bundle)
    RegisteredModels(other).withdraw("intent")
    assert promoted(untrained).release.fingerprints == {"intent": INTENT.fingerprint}
    assert promoted(other).release.fingerprints == {"fit": FIT_2.fingerprint}


def test_runs_and_versions_carry_who_made_them(untrained: Workspace, other: Workspace) -> None:
    for workspace, name in ((untrained, "first"), (other, "second")):
        number = tracked_models.log(workspace, FIT, name=name)
        client = tracked_models.client(workspace)
        version = client.get_model_version("icp_fit", str(number))
        run = client.get_run(version.run_id)
        for tags in (version.tags, run.data.tags):
            assert (tags["workspace"], tags["workspace_id"]) == (name, read_identity(workspace))


def test_a_moved_workspace_keeps_its_models(untrained: Workspace, tmp_path: Path) -> None:
    tracked_models.register(untrained, FIT)
    promoted(untrained)
    moved = Workspace(untrained.home.rename(tmp_path / "moved"))
    assert champions(RegisteredModels(moved).known())["fit"].number == 1


def test_an_identity_is_drawn_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "new")
    assert read_identity(workspace) is None
    with ThreadPoolExecutor(8) as pool:
        drawn = set(pool.map(lambda _: make_identity(workspace), range(32)))
    assert len(drawn) == 1
    assert re.fullmatch("[0-9a-f]{32}", drawn.pop())
    assert [path.name for path in workspace.home.iterdir()] == ["identity"]


@pytest.mark.parametrize("content", [b"", b"A1", b"\xff\xfe", b"0" * 33])
def test_a_damaged_identity_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "identity").write_bytes(content)
    with pytest.raises(WorkspaceError, match=r"identity cannot be read.*32 hexadecimal digits.*restore it"):
        make_identity(Workspace(tmp_path))
