"""What the tests of forgetting begin with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from people_sources import export, load, write

from features.workspace import Workspace


@pytest.fixture(scope="session")
def _ingested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder in which `export()` was ingested, and a copy of it."""
    folder = tmp_path_factory.mktemp("people")
    load(write(folder / "all", export()))
    return folder / "all", Path(shutil.copytree(folder / "all", folder / "copy"))


@pytest.fixture
def people(_ingested: tuple[Path, Path]) -> Workspace:
    """A workspace with `export()` in it, and its files beside it: as if it had just been ingested.

    It is where it was ingested, so that a later ingest knows the files.
    """
    folder, copy = _ingested
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    return Workspace(folder / "workspace")
