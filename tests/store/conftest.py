"""One MLflow for all tests: making one takes seconds, and so does meeting a new one."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
import tracked_models
from database_servers import postgresql_server
from retrainer import Trainer, drift
from sqlalchemy import create_engine, delete, make_url, text
from tracked_models import FIT, FIT_2, INTENT

from features.workspace import Workspace
from serving.store import Store, list_forgetting, schema
from training import retrain as retraining
from training.tracking.mlflow_database import make_database


@pytest.fixture(scope="session", autouse=True)
def own_databases() -> Iterator[None]:
    """No database of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "SPEARFISH_STORE_URL", "BENTOML_HOME"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A store in a PostgreSQL of its own, the same one for all tests."""
    with postgresql_server("") as reader:
        owner = make_url(reader).set(drivername="postgresql+psycopg", username="owner", password=None)
        yield owner.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store in SQLite, and the one in PostgreSQL, which other tests write to as well."""
    if request.param == "postgresql":
        found: str = request.getfixturevalue("postgresql_url")
        return found
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store in SQLite, and one in a PostgreSQL database that no other test writes to."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    found: str = request.getfixturevalue("own_postgresql_url")
    return found


@pytest.fixture
def own_postgresql_url(postgresql_url: str) -> str:
    """An empty database of the server, whose ids begin at 1."""
    server, name = make_url(postgresql_url), f"own_{uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def empty_tracking(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("tracking"))
    make_database(made.mlflow_uri)
    with closing(sqlite3.connect(made.home / "mlflow.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    return made


@pytest.fixture(scope="session")
def filled_tracking(empty_tracking: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    filled = Workspace(tmp_path_factory.mktemp("models"))
    tracked_models.forget_models(empty_tracking)
    with (
        closing(sqlite3.connect(empty_tracking.home / "mlflow.db")) as empty,
        closing(sqlite3.connect(filled.home / "mlflow.db")) as copy,
    ):
        empty.backup(copy)
    for bundle in (FIT, FIT_2, INTENT):
        tracked_models.register(filled, bundle)
    return filled


@pytest.fixture
def untrained(empty_tracking: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one account and no models."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracked_models.forget_models(empty_tracking)
    return make_workspace(tmp_path, empty_tracking, monkeypatch)


@pytest.fixture
def workspace(filled_tracking: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one account and the three models; version 2 of the fit model is the challenger."""
    tracked_models.reset_aliases(filled_tracking)
    return make_workspace(tmp_path, filled_tracking, monkeypatch)


def make_workspace(folder: Path, tracking: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = Workspace(folder / "workspace")
    tracked_models.ingest(made)
    if (tracking.home / "identity").exists():
        shutil.copy(tracking.home / "identity", made.home)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tracking.home / 'mlflow.db'}")
    return made


@pytest.fixture
def trainer(untrained: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """`retrain` with a training by hand, tables that stay as they are, and no drift."""
    made = Trainer(untrained, tmp_path / "held")
    monkeypatch.setattr(retraining, "train", made)
    monkeypatch.setattr(retraining, "ingest_all", lambda *_, **__: None)
    monkeypatch.setattr(retraining, "watch", lambda *_, **__: drift())
    return made


@pytest.fixture
def listless_store(either_url: str) -> Iterator[Store]:
    """A store without lists, which leaves none to other tests."""
    with Store.open(either_url) as opened:
        yield opened
        with opened.writing() as connection:
            for table in (*reversed(list_forgetting.OF_ACCOUNTS), schema.list_versions):
                connection.execute(delete(table))
            for table in (schema.list_approvals, schema.list_exports, schema.target_lists):
                connection.execute(delete(table))
