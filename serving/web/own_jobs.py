"""Jobs as far as their callers may see them, and the parts of their results.

Turns the job that a path names into the job, or into nothing that tells whether there is one. Time rule:
none. Null rule: a job of somebody who asked from this machine without a sign-in is nobody else's, but for an
expansion that is done.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from serving.store import jobs
from serving.store.jobs import Job, UnknownJobError
from serving.web.endpoint import Call
from serving.web.keeping import api_key_id

__all__ = ["own_job", "parts_of_result", "shared_expansion"]


def own_job(call: Call, connection: Connection, *, kind: str | None = None, job_id: str | None = None) -> Job:
    """The job, if the caller may see it: one of the same caller, or any for an admin.

    kind: score or expand; None for any. job_id: None for that of the path. Raises UnknownJobError.
    """
    name, key = job_id or call.request.path_params["id"], call.caller.key
    job = jobs.find(connection, job_id=name)
    everything = call.caller.local or (key is not None and "admin" in key.scopes)
    wanted = job is not None and kind in (None, job.kind)
    if job is None or not wanted or not (everything or job.api_key_id == api_key_id(call)):
        raise UnknownJobError("there is no such job, or it is not this key's", got=name[:80])
    return job


def shared_expansion(call: Call, connection: Connection, *, job_id: str | None = None) -> Job:
    """The expansion: one that is done, of anybody, as people work on a list together; else as `own_job`.

    Only for endpoints that ask for the scope lists. job_id: None for that of the path. Raises
    UnknownJobError.
    """
    job = jobs.find(connection, job_id=job_id or call.request.path_params["id"])
    if job is not None and job.kind == "expand" and job.state == "done":
        return job
    return own_job(call, connection, kind="expand", job_id=job_id)


def parts_of_result(call: Call, job: Job, *, start: int = 0) -> Iterator[bytes]:
    """The parts of a result, each read when it is its turn. start: the number of the first one."""
    store = call.services.door.open()
    with store.reading() as connection:
        numbers = jobs.results(connection, job_id=job.id)
    for number in numbers:
        if number < start:
            continue
        with store.reading() as connection:
            content = jobs.result(connection, job_id=job.id, number=number)
        if content is None:
            # What was sent so far must not look like the whole.
            raise UnknownJobError("the job was deleted while its result was read", got=job.id)
        yield content
