"""Jobs over files: a queue with leases, in which each part of a file is answered exactly once.

Turns parts of a file into rows that wait, and their answers into rows that are done. A runner takes the
oldest job that nobody works on, and says again and again that it is alive; when it falls silent, its lease
ends and another one goes on after the last part that was answered. The answer of a part, the count of rows
and the proof that the job is still the runner's own are one transaction: whatever is killed, no row is lost
or answered twice. Time rule: moments are naive UTC, whole seconds, by the clock of whoever calls. Null rule:
a part has its input or its result, never both; those of a job that was cancelled or failed are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, and_, case, delete, insert, or_, select, update

from features.errors import InputError
from serving.store import schema

__all__ = [
    "FINISHED",
    "MOST_ATTEMPTS",
    "Job",
    "JobOverError",
    "JobUnfinishedError",
    "Part",
    "State",
    "UnknownJobError",
    "add",
    "beat",
    "begin",
    "begin_again",
    "cancel",
    "claim",
    "fail",
    "find",
    "finish",
    "finish_part",
    "give_back",
    "newest",
    "next_part",
    "part",
    "prune",
    "result",
    "results",
]

State = Literal["queued", "running", "done", "failed", "cancelled"]

FINISHED: tuple[State, ...] = ("done", "failed", "cancelled")

MOST_ATTEMPTS = 5
"""How often a job is begun without finishing a part of it, before it has failed."""

_JOBS, _PARTS = schema.jobs, schema.job_parts
_FREE: Mapping[str, Any] = {"lease": None, "lease_until": None}


class UnknownJobError(InputError):
    """There is no such job, or it is somebody else's."""

    http_status = 404


class JobUnfinishedError(InputError):
    """The job has no result yet."""

    http_status = 409


class JobOverError(InputError):
    """The job has ended, so that what was asked is not possible any more."""

    http_status = 409


@dataclass(frozen=True)
class Job:
    """A job. now: `started_at` is the moment that all its rows are answered at.

    rows, done, failed: of its file; how many are answered, and how many of these have a problem.
    release_id, fingerprints: what it began with, and keeps. problem: JSON; why it failed as a whole.
    as_of: for rows that bring none. format: of its file.
    """

    id: str
    kind: str
    state: State
    created_at: datetime
    rows: int
    language: str
    format: str
    api_key_id: int | None = None
    as_of: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    release_id: int | None = None
    fingerprints: Mapping[str, str] | None = None
    done: int = 0
    failed: int = 0
    problem: str | None = None
    attempts: int = 0
    lease: str | None = None
    lease_until: datetime | None = None


class Part(NamedTuple):
    """Rows of a file, as Parquet. first_row: place of the first one in the file, from 1."""

    number: int
    first_row: int
    rows: int
    content: bytes


_COLUMNS = tuple(_JOBS.c[each.name] for each in fields(Job))


def add(connection: Connection, job: Job, parts: Iterable[Part]) -> None:
    """Queue a job with the rows of its file, one part after the other."""
    connection.execute(insert(_JOBS).values(asdict(job)))
    _add_parts(connection, job_id=job.id, parts=parts)


def _add_parts(connection: Connection, *, job_id: str, parts: Iterable[Part]) -> None:
    for part in parts:
        row = {"job_id": job_id, "number": part.number, "first_row": part.first_row, "rows": part.rows}
        connection.execute(insert(_PARTS).values(row | {"input": part.content}))


def find(connection: Connection, *, job_id: str) -> Job | None:
    """A job; None when there is none of that name."""
    # PostgreSQL takes no text with this character.
    if "\x00" in job_id:
        return None
    row = connection.execute(select(*_COLUMNS).where(_JOBS.c.id == job_id)).one_or_none()
    return None if row is None else Job(**row._asdict())


def newest(connection: Connection, *, limit: int) -> tuple[Job, ...]:
    """The jobs that were sent last, the newest first."""
    query = select(*_COLUMNS).order_by(_JOBS.c.created_at.desc(), _JOBS.c.id).limit(limit)
    return tuple(Job(**row._asdict()) for row in connection.execute(query))


