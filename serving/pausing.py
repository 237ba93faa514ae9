"""A pause of the garbage collector while a batch is answered.

Turns the search for cycles off for as long as anybody asks, and on again after the last one. The answers of a
batch are hundreds of thousands of objects that live until they are sent and hold no cycles: to look through
them again and again takes as long as to make them. Time and null rules: none.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]

_lock = threading.Lock()
_pausing: list[bool] = []
"""Whether the collector was on, for each pause that has not ended."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Make objects without a look for cycles. Pauses may overlap, in any number of threads."""
    with _lock:
        _pausing.append(gc.isenabled() or any(_pausing))
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            if _pausing.pop() and not _pausing:
                gc.enable()
