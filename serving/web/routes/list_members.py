"""The accounts on a list: a page at a time, and one with its reasons.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from features.errors import ConfigError, EngineError, UnknownAccountError, WorkspaceError
from serving.lists.member_answers import (
    MemberAnswer,
    MembersAnswer,
    listed_account,
    member_answer,
)
from serving.problems import NotReadyError
from serving.scoring import utc_now
from serving.store import list_members, list_overrides, lists
from serving.store.list_pages import SORTS, Filter, Sort, page
from serving.store.lists import UnknownListError
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer, parameter
from serving.web.list_queries import (
    LIST_ID,
    PAGE,
    SHORT_TEXT,
    VERSION,
    account_of,
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
            names = account_of(call, found, account_id).names
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
)
