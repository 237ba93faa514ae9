"""Whom people keep off a list by name, as PUT /v1/lists/{id}/excluded was told.

Time rule: none. Null rule: a list of which nobody said so has no entries.
"""

from __future__ import annotations

from pydantic import Field
from starlette.responses import Response

from features.errors import WorkspaceError
from serving.answers import Answer
from serving.store import lists
from serving.store.lists import UnknownListError
from serving.web.endpoint import Call, Endpoint, Operation, json_answer
from serving.web.list_queries import LIST_ID, path_number

__all__ = ["ENDPOINTS", "ExcludedAnswer"]


class ExcludedAnswer(Answer):
    """Accounts and domains that are kept off a list."""

    list_id: int
    revision: int = Field(description="Of the list; a change rests on it.")
    entries: list[str] = Field(description="Identifiers of accounts, and domains, by name.")


async def _excluded(call: Call) -> Response:
    list_id = path_number(call)

    def work() -> ExcludedAnswer:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
            entries = sorted(lists.excluded(connection, list_id=list_id))
        return ExcludedAnswer(list_id=list_id, revision=found.revision, entries=entries)

    return json_answer(await call.compute(work))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/lists/{id}/excluded",
        scope="lists",
        handle=_excluded,
        operation=Operation(
            name="getExcludedFromList",
            summary="Accounts and domains that are kept off a list",
            description="All of them, as PUT takes them. An address stands beside the domain that it means.",
            tag="lists",
            parameters=(LIST_ID,),
            answer=ExcludedAnswer,
            answer_description="Identifiers of accounts, and domains.",
            problems=(UnknownListError, WorkspaceError),
        ),
    ),
)
