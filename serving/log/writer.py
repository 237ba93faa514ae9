"""The writer: answers go into the store in batches, from a thread of their own.

Turns entries into rows, one transaction for a batch: whoever answers only puts an entry into a bounded
queue. A buffered log waits a tenth of a second for more and tries again for as long as the store does not
write. A durable one writes what is there at once, and each answer waits until the batch that holds it is on
disk: those that come meanwhile share the next one. Time rule: answers older than the days asked for go, a few
at a time. Null rule: a log that is off keeps nothing and always says yes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy.exc import DataError, IntegrityError

from features.errors import SpearfishError, WorkspaceError
from serving import metrics
from serving.log.retention import MOST_AT_ONCE, prune_some
from serving.log.settings import LogSettings
from serving.store import Store, predictions
from serving.store.turns import wait_for_erasing

if TYPE_CHECKING:
    from serving.log.entries import Entry

__all__ = ["LogUnavailableError", "PredictionLog"]

_GATHER = 0.1
"""Seconds that a buffered batch waits for more."""

_PAUSE = 0.5
"""Seconds between two tries to write what the store did not take."""

_LAST_TRIES = 10.0
"""Seconds in which a log that is to stop goes on trying."""

_PRUNE_EVERY = 60.0
"""Seconds between two looks for what is too old."""

_logger = logging.getLogger("spearfish.serving")


class LogUnavailableError(WorkspaceError):
    """A durable log cannot keep the answer, which therefore is not given: 503, to be tried again."""


class _Waiting(NamedTuple):
    entry: Entry
    since: float
    kept: Future[bool]


class PredictionLog:
    """The log of one worker. `start` it once, `stop` it at the end; `keep` from any thread.

    open_store: gives the store, which stays its owner's; raises WorkspaceError while there is none.
    clock: the current second, naive UTC.
    """

    def __init__(
        self, open_store: Callable[[], Store], *, settings: LogSettings, clock: Callable[[], datetime]
    ) -> None:
        self.settings = settings
        self._open_store, self._clock = open_store, clock
        self._queue: Queue[_Waiting] = Queue(settings.longest)
        self._batch: list[_Waiting] = []
        self._stopping, self._pause = threading.Event(), threading.Event()
        self._stop_by = float("inf")
        self._prune_at = time.monotonic() + _PRUNE_EVERY
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        if self.settings.mode != "off":
            self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._stop_by = time.monotonic() + _LAST_TRIES
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2 * _LAST_TRIES)

    @property
    def writing(self) -> bool:
        """Whether the thread that writes is alive; without it the worker must be replaced."""
        return self.settings.mode == "off" or self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Answers that are not in the store yet."""
        return self._queue.unfinished_tasks

    @property
    def lag(self) -> float:
        """Seconds that the oldest of them has waited; 0 for none."""
        with self._queue.mutex:
            waiting = self._batch or self._queue.queue
            since = waiting[0].since if waiting else None
        return 0.0 if since is None else time.monotonic() - since

    def keep(self, entry: Entry) -> Future[bool]:
        """Put an answer into the log.

        The result says whether it is kept: True, of a durable log once it is on disk, and False where a
        buffered log was full. Raises LogUnavailableError, here or as the result, where a durable log is full
        or its store does not write.
        """
        if self.settings.mode == "off":
            return _settled(kept=True)
        waiting = _Waiting(entry, time.monotonic(), Future())
        try:
            self._queue.put_nowait(waiting)
        except Full:
            if self.settings.mode == "durable":
                raise _unavailable("too many answers wait to be written") from None
            metrics.count_dropped(1)
            return _settled(kept=False)
        return waiting.kept if self.settings.mode == "durable" else _settled(kept=True)

    def show(self) -> None:
        """Tell the metrics how far behind the log is."""
        metrics.show_log(lag=self.lag, waiting=self.waiting)

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._queue.empty()):
            batch = self._batch = self._next_batch()
            if batch:
                self._write(batch)
            self._batch = []
            for _ in batch:
                self._queue.task_done()
            self._prune_when_due()

    def _next_batch(self) -> list[_Waiting]:
        try:
            batch = [self._queue.get(timeout=_PAUSE)]
        except Empty:
            return []
        if self.settings.mode == "buffered":
            self._stopping.wait(_GATHER)
        while len(batch) < MOST_AT_ONCE and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    def _write(self, batch: Sequence[_Waiting]) -> None:
        """Write a batch; a buffered log tries again and again. What is refused is refused alone."""
        while True:
            try:
                self._insert([each.entry for each in batch])
            # The list of the forgotten, which rows are made by, may be damaged or out of reach.
            except (SpearfishError, IntegrityError, OSError) as error:
                if len(batch) > 1 and _is_refused(error):
                    return self._write_each(batch)
                if not self._again(error):
                    return self._give_up(batch, error)
                self._pause.wait(_PAUSE)
            else:
                metrics.count_kept(len(batch))
                return _settle(batch)

    def _write_each(self, batch: Sequence[_Waiting]) -> None:
        for one in batch:
            self._write([one])

    def _insert(self, entries: Sequence[Entry]) -> None:
        """Rows are made before it is our turn to write; those made before somebody was forgotten, anew."""
        listed = _listed(entries)
        made = [entry.row() for entry in entries]
        with self._open_store().writing() as connection:
            wait_for_erasing(connection)
            if _listed(entries) != listed:
                made = [entry.row() for entry in entries]
            predictions.insert(connection, made)

    def _again(self, error: Exception) -> bool:
        """Whether to try once more: not what the database will never take, nor when somebody waits for it."""
        late = self._stopping.is_set() and time.monotonic() > self._stop_by
        again = self.settings.mode == "buffered" and not _is_refused(error) and not late
        if again:
            _logger.error("answers wait to be written: %s", error)
        return again

    def _give_up(self, batch: Sequence[_Waiting], error: Exception) -> None:
        _logger.error("%s answers are not kept: %s", len(batch), error)
        if self.settings.mode == "buffered":
            metrics.count_dropped(len(batch))
        _settle(batch, error=_unavailable("the store does not write"))

    def _prune_when_due(self) -> None:
        """Delete some of what is too old, and soon more of it while there is."""
        if not self.settings.days or time.monotonic() < self._prune_at or self._stopping.is_set():
            return
        try:
            before = self._clock() - timedelta(days=self.settings.days)
            gone = prune_some(self._open_store(), before=before)
        except SpearfishError as error:
            _logger.warning("old answers stay for now: %s", error)
            gone = 0
        self._prune_at = time.monotonic() + (1.0 if gone == MOST_AT_ONCE else _PRUNE_EVERY)


def _listed(entries: Sequence[Entry]) -> list[object]:
    """What is another one once a row of these entries may be: most of them know the same people."""
    return [people.listed() for people in {id(entry.people): entry.people for entry in entries}.values()]


def _is_refused(error: Exception) -> bool:
    """Whether the database takes a row neither now nor later."""
    return isinstance(error, IntegrityError) or isinstance(error.__cause__, DataError)


def _settled(*, kept: bool) -> Future[bool]:
    done: Future[bool] = Future()
    done.set_result(kept)
    return done


def _settle(batch: Sequence[_Waiting], *, error: Exception | None = None) -> None:
    for each in batch:
        # Whoever waited may have given up meanwhile.
        if not each.kept.set_running_or_notify_cancel():
            continue
        if error is None:
            each.kept.set_result(True)
        else:
            each.kept.set_exception(error)


def _unavailable(why: str) -> LogUnavailableError:
    return LogUnavailableError(
        f"the answer cannot be kept: {why}", fix="try again in a few seconds; /metrics tells of the log"
    )
