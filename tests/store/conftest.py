"""One MLflow database for all tests: making one takes seconds, and a copy takes none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from features.workspace import Workspace


@pytest.fixture(scope="session")
def empty_tracking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import trained

    home = Workspace(tmp_path_factory.mktemp("tracking"))
    trained.client(home).search_registered_models()
    return home.home / "mlflow.db"


@pytest.fixture
def workspace(empty_tracking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one account, an empty MLflow, and no models."""
    import trained

    for name in ("SPEARFISH_STORE_URL", "MLFLOW_TRACKING_URI", "BENTOML_HOME"):
        monkeypatch.delenv(name, raising=False)
    made = Workspace(tmp_path / "workspace")
    trained.ingest(made)
    shutil.copy(empty_tracking, made.home / "mlflow.db")
    return made
