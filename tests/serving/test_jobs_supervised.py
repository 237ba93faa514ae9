"""A runner beside servers: one for each workspace, started again when it ends, and ended without a fault."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from server_process import until

from features.errors import ConfigError
from features.workspace import Workspace
from serving.jobs import running
from serving.jobs.running import supervised
from serving.jobs.settings import JobSettings
from serving.launch import environment


@pytest.fixture(autouse=True)
def shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PAUSE", 0.1)


def runners(workspace: Workspace) -> Iterator[psutil.Process]:
    for child in psutil.Process().children():
        # One that has ended, or is about to begin.
        with suppress(psutil.Error):
            if child.environ().get("SPEARFISH_HOME") == str(workspace.home):
                yield child


def the_runner(workspace: Workspace, *, other_than: int = 0) -> psutil.Process:
    """The one runner, once it is there and listens to signals."""
    until(lambda: bool({one.pid for one in runners(workspace)} - {other_than}))
    until((workspace.home / "store.db").exists)
    (found,) = runners(workspace)
    return found


def test_servers_keep_one_runner_alive_and_end_it_with_themselves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(tmp_path)
    with supervised(workspace), supervised(workspace):
        first = the_runner(workspace)
        first.send_signal(signal.SIGTERM)
        again = the_runner(workspace, other_than=first.pid)
    assert not again.is_running()
    assert "ended with 0 and is started again" in caplog.text
    assert "Fatal" not in capfd.readouterr().err


def test_a_server_may_be_told_to_start_none(tmp_path: Path) -> None:
    """As the workers of `spearfish serve` are, which starts one itself."""
    workers = environment(Workspace(tmp_path))
    assert not JobSettings.from_environment(workers).runner
    assert JobSettings.from_environment({}).runner
    with pytest.raises(ConfigError, match="neither yes nor no"):
        JobSettings.from_environment({"SPEARFISH_JOB_RUNNER": "off"})