def claim(connection: Connection, *, lease: str, now: datetime, until: datetime) -> Job | None:
    """Take the oldest job that nobody works on; None when there is none.

    lease: a new name of whoever takes it. until: when it may be taken by somebody else, but for a `beat`.
    """
    free = or_(_JOBS.c.state == "queued", and_(_JOBS.c.state == "running", _JOBS.c.lease_until < now))
    query = select(*_COLUMNS).where(free).order_by(_JOBS.c.created_at, _JOBS.c.id).limit(1)
    row = connection.execute(query.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    told = Job(**row._asdict())
    taken = {
        "state": "running",
        "lease": lease,
        "lease_until": until,
        "started_at": told.started_at or now,
        "attempts": told.attempts + 1,
    }
    connection.execute(update(_JOBS).where(_JOBS.c.id == told.id).values(taken))
    return find(connection, job_id=told.id)


def beat(connection: Connection, *, job_id: str, lease: str, until: datetime) -> bool:
    """Say that the runner is alive; whether the job is still its own."""
    return _change(connection, job_id, lease, {"lease_until": until})


def begin(
    connection: Connection, *, job_id: str, lease: str, release_id: int, fingerprints: Mapping[str, str]
) -> bool:
    """Keep which release answers the whole job; whether the job is still the runner's own."""
    kept = {"release_id": release_id, "fingerprints": dict(fingerprints)}
    return _change(connection, job_id, lease, kept)


def next_part(connection: Connection, *, job_id: str, after: int = -1) -> Part | None:
    """The first part that is not answered; None after the last. after: of those with a higher number."""
    columns = (_PARTS.c.number, _PARTS.c.first_row, _PARTS.c.rows, _PARTS.c.input)
    waiting = and_(_PARTS.c.job_id == job_id, _PARTS.c.number > after, _PARTS.c.input.is_not(None))
    row = connection.execute(select(*columns).where(waiting).order_by(_PARTS.c.number).limit(1)).one_or_none()
    return None if row is None else Part(*row)


def finish_part(
    connection: Connection, *, job_id: str, lease: str, number: int, content: bytes, failed: int
) -> bool:
    """Put the answer of a part in the place of its input; False, and nothing, when the job is not the
    runner's own any more. failed: rows of it that have a problem."""
    part = and_(_PARTS.c.job_id == job_id, _PARTS.c.number == number, _PARTS.c.input.is_not(None))
    rows = connection.execute(select(_PARTS.c.rows).where(part)).scalar_one_or_none()
    if rows is None:
        return False
    counted = {"done": _JOBS.c.done + rows, "failed": _JOBS.c.failed + failed, "attempts": 0}
    if not _change(connection, job_id, lease, counted):
        return False
    connection.execute(update(_PARTS).where(part).values(input=None, result=content))
    return True


def begin_again(connection: Connection, *, job_id: str, lease: str, parts: Iterable[Part]) -> bool:
    """Put other parts in the place of those of a job, of which none is answered; whether it is the runner's
    own."""
    if not _change(connection, job_id, lease, {"done": 0, "failed": 0}):
        return False
    connection.execute(delete(_PARTS).where(_PARTS.c.job_id == job_id))
    _add_parts(connection, job_id=job_id, parts=parts)
    return True


def finish(connection: Connection, *, job_id: str, lease: str, now: datetime) -> bool:
    """End a job whose parts are all answered; whether it was the runner's own."""
    return _change(connection, job_id, lease, {"state": "done", "finished_at": now, **_FREE})


def fail(connection: Connection, *, job_id: str, lease: str, problem: str, now: datetime) -> bool:
    """End a job that cannot be answered; whether it was the runner's own. problem: JSON."""
    own = _change(
        connection, job_id, lease, {"state": "failed", "finished_at": now, "problem": problem, **_FREE}
    )
    if own:
        connection.execute(delete(_PARTS).where(_PARTS.c.job_id == job_id))
    return own


def give_back(connection: Connection, *, job_id: str, lease: str, tried: bool) -> bool:
    """Let somebody go on with a job at once. tried: whether it counts as an attempt that came to nothing."""
    fewer = case((_JOBS.c.attempts > 0, _JOBS.c.attempts - 1), else_=0)
    attempts = {} if tried else {"attempts": fewer}
    return _change(connection, job_id, lease, {"state": "queued", **_FREE, **attempts})


def _change(connection: Connection, job_id: str, lease: str, values: Mapping[str, Any]) -> bool:
    """Change a job that is the runner's own; whether it is."""
    own = and_(_JOBS.c.id == job_id, _JOBS.c.state == "running", _JOBS.c.lease == lease)
    return connection.execute(update(_JOBS).where(own).values(values)).rowcount == 1


def cancel(connection: Connection, *, job_id: str, now: datetime) -> bool:
    """End a job that waits or is worked on, and drop its rows; whether there was anything to end.

    Whoever works on it notices that it is not its own any more.
    """
    going = and_(_JOBS.c.id == job_id, _JOBS.c.state.in_(("queued", "running")))
    ended = {"state": "cancelled", "finished_at": now, **_FREE}
    changed = connection.execute(update(_JOBS).where(going).values(ended)).rowcount == 1
    if changed:
        connection.execute(delete(_PARTS).where(_PARTS.c.job_id == job_id))
    return changed


def part(connection: Connection, *, job_id: str, number: int) -> bytes | None:
    """A part of a job, answered or not; None where it is gone."""
    own = and_(_PARTS.c.job_id == job_id, _PARTS.c.number == number)
    row = connection.execute(select(_PARTS.c.input, _PARTS.c.result).where(own)).one_or_none()
    return None if row is None else row.result or row.input


def results(connection: Connection, *, job_id: str) -> Sequence[int]:
    """The numbers of the parts that are answered, in order."""
    answered = and_(_PARTS.c.job_id == job_id, _PARTS.c.result.is_not(None))
    query = select(_PARTS.c.number).where(answered).order_by(_PARTS.c.number)
    return connection.execute(query).scalars().all()


def result(connection: Connection, *, job_id: str, number: int) -> bytes | None:
    """The answer of a part; None when the job was dropped meanwhile."""
    part = and_(_PARTS.c.job_id == job_id, _PARTS.c.number == number)
    found: bytes | None = connection.execute(select(_PARTS.c.result).where(part)).scalar_one_or_none()
    return found


def prune(connection: Connection, *, before: datetime) -> int:
    """Delete the job that ended longest ago, if it ended before a moment; how many went."""
    old = select(_JOBS.c.id).where(_JOBS.c.finished_at < before).order_by(_JOBS.c.finished_at).limit(1)
    job_id = connection.execute(old).scalar_one_or_none()
    if job_id is None:
        return 0
    connection.execute(delete(_PARTS).where(_PARTS.c.job_id == job_id))
    return connection.execute(delete(_JOBS).where(_JOBS.c.id == job_id)).rowcount
