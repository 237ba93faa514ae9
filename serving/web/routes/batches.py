"""Scores of many accounts in one request.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from starlette.responses import Response

from features.errors import BundleError, EngineError, SpearfishError, WorkspaceError
from serving.batches import BatchAnswer, batch_text
from serving.log.entries import Answered
from serving.log.writer import LogUnavailableError
from serving.problems import NotReadyError
from serving.requests import MOST_ROWS, batch_model
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation
from serving.web.keeping import api_key_id, kept_text, require_some

__all__ = ["ENDPOINTS"]


async def _score(call: Call) -> Response:
    body = await json_body(call.request)
    work = partial(
        call.services.answers.answer_batch, body, language=call.language, api_key_id=api_key_id(call)
    )
    rows = await _kept(call, await call.compute(work))
    require_some(rows)
    # Megabytes: written where others need not wait for it.
    text = await call.compute(partial(batch_text, rows, request_id=call.request_id))
    return Response(text, media_type="application/json")


async def _kept(call: Call, rows: Sequence[Answered | SpearfishError]) -> list[str | SpearfishError]:
    if all(isinstance(row, SpearfishError) or row.kept.done() for row in rows):
        return [await _kept_row(call, row) for row in rows]
    return await asyncio.gather(*(_kept_row(call, row) for row in rows))


async def _kept_row(call: Call, row: Answered | SpearfishError) -> str | SpearfishError:
    """The answer of a row, once it may be sent. One that cannot be kept is refused alone."""
    if isinstance(row, SpearfishError):
        return row
    try:
        return await kept_text(call, row)
    except LogUnavailableError as error:
        return error


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/score/batch",
        scope="score",
        handle=_score,
        operation=Operation(
            name="scoreAccounts",
            summary="Score many accounts",
            description=f"Up to {MOST_ROWS:,} accounts, each given as in POST /v1/score. Every row is "
            "answered or refused for itself, in the order of the request, and gets the answer that it would "
            "get alone. An account that is named twice is answered once; the repetition is a problem that "
            "says where.",
            tag="scores",
            parameters=(LANGUAGE,),
            body=batch_model,
            body_description="The accounts; as_of counts for those that bring none of their own.",
            example={"accounts": [{"account_id": "acc-000042"}, {"domain": "example.com"}]},
            answer=BatchAnswer,
            answer_description="An answer or a problem for each row.",
            problems=(NotReadyError, WorkspaceError, BundleError, EngineError),
        ),
    ),
)
