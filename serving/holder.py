"""The holder: keeps the desk of a worker current, and answers from it.

Turns the store's pointer and the workspace's manifest into the desk that answers now. One thread looks twice
a second for releases and another one for tables; each loads what is new beside the old, checks it, and swaps:
requests never wait for it, nor a release for tables. Time rule: a
release answers from its `activate_at` on, and is loaded before. Null rule: without a desk every request gets
the reason as a 503.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial

import duckdb

from features.errors import BundleError, EngineError, SpearfishError
from features.feature import Language
from features.tables import Attribute
from features.workspace import Workspace
from serving import metrics
from serving.activities.waiting import Waiting
from serving.ahead import Ahead
from serving.answering import Question, answer_each
from serving.batches import score_batch
from serving.desk import Desk, Snapshot
from serving.kept_errors import kept
from serving.log.entries import Answered, Entry
from serving.log.settings import LogSettings
from serving.log.writer import LogUnavailableError, PredictionLog
from serving.model_cards import ModelAnswer, model_answer
from serving.new_tables import UNREADABLE, NewTables, as_fault
from serving.overview import overview
from serving.problems import NotReadyError, WorkerBrokenError, problem_kind
from serving.profile import ProfileAnswer, profile_answer
from serving.releases import LoadedRelease, load_release
from serving.remembered import Remembered, score_together
from serving.requests import parse_batch, parse_request
from serving.scoring import Scored, utc_now
from serving.store import Store
from serving.store.door import StoreDoor
from serving.store.job_figures import job_figures
from serving.together import Together
from serving.watch import Watch
from serving.working import Verdicts

__all__ = ["THREADS", "DeskHolder"]

_LOOK_EVERY = 0.5
"""Seconds between two looks at the pointer."""

_COUNT_EVERY = 5.0
"""Seconds between two looks at how jobs go, for which all of them are read."""

_SHORT = 512
"""Bytes of a request that may be answered where it is read; longer ones bring a record or a lead."""

_LEARNED = 500
"""Answers that a new desk computes before it answers; half a second of work."""

THREADS = 16
"""Requests that are worked on at the same time; most of them wait for what is computed together."""

_logger = logging.getLogger("spearfish.serving")


class DeskHolder:
    """Answers for one worker. `start` it once, `stop` it at the end; the rest may run in any thread."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._remembered: Remembered | None = None
        self._coming: Remembered | None = None
        self._fault: SpearfishError = NotReadyError("the service is starting", fix="try again in a moment")
        self._snapshot: Snapshot | None = None
        self._store: Store | None = None
        self._releases: dict[int, LoadedRelease] = {}
        self._refused: set[int] = set()
        self.door = StoreDoor(workspace.store_url)
        self.log = PredictionLog(self.door.open, settings=LogSettings.from_environment(), clock=utc_now)
        self._verdicts, self._waiting = Verdicts(), Waiting(self.door)
        self._count_at = 0.0
        self.executor = ThreadPoolExecutor(THREADS, thread_name_prefix="score")
        self._together = Together(score_together)
        self._tables = NewTables(workspace, current=lambda: self._snapshot, take=self._take)
        self._looking = threading.Lock()
        self._watch = Watch(self.look, every=_LOOK_EVERY, name="release-watch")
        self._renewal = Watch(self.renew, every=_LOOK_EVERY, name="table-watch")
        self._ahead = Ahead(current=lambda: self._remembered, hands=self.hands)
        self._watches = (
            *(self._watch, self._renewal),
            # On its own: loading and teaching a release may take longer than news may wait.
            Watch(self.hear, every=_LOOK_EVERY, name="activity-watch"),
            Watch(self._ahead.look, every=_LOOK_EVERY, name="feature-watch"),
        )

    def start(self) -> None:
        """Load what is there and go on looking."""
        self.look()
        self.log.start()
        for watch in self._watches:
            watch.start()

    def stop(self) -> None:
        """Stop looking, and write what the log still holds."""
        for watch in self._watches:
            watch.stop()
        self.executor.shutdown()
        self._together.stop()
        self.log.stop()
        self.door.close()

    @property
    def watching(self) -> bool:
        """Whether the threads that look and that log are alive; without them the worker must be replaced."""
        return all(one.alive for one in self._watches) and self.log.writing

    def require_alive(self) -> None:
        """Raise WorkerBrokenError when the worker must be replaced."""
        if not self.watching:
            raise WorkerBrokenError("a thread that the worker needs has ended", fix="replace the worker")

    def require_ready(self) -> None:
        """Raise NotReadyError, with the reason, when a request would not be answered."""
        self._current()

    def desk(self) -> Desk:
        """The desk that answers now. Raises the reason when there is none."""
        return self._current().desk

    def _current(self) -> Remembered:
        remembered = self._remembered
        if remembered is None:
            fault = self._fault
            raise NotReadyError(fault.what, got=fault.got, allowed=fault.allowed, fix=fault.fix)
        return remembered

    @property
    def hands(self) -> Executor:
        """The thread that computes answers."""
        return self._together.hands

    def answer(
        self, body: bytes, *, request_id: str, language: Language, api_key_id: int | None = None
    ) -> Answered:
        """The answer to the body of POST /v1/score, on its way into the log."""
        current, now = self._current(), utc_now()
        request = parse_request(body, attributes=current.desk.snapshot.manifest.attributes)
        try:
            scored = self._together.answer((request, request_id), kind=(current, now, language))
        except (duckdb.Error, EngineError) as error:
            raise self._restarted(current, error) from error
        if isinstance(scored, SpearfishError):
            raise scored
        return self._keep(current.desk, scored, now=now, api_key_id=api_key_id)

    def answer_each(self, questions: Sequence[Question]) -> list[Answered | Exception]:
        """As `answer`, of many, in the thread of `hands`; what is raised stands in the place of an answer.

        Raises NotReadyError when there is nothing to answer from.
        """
        current, now = self._current(), utc_now()
        return answer_each(
            questions,
            current=current,
            now=now,
            keep=lambda scored, one: self._keep(current.desk, scored, now=now, api_key_id=one.api_key_id),
            restarted=partial(self._restarted, current),
        )

    def answer_at_once(
        self, body: bytes, *, request_id: str, language: Language, api_key_id: int | None = None
    ) -> Answered | None:
        """As `answer`, when nothing must be computed or looked up for it; None when something must."""
        if len(body) > _SHORT:
            return None
        current, now = self._current(), utc_now()
        request = parse_request(body, attributes=current.desk.snapshot.manifest.attributes)
        scored = current.at_once(request, now=now, language=language, request_id=request_id)
        return None if scored is None else self._keep(current.desk, scored, now=now, api_key_id=api_key_id)

    def answer_batch(
        self, body: bytes, *, language: Language, api_key_id: int | None = None
    ) -> list[Answered | SpearfishError]:
        """The answers to the rows of POST /v1/score/batch, on their way into the log, or what is wrong."""
        current, now = self._current(), utc_now()
        rows = parse_batch(body, attributes=current.desk.snapshot.manifest.attributes)
        try:
            found = score_batch(current.desk, rows=rows, now=now, language=language, remembered=current)
        except (duckdb.Error, EngineError) as error:
            raise self._restarted(current, error) from error
        return [self._kept(current.desk, one, now=now, api_key_id=api_key_id) for one in found]

    def _kept(
        self, desk: Desk, found: Scored | SpearfishError, *, now: datetime, api_key_id: int | None
    ) -> Answered | SpearfishError:
        if isinstance(found, SpearfishError):
            self.count_problem(problem_kind(found).slug)
            return found
        try:
            return self._keep(desk, found, now=now, api_key_id=api_key_id)
        except LogUnavailableError as error:
            return kept(error)

    def _keep(self, desk: Desk, scored: Scored, *, now: datetime, api_key_id: int | None) -> Answered:
        """Put an answer into the log. Every answer goes this way."""
        metrics.count_answer(scored.answer)
        entry = Entry(
            scored=scored,
            at=now,
            snapshot=desk.snapshot.manifest.snapshot,
            fingerprints=desk.release.release.fingerprints,
            people=desk.snapshot.people,
            api_key_id=api_key_id,
        )
        return Answered(scored.answer, scored.text(), self.log.keep(entry))

    def profile(self, *, language: Language, model: str | None = None) -> ProfileAnswer:
        """The ideal customer profile of the release that answers. model: the key of a fit model."""
        return profile_answer(self.desk().release, language=language, model=model)

    def model(self, *, language: Language) -> ModelAnswer:
        """The models of the release that answers, and who chose it."""
        release = self.desk().release
        return model_answer(release, events=self.door.open().events(), language=language)

    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that requests may carry; none before there are data."""
        current = self._remembered
        return current.desk.snapshot.manifest.attributes if current else ()

    def overview(self) -> Mapping[str, object]:
        """What the page shows before anything is asked."""
        return overview(self.desk())

    def count_problem(self, slug: str) -> None:
        """Count an answer that is a problem."""
        metrics.count_problem(slug)

    def look(self) -> None:
        """Load a new release, and swap when it is its turn. Faults are kept, never raised."""
        if self._snapshot is None:
            self.renew()
        try:
            with self._looking:
                before = self._look(now=utc_now())
            if before is not None:
                before.let_go()
        except UNREADABLE as error:
            self._complain(as_fault(error, "the tables cannot be opened"))
        else:
            metrics.show_fault("release", is_there=False)

    def renew(self) -> None:
        """Load new tables, and swap. Faults are kept, never raised."""
        self._tables.look()

    def _take(self, snapshot: Snapshot) -> None:
        """Let tables answer, once there is a desk with them for every release that answers or is to come."""
        made: list[Remembered] = []

        def of(held: Remembered | None) -> Remembered | None:
            return held and next((one for one in made if _is_of(one, held.desk.release, snapshot)), None)

        while True:
            with self._looking:
                held = [one for one in (self._remembered, self._coming) if one is not None]
                missing = [one.desk.release for one in held if of(one) is None]
                if not missing:
                    self._snapshot = snapshot
                    self._remembered, self._coming = of(self._remembered), of(self._coming)
                    break
            made += [self._made(release, snapshot, due=utc_now()) for release in missing]
        for one in held:
            one.let_go()
        # Where nothing answers yet, a release waits for them.
        self._watch.soon()

    def hear(self) -> None:
        """Learn of new activities and of what sales said, and tell how far things are."""
        # First: it is of interest above all while the store does not answer, which is asked again.
        self.log.show()
        with suppress(SpearfishError):
            self._waiting.refresh()
        with suppress(*UNREADABLE):
            self._verdicts.refresh(self.door.open())
        metrics.show_waiting(self._waiting.rows)
        if time.monotonic() >= self._count_at:
            self._count_at = time.monotonic() + _COUNT_EVERY
            with suppress(SpearfishError), self.door.open().reading() as connection:
                metrics.show_jobs(job_figures(connection, now=utc_now()))

    def _look(self, *, now: datetime) -> Remembered | None:
        """What answered before, where something else does now."""
        before, store = self._remembered, self.door.open()
        self._meet(store)
        pointer = store.pointer()
        current, coming = pointer.serving_id(now), pointer.release_id
        if current is None:
            raise NotReadyError("no release is current", fix="train the models, then run `spearfish promote`")
        release = self._release(store, current)
        if coming is not None:
            self._release(store, coming)
        snapshot = self._snapshot
        if snapshot is None:
            raise self._tables.fault or NotReadyError(
                "the tables are being read", fix="try again in a moment"
            )
        if not _is_of(self._remembered, release, snapshot):
            ready = self._coming if _is_of(self._coming, release, snapshot) else None
            self._remembered = ready or self._made(release, snapshot, due=now)
            models = {one.bundle.name: one.bundle.version for one in release.scorers}
            metrics.show_release(release.release.id, models=models)
            _logger.info("release %s answers, data through %s", current, snapshot.manifest.data_through)
        if coming in (None, current):
            self._coming = None
            if not self.desk().is_quick:
                self._remembered = self._made(release, snapshot, due=now)
        elif not _is_of(self._coming, self._releases[coming], snapshot):
            due = pointer.activate_at or now
            self._coming = self._made(self._releases[coming], snapshot, due=due)
        self._releases = {key: value for key, value in self._releases.items() if key in (current, coming)}
        return None if before is self._remembered else before

    def _meet(self, store: Store) -> None:
        """Know nothing of another store than before: where one was restored, its numbers may be the same."""
        if self._store is not store:
            verdicts = Verdicts()
            verdicts.refresh(store)
            self._releases, self._refused, self._coming = {}, set(), None
            self._store, self._verdicts = store, verdicts
            self._waiting.forget()

    def _made(self, release: LoadedRelease, snapshot: Snapshot, *, due: datetime) -> Remembered:
        """A desk that is ready to answer, and knows what the one before it was asked last.

        due: when it should answer; a second may be taken in any case. What it could not learn by then it
        computes when it is asked; tables that cannot be in memory by then it reads from their files, until it
        is made again.
        """
        self._waiting.cover(snapshot.moved_through)
        before, left = self._remembered, max(1.0, (due - utc_now()).total_seconds())
        until = time.monotonic() + left
        desk = Desk(
            snapshot,
            release=release,
            verdicts=self._verdicts,
            waiting=self._waiting,
            resident=before is None or before.desk.release is release or snapshot.is_copied_in(left),
            before=None if before is None else before.desk,
        )
        self._warm(desk)
        made = Remembered(desk, stop=self._watch.stopping)
        if before is None:
            self._ahead.start(desk)
        elif desk.is_quick:
            made.learn(before.newest(_LEARNED), now=utc_now(), until=until)
        return made

    def _warm(self, desk: Desk) -> None:
        """Plan the queries before the first request needs them, in the thread that will run them."""
        self._together.hands.submit(desk.plan, as_of=utc_now()).result()

    def _release(self, store: Store, release_id: int) -> LoadedRelease:
        if release_id in self._refused:
            raise BundleError(f"release {release_id} cannot be trusted", fix="run `spearfish rollback`")
        if release_id not in self._releases:
            try:
                self._releases[release_id] = load_release(store, release=store.release(release_id))
            except BundleError:
                self._refused.add(release_id)
                raise
        return self._releases[release_id]

    def _complain(self, error: SpearfishError) -> None:
        if str(error) != str(self._fault):
            _logger.error("%s", error)
        self._fault = error
        metrics.show_fault("release", is_there=True)

    def _restarted(self, failed: Remembered, error: Exception) -> EngineError:
        """After a fatal fault DuckDB refuses every further query: the next look opens it anew."""
        if self._remembered is failed:
            self._remembered = self._coming = self._snapshot = None
            self._fault = NotReadyError("the SQL engine is being restarted", fix="try again in a moment")
            self._renewal.soon()
        _logger.error("the SQL engine failed and is restarted: %s", error)
        return EngineError(
            "the SQL engine failed and is being restarted", sql="", fix="try again in a moment"
        )


def _is_of(made: Remembered | None, release: LoadedRelease, snapshot: Snapshot) -> bool:
    return made is not None and made.desk.release is release and made.desk.snapshot is snapshot
