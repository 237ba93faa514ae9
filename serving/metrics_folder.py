"""The folder in which the workers of one server add up their metrics.

BentoML has one in its home, which it empties whenever a server starts: two servers of one workspace, or of
one bento, would forget what the other one counted and add up with it from then on. Turns that folder into one
beside it for each server, named after its machine or container, which may share the home with others, and the
process that starts its workers. Time rule: none. Null rule: in a process that is no worker nothing changes.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
from pathlib import Path

__all__ = ["SHARED", "keep_metrics_apart"]

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for the folder; BentoML sets it for its workers."""

_UNKNOWN = "0"
_ALIVE = "alive"
"""A file in each folder that every worker of its server has a shared lock on, which goes with the worker."""


def keep_metrics_apart() -> None:
    """Add up with the workers of this server alone, from now on; what ended servers left here goes."""
    given = os.environ.get(SHARED)
    if given is None:
        return
    # Without a hyphen, which stands between the parts of the name.
    here = f"{given}-{re.sub(r'[^A-Za-z0-9]+', '_', socket.gethostname())}"
    own = Path(f"{here}-{_name(os.getppid())}")
    while not _say_alive(own):
        pass
    os.environ[SHARED] = str(own)
    for folder in own.parent.glob(f"{Path(here).name}-*-*"):
        if folder != own and _has_ended(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _say_alive(own: Path) -> bool:
    """Whether this process has its share in a folder that nobody was about to remove."""
    own.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(own / _ALIVE, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        # Left open: the lock is to last as long as the process.
        return (own / _ALIVE).stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _has_ended(folder: Path) -> bool:
    """Whether a server's parent process is not seen and none of its workers lives, seen or not: containers
    that share a home and a host name do not see each other's processes."""
    _, process, began = folder.name.rsplit("-", 2)
    if began != _UNKNOWN and process.isdecimal() and _name(int(process)) == f"{process}-{began}":
        return False
    try:
        with (folder / _ALIVE).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _name(process: int) -> str:
    """Of a process, and of no other that had or will have its number."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        # It has ended, is not shown to us, or this is no Linux.
        return f"{process}-{_UNKNOWN}"
    # Its 22nd field: when it began, in ticks since the machine did. A clock may be set while a server runs.
    return f"{process}-{told.rpartition(')')[2].split()[19]}"
