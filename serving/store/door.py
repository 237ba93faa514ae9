"""The door to the store: one for all parts of a worker, opened when it is first needed.

Turns a URL into an open store. A file of SQLite that was replaced, as by restoring it, is opened anew, and
one that is gone is not written to any more: what went there would be lost. Time rule: none. Null rule: a
store that cannot be opened is tried again with the next call.
"""

from __future__ import annotations

import threading
from pathlib import Path

from features.errors import WorkspaceError
from serving.store.engine import file_of
from serving.store.store import Store

__all__ = ["StoreDoor"]


class StoreDoor:
    """Safe to share between threads, not across forks."""

    def __init__(self, url: str) -> None:
        self._url, self._lock = url, threading.Lock()
        self._store: Store | None = None
        self._file: Path | None = None
        self._inode: tuple[int, int] | None = None

    def open(self) -> Store:
        """The store; another one after its file was replaced. Raises what `Store.open` raises."""
        with self._lock:
            if self._store is not None and self._is_another():
                self._store.close()
                self._store = None
            if self._store is None:
                self._store = Store.open(self._url)
                self._file = file_of(self._url)
                self._inode = _inode(self._file)
            return self._store

    def close(self) -> None:
        """Let go of the store; the next call opens it again."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None

    def _is_another(self) -> bool:
        found = _inode(self._file)
        if self._file is not None and found is None:
            raise WorkspaceError(
                "the store is gone: its file was moved or deleted", got=str(self._file), fix="put it back"
            )
        return found != self._inode


def _inode(file: Path | None) -> tuple[int, int] | None:
    """What is another one for another file of the same name."""
    try:
        found = file.stat() if file is not None else None
    except FileNotFoundError:
        return None
    return found and (found.st_dev, found.st_ino)
