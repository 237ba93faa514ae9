"""What every test may use."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, sync_playwright
from xdist.scheduler import LoadFileScheduling

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


SERVED = ("jobs_service", "log_lines", "model_cards", "odd_requests", "page", "profile", "service")
TRAINED = (
    *("bad_labels", "changes", "contest", "crossing", "drift", "few_rows", "few_rows_intent", "fit", "gate"),
    *("interval_fitting", "monotone_cost", "preview", "report", "report_odd", "report_rivals", "track"),
    *("train_over_origins", "weighted_intent"),
)
TOGETHER: dict[str, tuple[str, ...]] = {
    "audit": ("tests/audit/",),
    "cli": ("tests/cli/",),
    "market": ("tests/market/",),
    "page": ("tests/page/",),
    "store": ("tests/store/",),
    "trained": tuple(f"tests/training/test_{name}.py" for name in TRAINED),
    "served": tuple(f"tests/serving/test_{name}.py" for name in SERVED),
    "served with keys": tuple(f"tests/serving/test_{name}.py" for name in ("pages", "schema_fuzz")),
}
"""Files that share what takes long to make: a forge, a database of MLflow, models, a server; one worker has
all."""

LONGEST = (
    *("store", "trained", "cli", "page", "test_training_kills", "test_backtest", "served"),
    *("test_quality", "test_market_check", "test_hubspot", "test_notebooks", "test_whole_workspace"),
    *("test_faults", "test_tune", "served with keys", "test_serving_load", "test_estimator"),
    "test_pursuit_weights",
)
"""Files and groups that take long: begun last, one would keep a worker busy while the other waits."""


def _unit(file: str) -> str:
    """The group of a file, or the file's own name."""
    return next((group for group, files in TOGETHER.items() if file.startswith(files)), Path(file).stem)


def pytest_configure(config: pytest.Config) -> None:
    """Each of several workers takes its share of the cores: if all used every core, threads would wait."""
    # Imports make millions of objects that stay: looked for every 700, garbage costs a tenth of the time.
    gc.set_threshold(50_000, 20, 50)
    # Every process that a test starts would compile all of our modules anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if not hasattr(os, "sched_setaffinity"):
        return
    if worker is not None:
        _take_cores(int(worker["workerid"].removeprefix("gw")), of=worker["workercount"])
    _give_duckdb_threads(len(os.sched_getaffinity(0)))


def _take_cores(number: int, *, of: int) -> None:
    """A share of the cores. A worker that is left without one goes wherever others wait for something, and
    never takes two: with all of them, its threads would wait for each other."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[number::of] or cores)
    if number >= len(cores):
        os.environ["OMP_NUM_THREADS"] = "1"


def _give_duckdb_threads(count: int) -> None:
    """DuckDB counts the cores of the machine, and makes ready for each what it computes with."""
    engine: Any = duckdb
    connect = engine.connect

    def connect_with(*given: Any, config: Mapping[str, Any] | None = None, **named: Any) -> Any:
        return connect(*given, config={"threads": count, **(config or {})}, **named)

    engine.connect = connect_with


class Together(LoadFileScheduling):
    """A file to each worker, as `--dist loadfile` gives them out, or a group of files."""

    def _split_scope(self, nodeid: str) -> str:
        return _unit(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    return Together(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """What is imported stays, and need not be looked through for garbage again."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, all else in the order of the folders, whose files share what they make."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(_unit(item.nodeid.partition("::")[0]), len(places)))


@pytest.fixture(autouse=True)
def addresses_as_before() -> Iterator[None]:
    """What a test leaves in the environment would send the next ones of its process to other databases."""
    before = _addresses()
    yield
    assert _addresses() == before, "the test has changed addresses for those that follow"


def _addresses() -> dict[str, str]:
    named = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "SPEARFISH_", "BENTOML_HOME")
    return {name: value for name, value in os.environ.items() if name.startswith(named)}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SPEARFISH_SHARED_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no shared data in {folder}")  # not ours to commit: a clone has none
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser; tests that need one are skipped where none is installed."""
    if not CHROMIUM.exists():
        assert not os.environ.get("CI"), "CI must have a browser: apt-get install chromium"
        pytest.skip("no browser: apt-get install chromium")  # a program of the machine: CI fails without it
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the published results that are older than the code they measure."""
    # Not above: libraries count the cores when they are loaded, and a worker takes its share of them first.
    from training.checks.results import ROOT, stale

    old = stale(ROOT / "results")
    if old:
        names = ", ".join(old)
        terminalreporter.write_line(f"older than the code they measure (`make NAME` runs one again): {names}")
