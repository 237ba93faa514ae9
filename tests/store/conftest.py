"""One MLflow for all tests: making one takes seconds, and so does meeting a new one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trained

from features.workspace import Workspace

FIT, FIT_2, INTENT = trained.bundle("fit"), trained.bundle("fit", seed=2), trained.bundle("intent")
"""Version 1 and 2 of the fit model, and version 1 of the intent model."""


def new_tracking(home: Path) -> Workspace:
    made = Workspace(home)
    trained.client(made).search_registered_models()
    with closing(sqlite3.connect(home / "mlflow.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    return made


@pytest.fixture(scope="session")
def empty_tracking(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return new_tracking(tmp_path_factory.mktemp("tracking"))


@pytest.fixture(scope="session")
def filled_tracking(empty_tracking: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    filled = Workspace(tmp_path_factory.mktemp("models"))
    with (
        closing(sqlite3.connect(empty_tracking.home / "mlflow.db")) as empty,
        closing(sqlite3.connect(filled.home / "mlflow.db")) as copy,
    ):
        empty.backup(copy)
    for bundle in (FIT, FIT_2, INTENT):
        trained.register(filled, bundle)
    return filled


@pytest.fixture
def untrained(empty_tracking: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one account and no models."""
    trained.forget_models(empty_tracking)
    return make_workspace(tmp_path, empty_tracking, monkeypatch)


@pytest.fixture
def workspace(filled_tracking: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one account and the three models; version 2 of the fit model is the challenger."""
    trained.reset_aliases(filled_tracking)
    return make_workspace(tmp_path, filled_tracking, monkeypatch)


def make_workspace(folder: Path, tracking: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name in ("SPEARFISH_STORE_URL", "BENTOML_HOME"):
        monkeypatch.delenv(name, raising=False)
    made = Workspace(folder / "workspace")
    trained.ingest(made)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tracking.home / 'mlflow.db'}")
    return made
