"""What people decide of the accounts on a list: all of it, and how it is made and ended.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.responses import Response

from features.errors import ConfigError, EngineError, UnknownAccountError, WorkspaceError
from serving.access.callers import name_of
from serving.lists import deciding
from serving.lists.answers import DecisionsAnswer, decision_made
from serving.lists.known import KnownAccount
from serving.lists.member_answers import DecidedAnswer, decided_answer
from serving.lists.requests import DecisionRequest, EndRequest
from serving.problems import NotReadyError
from serving.reading import parse_body
from serving.scoring import utc_now
from serving.store import list_overrides, lists
from serving.store.idempotency import Answered
from serving.store.list_overrides import UnknownOverrideError
from serving.store.lists import ListChangedError, ListStateError, UnknownListError
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer
from serving.web.list_queries import (
    LIST_ID,
    PAGE,
    account_of,
    decode_page,
    encode_page,
    id_parameter,
    integer,
    limit_parameter,
    path_number,
    people_of,
)
from serving.web.repeats import answer_once

__all__ = ["ENDPOINTS"]

_LIMIT, _MOST = 50, 500
_DECISION = id_parameter("decision_id", "The id of a decision on this list.")


async def _decisions(call: Call) -> Response:
    list_id = path_number(call)
    limit = integer(call, "limit", default=_LIMIT, most=_MOST) or _LIMIT
    place = decode_page(call, kinds=(int,))

    def work() -> DecisionsAnswer:
        with call.services.door.open().reading() as connection:
            lists.find(connection, list_id=list_id)
            found = list_overrides.of_list(
                connection,
                list_id=list_id,
                before_id=None if place is None else place[0],
                limit=limit + 1,
            )
        shown, now = found[:limit], utc_now()
        further = encode_page(shown[-1].id) if len(found) > limit else None
        told = [decision_made(one, now=now) for one in shown]
        return DecisionsAnswer(decisions=told, next_page=further)

    return json_answer(await call.compute(work))


async def _decide(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request = parse_body(body, model=DecisionRequest)

    def look() -> KnownAccount:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
        return account_of(call, found, request.account_id)

    account = await call.compute(look)

    def write(connection: Connection) -> Answered:
        now = utc_now()
        found, made = deciding.decide(
            connection,
            list_id=list_id,
            account_ids=account.names,
            facts=account.facts,
            kind=request.decision(),
            reason=request.reason,
            segment=request.segment,
            expires_at=request.expires_at,
            replaces=request.replaces,
            who=name_of(call.caller),
            now=now,
            people=people_of(call),
        )
        told = decided_answer(found, made, account=account, now=now, language=call.language)
        return Answered(201, told.model_dump_json())

    return await answer_once(call, body=body, write=write)


async def _end(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request, decision_id = parse_body(body, model=EndRequest), path_number(call, "decision_id")

    def look() -> KnownAccount:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
            one = list_overrides.find(connection, list_id=list_id, override_id=decision_id)
        return account_of(call, found, one.account_id)

    account = await call.compute(look)

    def write(connection: Connection) -> Answered:
        now = utc_now()
        found, ended = deciding.end_decision(
            connection,
            list_id=list_id,
            override_id=decision_id,
            account_ids=account.names,
            why=request.why,
            who=name_of(call.caller),
            now=now,
        )
        told = decided_answer(found, ended, account=account, now=now, language=call.language)
        return Answered(200, told.model_dump_json())

    return await answer_once(call, body=body, write=write)


_OF_TABLES = (NotReadyError, WorkspaceError, EngineError, ConfigError)
_READING = (UnknownListError, WorkspaceError)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/lists/{id}/decisions",
        scope="lists",
        handle=_decisions,
        operation=Operation(
            name="listDecisions",
            summary="What people decided of the accounts of a list",
            description="Every decision ever made, the latest first: none is changed, and none is deleted "
            "but with an account that is forgotten.",
            tag="lists",
            parameters=(LIST_ID, limit_parameter(_MOST, _LIMIT), PAGE),
            answer=DecisionsAnswer,
            answer_description="A page of decisions.",
            problems=_READING,
        ),
    ),
    Endpoint(
        "POST",
        "/v1/lists/{id}/decisions",
        scope="lists",
        handle=_decide,
        operation=Operation(
            name="decideOfAccount",
            summary="Pin an account, take it off a list, or move it to a segment",
            description="The decision stands beside the machine's score, under the name of whoever sends it, "
            "and outlives every draw until it ends. One decision of each kind counts: replaces names the one "
            "that was seen, and where another one counts meanwhile, 409 says who made it. An approved list "
            "becomes another version, a draft. Where its rules name a column that the accounts do not have, "
            "the decision is taken all the same, and notes say so.",
            tag="lists",
            parameters=(LIST_ID, LANGUAGE),
            body=lambda _: DecisionRequest,
            body_description="What is decided of which account, and why.",
            example={"account_id": "acc-000042", "kind": "pin", "reason": "asked for a meeting"},
            answer=DecidedAnswer,
            answer_description="The decision as it is stored, and the list as it is then.",
            status=201,
            repeatable=True,
            problems=(*_READING, *_OF_TABLES, UnknownAccountError, ListChangedError, ListStateError),
        ),
    ),
    Endpoint(
        "POST",
        "/v1/lists/{id}/decisions/{decision_id}/end",
        scope="lists",
        handle=_end,
        operation=Operation(
            name="endDecision",
            summary="End a decision",
            description="What the machine says of the account counts again. To end it again changes nothing.",
            tag="lists",
            parameters=(LIST_ID, _DECISION, LANGUAGE),
            body=lambda _: EndRequest,
            body_description="Why it ends.",
            example={"why": "the meeting took place"},
            answer=DecidedAnswer,
            answer_description="The decision as it is stored, and the list as it is then.",
            repeatable=True,
            problems=(*_READING, *_OF_TABLES, UnknownOverrideError, ListStateError),
        ),
    ),
)
