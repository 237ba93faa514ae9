"""The holder: keeps the desk of a worker current, and answers from it.

Turns the store's pointer and the workspace's manifest into the desk that answers now. A thread looks twice a
second, loads what is new beside the old, checks it, and swaps; requests never wait for it. Time rule: a
release answers from its `activate_at` on, and is loaded before. Null rule: without a desk every request gets
the reason as a 503.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import duckdb

from features.errors import BundleError, EngineError, SpearfishError
from features.feature import Language
from features.tables import Attribute, Tables
from features.workspace import Workspace
from serving import metrics
from serving.activities.waiting import Waiting
from serving.answers import iso
from serving.batches import score_batch
from serving.desk import Desk, Snapshot
from serving.log.entries import Answered, Entry
from serving.log.settings import LogSettings
from serving.log.writer import LogUnavailableError, PredictionLog
from serving.model_cards import ModelAnswer, model_answer
from serving.problems import NotReadyError, WorkerBrokenError, problem_kind
from serving.profile import ProfileAnswer, profile_answer
from serving.releases import LoadedRelease, load_release
from serving.remembered import Remembered
from serving.requests import ScoreRequest, parse_batch, parse_request
from serving.scoring import Scored, utc_now
from serving.store import Store, jobs
from serving.store.door import StoreDoor
from serving.together import Together
from serving.watch import Watch
from serving.working import Verdicts

__all__ = ["THREADS", "DeskHolder"]

_LOOK_EVERY = 0.5
"""Seconds between two looks at the pointer."""

_SHORT = 512
"""Bytes of a request that may be answered where it is read; longer ones bring a record or a lead."""

_FEW_NAMES = 10_000
"""Accounts whose names are read before they are asked for; two seconds of work."""

_LEARNED = 500
"""Answers that a new desk computes before it answers; half a second of work."""

_COPIED = 300_000
"""Activities that are copied into memory in a second while requests are answered on the same cores."""

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
        self._verdicts = Verdicts()
        self._waiting = Waiting(self.door)
        self.executor = ThreadPoolExecutor(THREADS, thread_name_prefix="score")
        self._together = Together(_score_together)
        self._looking = threading.Lock()
        self._watch = Watch(self.look, every=_LOOK_EVERY, name="release-watch")
        # On its own: loading a release or tables may take longer than news may wait.
        self._news = Watch(self.hear, every=_LOOK_EVERY, name="activity-watch")

    def start(self) -> None:
        """Load what is there and go on looking."""
        self.look()
        self.log.start()
        self._watch.start()
        self._news.start()

    def stop(self) -> None:
        """Stop looking, and write what the log still holds."""
        self._watch.stop()
        self._news.stop()
        self.executor.shutdown()
        self._together.stop()
        self.log.stop()
        self.door.close()

    @property
    def watching(self) -> bool:
        """Whether the threads that look and that log are alive; without them the worker must be replaced."""
        return self._watch.alive and self._news.alive and self.log.writing

    def require_alive(self) -> None:
        """Raise WorkerBrokenError when the worker must be replaced."""
        if not self.watching:
            raise WorkerBrokenError("a thread that the worker needs has ended", fix="replace the worker")

    def require_ready(self) -> None:
        """Raise NotReadyError, with the reason, when a request would not be answered."""
        self._current()

    @property
    def ready(self) -> bool:
        """Whether a request would be answered."""
        return self._remembered is not None

    def desk(self) -> Desk:
        """The desk that answers now. Raises the reason when there is none."""
        return self._current().desk

    def _current(self) -> Remembered:
        remembered = self._remembered
        if remembered is None:
            fault = self._fault
            raise NotReadyError(fault.what, got=fault.got, allowed=fault.allowed, fix=fault.fix)
        return remembered

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
        desk = current.desk
        rows = parse_batch(body, attributes=desk.snapshot.manifest.attributes)
        try:
            found = score_batch(desk, rows=rows, now=now, language=language, remembered=current)
        except (duckdb.Error, EngineError) as error:
            raise self._restarted(current, error) from error
        return [self._kept(desk, one, now=now, api_key_id=api_key_id) for one in found]

    def _kept(
        self, desk: Desk, found: Scored | SpearfishError, *, now: datetime, api_key_id: int | None
    ) -> Answered | SpearfishError:
        if isinstance(found, SpearfishError):
            self.count_problem(problem_kind(found).slug)
            return found
        try:
            return self._keep(desk, found, now=now, api_key_id=api_key_id)
        except LogUnavailableError as error:
            return error

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
        desk = self.desk()
        manifest = desk.snapshot.manifest
        return {
            "workspace": manifest.workspace,
            "time_zone": str(desk.time_zone),
            "data_through": iso(manifest.data_through) if manifest.data_through else None,
            "accounts": desk.snapshot.accounts.count,
            "examples": desk.snapshot.accounts.examples(limit=4),
            "channels": list(manifest.channels),
            "release": desk.release.release.id,
            "models": sorted(desk.release.release.fingerprints),
            "levels": desk.levels(),
        }

    def count_problem(self, slug: str) -> None:
        """Count an answer that is a problem."""
        metrics.count_problem(slug)

    def look(self) -> None:
        """Load what is new, and swap when it is its turn. Faults are kept, never raised."""
        try:
            with self._looking:
                self._look(now=utc_now())
        except SpearfishError as error:
            self._complain(error)
        except duckdb.Error as error:
            self._complain(
                EngineError(f"the tables cannot be opened: {error}", sql="", fix="run `spearfish doctor`")
            )

    def hear(self) -> None:
        """Learn which accounts have new activities."""
        # A store that does not answer is asked again; the other watch tells of it.
        with suppress(SpearfishError):
            self._waiting.refresh()
        metrics.show_waiting(self._waiting.rows)
        with suppress(SpearfishError), self.door.open().reading() as connection:
            metrics.show_jobs(jobs.counts(connection))

    def _look(self, *, now: datetime) -> None:
        store = self.door.open()
        self._meet(store)
        pointer = store.pointer()
        self._verdicts.refresh(store)
        self.log.show()
        current, coming = pointer.serving_id(now), pointer.release_id
        if current is None:
            raise NotReadyError("no release is current", fix="train the models, then run `spearfish promote`")
        release = self._release(store, current)
        if coming is not None:
            self._release(store, coming)
        snapshot = self._current_snapshot()
        if not _is_of(self._remembered, release, snapshot):
            ready = self._coming if _is_of(self._coming, release, snapshot) else None
            self._remembered = ready or self._made(release, snapshot, due=now)
            metrics.show_release(
                release.release.id,
                models={one.bundle.name: one.bundle.version for one in release.scorers},
            )
            _logger.info("release %s answers, data through %s", current, snapshot.manifest.data_through)
        if coming in (None, current):
            self._coming = None
            if not self.desk().is_quick:
                self._remembered = self._made(release, snapshot, due=now)
        elif not _is_of(self._coming, self._releases[coming], snapshot):
            due = pointer.activate_at or now
            self._coming = self._made(self._releases[coming], snapshot, due=due)
        self._releases = {key: value for key, value in self._releases.items() if key in (current, coming)}

    def _meet(self, store: Store) -> None:
        """Know nothing of another store than before: where one was restored, its numbers may be the same."""
        if self._store is not None and self._store is not store:
            self._releases, self._refused, self._coming = {}, set(), None
            self._verdicts = Verdicts()
            self._waiting.forget()
        self._store = store

    def _made(self, release: LoadedRelease, snapshot: Snapshot, *, due: datetime) -> Remembered:
        """A desk that is ready to answer, and knows what the one before it was asked last.

        due: when it should answer. What it could not learn by then it computes when it is asked; tables
        that cannot be in memory by then it reads from their files, until it is made again.
        """
        self._waiting.cover(snapshot.moved_through)
        before = self._remembered
        desk = Desk(
            snapshot,
            release=release,
            verdicts=self._verdicts,
            waiting=self._waiting,
            resident=before is None or before.desk.release is release or _is_copied(snapshot, by=due),
        )
        self._warm(desk)
        made = Remembered(desk)
        if before is not None and desk.is_quick:
            asked = before.newest(_LEARNED)
            made.learn(asked, now=utc_now(), late=lambda: utc_now() > due)
        return made

    def _warm(self, desk: Desk) -> None:
        """Plan the queries before the first request needs them."""
        self._together.hands.submit(_plan, desk).result()

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

    def _current_snapshot(self) -> Snapshot:
        if self._snapshot is None or self._snapshot.manifest.snapshot != self.workspace.manifest().snapshot:
            self._snapshot = Snapshot(self.workspace, patient=False, before=self._snapshot)
            if self._snapshot.accounts.count <= _FEW_NAMES:
                self._snapshot.names.read()
        return self._snapshot

    def _complain(self, error: SpearfishError) -> None:
        if str(error) != str(self._fault):
            _logger.error("%s", error)
        self._fault = error

    def _restarted(self, failed: Remembered, error: Exception) -> EngineError:
        """After a fatal fault DuckDB refuses every further query: the next look opens it anew."""
        if self._remembered is failed:
            self._remembered = self._coming = self._snapshot = None
            self._fault = NotReadyError("the SQL engine is being restarted", fix="try again in a moment")
            self._watch.soon()
        _logger.error("the SQL engine failed and is restarted: %s", error)
        return EngineError(
            "the SQL engine failed and is being restarted", sql="", fix="try again in a moment"
        )


def _is_of(made: Remembered | None, release: LoadedRelease, snapshot: Snapshot) -> bool:
    return made is not None and made.desk.release is release and made.desk.snapshot is snapshot


def _is_copied(snapshot: Snapshot, *, by: datetime) -> bool:
    """Whether there is time to copy the tables into memory; a second may be taken in any case."""
    return snapshot.activities <= _COPIED * max(1.0, (by - utc_now()).total_seconds())


def _plan(desk: Desk) -> None:
    """In the thread that will run them: a plan is a thread's own."""
    desk.rows("", as_of=utc_now())
    desk.record_rows(Tables({}, desk.snapshot.manifest.attributes), "", as_of=utc_now())


def _score_together(
    kind: tuple[Remembered, datetime, Language], asked: Sequence[tuple[ScoreRequest, str]]
) -> list[Scored | SpearfishError]:
    remembered, now, language = kind
    if len(asked) == 1:
        ((request, name),) = asked
        return [remembered.score(request, request_id=name, now=now, language=language)]
    requests, names = zip(*asked, strict=True)
    return remembered.score_each(requests, request_ids=names, now=now, language=language)
