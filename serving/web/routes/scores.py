"""Scores of one account.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.responses import Response

from features.errors import BundleError, EngineError, UnknownAccountError, WorkspaceError
from serving.answering import Question
from serving.answers import ScoreAnswer
from serving.problems import AmbiguousDomainError, NotReadyError
from serving.requests import request_model
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation
from serving.web.keeping import api_key_id, kept_text

__all__ = ["ENDPOINTS"]

_LARGE = 128 * 1024
"""Bytes of a body that is read in a thread of its own: nobody else waits for that."""


async def _score(call: Call) -> Response:
    body, answers = await json_body(call.request), call.services.answers
    asked: dict[str, Any] = {
        "request_id": call.request_id,
        "language": call.language,
        "api_key_id": api_key_id(call),
    }
    # What is remembered is given here: it takes less than to hand it to a thread.
    answered = answers.answer_at_once(body, **asked)
    if answered is None and len(body) > _LARGE:
        answered = await call.compute(partial(answers.answer, body, **asked))
    elif answered is None:
        answered = await call.services.gathering.answer(answers, Question(body, **asked))
    return Response(await kept_text(call, answered), media_type="application/json")


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/score",
        scope="score",
        handle=_score,
        operation=Operation(
            name="scoreAccount",
            summary="Score one account",
            description="Fit and intent of one account with up to five reasons for and five against each. "
            "The account is named by account_id or by domain, sent along as a record with its activities, or "
            "matched from a lead: a person at a company.",
            tag="scores",
            parameters=(LANGUAGE,),
            body=request_model,
            body_description="Exactly one of account_id, domain, record and lead.",
            example={"account_id": "acc-000042"},
            answer=ScoreAnswer,
            answer_description="The scores and their reasons.",
            problems=(
                *(UnknownAccountError, AmbiguousDomainError),
                *(NotReadyError, WorkspaceError, BundleError, EngineError),
            ),
        ),
    ),
)
