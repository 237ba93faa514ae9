"""How jobs over files go, in figures: what the store holds of them, for those who watch over a service.

Turns the rows of jobs into counts and sums by state, by one query. Time rule: ages are counted to the moment
that is given. Null rule: a state without a job has zeros.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, get_args

from sqlalchemy import Connection, extract, func, select

from serving.store import schema
from serving.store.jobs import State

__all__ = ["JobFigures", "job_figures"]

_JOBS = schema.jobs


class JobFigures(NamedTuple):
    """Of the jobs that the store holds, which those that ended leave after some days.

    jobs: by state. answered, refused: rows by what they got; waiting: rows of open jobs that have nothing
    yet. seconds: from the beginning to the end of the jobs that are done, added up. oldest: age of the oldest
    open one.
    """

    jobs: dict[State, int]
    answered: int
    refused: int
    waiting: int
    seconds: float
    oldest: float


def job_figures(connection: Connection, *, now: datetime) -> JobFigures:
    """The figures. now: naive UTC, whole seconds."""
    took = extract("epoch", _JOBS.c.finished_at) - extract("epoch", _JOBS.c.started_at)
    sums = (func.sum(one) for one in (_JOBS.c.rows, _JOBS.c.done, _JOBS.c.failed, took))
    query = select(_JOBS.c.state, func.count(), *sums, func.min(_JOBS.c.created_at)).group_by(_JOBS.c.state)
    jobs: dict[State, int] = dict.fromkeys(get_args(State), 0)
    answered = refused = waiting = 0
    seconds = oldest = 0.0
    for state, count, rows, done, failed, spent, since in connection.execute(query):
        jobs[state] = count
        answered, refused = answered + done - failed, refused + failed
        if state == "done":
            seconds = float(spent or 0)
        elif state in ("queued", "running"):
            waiting += rows - done
            oldest = max(oldest, (now - since).total_seconds())
    return JobFigures(jobs, answered, refused, waiting, seconds, oldest)
