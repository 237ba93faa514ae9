"""Locks in a workspace: one promotion, one registering, one retraining at a time.

Turns the name of a work into the right to do it; the lock goes when its process goes, however it ends. Time
rule: none. Null rule: whoever does not wait is told that another one is at it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from features.errors import WorkspaceError
from features.workspace import Workspace

__all__ = ["only_one"]


@contextmanager
def only_one(workspace: Workspace, work: str, *, wait: bool = True) -> Iterator[bool]:
    """Be the only one at a work; whether it is, which `wait` makes sure of.

    Raises WorkspaceError where the workspace cannot be written to.
    """
    try:
        workspace.home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(workspace.home / f".{work}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write to the workspace {workspace.home}", got=error, fix="give this user write access"
        ) from error
    try:
        yield _locked(descriptor, wait=wait)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
