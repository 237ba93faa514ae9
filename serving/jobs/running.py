"""A process that runs jobs, alone or supervised.

Turns a workspace into a runner that lives until SIGINT or SIGTERM. Beside a server it yields to those who
answer requests, and is started again when it dies; of all servers and workers of a machine, one keeps it
alive for a workspace. Time rule: none. Null rule: none.
"""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from features.workspace import Workspace
from serving.jobs.runner import Runner
from serving.jobs.settings import JobSettings
from serving.log_lines import say_in_lines

__all__ = ["run", "supervised"]

_NICE = 5
_LONGEST_END = 20.0
"""Seconds that a runner may take to give its job back."""

_LOOK_EVERY, _PAUSE = 0.5, 5.0
"""Seconds between two looks whether a runner lives, and before one that died is started again."""

_ROOT, _LOCK = Path(__file__).parents[2], ".jobs.lock"

_logger = logging.getLogger("spearfish.jobs")


def run(workspace: Workspace, *, supervised: bool = False) -> None:
    """Run jobs in this process. supervised: end with the standard input. Raises ConfigError."""
    # Standard output is that of whoever started us.
    say_in_lines(sys.stderr)
    gc.set_threshold(50_000, 20, 50)
    runner = Runner(workspace, settings=JobSettings.from_environment(), clock=_now)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: runner.stop())
    if supervised:
        os.nice(_NICE)
        threading.Thread(target=_stop_with_input, args=(runner,), daemon=True).start()
    runner.run()


def _stop_with_input(runner: Runner) -> None:
    # Not by the object for it, whose lock a thread that still waits would hold when the interpreter ends.
    while os.read(sys.stdin.fileno(), 1):
        pass
    runner.stop()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


@contextmanager
def supervised(workspace: Workspace) -> Iterator[None]:
    """Keep a runner alive, in a process of its own, for as long as the block runs and nobody else does."""
    done = threading.Event()
    # Where the process ends without leaving the block, the runner ends with it.
    thread = threading.Thread(target=_keep_alive, args=(workspace, done), name="job-supervisor", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _keep_alive(workspace: Workspace, done: threading.Event) -> None:
    workspace.home.mkdir(parents=True, exist_ok=True)
    with (workspace.home / _LOCK).open("w") as lock:
        while not _is_our_turn(lock) and not done.wait(_PAUSE):
            pass
        while not done.is_set():
            _watch(workspace, done)


def _is_our_turn(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _watch(workspace: Workspace, done: threading.Event) -> None:
    """Start a runner, and return once it has ended."""
    environment = {"SPEARFISH_HOME": str(workspace.home.absolute()), "OMP_NUM_THREADS": "1"}
    runner = subprocess.Popen(
        [sys.executable, "-m", "serving.jobs", "--supervised"],
        env=os.environ | environment,
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=sys.stderr.fileno(),
    )
    while runner.poll() is None and not done.wait(_LOOK_EVERY):
        pass
    _end(runner)
    if not done.wait(_PAUSE):
        _logger.error("the runner of jobs ended with %s and is started again", runner.returncode)


def _end(runner: subprocess.Popen[bytes]) -> None:
    """Let a runner give its job back; one that does not end in time is killed, which loses nothing."""
    assert runner.stdin is not None
    runner.stdin.close()
    try:
        runner.wait(timeout=_LONGEST_END)
    except subprocess.TimeoutExpired:
        runner.kill()
        runner.wait()
