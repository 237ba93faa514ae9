"""The door to the store: one for all parts of a worker, opened when it is first needed.

Turns a URL into an open store. Time rule: none. Null rule: a store that cannot be opened is tried again with
the next call.
"""

from __future__ import annotations

import threading

from serving.store.store import Store

__all__ = ["StoreDoor"]


class StoreDoor:
    """Safe to share between threads, not across forks."""

    def __init__(self, url: str) -> None:
        self._url, self._lock = url, threading.Lock()
        self._store: Store | None = None

    def open(self) -> Store:
        """The store. Raises what `Store.open` raises."""
        with self._lock:
            if self._store is None:
                self._store = Store.open(self._url)
            return self._store

    def close(self) -> None:
        """Let go of the store; the next call opens it again."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None
