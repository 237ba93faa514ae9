"""The runner: takes jobs from the store, one after the other, until it is stopped.

Turns jobs that wait into jobs that are done. What computes is loaded with the first job: a runner with
nothing to do is a small process. A store that does not answer is asked again, for as long as it takes. Time
rule: a job belongs to its runner for half a minute after each sign of life. Null rule: none.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import Connection

from features.errors import SpearfishError, WorkspaceError
from features.workspace import Workspace
from serving.jobs.settings import JobSettings
from serving.store import jobs
from serving.store.door import StoreDoor
from serving.store.jobs import Job

__all__ = ["LEASE", "Hold", "LostError", "Runner", "StoppedError"]

LEASE = timedelta(seconds=30)
"""How long a job belongs to a runner that falls silent."""

_BEAT, _PAUSE, _LONGEST_PAUSE = 5.0, 1.0, 30.0
"""Seconds between two signs of life, and between two looks for a job or two attempts."""

_PRUNE_EVERY = timedelta(minutes=1)

Result = TypeVar("Result")

_logger = logging.getLogger("spearfish.jobs")


class StoppedError(Exception):
    """The runner is to stop."""


class LostError(Exception):
    """The job is not this runner's any more: it was cancelled, or somebody else has taken it."""


class Hold:
    """A job in the hands of a runner. stopping: set when the runner is to stop."""

    def __init__(
        self,
        job: Job,
        *,
        lease: str,
        door: StoreDoor,
        clock: Callable[[], datetime],
        stopping: threading.Event,
    ) -> None:
        self.job, self.door, self.clock = job, door, clock
        self._lease, self._stopping = lease, stopping
        self._lost = threading.Event()

    def require(self) -> None:
        """Raise StoppedError or LostError when there is no use in going on."""
        if self._lost.is_set():
            raise LostError
        if self._stopping.is_set():
            raise StoppedError

    def read(self, look: Callable[[Connection], Result]) -> Result:
        """What the store says, as soon as it does."""
        return self._patiently(look, write=False)

    def write(self, change: Callable[..., bool]) -> None:
        """Change the job, as soon as the store does. Raises LostError when it is not ours.

        change: takes a connection and `lease`; whether the job was still under it.
        """
        if not self._patiently(partial(change, lease=self._lease), write=True):
            self._lost.set()
            raise LostError

    def let_go(self, *, tried: bool) -> None:
        """Let somebody else go on at once; where the store does not take it, once the lease has ended."""
        with suppress(WorkspaceError), self.door.open().writing() as connection:
            jobs.give_back(connection, job_id=self.job.id, lease=self._lease, tried=tried)

    def _patiently(self, work: Callable[[Connection], Result], *, write: bool) -> Result:
        while True:
            self.require()
            try:
                store = self.door.open()
                with store.writing() if write else store.reading() as connection:
                    return work(connection)
            except WorkspaceError as error:
                _logger.warning("job %s waits for the store: %s", self.job.id, error)
                self._stopping.wait(_PAUSE)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Give signs of life for as long as the block runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._beat, args=(done,), name="job-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _beat(self, done: threading.Event) -> None:
        while not done.wait(_BEAT):
            try:
                with self.door.open().writing() as connection:
                    until = self.clock() + LEASE
                    own = jobs.beat(connection, job_id=self.job.id, lease=self._lease, until=until)
            except WorkspaceError as error:
                _logger.warning("job %s: no sign of life can be given: %s", self.job.id, error)
            else:
                if not own:
                    self._lost.set()
                    return


class Runner:
    """Runs the jobs of a workspace. `run` until `stop` is called, from a signal or another thread."""

    def __init__(self, workspace: Workspace, *, settings: JobSettings, clock: Callable[[], datetime]) -> None:
        self._workspace, self._settings, self._clock = workspace, settings, clock
        self._door = StoreDoor(workspace.store_url)
        self._stopping = threading.Event()
        self._prune_at: datetime | None = None
        self._pause = _PAUSE

    def stop(self) -> None:
        """Give the job back at the next opportunity, and end."""
        self._stopping.set()

    def run(self) -> None:
        """Take jobs until `stop`."""
        while not self._stopping.is_set():
            if not self.turn():
                self._stopping.wait(self._pause)
        self._door.close()

    def turn(self) -> bool:
        """Do a job if there is one; whether there may be another one at once."""
        try:
            job = self._claimed(lease := uuid4().hex)
        except SpearfishError as error:
            _logger.warning("no job can be taken: %s", error)
            return False
        if job is None:
            self._pause = _PAUSE
            return False
        hold = Hold(job, lease=lease, door=self._door, clock=self._clock, stopping=self._stopping)
        _logger.info("job %s begins after row %s of %s", job.id, job.done, job.rows)
        done = self._work(hold)
        self._pause = _PAUSE if done else min(2 * self._pause, _LONGEST_PAUSE)
        return done

    def _claimed(self, lease: str) -> Job | None:
        now = self._clock()
        with self._door.open().writing() as connection:
            self._prune(connection, now=now)
            return jobs.claim(connection, lease=lease, now=now, until=now + LEASE)

    def _prune(self, connection: Connection, *, now: datetime) -> None:
        """Drop an old job, and soon more of them while there are."""
        if not self._settings.days or (self._prune_at is not None and now < self._prune_at):
            return
        if not jobs.prune(connection, before=now - timedelta(days=self._settings.days)):
            self._prune_at = now + _PRUNE_EVERY

    def _work(self, hold: Hold) -> bool:
        """Work on a job; False when it is to be tried again after a pause."""
        from serving.jobs.work import work

        try:
            with hold.beating():
                return work(hold, workspace=self._workspace)
        except LostError:
            _logger.info("job %s is not ours any more", hold.job.id)
        except StoppedError:
            _logger.info("job %s is left to another runner", hold.job.id)
        return True
