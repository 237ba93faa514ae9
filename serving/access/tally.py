"""Which keys and sessions were used and how often somebody was refused, on the way to the store.

Turns uses and refusals of a worker into counts, written together every few seconds: a request never waits
for the store, and a flood of refused ones makes no flood of rows. What a worker that is killed had not
written yet is lost; counts are a hint, not a bill. Time rule: uses of
keys and refusals are counted by hour; uses of sessions are kept to five minutes. Null
rule: a refusal without a known key has an empty prefix.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from features.errors import SpearfishError
from serving.store import audit, keys, people
from serving.store.people import Session
from serving.store.store import Store

__all__ = ["Tally"]

_KEPT_TO = timedelta(minutes=5)


class Tally:
    """Counts of one worker. Safe to share between threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now, self._lock = now, threading.Lock()
        self._refused: Counter[tuple[datetime, str, str]] = Counter()
        self._used: dict[str, datetime] = {}
        self._written: dict[str, datetime] = {}
        self._seen: dict[int, datetime] = {}
        self._kept: dict[int, datetime] = {}

    def use(self, prefix: str) -> None:
        """Count a use of a key."""
        self._used[prefix] = self._hour()

    def use_session(self, session: Session, *, now: datetime) -> None:
        """Count a use of a session."""
        self._seen[session.id] = now

    def last_use(self, session: Session) -> datetime:
        """When this worker, or the store as it was read, saw a session last."""
        return max(session.last_used_at, self._seen.get(session.id, session.last_used_at))

    def refuse(self, reason: str, *, prefix: str = "") -> None:
        """Count a refusal."""
        with self._lock:
            self._refused[self._hour(), reason, prefix] += 1

    def write(self, store: Store) -> None:
        """Write what is new since the last time. What cannot be written waits for the next time."""
        with self._lock:
            refused, self._refused = self._refused, Counter()
        used = dict(self._used.copy().items() - self._written.items())
        seen = {
            one: moment
            for one, moment in self._seen.copy().items()
            if one not in self._kept or moment - self._kept[one] >= _KEPT_TO
        }
        if not (refused or used or seen):
            return
        try:
            with store.writing() as connection:
                if refused:
                    audit.count_refusals(connection, counts=refused)
                for hour in sorted(set(used.values())):
                    of_hour = [prefix for prefix in used if used[prefix] == hour]
                    keys.note_uses(connection, prefixes=of_hour, hour=hour)
                people.note_uses(connection, uses=seen)
        except SpearfishError:
            with self._lock:
                self._refused.update(refused)
            raise
        self._written |= used
        self._kept |= seen

    def _hour(self) -> datetime:
        return self._now().replace(minute=0, second=0, microsecond=0)
