"""Jobs over files: a file comes in, its progress is asked for, and its result is handed out.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from tempfile import TemporaryFile
from uuid import uuid4

from sqlalchemy import Connection
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import Response, StreamingResponse

from features.errors import BundleError, WorkspaceError
from serving.answers import iso
from serving.fields import Moment, StrictModel
from serving.jobs.answers import JobAnswer, JobFile, ResultRow, job_answer
from serving.jobs.expansion_files import expansion_file
from serving.jobs.expansion_parts import FIRST, told_in
from serving.jobs.formats import FORMATS, MEDIA_TYPES, Format
from serving.jobs.handing_out import written
from serving.jobs.settings import JobSettings
from serving.jobs.uploads import Parts, parts_of, uploaded
from serving.problems import (
    BodyTooLargeError,
    FieldError,
    InvalidRequestError,
    MediaTypeError,
    NotReadyError,
    SlowRequestError,
)
from serving.reading import parse_body
from serving.scoring import utc_now
from serving.store import jobs
from serving.store.idempotency import Answered
from serving.store.jobs import Job, JobOverError, JobUnfinishedError, UnknownJobError
from serving.store.turns import wait_for_erasing
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer, parameter
from serving.web.keeping import api_key_id
from serving.web.own_jobs import own_job, parts_of_result
from serving.web.repeats import answer_once

__all__ = ["ENDPOINTS"]

_ID = parameter(
    "id",
    "path",
    "The id of a job, which the answer to its file says.",
    schema={"type": "string"},
    required=True,
)
_AS_OF = parameter(
    "as_of",
    "query",
    "For rows that bring none of their own: only facts known strictly before it count. Not in the future.",
    schema={"type": "string", "format": "date-time"},
)
_FORMAT = parameter(
    "format",
    "query",
    "Format of the result; that of the file by default.",
    schema={"type": "string", "enum": list(FORMATS)},
)


class JobOptions(StrictModel):
    """What may be said beside a file."""

    as_of: Moment | None = None


async def _send(call: Call) -> Response:
    call.services.answers.desk()
    settings, now = JobSettings.from_environment(), utc_now()
    as_of = _as_of(call, now=now)
    with TemporaryFile() as spool:
        async with uploaded(call.request, settings=settings) as upload:
            # Not among the threads that score.
            parts = await run_in_threadpool(parts_of, upload, settings=settings, spool=spool)
        job = Job(
            id=uuid4().hex,
            kind="score",
            state="queued",
            created_at=now,
            rows=parts.rows,
            language=call.language,
            format=upload.format,
            api_key_id=api_key_id(call),
            as_of=as_of,
        )
        write = partial(_queue, job, parts, settings)
        digest = f"{upload.format} {call.language} ".encode() + parts.digest
        response = await answer_once(call, body=digest, write=write)
    response.headers["Location"] = f"/v1/jobs/{json.loads(bytes(response.body))['id']}"
    return response


def _as_of(call: Call, *, now: datetime) -> datetime | None:
    given = json.dumps(dict(call.request.query_params)).encode()
    as_of = parse_body(given, model=JobOptions).as_of
    if as_of is not None and as_of > now:
        error = FieldError(
            "as_of", "is in the future", iso(as_of), f"up to {iso(now)}", "send an earlier one"
        )
        raise InvalidRequestError([error])
    return as_of


def _queue(job: Job, parts: Parts, settings: JobSettings, connection: Connection) -> Answered:
    wait_for_erasing(connection)
    jobs.add(connection, job, parts)
    return Answered(202, job_answer(job, settings=settings).model_dump_json())


async def _job(call: Call) -> Response:
    job = await call.compute(partial(_own_job, call))
    return json_answer(job_answer(job, settings=JobSettings.from_environment()))


async def _cancel(call: Call) -> Response:
    settings, now = JobSettings.from_environment(), utc_now()

    def write(connection: Connection) -> Answered:
        job = own_job(call, connection)
        if job.state in ("done", "failed"):
            raise JobOverError("the job has ended already", got=job.state, allowed="queued, running")
        jobs.cancel(connection, job_id=job.id, now=now)
        return Answered(200, job_answer(own_job(call, connection), settings=settings).model_dump_json())

    return await answer_once(call, body=b"", write=write)


async def _result(call: Call) -> Response:
    job = await call.compute(partial(_own_job, call))
    if job.state != "done":
        raise JobUnfinishedError(
            "the job has no result",
            got=job.state,
            allowed="done",
            fix="ask again later" if job.state in ("queued", "running") else "send the file again",
        )
    file_format = _format(call, job)
    content = iterate_in_threadpool(_written(call, job, file_format=file_format))
    name = f"{'scores' if job.kind == 'score' else 'expansion'}-{job.id}.{file_format}"
    return StreamingResponse(
        content,
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _written(call: Call, job: Job, *, file_format: Format) -> Iterator[bytes]:
    if job.kind == "score":
        return written(parts_of_result(call, job), file_format=file_format)
    told = (one for part in parts_of_result(call, job, start=FIRST) for one in told_in(part))
    return expansion_file(told, file_format=file_format, language=call.language)


def _format(call: Call, job: Job) -> Format:
    given = call.request.query_params.get("format", job.format)
    for known in FORMATS:
        if given == known:
            return known
    error = FieldError("format", "is no format of a result", given[:80], ", ".join(FORMATS), "correct it")
    raise InvalidRequestError([error])


def _own_job(call: Call) -> Job:
    with call.services.door.open().reading() as connection:
        return own_job(call, connection)


_OF_STORE = (UnknownJobError, WorkspaceError)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/jobs/score",
        scope="score",
        handle=_send,
        operation=Operation(
            name="scoreFile",
            summary="Score a file of accounts",
            description="Accounts by account_id or domain, or with records or leads: CSV or Parquet "
            "with the columns account_id, domain, as_of, record and lead (the last two hold JSON), or NDJSON "
            "with a body of POST /v1/score in each line. It is answered beside this service, by the one "
            "release that is current when it begins; every row gets the numbers and the reasons that it "
            "would get alone, or says why it is refused.",
            tag="jobs",
            parameters=(_AS_OF, LANGUAGE),
            files=tuple(MEDIA_TYPES.values()),
            form=JobFile,
            body_description="The file, as it is or as the field `file` of a form.",
            answer=JobAnswer,
            answer_description="The job, which waits for its turn; the header Location says where it is.",
            status=202,
            repeatable=True,
            problems=(
                *(MediaTypeError, BodyTooLargeError, SlowRequestError),
                *(NotReadyError, WorkspaceError, BundleError),
            ),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/jobs/{id}",
        scope="score",
        handle=_job,
        operation=Operation(
            name="getJob",
            summary="How far a job is",
            description="A key sees its own jobs, one with the scope admin sees all.",
            tag="jobs",
            parameters=(_ID,),
            answer=JobAnswer,
            answer_description="The job.",
            problems=_OF_STORE,
        ),
    ),
    Endpoint(
        "POST",
        "/v1/jobs/{id}/cancel",
        scope="score",
        handle=_cancel,
        operation=Operation(
            name="cancelJob",
            summary="Cancel a job",
            description="A job that waits or is worked on ends, and its rows are deleted. To cancel it again "
            "changes nothing.",
            tag="jobs",
            parameters=(_ID,),
            answer=JobAnswer,
            answer_description="The job as it is now.",
            repeatable=True,
            problems=(*_OF_STORE, JobOverError),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/jobs/{id}/result",
        scope="score",
        handle=_result,
        operation=Operation(
            name="getJobResult",
            summary="The result of a job",
            description="One row for each row of the file, in its order; of an expansion, for each account.",
            tag="jobs",
            parameters=(_ID, _FORMAT),
            answer=ResultRow,
            answer_files=tuple(MEDIA_TYPES.values()),
            answer_description="The rows, in the format asked for; of NDJSON, each line is one.",
            problems=(*_OF_STORE, JobUnfinishedError),
        ),
    ),
)
