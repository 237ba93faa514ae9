"""One small workspace, read by all, and copies of it to write to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import list_workspace
import pytest

from features.workspace import Workspace
from serving.store import Store


@pytest.fixture(scope="session", autouse=True)
def own_store() -> Iterator[None]:
    """No database and no workspace of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SPEARFISH_STORE_URL", "SPEARFISH_HOME"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def companies(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Tables without a store. Nobody changes them."""
    return list_workspace.build(tmp_path_factory.mktemp("companies"))


@pytest.fixture
def workspace(companies: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the tables, to write to."""
    shutil.copytree(companies.home, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty one."""
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened
