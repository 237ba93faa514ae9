"""Features of today, computed before anybody asks for them.

Turns the accounts of the desk that answers into their features at the moment that a request without one
stands for, those with the newest facts first: what a CRM opens for the first time today is at hand as if it
had been asked before. Time rule: the moment is `default_as_of`; at midnight of the tables' zone, and where
another desk has taken nothing over (see `Desk`), all is computed anew. Null rule: beyond the first 20,000
accounts, and where tables are too large for memory, features are computed when they are asked for.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime

import duckdb
import pandas as pd

from features.errors import EngineError
from serving.desk import Desk
from serving.remembered import Remembered
from serving.scoring import utc_now
from serving.subjects import default_as_of, default_moments

__all__ = ["Ahead"]

MOST = 20_000
"""Accounts; some fifty megabytes."""

_AT_ONCE = 64
"""Accounts of a group, some 25 milliseconds: a request waits for no more than one of them, and each of a
smaller one costs more."""

_SPELL = 0.1
"""Seconds of work at each look, so that most of the time is left to requests."""

_START, _AT_START = 2.0, 512
"""Seconds of work, and accounts of a group, where nobody waits for an answer yet: ten times as many."""

_logger = logging.getLogger("spearfish.serving")


class Ahead:
    """For a thread that looks again and again. hands: the thread that computes answers."""

    def __init__(self, *, current: Callable[[], Remembered | None], hands: Executor) -> None:
        self._current, self._hands = current, hands
        self._of: Callable[[], Desk | None] = lambda: None
        self._midnight: datetime | None = None
        self._left = pd.DataFrame()
        self._working = threading.Lock()

    def start(self, desk: Desk) -> None:
        """Compute what a short while allows for a desk before which none answers."""
        self._work(desk, seconds=_START, at_once=_AT_START)

    def look(self) -> None:
        """Compute a few groups more. What fails is left to requests, which tell of it."""
        current = self._current()
        if current is not None:
            self._work(current.desk, seconds=_SPELL, at_once=_AT_ONCE)

    def _work(self, desk: Desk, *, seconds: float, at_once: int) -> None:
        if not desk.is_resident:
            return
        until = time.monotonic() + seconds
        with self._working:
            self._begin(desk, now=utc_now())
            while len(self._left) and time.monotonic() < until:
                group, self._left = self._left[:at_once], self._left[at_once:]
                try:
                    self._hands.submit(desk.compute_ahead, group).result()
                except (duckdb.Error, EngineError) as error:
                    _logger.warning("features are not computed ahead: %s", error)
                    self._left = self._left[:0]

    def _begin(self, desk: Desk, *, now: datetime) -> None:
        """Find out whose features are to be computed, once for each desk and day."""
        midnight = default_as_of(None, now=now, time_zone=desk.time_zone)
        if self._of() is desk and self._midnight == midnight:
            return
        newest = desk.snapshot.accounts.newest(limit=MOST)
        moments = default_moments(newest["newest_known_at"], now=now, time_zone=desk.time_zone)
        self._left = pd.DataFrame(
            {"account_id": newest["account_id"], "as_of": moments.astype("datetime64[us]")}
        )
        # No longer alive because of us than it answers.
        self._of, self._midnight = weakref.ref(desk), midnight
