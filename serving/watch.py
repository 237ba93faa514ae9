"""A thread that looks again and again.

Turns a function into looks some time apart, or sooner when asked. Time rule: none. Null rule: none. What is
looked at must not raise: a thread that died is seen by `alive`, and the worker is replaced.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Watch"]


class Watch:
    """Calls `look` every so many seconds between `start` and `stop`.

    stopping: set by `stop`; a look that takes long ends when it is.
    """

    def __init__(self, look: Callable[[], None], *, every: float, name: str) -> None:
        self._look, self._every = look, every
        self.stopping, self._soon = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first look comes after the first pause."""
        self._thread.start()

    def soon(self) -> None:
        """Look without waiting for the pause to end."""
        self._soon.set()

    def stop(self) -> None:
        """End after the look that is going on."""
        self.stopping.set()
        self._soon.set()
        self._thread.join(timeout=10)

    @property
    def alive(self) -> bool:
        """Whether it goes on looking."""
        return self._thread.is_alive()

    def _watch(self) -> None:
        while not self.stopping.is_set():
            self._soon.wait(self._every)
            self._soon.clear()
            self._look()
