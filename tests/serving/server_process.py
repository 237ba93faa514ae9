"""A real server in a process of its own, and a patient way to wait for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from features.workspace import Workspace
from serving.jobs.settings import RUNNER

PATIENCE = 120.0
"""Seconds that anything may take to come true on a busy machine."""


_SERVE = """
import sys
from pathlib import Path
from features.workspace import Workspace
from serving.launch import serve
_, home, port, workers = sys.argv
raise SystemExit(serve(Workspace(Path(home)), port=int(port), workers=int(workers)))
"""


def until(comes_true: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    """Ask again and again, a tenth of a second apart, and fail when it does not come true in time."""
    pause, end = threading.Event(), time.monotonic() + patience
    while not comes_true():
        assert time.monotonic() < end, f"did not come true within {patience:g} seconds"
        pause.wait(0.1)


class Server:
    """A server in a process of its own, started as `spearfish serve` starts it."""

    def __init__(self, workspace: Workspace, *, log: Path, workers: int = 1, jobs: bool = True) -> None:
        self.workspace, self.log, self.port = workspace, log, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-c", _SERVE, str(workspace.home), str(self.port), str(workers)]
        environment = os.environ | ({} if jobs else {RUNNER: "no"})
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=environment
            )

    def status(self, path: str) -> int | None:
        """The status of a GET, None while nobody listens."""
        try:
            # Nothing is encrypted here: reading the certificates would cost more than all else, each time.
            return httpx.get(self.url + path, timeout=30, verify=False).status_code
        except httpx.TransportError:
            return None

    def await_status(self, path: str, status: int) -> None:
        def arrived() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return self.status(path) == status

        until(arrived)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it as a user would; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    workspace: Workspace, *, log: Path, ready: int = 200, workers: int = 1, jobs: bool = True
) -> Iterator[Server]:
    """jobs: whether a process beside it runs those that it is given."""
    server = Server(workspace, log=log, workers=workers, jobs=jobs)
    try:
        server.await_status("/readyz", ready)
        yield server
    finally:
        server.stop()
