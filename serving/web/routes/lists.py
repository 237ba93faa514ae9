"""Target account lists: made, read, edited, reviewed and approved.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection
from starlette.responses import Response

from features.errors import WorkspaceError
from serving.access.callers import name_of
from serving.access.roles import require_side
from serving.lists import deciding, editing
from serving.lists.answers import ListAnswer, ListDetail, ListsAnswer, list_answer
from serving.lists.requests import ApprovalRequest, EditRequest, ExcludedRequest, ListRequest, StateRequest
from serving.lists.settings import Rules
from serving.reading import parse_body
from serving.scoring import utc_now
from serving.store import lists
from serving.store.idempotency import Answered
from serving.store.lists import ListChangedError, ListStateError, TargetList, UnknownListError
from serving.store.people import Side
from serving.web.bodies import json_body
from serving.web.endpoint import Call, Endpoint, Operation, json_answer, parameter
from serving.web.list_details import detail_of
from serving.web.list_queries import (
    LIST_ID,
    PAGE,
    choice,
    decode_page,
    encode_page,
    integer,
    limit_parameter,
    path_number,
    people_of,
    require_rules,
)
from serving.web.repeats import answer_once

__all__ = ["ENDPOINTS"]

_STATES: tuple[lists.State, ...] = ("draft", "review", "approved", "archived")
_LIMIT = 50
_STATE = parameter(
    "state",
    "query",
    "Only lists in this state.",
    schema={"type": "string", "enum": list(_STATES)},
)


async def _changing(call: Call, *, body: bytes, change: Callable[[Connection], TargetList]) -> Response:
    """The answer to a change of a list: the list as it is then."""

    def write(connection: Connection) -> Answered:
        return Answered(200, detail_of(connection, change(connection)).model_dump_json())

    return await answer_once(call, body=body, write=write)


async def _create(call: Call) -> Response:
    body = await json_body(call.request)
    request, now = parse_body(body, model=ListRequest), utc_now()

    def write(connection: Connection) -> Answered:
        if request.rules is not None:
            require_rules(call, request.rules)
        made = lists.add(connection, request.draft(), who=name_of(call.caller), now=now)
        return Answered(201, list_answer(made, now=now).model_dump_json())

    return await answer_once(call, body=body, write=write)


async def _lists(call: Call) -> Response:
    state = choice(call, "state", _STATES, default="")
    limit = integer(call, "limit", default=_LIMIT, most=_LIMIT) or _LIMIT
    place = decode_page(call, kinds=(int,))

    def work() -> ListsAnswer:
        with call.services.door.open().reading() as connection:
            found = lists.every(
                connection,
                states=[one for one in _STATES if one == state] or None,
                before_id=None if place is None else place[0],
                limit=limit + 1,
            )
        shown, now = found[:limit], utc_now()
        further = encode_page(shown[-1].id) if len(found) > limit else None
        return ListsAnswer(lists=[list_answer(one, now=now) for one in shown], next_page=further)

    return json_answer(await call.compute(work))


async def _read(call: Call) -> Response:
    list_id = path_number(call)

    def work() -> ListDetail:
        with call.services.door.open().reading() as connection:
            return detail_of(connection, lists.find(connection, list_id=list_id))

    return json_answer(await call.compute(work))


async def _edit(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request = parse_body(body, model=EditRequest)

    def change(connection: Connection) -> TargetList:
        found = lists.find(connection, list_id=list_id)
        # Those that it has may name what the tables have lost; what else is edited need not wait for that.
        if request.rules is not None and request.rules != Rules.model_validate(found.rules):
            require_rules(call, request.rules)
        return editing.edit(
            connection,
            list_id=list_id,
            values=request.values(),
            seen=request.revision,
            who=name_of(call.caller),
            now=utc_now(),
        )

    return await _changing(call, body=body, change=change)


async def _exclude(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request = parse_body(body, model=ExcludedRequest)

    def change(connection: Connection) -> TargetList:
        return editing.exclude(
            connection,
            list_id=list_id,
            entries=request.entries,
            seen=request.revision,
            who=name_of(call.caller),
            now=utc_now(),
            people=people_of(call),
        )

    return await _changing(call, body=body, change=change)


async def _move(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request = parse_body(body, model=StateRequest)

    def change(connection: Connection) -> TargetList:
        return deciding.move_state(
            connection,
            list_id=list_id,
            action=request.step(),
            seen=request.revision,
            who=name_of(call.caller),
            now=utc_now(),
            comment=request.comment,
        )

    return await _changing(call, body=body, change=change)


async def _approve(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request = parse_body(body, model=ApprovalRequest)
    side: Side = "sales" if request.side == "sales" else "marketing"
    require_side(call.caller, side)

    def change(connection: Connection) -> TargetList:
        return deciding.approve(
            connection,
            list_id=list_id,
            side=side,
            decision="approved" if request.decision == "approved" else "changes_requested",
            approver=name_of(call.caller),
            comment=request.comment,
            seen=request.revision,
            now=utc_now(),
        )

    return await _changing(call, body=body, change=change)


_CHANGING = (UnknownListError, ListChangedError, ListStateError, WorkspaceError)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/lists",
        scope="lists",
        handle=_create,
        operation=Operation(
            name="createList",
            summary="Make a target account list",
            description="A named list with an owner, a purpose, segments and goals that can be measured. It "
            "begins as a draft without accounts, and unless told otherwise as a pilot: one sub-industry, "
            "fifty accounts. Rules name columns of the accounts; one that they do not have is refused.",
            tag="lists",
            body=lambda _: ListRequest,
            body_description="What the list is for, and who may be on it.",
            example={
                "name": "EMEA banks",
                "owner": "Ann",
                "purpose": "Open banking in EMEA",
                "goals": [
                    {
                        "metric": "funnel_velocity",
                        "target": 15,
                        "unit": "percent_change",
                        "date": "2026-12-31",
                    }
                ],
            },
            answer=ListAnswer,
            answer_description="The list.",
            status=201,
            repeatable=True,
            problems=(WorkspaceError,),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/lists",
        scope="lists",
        handle=_lists,
        operation=Operation(
            name="listLists",
            summary="Which lists there are",
            description="The newest first.",
            tag="lists",
            parameters=(_STATE, limit_parameter(_LIMIT, _LIMIT), PAGE),
            answer=ListsAnswer,
            answer_description="A page of lists.",
            problems=(WorkspaceError,),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/lists/{id}",
        scope="lists",
        handle=_read,
        operation=Operation(
            name="getList",
            summary="A list, what is on it in numbers, and who approved it",
            description="The accounts are at /v1/lists/{id}/accounts.",
            tag="lists",
            parameters=(LIST_ID,),
            answer=ListDetail,
            answer_description="The list.",
            problems=(UnknownListError, WorkspaceError),
        ),
    ),
    Endpoint(
        "PATCH",
        "/v1/lists/{id}",
        scope="lists",
        handle=_edit,
        operation=Operation(
            name="editList",
            summary="Change what is said of a list",
            description="Name, owner, purpose, segments, goals, size or rules; what is left out stays. Name, "
            "purpose, segments and goals are reviewed: approvals of a list in review lapse with any change, "
            "and on an approved list one of these four begins another version, a draft, while a CRM goes on "
            "being told the name that was approved. Owner, size and rules change at once: size and rules "
            "count from the next draw on, which is reviewed itself. A rule of a column that the accounts do "
            "not have is refused. Where somebody else changed these since the revision sent, 409 says who, "
            "what and when.",
            tag="lists",
            parameters=(LIST_ID,),
            body=lambda _: EditRequest,
            body_description="What is to be changed, and the revision that was seen.",
            example={"revision": 3, "owner": "Ben"},
            answer=ListDetail,
            answer_description="The list as it is now.",
            repeatable=True,
            problems=_CHANGING,
        ),
    ),
    Endpoint(
        "PUT",
        "/v1/lists/{id}/excluded",
        scope="lists",
        handle=_exclude,
        operation=Operation(
            name="excludeFromList",
            summary="Keep accounts and domains off a list",
            description="They replace those before, and count from the next draw on.",
            tag="lists",
            parameters=(LIST_ID,),
            body=lambda _: ExcludedRequest,
            body_description="Identifiers of accounts, and domains.",
            example={"revision": 3, "entries": ["rival.example"]},
            answer=ListDetail,
            answer_description="The list as it is now.",
            repeatable=True,
            problems=_CHANGING,
        ),
    ),
    Endpoint(
        "POST",
        "/v1/lists/{id}/state",
        scope="lists",
        handle=_move,
        operation=Operation(
            name="moveList",
            summary="Submit a list to review, withdraw, archive or restore it",
            description="draft to review by submit, back by withdraw; archive from anywhere, and restore to "
            "a draft. A change of an approved list begins another version as a draft; the approved one stays "
            "what is handed over.",
            tag="lists",
            parameters=(LIST_ID,),
            body=lambda _: StateRequest,
            body_description="What is to be done, and the revision that was seen.",
            example={"action": "submit", "revision": 3},
            answer=ListDetail,
            answer_description="The list as it is now.",
            repeatable=True,
            problems=_CHANGING,
        ),
    ),
    Endpoint(
        "POST",
        "/v1/lists/{id}/approvals",
        scope="lists",
        handle=_approve,
        operation=Operation(
            name="approveList",
            summary="Approve a list, or ask for changes",
            description="A list in review is approved once somebody of marketing and somebody of sales "
            "have, each by the name of who asks, at the revision that it has. Two who do so at once are both "
            "recorded; the same decision sent again counts once.",
            tag="lists",
            parameters=(LIST_ID,),
            body=lambda _: ApprovalRequest,
            body_description="What is decided for which side, and the revision that was seen.",
            example={"side": "sales", "decision": "approved", "revision": 5},
            answer=ListDetail,
            answer_description="The list as it is now.",
            repeatable=True,
            problems=_CHANGING,
        ),
    ),
)
