"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from training.published import ROOT, stale


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SPEARFISH_SHARED_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no shared data in {folder}")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the published results that are older than the code they measure."""
    old = stale(ROOT / "results")
    if old:
        terminalreporter.write_line(f"older than the code they measure (run `make verify`): {', '.join(old)}")
