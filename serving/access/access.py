"""Access to one worker: the keys it knows, kept current, and the gate that asks them.

Turns the store's keys and sessions into rings in memory. A thread looks twice a second whether they changed,
so that a revoked key is refused within a second on every worker and replica, and no request with a key waits
for the store. One with a session waits for a look that began after it came: who signed in on another worker
is known here, and who was signed out, disabled or given another role there is at once. Time rule: while the
store does not answer, the keys and sessions that were known go on for five minutes. Null rule: before they
were read, and after those minutes, nobody can be told from anybody, and requests get a 503.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from starlette.requests import HTTPConnection

from features.errors import SpearfishError
from serving.access.callers import Caller
from serving.access.gate import Gate, Known, by_session
from serving.access.limits import Limits
from serving.access.ring import KeyRing
from serving.access.scopes import Scope
from serving.access.signed_in import SignedIn
from serving.access.tally import Tally
from serving.problems import AccessUnknownError, WorkerBrokenError
from serving.scoring import utc_now
from serving.store import keys, people
from serving.store.door import StoreDoor
from serving.store.store import Store
from serving.watch import Watch

__all__ = ["Access"]

_LOOK_EVERY = 0.5
_WRITE_EVERY = 5.0
_FRESH_FOR = 2.0
_REREAD_AFTER = 60.0
"""Seconds after which all keys are read again, whatever the store says of changes: it may be another one."""

_TRUSTED_FOR = 300.0
"""Seconds that known keys and sessions go on without a store."""

_PATIENCE = 2.0
"""Seconds that a request with a session waits for a look."""

_logger = logging.getLogger("spearfish.serving")


class Access:
    """Who may pass, for one worker. `start` it once, `stop` it at the end.

    limits: the file of the buckets, see `serving.access.limits`; None counts for this worker alone.
    """

    def __init__(self, door: StoreDoor, *, limits: Path | None) -> None:
        self._door, self._limits = door, Limits(limits)
        self._ring: KeyRing | None = None
        self._people: SignedIn | None = None
        self._looks = threading.Lock()
        self._extra = ThreadPoolExecutor(1, thread_name_prefix="session-look")
        self._asked: Future[None] | None = None
        self._store: Store | None = None
        self._read_at = self._taken_at = -_TRUSTED_FOR
        self._fault = ""
        self._tally = Tally(utc_now)
        self._gate = Gate(self._known, limits=self._limits, tally=self._tally, now=utc_now)
        # Writing waits for other writers; looking must not.
        self._looking = Watch(self.look, every=_LOOK_EVERY, name="key-watch")
        self._writing = Watch(self.write, every=_WRITE_EVERY, name="key-tally")

    def start(self) -> None:
        """Read the keys and go on looking."""
        self.look()
        self._looking.start()
        self._writing.start()

    def stop(self) -> None:
        """Write what was counted, and stop looking."""
        self._looking.stop()
        self._writing.stop()
        self._extra.shutdown(cancel_futures=True)
        self._limits.close()

    @property
    def watching(self) -> bool:
        """Whether the threads are alive; without them the worker must be replaced."""
        return self._looking.alive and self._writing.alive

    def require_alive(self) -> None:
        """Raise WorkerBrokenError when nobody looks at the keys any more."""
        if not self.watching:
            raise WorkerBrokenError("nobody looks at the keys any more", fix="replace the worker")

    def require_ready(self) -> None:
        """Raise AccessUnknownError when keys cannot be told apart now."""
        if self._known().ring is None:
            raise AccessUnknownError("the API keys are not known", fix="try again in a moment")

    async def admit(self, request: HTTPConnection, *, needs: Scope | None, here: bool = False) -> Caller:
        """The caller of a request; see `Gate.admit`."""
        session = by_session(request) if needs is not None else None
        if session is not None and not await self._look_again() and self._may_be_new(session):
            raise AccessUnknownError("the sessions cannot be read now", fix="try again in a moment")
        return self._gate.admit(request, needs=needs, here=here)

    def look(self) -> None:
        """Read the keys and sessions when they changed. Faults are kept, never raised."""
        # One after the other: what was read earlier must not take the place of what was read later.
        with self._looks:
            try:
                self._read()
            except SpearfishError as error:
                self._complain(error)

    def write(self) -> None:
        """Write what was counted. Faults are kept, never raised."""
        try:
            self._tally.write(self._door.open())
        except SpearfishError as error:
            self._complain(error)

    def _may_be_new(self, session: str) -> bool:
        known = self._people
        return known is not None and known.anybody and known.find(session) is None

    async def _look_again(self) -> bool:
        """Wait for a look that begins after now; those who come while one goes on share the next.

        False where it did not come to an end: what was known goes on.
        """
        if self._fault:
            # Nobody waits for a store that does not answer.
            return False
        if self._asked is None or self._asked.running() or self._asked.done():
            self._asked = self._extra.submit(self.look)
        # Others wait for the same look: it goes on when one of them gives up.
        done, _ = await asyncio.wait((asyncio.wrap_future(self._asked),), timeout=_PATIENCE)
        return bool(done) and not self._fault

    def _read(self) -> None:
        store = self._door.open()
        with store.reading() as connection:
            of_keys, of_people = keys.changes(connection), people.changes(connection)
            before = (self._ring and self._ring.change, self._people and self._people.change)
            if before != (of_keys, of_people) or self._store is not store or self._is_old():
                invited = bool(people.every_user(connection))
                sessions = people.open_sessions(connection, now=utc_now())
                self._take(
                    KeyRing(keys.every_key(connection), change=of_keys),
                    SignedIn(sessions, anybody=invited, change=of_people),
                )
        self._store = store
        self._read_at = time.monotonic()
        self._fault = ""

    def _take(self, ring: KeyRing, signed_in: SignedIn) -> None:
        if not (ring or signed_in.anybody or self._ring):
            _logger.warning("no API key is configured: requests from this machine are answered, no others")
        self._ring, self._people, self._taken_at = ring, signed_in, time.monotonic()

    def _is_old(self) -> bool:
        return time.monotonic() - self._taken_at > _REREAD_AFTER

    def _known(self) -> Known:
        age = time.monotonic() - self._read_at
        if age >= _TRUSTED_FOR:
            return Known(None, None, fresh=False)
        return Known(self._ring, self._people, fresh=age < _FRESH_FOR)

    def _complain(self, error: SpearfishError) -> None:
        if str(error) != self._fault:
            _logger.error("API keys: %s", error)
        self._fault = str(error)
