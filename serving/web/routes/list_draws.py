"""Draws of lists, and what becomes of those that are proposals.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from features.errors import EngineError, InputError, WorkspaceError
from serving.access.callers import name_of
from serving.jobs.expansion_parts import FIRST, told_in
from serving.lists import proposing
from serving.lists.answers import ListDetail
from serving.lists.drawing import Plan, Suggestion, carried_out, draw, planned
from serving.lists.known import known_in
from serving.lists.member_answers import DrawAnswer, draw_answer
from serving.lists.requests import DrawRequest, ProposalRequest
from serving.lists.suggesting import suggestion_of
from serving.problems import NotReadyError
from serving.reading import parse_body
from serving.scoring import utc_now
from serving.store.idempotency import Answered
from serving.store.jobs import JobUnfinishedError, UnknownJobError
from serving.store.lists import ListChangedError, ListStateError, UnknownListError
from serving.web.bodies import json_body
from serving.web.endpoint import Call, Endpoint, Operation
from serving.web.list_details import detail_of
from serving.web.list_queries import LIST_ID, path_number
from serving.web.own_jobs import parts_of_result, shared_expansion
from serving.web.repeats import answer_once

__all__ = ["ENDPOINTS"]


async def _draw(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request = parse_body(body, model=DrawRequest)
    given, store = request.given(), call.services.door.open()

    def look() -> tuple[dict[str, Any], Plan | None]:
        suggestions = _suggestions(call, request)
        snapshot = call.services.answers.desk().snapshot
        tables = snapshot.tables
        names = [one.account_id for one in suggestions]
        known = known_in(tables, store, list_id=list_id, account_ids=names, rules=given.get("rules"))
        source = {"expansion": request.expansion} if request.expansion else {}
        asked: dict[str, Any] = {
            "list_id": list_id,
            "suggestions": suggestions,
            "facts": known.facts,
            "same": known.same,
            "kind": request.draw(),
            "why": request.why,
            "who": name_of(call.caller),
            "now": utc_now(),
            "source": {**source, "suggestions": len(suggestions)},
            "seen": request.revision,
            "given": given,
            "people": snapshot.people,
        }
        try:
            with store.reading() as connection:
                return asked, planned(connection, **asked)
        except InputError:
            # A request that comes again is answered as before, although it could not be done once more.
            return asked, None

    asked, plan = await call.compute(look)

    def write(connection: Connection) -> Answered:
        done = draw(connection, **asked) if plan is None else carried_out(connection, plan)
        return Answered(201, draw_answer(done, now=asked["now"]).model_dump_json())

    return await answer_once(call, body=body, write=write)


def _suggestions(call: Call, request: DrawRequest) -> list[Suggestion]:
    if request.expansion is None:
        return [one.suggestion() for one in request.suggestions or ()]
    with call.services.door.open().reading() as connection:
        job = shared_expansion(call, connection, job_id=request.expansion)
    if job.state != "done":
        raise JobUnfinishedError("expansion: it is not done", got=job.state, allowed="done")
    parts = parts_of_result(call, job, start=FIRST)
    return [suggestion_of(told) for part in parts for told in told_in(part)]


async def _propose(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request = parse_body(body, model=ProposalRequest)
    settle = proposing.accept if request.action == "accept" else proposing.discard

    def write(connection: Connection) -> Answered:
        found = settle(
            connection,
            list_id=list_id,
            seen=request.revision,
            who=name_of(call.caller),
            now=utc_now(),
            why=request.why,
        )
        return Answered(200, detail_of(connection, found).model_dump_json())

    return await answer_once(call, body=body, write=write)


_CHANGING = (UnknownListError, ListChangedError, ListStateError, WorkspaceError)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/lists/{id}/draws",
        scope="lists",
        handle=_draw,
        operation=Operation(
            name="drawList",
            summary="Draw a list from an expansion or from suggestions",
            description="Rules leave accounts out, each for a reason that is counted; what people decided "
            "stays. The first draw fills the list. Each later one is a proposal beside it: a refresh keeps "
            "who is suggested and allowed still, a rebuild takes the machine's order anew, a redraw does so "
            "for another product or market, by rules of its own. What a proposal changes is at "
            "/v1/lists/{id}/diff.",
            tag="lists",
            parameters=(LIST_ID,),
            body=lambda _: DrawRequest,
            body_description="What kind of draw, from what, and why.",
            example={
                "kind": "refresh",
                "why": "the second quarter",
                "revision": 7,
                "suggestions": [{"account_id": "acc-000042", "score": 0.8}],
            },
            answer=DrawAnswer,
            answer_description="The list as it is then, and what the draw did.",
            status=201,
            repeatable=True,
            problems=(
                *(*_CHANGING, UnknownJobError, JobUnfinishedError),
                *(InputError, NotReadyError, EngineError),
            ),
        ),
    ),
    Endpoint(
        "POST",
        "/v1/lists/{id}/proposal",
        scope="lists",
        handle=_propose,
        operation=Operation(
            name="settleProposal",
            summary="Accept or discard what a draw proposes",
            description="Accepted, it is the draft that is worked on and reviewed. Discarded, it is gone, "
            "and with it what the draw changed of the list; what people decided meanwhile stays.",
            tag="lists",
            parameters=(LIST_ID,),
            body=lambda _: ProposalRequest,
            body_description="Accept or discard, and the revision that was seen.",
            example={"action": "accept", "revision": 8},
            answer=ListDetail,
            answer_description="The list as it is then.",
            repeatable=True,
            problems=_CHANGING,
        ),
    ),
)
