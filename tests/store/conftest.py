"""One MLflow with three models for all tests: making one takes seconds, and a copy takes none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trained

from features.workspace import Workspace

FIT, FIT_2, INTENT = trained.bundle("fit"), trained.bundle("fit", seed=2), trained.bundle("intent")
"""Version 1 and 2 of the fit model, and version 1 of the intent model."""


@pytest.fixture(scope="session")
def empty_tracking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Workspace(tmp_path_factory.mktemp("tracking"))
    trained.client(home).search_registered_models()
    with closing(sqlite3.connect(home.home / "mlflow.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    return home.home / "mlflow.db"


@pytest.fixture(scope="session")
def tracking(empty_tracking: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Workspace(tmp_path_factory.mktemp("models"))
    copy_database(empty_tracking, home)
    for bundle in (FIT, FIT_2, INTENT):
        trained.register(home, bundle)
    return home.home / "mlflow.db"


def copy_database(source: Path, workspace: Workspace) -> None:
    with (
        closing(sqlite3.connect(source)) as origin,
        closing(sqlite3.connect(workspace.home / "mlflow.db")) as copy,
    ):
        origin.backup(copy)


@pytest.fixture
def untrained(empty_tracking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one account, an empty MLflow, and no models."""
    return make_workspace(empty_tracking, tmp_path, monkeypatch)


@pytest.fixture
def workspace(tracking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one account and the three models; version 2 of the fit model is the challenger."""
    return make_workspace(tracking, tmp_path, monkeypatch)


def make_workspace(tracking: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name in ("SPEARFISH_STORE_URL", "MLFLOW_TRACKING_URI", "BENTOML_HOME"):
        monkeypatch.delenv(name, raising=False)
    made = Workspace(folder / "workspace")
    trained.ingest(made)
    copy_database(tracking, made)
    return made
