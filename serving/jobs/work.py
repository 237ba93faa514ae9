"""The work on one job: its parts, one after the other, each answered and stored before the next counts.

Turns a job in the hands of a runner into answered parts. While one part is told, the next one is looked up.
Time rule: all rows are answered at the moment at which the job began. Null rule: none.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, cast

import duckdb
from sqlalchemy import Connection

from features.errors import BundleError, InputError, SpearfishError, WorkspaceError
from features.feature import Language
from features.privacy.known_people import KnownPeople
from features.workspace import Workspace
from serving.desk import Desk
from serving.jobs.answering import Answerer, Looked, Seen
from serving.jobs.asking import Asked, requests_of
from serving.jobs.desks import job_desk
from serving.jobs.expanding import ForgottenError, expand_job
from serving.jobs.gathering import JobDesk, named_in
from serving.jobs.reading import MOST_ROWS
from serving.jobs.results import NAMING, from_bytes, named_by, to_bytes
from serving.jobs.runner import Hold, LostError, StoppedError
from serving.problems import NotReadyError, problem
from serving.store import jobs
from serving.store.job_rows import without_forgotten
from serving.store.jobs import MOST_ATTEMPTS
from serving.store.turns import wait_for_erasing

__all__ = ["work"]

_MANY_FACTS = 5_000_000
"""In the tables: from there on, to read all of them for every part takes longer than to gather."""

_logger = logging.getLogger("spearfish.jobs")


class _ForgottenError(Exception):
    """Somebody was forgotten while a part was being answered."""


class _Ahead(NamedTuple):
    """A part that was looked up. listed: of the forgotten, before."""

    number: int
    looked: Looked
    listed: object


def work(hold: Hold, *, workspace: Workspace) -> bool:
    """Answer what is left of a job; False when it is to be tried again after a pause.

    Raises StoppedError, LostError.
    """
    try:
        if hold.job.kind == "expand":
            expand_job(hold, workspace=workspace)
            return True
        if hold.job.attempts > MOST_ATTEMPTS:
            raise BundleError("the job was begun again and again without coming on", fix="send fewer rows")
        with job_desk(workspace, hold.door, release_id=hold.job.release_id, now=hold.clock()) as desk:
            _keep_release(hold, desk)
            with TemporaryDirectory(prefix="spearfish-job-") as folder:
                _gather(hold, desk, folder=Path(folder))
                while not _answered(hold, desk):
                    _logger.info("job %s: somebody was forgotten meanwhile; its last part again", hold.job.id)
        hold.write(partial(jobs.finish, job_id=hold.job.id, now=hold.clock()))
    except StoppedError:
        hold.let_go(tried=False)
        raise
    except ForgottenError:
        _logger.info("job %s: somebody was forgotten meanwhile; once more", hold.job.id)
        hold.let_go(tried=False)
    except (SpearfishError, duckdb.Error) as error:
        return _end(hold, error)
    return True


def _end(hold: Hold, error: Exception) -> bool:
    """What becomes of a job that could not go on: it fails, or is tried again."""
    in_vain = not isinstance(error, WorkspaceError | NotReadyError)
    # What is wrong with a question is wrong with it the next time, too.
    if isinstance(error, BundleError | InputError) or (in_vain and hold.job.attempts >= MOST_ATTEMPTS):
        _logger.error("job %s has failed: %s", hold.job.id, error)
        language = cast("Language", hold.job.language)
        told = json.dumps(problem(error, request_id=hold.job.id, language=language))
        hold.write(partial(jobs.fail, job_id=hold.job.id, problem=told, now=hold.clock()))
        return True
    _logger.error("job %s will be tried again: %s", hold.job.id, error)
    hold.let_go(tried=in_vain)
    return False


def _keep_release(hold: Hold, desk: Desk) -> None:
    release = desk.release.release
    if hold.job.release_id is None:
        told = release.fingerprints
        hold.write(partial(jobs.begin, job_id=hold.job.id, release_id=release.id, fingerprints=told))


def _gather(hold: Hold, desk: JobDesk, *, folder: Path) -> None:
    """Compute the features of all rows together, where that pays; without the room, as ever."""
    tables = desk.snapshot.manifest.tables
    facts = sum(tables[name].rows for name in ("activities", "intent_topics") if name in tables)
    if facts < _MANY_FACTS or hold.job.rows - hold.job.done <= MOST_ROWS:
        return
    assert hold.job.started_at is not None
    named = (
        row
        for first_row, asked in _waiting(hold, desk)
        for row in named_in(desk, asked, first_row=first_row, now=hold.job.started_at)
    )
    try:
        desk.gather(named, folder=folder, require=hold.require)
    except OSError as error:
        _logger.warning("job %s will take longer, as %s has no room: %s", hold.job.id, folder, error.strerror)


def _waiting(hold: Hold, desk: Desk) -> Iterator[tuple[int, list[Asked]]]:
    """The parts that are left: the first row of each, and what its rows ask."""
    after = -1
    while (part := hold.read(partial(jobs.next_part, job_id=hold.job.id, after=after))) is not None:
        yield part.first_row, _asked(hold, desk, part.content)
        after = part.number


def _asked(hold: Hold, desk: Desk, content: bytes) -> list[Asked]:
    attributes = desk.snapshot.manifest.attributes
    return requests_of(from_bytes(content), attributes=attributes, as_of=hold.job.as_of)


def _answered(hold: Hold, desk: JobDesk) -> bool:
    """Answer the parts that are left; False when the part that was last looked up must be so again."""
    job = hold.job
    assert job.started_at is not None
    seen = _seen(hold)
    answerer = Answerer(desk, now=job.started_at, language=cast("Language", job.language), seen=seen)
    with ThreadPoolExecutor(1, thread_name_prefix="look") as ahead:
        coming = ahead.submit(_look, hold, desk, answerer, after=-1)
        while (part := coming.result()) is not None:
            hold.require()
            coming = ahead.submit(_look, hold, desk, answerer, after=part.number)
            result = without_forgotten(answerer.tell(part.looked), gone=_gone(desk))
            failed = result.num_rows - result.column("error").null_count
            keep = partial(
                jobs.finish_part, job_id=job.id, number=part.number, content=to_bytes(result), failed=failed
            )
            try:
                hold.write(partial(_keep, keep, people=desk.snapshot.people, listed=part.listed))
            except _ForgottenError:
                return False
    return True


def _look(hold: Hold, desk: JobDesk, answerer: Answerer, *, after: int) -> _Ahead | None:
    """The next part, looked up; None after the last one."""
    listed = desk.snapshot.people.listed()
    part = hold.read(partial(jobs.next_part, job_id=hold.job.id, after=after))
    if part is None:
        return None
    assert hold.job.started_at is not None
    asked = _asked(hold, desk, part.content)
    desk.turn_to(list(named_in(desk, asked, first_row=part.first_row, now=hold.job.started_at)))
    return _Ahead(part.number, answerer.look(asked, first_row=part.first_row), listed)


def _keep(
    keep: Callable[..., bool], connection: Connection, *, lease: str, people: KnownPeople, listed: object
) -> bool:
    wait_for_erasing(connection)
    if people.listed() != listed:
        # Whoever looks for their rows has looked already.
        raise _ForgottenError
    return keep(connection, lease=lease)


def _gone(desk: Desk) -> Callable[[str], bool] | None:
    """Whether an account was forgotten; None while nobody was."""
    people = desk.snapshot.people
    return None if people.listed() is None else partial(people.forgets, kind="account")


def _seen(hold: Hold) -> Seen:
    """What the rows that are answered already were about."""
    found: Seen = {}
    for number in hold.read(partial(jobs.results, job_id=hold.job.id)):
        content = hold.read(partial(jobs.result, job_id=hold.job.id, number=number))
        if content is None:
            raise LostError
        found.update(named_by(from_bytes(content, columns=list(NAMING))))
    return found
