"""A training that dies between its models leaves all of them registered, or none, once somebody comes by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tracked_models
from store_processes import NOON
from tracked_models import FIT, FIT_2, INTENT

from features.errors import WorkspaceError
from features.workspace import Workspace
from models.bundle import Bundle
from training.releasing import previewing
from training.releasing.doctor import doctor
from training.releasing.promote import promote
from training.tracking.mlflow_database import make_database, mlflow_client
from training.tracking.registered import RegisteredModels
from training.tracking.registration import leftovers, register_training

NEW = tracked_models.bundle("intent", seed=3)


STEPS = ("register", "challenge", "tag")


class DiedError(Exception):
    """As a kill: nothing after it happens."""


def register_and_die(workspace: Workspace, *, before: int) -> None:
    """A training of two new models that dies before its step of this number."""
    left = [before]

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        def take(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise DiedError
            return step(*arguments, **named)

        return take

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(RegisteredModels, name, counted(getattr(RegisteredModels, name)))
        with pytest.raises(DiedError):
            _register(RegisteredModels(workspace), {"fit": FIT_2, "intent": NEW})


@pytest.fixture
def trained(untrained: Workspace) -> Workspace:
    """A workspace with one whole training."""
    _register(RegisteredModels(untrained), {"fit": FIT, "intent": INTENT})
    return untrained


def _register(registered: RegisteredModels, bundles: dict[str, Bundle]) -> None:
    logged = {kind: (one, tracked_models.run_of(registered.workspace, one)) for kind, one in bundles.items()}
    register_training(registered, logged, name="by hand", tags={})


def _challengers(workspace: Workspace) -> dict[str, str | None]:
    return {
        kind: one.fingerprint
        for kind, versions in RegisteredModels(workspace).known().items()
        for one in versions
        if "challenger" in one.aliases
    }


OLD: dict[str, str | None] = {"fit": FIT.fingerprint, "intent": INTENT.fingerprint}
YOUNG: dict[str, str | None] = {"fit": FIT_2.fingerprint, "intent": NEW.fingerprint}


# Two versions, two aliases and two last tags: from the second version on, the training is whole.
@pytest.mark.parametrize(("step", "expected"), [(step, OLD if step < 2 else YOUNG) for step in range(6)])
def test_a_training_that_dies_is_whole_or_gone(
    trained: Workspace, step: int, expected: dict[str, str | None]
) -> None:
    register_and_die(trained, before=step)
    found = {check.name: check for check in doctor(trained, port=0)}["trainings"]
    assert found.ok is (step == 0)
    promote(trained, who="Ada", why="better", force="made by hand", now=NOON)
    assert _challengers(trained) == expected
    registered = RegisteredModels(trained)
    assert not leftovers(registered).any
    young = step >= 2
    assert [len(versions) for versions in registered.known().values()] == [1 + young, 1 + young]


def test_runs_that_nobody_ends_are_closed(trained: Workspace) -> None:
    from training.tracking.track import Tracker

    client = RegisteredModels(trained).client
    experiment = client.get_experiment_by_name("spearfish").experiment_id
    identity = (trained.home / "identity").read_text().strip()
    mine = client.create_run(experiment, tags={"workspace_id": identity}).info.run_id
    other = client.create_run(experiment, tags={"workspace_id": "0" * 32}).info.run_id
    Tracker(trained, name="by hand").settle()
    assert client.get_run(mine).info.status == "KILLED"
    assert client.get_run(other).info.status == "RUNNING"


def test_the_doctor_repairs_what_a_training_left(trained: Workspace) -> None:
    register_and_die(trained, before=1)
    repaired = {check.name: check for check in doctor(trained, repair=True, port=0)}["trainings"]
    assert repaired.what.startswith("repaired")
    assert _challengers(trained) == OLD


def test_a_database_is_there_whole_or_not_at_all(trained: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed training had begun is taken away, and nothing is made where one is."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    begun = trained.home / ".mlflow.db-0123"
    begun.write_text("half a database")
    made: list[str] = []

    def die(*_: object) -> None:
        made.append("begun")
        raise OSError("the disk is full")

    monkeypatch.setattr("training.tracking.mlflow_database.os.link", die)
    with pytest.raises(WorkspaceError, match="database cannot be made"):
        make_database(trained.mlflow_uri)
    assert not list(trained.home.glob("*mlflow.db*"))
    (trained.home / "mlflow.db").touch()
    make_database(trained.mlflow_uri)
    assert len(made) == 1


def test_every_database_begins_empty(tmp_path: Path) -> None:
    """The second is a copy of what the first began as, not of what it became."""
    for name in ("first", "second"):
        uri = f"sqlite:///{tmp_path / name / 'mlflow.db'}"
        make_database(uri)
        client = mlflow_client(uri)
        assert client.get_experiment_by_name("here") is None
        client.create_experiment("here")


def test_a_preview_tells_what_a_killed_training_left(
    trained: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "preview_kind", lambda *_, **__: SimpleNamespace(answering=()))
    assert "killed" not in "".join(previewing.preview(trained, now=NOON).lines())
    register_and_die(trained, before=1)
    before = _challengers(trained)
    told = "".join(previewing.preview(trained, now=NOON).lines())
    assert "was killed and left 1 versions without the rest of their training" in told
    assert _challengers(trained) == before
