"""A real server and its load generator, each on cores of its own.

Turns a workspace into a running server whose processes may use some cores while this process has the others:
where both share a core, the generator's own work is measured along. Time rule: none. Null rule: on a machine
of one core both share it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from server_process import Server, running

from features.workspace import Workspace
from training.checks.folders import files_below

__all__ = ["CORES", "keep_to", "peak_megabytes", "processes", "served", "served_code", "workers"]

CORES: tuple[int, ...] = tuple(sorted(os.sched_getaffinity(0)))
"""Those of this machine that we may use; the server gets the first, the load generator the last."""

_WORKER = "_bentoml_impl.worker"


@contextmanager
def served(
    workspace: Workspace, *, log: Path, cores: Sequence[int] = CORES[:1], count: int = 1
) -> Iterator[Server]:
    """A server of so many workers on these cores, and this process on the last core."""
    keep_to(cores)
    try:
        with running(workspace, log=log, workers=count) as server:
            keep_to(CORES[-1:])
            yield server
    finally:
        keep_to(CORES)


def keep_to(cores: Iterable[int], *, others: Iterable[psutil.Process] = ()) -> None:
    """Use these cores from now on: this process and what it starts, or other processes in place of it."""
    chosen = list(others)
    if not chosen:
        os.sched_setaffinity(0, cores)
    for process in chosen:
        for thread in process.threads():
            # Threads that are just ending have no cores any more.
            with suppress(OSError):
                os.sched_setaffinity(thread.id, cores)


def processes(server: Server) -> list[psutil.Process]:
    """Everything that the server runs as."""
    own = psutil.Process(server.process.pid)
    return [own, *own.children(recursive=True)]


def workers(server: Server) -> list[psutil.Process]:
    """The processes that answer requests."""
    found = []
    for process in processes(server):
        with suppress(psutil.Error):
            if any(_WORKER in part for part in process.cmdline()):
                found.append(process)
    return found


def peak_megabytes(found: Iterable[psutil.Process]) -> int:
    """The most memory that any of these processes has used so far."""
    return max(int(process.memory_info().rss / 1e6) for process in found)


def served_code() -> list[Path]:
    """What the processes of a server run of serving/: its modules, not what a browser runs or people read."""
    return [path for path in files_below("serving") if path.suffix == ".py"]
