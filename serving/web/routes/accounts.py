"""What was said of accounts: logged answers, an account's history, and feedback of sales.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from features.errors import BundleError, EngineError, UnknownAccountError, WorkspaceError
from serving.answers import AccountName
from serving.feedback import (
    FeedbackAnswer,
    FeedbackRequest,
    check_feedback,
    require_not_forgotten,
    store_feedback,
)
from serving.history import LARGEST_PAGE, AccountHistory, LoggedAnswer, account_history, logged_answer
from serving.problems import FieldError, InvalidRequestError, NotReadyError, UnknownPredictionError
from serving.requests import parse_body
from serving.scoring import utc_now
from serving.store.feedback import Feedback
from serving.store.idempotency import Answered
from serving.store.turns import wait_for_erasing
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, parameter
from serving.web.keeping import api_key_id
from serving.web.repeats import answer_once

__all__ = ["ENDPOINTS"]

_REQUEST_ID = parameter(
    "request_id",
    "path",
    "The request_id of an answer, which is in its body and in the header X-Request-ID.",
    schema={"type": "string"},
    required=True,
)
_ACCOUNT_ID = parameter(
    "id",
    "path",
    "Identifier of a known account.",
    schema={"type": "string"},
    required=True,
)
_LIMIT = parameter(
    "limit",
    "query",
    "How many scores a page holds.",
    schema={"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": LARGEST_PAGE},
)
_PAGE = parameter(
    "page",
    "query",
    "What next_page of the page before said; absent for the first one.",
    schema={"type": "string"},
)


async def _prediction(call: Call) -> Response:
    request_id = call.request.path_params["request_id"]

    def work() -> dict[str, Any]:
        return logged_answer(call.services.door.open(), request_id=request_id)

    return JSONResponse(await call.compute(work))


async def _account(call: Call) -> Response:
    query = call.request.query_params
    limit, page = _limit(query.get("limit")), query.get("page")

    def work() -> dict[str, Any]:
        snapshot = call.services.answers.desk().snapshot
        account = snapshot.accounts.by_id(call.request.path_params["id"])
        name = AccountName(account_id=account.account_id, name=account.name, domain=account.domain)
        members = snapshot.own_rows.members(account.account_id or "")
        return account_history(
            call.services.door.open(), account=name, members=members, limit=limit, page=page
        )

    return JSONResponse(await call.compute(work))


def _limit(text: str | None) -> int:
    if text is None:
        return LARGEST_PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LARGEST_PAGE):
        error = FieldError("limit", "is no size of a page", text[:80], f"1 to {LARGEST_PAGE}", "correct it")
        raise InvalidRequestError([error])
    return int(text)


async def _feedback(call: Call) -> Response:
    body = await json_body(call.request)
    request, desk = parse_body(body, model=FeedbackRequest), call.services.answers.desk()
    key, now = api_key_id(call), utc_now()
    check = partial(check_feedback, desk, request=request, now=now, language=call.language, api_key_id=key)
    checked, stored = await call.compute(check), list[Feedback]()

    def write(connection: Connection) -> Answered:
        wait_for_erasing(connection)
        require_not_forgotten(desk, account_id=checked.said.account_id)
        said, answer = store_feedback(connection, checked, verdicts=desk.verdicts, language=call.language)
        stored.append(said)
        return Answered(201, answer.model_dump_json())

    response = await answer_once(call, body=body, write=write)
    for said in stored:
        desk.verdicts.note(said)
    return response


_PROBLEMS = (UnknownAccountError, NotReadyError, WorkspaceError, BundleError, EngineError)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/predictions/{request_id}",
        scope="score",
        handle=_prediction,
        operation=Operation(
            name="getPrediction",
            summary="An answer as it was given",
            description="The logged answer to a request, when it was given and by which release.",
            tag="accounts",
            parameters=(_REQUEST_ID,),
            answer=LoggedAnswer,
            answer_description="The answer, whole.",
            problems=(UnknownPredictionError, WorkspaceError),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/accounts/{id}",
        scope="score",
        handle=_account,
        slashes=True,
        operation=Operation(
            name="getAccount",
            summary="The scores of an account over time",
            description="The answer given last about an account with its reasons, every answer in short, a "
            "page at a time, and what people said of the account. Nothing is scored anew.",
            tag="accounts",
            parameters=(_ACCOUNT_ID, _LIMIT, _PAGE),
            answer=AccountHistory,
            answer_description="Scores, the newest first, and feedback.",
            problems=_PROBLEMS,
        ),
    ),
    Endpoint(
        "POST",
        "/v1/feedback",
        scope="activities",
        handle=_feedback,
        operation=Operation(
            name="giveFeedback",
            summary="Say what sales made of an account",
            description="Accepted, rejected with a reason, or what came of it. A rejection holds the "
            "working score at 20 until the machine score has risen by 10 (or by half of what was left to "
            "100), until sales accepts the account, or for 90 days; no probability and no contribution "
            "ever changes.",
            tag="accounts",
            parameters=(LANGUAGE,),
            body=lambda _: FeedbackRequest,
            body_description="What is said of which account.",
            example={"account_id": "acc-000042", "verdict": "rejected", "reason": "no budget this year"},
            answer=FeedbackAnswer,
            answer_description="The feedback as it is stored, and what sales works with from now on.",
            status=201,
            repeatable=True,
            problems=_PROBLEMS,
        ),
    ),
)
