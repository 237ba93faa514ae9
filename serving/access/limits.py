"""How often a key may ask: one bucket for each, shared by the workers of a workspace on one machine.

Turns the moments of requests into the seconds that the next one must wait. A bucket holds `burst` requests
and fills by `per_minute`; it is kept as the one number of the generic cell rate algorithm (ITU-T I.371), the
moment at which it will be full again. The buckets lie in a small file in memory, so that asking costs
microseconds and no database, and a client gets its whole limit whichever worker it talks to. Each machine
behind a load balancer counts for itself. Time rule: the machine's clock; a bucket from
the future, after the clock was set back, is a full one. Null rule: where the file cannot be made each worker
counts for itself.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
from pathlib import Path

__all__ = ["Limits"]

_SLOT = struct.Struct("<d")
_SLOTS = 8_192
_SIZE = _SLOTS * _SLOT.size
_ROUNDING = 1e-3
"""Seconds; the clock's own digits end at a ten-millionth."""

_logger = logging.getLogger("spearfish.serving")


class Limits:
    """The buckets. For the one thread of an event loop.

    file: where they lie; made when the first key asks. Keys beyond 8,192 share the bucket of an earlier one.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._descriptor: int | None = None
        self._buckets: mmap.mmap | None = None

    def take(self, key: int, *, per_minute: float, burst: float, now: float) -> float:
        """0 when there is a request left in the bucket of this key, and then it is taken; else the seconds
        until there will be one. now: seconds of the machine's clock.

        >>> [Limits(None).take(1, per_minute=60, burst=1, now=1e9)]
        [0.0]
        """
        buckets, offset = self._buckets or self._opened(), key % _SLOTS * _SLOT.size
        self._lock(fcntl.LOCK_EX, offset)
        try:
            return _take(buckets, offset, interval=60 / per_minute, burst=burst, now=now)
        finally:
            self._lock(fcntl.LOCK_UN, offset)

    def wait(self, key: int, *, per_minute: float, burst: float, now: float) -> float:
        """As `take`, and nothing is taken."""
        buckets, offset = self._buckets or self._opened(), key % _SLOTS * _SLOT.size
        _, wait = _look(buckets, offset, interval=60 / per_minute, burst=burst, now=now)
        return wait

    def close(self) -> None:
        """Let go of the file; a request that comes all the same opens it again."""
        if self._buckets is not None:
            self._buckets.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._buckets = self._descriptor = None

    def _opened(self) -> mmap.mmap:
        self._descriptor = _descriptor_of(self._file)
        self._buckets = mmap.mmap(-1 if self._descriptor is None else self._descriptor, _SIZE)
        return self._buckets

    def _lock(self, how: int, offset: int) -> None:
        if self._descriptor is not None:
            fcntl.lockf(self._descriptor, how, _SLOT.size, offset)


def _take(buckets: mmap.mmap, offset: int, *, interval: float, burst: float, now: float) -> float:
    full_at, wait = _look(buckets, offset, interval=interval, burst=burst, now=now)
    if not wait:
        _SLOT.pack_into(buckets, offset, full_at + interval)
    return wait


def _look(
    buckets: mmap.mmap, offset: int, *, interval: float, burst: float, now: float
) -> tuple[float, float]:
    """When a bucket will be full, and the seconds until it has a request left."""
    (full_at,) = _SLOT.unpack_from(buckets, offset)
    if not now <= full_at <= now + burst * interval + _ROUNDING:
        full_at = now
    wait: float = full_at + interval - burst * interval - now
    return full_at, wait if wait > _ROUNDING else 0.0


def _descriptor_of(file: Path | None) -> int | None:
    if file is None:
        return None
    descriptor = None
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(descriptor, _SIZE)
        # Room is taken now: on a full disk, to write into a hole of a mapped file ends the process.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, _SIZE)
    except OSError as error:
        if descriptor is not None:
            os.close(descriptor)
        _logger.warning("rate limits hold for each worker alone: %s", error)
        return None
    return descriptor
