"""Expansions: asked for, followed, read a page at a time, and handed out as a file.

Time rule: accounts are taken as they are known when an expansion is asked for. Null rule: none of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse

from features.errors import EngineError, InputError, WorkspaceError
from features.universe import customers
from serving.jobs.expansion_files import expansion_file
from serving.jobs.expansion_parts import AT_ONCE, FIRST, STEPS, parts_of, told_in
from serving.jobs.settings import JobSettings
from serving.lists.expansion_answers import (
    ExpansionAnswer,
    SuggestionsAnswer,
    expansion_answer,
    suggested,
)
from serving.lists.expansion_requests import ExpandRequest
from serving.lists.forgotten import gone_from, remembered_in
from serving.problems import NotReadyError
from serving.reading import parse_body
from serving.scoring import utc_now
from serving.store import jobs, list_members, lists
from serving.store.idempotency import Answered
from serving.store.jobs import Job, JobOverError, JobUnfinishedError, UnknownJobError
from serving.store.lists import UnknownListError
from serving.store.turns import wait_for_erasing
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer, parameter
from serving.web.keeping import api_key_id
from serving.web.list_queries import PAGE, decode_page, encode_page, integer, limit_parameter, people_of
from serving.web.own_jobs import own_job, parts_of_result, shared_expansion
from serving.web.repeats import answer_once

__all__ = ["ENDPOINTS"]

_LIMIT, _MOST = 50, 500
_ID = parameter(
    "id",
    "path",
    "The id of an expansion, which the answer to its question says.",
    schema={"type": "string"},
    required=True,
)


async def _expand(call: Call) -> Response:
    body = await json_body(call.request)
    asked, now = parse_body(body, model=ExpandRequest).asked(), utc_now()
    people = people_of(call)
    asked = await call.compute(partial(_checked, call, asked))
    job = Job(
        id=uuid4().hex,
        kind="expand",
        state="queued",
        created_at=now,
        rows=len(parts_of(asked, size=asked["size"])),
        language=call.language,
        format="csv",
        api_key_id=api_key_id(call),
        as_of=now,
    )

    def write(connection: Connection) -> Answered:
        wait_for_erasing(connection)
        # Somebody may have been forgotten since; whoever looks for their rows has looked already.
        gone = gone_from(people)
        jobs.add(connection, job, parts_of(remembered_in(asked, gone=gone), size=asked["size"]))
        return Answered(202, _told(call, connection, job).model_dump_json())

    response = await answer_once(call, body=body, write=write)
    told = ExpansionAnswer.model_validate_json(bytes(response.body))
    response.headers["Location"] = f"/v1/expansions/{told.id}"
    return response


def _checked(call: Call, asked: dict[str, Any]) -> dict[str, Any]:
    """What is asked, with the accounts of a list named. What nobody can answer is refused at once."""
    tables = call.services.answers.desk().snapshot.tables
    if asked["product"] is not None:
        customers(tables, as_of=utc_now(), product=asked["product"])
    if asked["list_id"] is None:
        return asked
    with call.services.door.open().reading() as connection:
        found = lists.find(connection, list_id=asked["list_id"])
        everybody = list_members.stream(
            connection, list_id=found.id, version=found.version, newest=found.version, status="target"
        )
        names = [one.account_id for one in everybody]
    if not names:
        raise InputError("list_id: nobody is on the list", got=found.id, fix="draw it first")
    return asked | {"account_ids": names}


def _told(call: Call, connection: Connection, job: Job) -> ExpansionAnswer:
    first = jobs.part(connection, job_id=job.id, number=0)
    last = None
    if job.state == "done":
        last = jobs.result(connection, job_id=job.id, number=STEPS.index("ranking"))
    return expansion_answer(
        job,
        asked=None if first is None else next(told_in(first), None),
        told=None if last is None else next(told_in(last), None),
        settings=JobSettings.from_environment(),
        language=call.language,
    )


async def _expansion(call: Call) -> Response:
    def work() -> ExpansionAnswer:
        with call.services.door.open().reading() as connection:
            return _told(call, connection, shared_expansion(call, connection))

    return json_answer(await call.compute(work))


async def _cancel(call: Call) -> Response:
    now = utc_now()

    def write(connection: Connection) -> Answered:
        job = own_job(call, connection, kind="expand")
        if job.state in ("done", "failed"):
            raise JobOverError("the expansion has ended already", got=job.state, allowed="queued, running")
        jobs.cancel(connection, job_id=job.id, now=now)
        return Answered(200, _told(call, connection, own_job(call, connection)).model_dump_json())

    return await answer_once(call, body=b"", write=write)


async def _accounts(call: Call) -> Response:
    limit = integer(call, "limit", default=_LIMIT, most=_MOST) or _LIMIT
    place = decode_page(call, kinds=(int,))
    start = max(0, 0 if place is None else place[0])

    def work() -> SuggestionsAnswer:
        with call.services.door.open().reading() as connection:
            job = _done(shared_expansion(call, connection))
            told, total = _page(connection, job, start=start, limit=limit)
        return SuggestionsAnswer(
            total=total,
            accounts=[suggested(one, language=call.language) for one in told],
            next_page=encode_page(start + limit) if start + limit < total else None,
        )

    return json_answer(await call.compute(work))


def _page(connection: Connection, job: Job, *, start: int, limit: int) -> tuple[list[dict[str, Any]], int]:
    """Suggestions from a place on, of the parts that hold them, and how many there are."""
    summary = jobs.result(connection, job_id=job.id, number=STEPS.index("ranking"))
    if summary is None:
        raise UnknownJobError("the expansion was deleted meanwhile", got=job.id)
    (told,) = told_in(summary)
    found: list[dict[str, Any]] = []
    number, skipped = FIRST + start // AT_ONCE, start % AT_ONCE
    while len(found) < limit + skipped:
        content = jobs.result(connection, job_id=job.id, number=number)
        if content is None:
            break
        found += told_in(content)
        number += 1
    return found[skipped : skipped + limit], int(told["accounts"])


def _done(job: Job) -> Job:
    if job.state != "done":
        raise JobUnfinishedError(
            "the expansion has no result",
            got=job.state,
            allowed="done",
            fix="ask again later" if job.state in ("queued", "running") else "ask for another one",
        )
    return job


async def _file(call: Call) -> Response:
    def look() -> Job:
        with call.services.door.open().reading() as connection:
            return _done(shared_expansion(call, connection))

    job = await call.compute(look)
    content = expansion_file(_all(call, job), file_format="csv", language=call.language)
    return StreamingResponse(
        iterate_in_threadpool(content),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="expansion-{job.id}.csv"'},
    )


def _all(call: Call, job: Job) -> Iterator[dict[str, Any]]:
    return (told for part in parts_of_result(call, job, start=FIRST) for told in told_in(part))


_OF_STORE = (UnknownJobError, WorkspaceError)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/jobs/expand",
        scope="lists",
        handle=_expand,
        operation=Operation(
            name="expand",
            summary="Find the accounts most like some of yours",
            description="Seeds are accounts by name, those of a list, those that a filter finds, or all "
            "customers. It is answered beside this service, without a model that has to be trained, and says "
            "how sure it is by hiding seeds and looking for them. What was done of it survives a restart.",
            tag="expansions",
            parameters=(LANGUAGE,),
            body=lambda _: ExpandRequest,
            body_description="Who the seeds are, and what is looked for.",
            example={"account_ids": ["acc-000042", "acc-000043"], "size": 500},
            answer=ExpansionAnswer,
            answer_description="The expansion, which waits for its turn; Location says where it is.",
            status=202,
            repeatable=True,
            problems=(UnknownListError, NotReadyError, WorkspaceError, EngineError),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/expansions/{id}",
        scope="lists",
        handle=_expansion,
        operation=Operation(
            name="getExpansion",
            summary="How far an expansion is, and what it found",
            description="One that is done is seen by everybody who may write lists; until then a key and a "
            "person see their own, a key with the scope admin sees all.",
            tag="expansions",
            parameters=(_ID, LANGUAGE),
            answer=ExpansionAnswer,
            answer_description="The expansion.",
            problems=_OF_STORE,
        ),
    ),
    Endpoint(
        "POST",
        "/v1/expansions/{id}/cancel",
        scope="lists",
        handle=_cancel,
        operation=Operation(
            name="cancelExpansion",
            summary="Cancel an expansion",
            description="One that waits or is worked on ends. To cancel it again changes nothing.",
            tag="expansions",
            parameters=(_ID,),
            answer=ExpansionAnswer,
            answer_description="The expansion as it is now.",
            repeatable=True,
            problems=(*_OF_STORE, JobOverError),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/expansions/{id}/accounts",
        scope="lists",
        handle=_accounts,
        operation=Operation(
            name="listSuggestions",
            summary="What an expansion suggests",
            description="Accounts in their order, each with how sure that is, what speaks for and against it "
            "in shares that add up to its score, and the seeds that it is nearest to with what they share.",
            tag="expansions",
            parameters=(_ID, limit_parameter(_MOST, _LIMIT), PAGE, LANGUAGE),
            answer=SuggestionsAnswer,
            answer_description="A page of accounts.",
            problems=(*_OF_STORE, JobUnfinishedError),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/expansions/{id}/file",
        scope="lists",
        handle=_file,
        operation=Operation(
            name="getExpansionFile",
            summary="An expansion as a file",
            description="CSV for a spreadsheet, which calculates none of its cells, and for `spearfish lists "
            "draw`.",
            tag="expansions",
            parameters=(_ID, LANGUAGE),
            answer=SuggestionsAnswer,
            answer_files=("text/csv",),
            answer_description="One row for each account, in the order of the list.",
            problems=(*_OF_STORE, JobUnfinishedError),
        ),
    ),
)
