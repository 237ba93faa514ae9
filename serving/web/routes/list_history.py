"""The past of a list: its versions, what changed between two of them, whom rules left out, and every change.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.responses import Response

from features.errors import WorkspaceError
from serving.lists.answers import (
    ChangesAnswer,
    DiffAnswer,
    LeftOutAccount,
    LeftOutAnswer,
    VersionsAnswer,
    changed_account,
    list_change,
    version_answer,
)
from serving.scoring import utc_now
from serving.store import list_members, list_overrides, list_pages, lists
from serving.store.list_pages import CHANGES
from serving.store.lists import TargetList, UnknownListError
from serving.web.endpoint import Call, Endpoint, Operation, json_answer, parameter
from serving.web.list_queries import (
    LIST_ID,
    PAGE,
    SHORT_TEXT,
    VERSION,
    choice,
    decode_page,
    encode_page,
    integer,
    limit_parameter,
    path_number,
    text,
    version_of,
)

__all__ = ["ENDPOINTS"]

_LIMIT, _MOST = 50, 500


def _number(name: str, description: str) -> dict[str, object]:
    schema = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    return parameter(name, "query", description, schema=schema)


async def _versions(call: Call) -> Response:
    list_id = path_number(call)

    def work() -> VersionsAnswer:
        with call.services.door.open().reading() as connection:
            lists.find(connection, list_id=list_id)
            found = lists.versions(connection, list_id=list_id)
        return VersionsAnswer(versions=[version_answer(one) for one in found])

    return json_answer(await call.compute(work))


async def _diff(call: Call) -> Response:
    list_id = path_number(call)
    earlier, later = (integer(call, name, default=None) for name in ("earlier", "later"))
    limit = integer(call, "limit", default=_LIMIT, most=_MOST) or _LIMIT
    place = decode_page(call, kinds=(str,))
    given = choice(call, "change", CHANGES, default="")
    change = next((one for one in CHANGES if one == given), None)

    def work() -> DiffAnswer:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
            new = version_of(connection, found, number=later)
            old = version_of(connection, found, number=earlier or _before(connection, found, new))
            changes = list_pages.diff(
                connection,
                list_id=list_id,
                earlier=old,
                later=new,
                change=change,
                after=None if place is None else place[0],
                limit=limit + 1,
            )
            counts = list_pages.diff_counts(connection, list_id=list_id, earlier=old, later=new)
            named = sorted({one.account_id for one in changes})
            made = list_overrides.of_list(connection, list_id=list_id, account_ids=named)
        shown, decisions, now = changes[:limit], {one.id: one for one in made}, utc_now()
        return DiffAnswer(
            list_id=list_id,
            earlier=old,
            later=new,
            **counts,
            changes=[changed_account(one, decisions=decisions, now=now) for one in shown],
            next_page=encode_page(shown[-1].account_id) if len(changes) > limit else None,
        )

    return json_answer(await call.compute(work))


def _before(connection: Connection, found: TargetList, number: int) -> int:
    """The version before one: what was discarded in between has left no version."""
    known = (one.number for one in lists.versions(connection, list_id=found.id))
    return max((one for one in known if one < number), default=number)


async def _left_out(call: Call) -> Response:
    list_id, version, rule = path_number(call), integer(call, "version", default=None), text(call, "rule")
    limit = integer(call, "limit", default=_LIMIT, most=_MOST) or _LIMIT

    def work() -> LeftOutAnswer:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
            asked = version_of(connection, found, number=version)
            drops = list_members.drops(connection, list_id=list_id, version=asked, rule=rule, limit=limit)
        told = [LeftOutAccount(**{n: getattr(one, n) for n in LeftOutAccount.model_fields}) for one in drops]
        return LeftOutAnswer(list_id=list_id, version=asked, accounts=told)

    return json_answer(await call.compute(work))


async def _changes(call: Call) -> Response:
    list_id = path_number(call)
    after = integer(call, "after", default=0, least=0) or 0
    limit = integer(call, "limit", default=_LIMIT, most=_MOST) or _LIMIT

    def work() -> ChangesAnswer:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
            made = lists.changes(connection, list_id=list_id, after=after, limit=limit)
        return ChangesAnswer(revision=found.revision, changes=[list_change(one) for one in made])

    return json_answer(await call.compute(work))


_READING = (UnknownListError, WorkspaceError)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/lists/{id}/versions",
        scope="lists",
        handle=_versions,
        operation=Operation(
            name="listVersions",
            summary="The versions of a list",
            description="What each was drawn from, by whom and why, and how many accounts each rule left "
            "out. A version that was approved is never changed, but to forget an account.",
            tag="lists",
            parameters=(LIST_ID,),
            answer=VersionsAnswer,
            answer_description="Every version, the newest first.",
            problems=_READING,
        ),
    ),
    Endpoint(
        "GET",
        "/v1/lists/{id}/diff",
        scope="lists",
        handle=_diff,
        operation=Operation(
            name="compareVersions",
            summary="What changed from one version of a list to a later one",
            description="Accounts that were added, dropped or moved, each with what did it: the machine, a "
            "rule, or a person with name and reason. By default the newest version against the one before.",
            tag="lists",
            parameters=(
                LIST_ID,
                _number("earlier", "The version before; by default the one before the later one."),
                _number("later", "The version after; by default the newest."),
                parameter(
                    "change",
                    "query",
                    "Only changes of this kind.",
                    schema={"type": "string", "enum": list(CHANGES)},
                ),
                limit_parameter(_MOST, _LIMIT),
                PAGE,
            ),
            answer=DiffAnswer,
            answer_description="A page of changes, by identifier, and how many there are of each kind.",
            problems=_READING,
        ),
    ),
    Endpoint(
        "GET",
        "/v1/lists/{id}/left_out",
        scope="lists",
        handle=_left_out,
        operation=Operation(
            name="listLeftOut",
            summary="Whom the rules left out of a version, and why",
            description="The best thousand of each rule are named; the versions count all of them.",
            tag="lists",
            parameters=(
                LIST_ID,
                VERSION,
                parameter(
                    "rule",
                    "query",
                    "Only those that this rule left out, as the versions name it.",
                    schema=SHORT_TEXT,
                ),
                limit_parameter(_MOST, _LIMIT),
            ),
            answer=LeftOutAnswer,
            answer_description="Accounts by rule, the best first.",
            problems=_READING,
        ),
    ),
    Endpoint(
        "GET",
        "/v1/lists/{id}/changes",
        scope="lists",
        handle=_changes,
        operation=Operation(
            name="listChanges",
            summary="Who changed what of a list, and when",
            description="Every change raises the revision. For whoever was told that somebody else was there "
            "before: after names the revision that they had seen.",
            tag="lists",
            parameters=(
                LIST_ID,
                parameter(
                    "after",
                    "query",
                    "Only changes later than this revision.",
                    schema={"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "default": 0},
                ),
                limit_parameter(_MOST, _LIMIT),
            ),
            answer=ChangesAnswer,
            answer_description="The changes, the latest first.",
            problems=_READING,
        ),
    ),
)
