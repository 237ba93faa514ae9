"""The accounts on a list: a page at a time, one with its reasons, and what people decide of them.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from features.errors import ConfigError, EngineError, UnknownAccountError, WorkspaceError
from serving.access.callers import name_of
from serving.lists import deciding
from serving.lists.answers import DecisionsAnswer, decision_made
from serving.lists.known import KnownAccount, account_in
from serving.lists.member_answers import (
    DecidedAnswer,
    MemberAnswer,
    MembersAnswer,
    decided_answer,
    listed_account,
    member_answer,
)
from serving.lists.requests import DecisionRequest, EndRequest
from serving.problems import NotReadyError
from serving.reading import parse_body
from serving.scoring import utc_now
from serving.store import list_members, list_overrides, lists
from serving.store.idempotency import Answered
from serving.store.list_overrides import UnknownOverrideError
from serving.store.list_pages import SORTS, Filter, Sort, page
from serving.store.lists import ListChangedError, ListStateError, TargetList, UnknownListError
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer, parameter
from serving.web.list_queries import (
    LIST_ID,
    PAGE,
    SHORT_TEXT,
    VERSION,
    choice,
    decode_page,
    encode_page,
    flag,
    integer,
    limit_parameter,
    number,
    path_number,
    text,
    version_of,
)
from serving.web.repeats import answer_once

__all__ = ["ENDPOINTS"]

_LIMIT, _MOST = 50, 500
_STATUSES = ("target", "dropped", "all")
_ORDERS = ("asc", "desc")
_NUMBER, _TEXT = (int, float), (str,)
_PLACES: dict[Sort, tuple[tuple[type, ...], ...]] = {
    "score": (_NUMBER, _TEXT),
    "probability": (_NUMBER, _TEXT),
    "segment": (_TEXT, _NUMBER, _TEXT),
}
"""What a page begins after, by what it is sorted by; where it is not told: two texts."""


def _told(name: str, description: str) -> dict[str, Any]:
    return parameter(name, "query", description, schema=SHORT_TEXT)


def _chosen(name: str, description: str, allowed: tuple[str, ...], default: str) -> dict[str, Any]:
    schema = {"type": "string", "enum": list(allowed), "default": default}
    return parameter(name, "query", description, schema=schema)


_FILTERS = (
    _chosen("status", "target, dropped (taken off by a person), or all.", _STATUSES, "target"),
    _told("segment", "Only accounts of this segment."),
    _told("industry", "Only accounts of this industry."),
    _told("country", "Only accounts of this country."),
    _told("owner", "Only accounts of this owner."),
    parameter(
        "decided",
        "query",
        "true: only accounts that somebody decided of; false: only the others.",
        schema={"type": "boolean"},
    ),
    parameter(
        "minimum_score", "query", "Only accounts of this score or a better one.", schema={"type": "number"}
    ),
    _told("search", "A part of the name, the domain or the identifier, in any case of letters."),
)
_ACCOUNT = parameter(
    "account_id",
    "path",
    "Identifier of an account, of today or an earlier one.",
    schema={"type": "string"},
    required=True,
)
_DECISION = parameter(
    "decision_id",
    "path",
    "The id of a decision on this list.",
    schema={"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    required=True,
)


async def _members(call: Call) -> Response:
    list_id, version = path_number(call), integer(call, "version", default=None)
    sort = choice(call, "sort", SORTS, default="score")
    descending = choice(call, "order", _ORDERS, default=_usual_order(sort)) == "desc"
    limit = integer(call, "limit", default=_LIMIT, most=_MOST) or _LIMIT
    after = decode_page(call, kinds=_PLACES.get(sort, (_TEXT, _TEXT)))
    wanted = _filter(call)

    def work() -> MembersAnswer:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
            asked = version_of(connection, found, number=version)
            one = page(
                connection,
                list_id=list_id,
                version=asked,
                newest=found.version,
                wanted=wanted,
                sort=sort,
                descending=descending,
                after=after,
                limit=limit,
            )
        return MembersAnswer(
            list_id=list_id,
            version=asked,
            revision=found.revision,
            total=one.total,
            accounts=[listed_account(member) for member in one.members],
            next_page=None if one.after is None else encode_page(*one.after),
        )

    return json_answer(await call.compute(work))


def _usual_order(sort: Sort) -> str:
    """Numbers from the best on, texts from A on."""
    return "desc" if sort in ("score", "probability") else "asc"


def _filter(call: Call) -> Filter:
    status = choice(call, "status", _STATUSES, default="target")
    return Filter(
        status=None if status == "all" else "dropped" if status == "dropped" else "target",
        segment=text(call, "segment"),
        industry=text(call, "industry"),
        country=text(call, "country"),
        owner=text(call, "owner"),
        decided=flag(call, "decided"),
        minimum_score=number(call, "minimum_score"),
        search=text(call, "search"),
    )


async def _member(call: Call) -> Response:
    list_id, version = path_number(call), integer(call, "version", default=None)
    account_id = call.request.path_params["account_id"]
    language = call.language

    def work() -> MemberAnswer:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
            names = _account(call, found, account_id).names
            asked = version_of(connection, found, number=version)
            one = list_members.find(
                connection, list_id=list_id, account_ids=names, version=asked, newest=found.version
            )
            decisions = list_overrides.of_list(connection, list_id=list_id, account_ids=names)
            if one is None and not decisions:
                raise UnknownAccountError(
                    f"the account is not on version {asked} of the list",
                    got=account_id[:80],
                    fix="see /v1/lists/{id}/accounts for who is",
                )
            said = {} if one is None else list_members.details(connection, list_id=list_id, some=[one])
        return member_answer(
            one,
            found=found,
            version=asked,
            detail=None if one is None else said.get(one.account_id),
            decisions=decisions,
            now=utc_now(),
            language=language,
        )

    return json_answer(await call.compute(work))


def _account(call: Call, found: TargetList, account_id: str) -> KnownAccount:
    """The account with all that it is called. Neither database takes every text for a name."""
    if "\x00" in account_id or len(account_id) > 200:
        raise UnknownAccountError("there is no such account", got=account_id[:80].replace("\x00", "?"))
    return account_in(call.services.answers.desk().snapshot.tables, account_id, rules=found.rules)


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
        return _account(call, found, request.account_id)

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
        )
        return Answered(201, decided_answer(found, made, now=now).model_dump_json())

    return await answer_once(call, body=body, write=write)


async def _end(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request, decision_id = parse_body(body, model=EndRequest), path_number(call, "decision_id")

    def look() -> KnownAccount:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
            one = list_overrides.find(connection, list_id=list_id, override_id=decision_id)
        return _account(call, found, one.account_id)

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
        return Answered(200, decided_answer(found, ended, now=now).model_dump_json())

    return await answer_once(call, body=body, write=write)


_OF_TABLES = (NotReadyError, WorkspaceError, EngineError, ConfigError)
_READING = (UnknownListError, WorkspaceError)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/lists/{id}/accounts",
        scope="lists",
        handle=_members,
        operation=Operation(
            name="listAccountsOfList",
            summary="The accounts on a list",
            description="A page of those that match, in the order asked for; of equal ones by identifier. "
            "Without a version, the newest: what is being worked on, or what was approved last.",
            tag="lists",
            parameters=(
                LIST_ID,
                VERSION,
                *_FILTERS,
                _chosen("sort", "What the order follows.", SORTS, "score"),
                parameter(
                    "order",
                    "query",
                    "asc or desc; by default numbers from the best on, texts from A on.",
                    schema={"type": "string", "enum": list(_ORDERS)},
                ),
                limit_parameter(_MOST, _LIMIT),
                PAGE,
            ),
            answer=MembersAnswer,
            answer_description="A page of accounts, and how many there are on all pages.",
            problems=_READING,
        ),
    ),
    Endpoint(
        "GET",
        "/v1/lists/{id}/accounts/{account_id}",
        scope="lists",
        handle=_member,
        slashes=True,
        operation=Operation(
            name="getAccountOfList",
            summary="An account on a list: reasons, nearest seeds and decisions",
            description="What the machine said of it, for and against, in shares that add up to its score, "
            "the seeds that it is most like, and everything that people decided of it. An account that is "
            "not on the list now, but that people decided of, has their decisions alone.",
            tag="lists",
            parameters=(LIST_ID, _ACCOUNT, VERSION, LANGUAGE),
            answer=MemberAnswer,
            answer_description="The account.",
            problems=(*_READING, *_OF_TABLES, UnknownAccountError),
        ),
    ),
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
            "becomes another version, a draft.",
            tag="lists",
            parameters=(LIST_ID,),
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
            parameters=(LIST_ID, _DECISION),
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
