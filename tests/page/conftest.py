"""A small company with people, a real server in front of it, and their pages in a real browser."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from playwright.sync_api import Browser

sys.path.append(str(Path(__file__).parent.parent / "serving"))

import small_workspace
from server_process import running
from site_people import Opened, Site, Spare

from features.workspace import Workspace


@pytest.fixture(scope="session", autouse=True)
def own_store() -> Iterator[None]:
    """No database and no workspace of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SPEARFISH_STORE_URL", "SPEARFISH_HOME", "MLFLOW_TRACKING_URI", "BENTOML_HOME"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with tables and a release. Tests add lists of their own names to it."""
    return small_workspace.build_workspace(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="session")
def site(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real server, with the process that runs jobs, and whoever is invited."""
    with running(company, log=tmp_path_factory.mktemp("site") / "log") as started:
        made = Site(started)
        yield made
        made.close()
        assert started.stop(signal.SIGTERM) == 0


@pytest.fixture(scope="module")
def spare(browser: Browser) -> Iterator[Spare]:
    """Contexts of the browser that one test after another uses."""
    contexts: Spare = {}
    yield contexts
    for context in chain.from_iterable(contexts.values()):
        context.close()


@pytest.fixture
def opened(browser: Browser, site: Site, spare: Spare) -> Iterator[Opened]:
    """Pages that are looked at when the test is over."""
    pages = Opened(browser, site, spare)
    try:
        yield pages
        pages.check()
    finally:
        pages.close()
