"""One small company for all tests, and one real server in front of it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import small_workspace
from fuzz import all_scopes
from server_process import Server, running

from features.workspace import Workspace
from serving.desk import Desk, open_desk


@pytest.fixture(scope="session", autouse=True)
def own_store() -> Iterator[None]:
    """No database and no workspace of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SPEARFISH_STORE_URL", "SPEARFISH_HOME", "MLFLOW_TRACKING_URI", "BENTOML_HOME"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with tables, and a release with both models. Nobody changes it."""
    return small_workspace.build_workspace(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="session")
def _tables(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tables of the company, and nothing beside them."""
    folder = tmp_path_factory.mktemp("tables")
    small_workspace.load_data(made := Workspace(folder / "workspace"), folder=folder)
    return made


@pytest.fixture
def without_release(_tables: Workspace, tmp_path: Path) -> Workspace:
    """Tables without a release, to write to."""
    shutil.copytree(_tables.home, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


@pytest.fixture(scope="session")
def desk(company: Workspace) -> Iterator[Desk]:
    with open_desk(company, now=small_workspace.NOW) as opened:
        yield opened


@pytest.fixture(scope="session")
def server(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server in front of the company."""
    with running(company, log=tmp_path_factory.mktemp("server") / "log") as started:
        yield started
        assert started.stop(signal.SIGTERM) == 0


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="session")
def keyed(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the company, to write to."""
    copy = Workspace(tmp_path_factory.mktemp("keyed") / "workspace")
    shutil.copytree(company.home, copy.home)
    return copy


@pytest.fixture(scope="session")
def key(keyed: Workspace) -> str:
    """A key of the copy that may do everything."""
    return all_scopes(keyed)


@pytest.fixture(scope="session")
def keyed_server(keyed: Workspace, key: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server in front of the copy, which answers who has the key."""
    with running(keyed, log=tmp_path_factory.mktemp("keyed-server") / "log") as started:
        yield started
        assert started.stop(signal.SIGTERM) == 0
