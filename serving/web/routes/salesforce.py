"""Scores for Salesforce: Flow, External Services and Apex.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

import asyncio
from functools import partial

from starlette.responses import Response

from features.errors import BundleError, EngineError, SpearfishError, UnknownAccountError, WorkspaceError
from serving.adapters.records import Record
from serving.adapters.salesforce import SalesforceRecords, records_model, salesforce_model, wanted_of
from serving.adapters.told import CrmScore, CrmScores, flat, flat_rows
from serving.adapters.wanted import Outcome, Wanted, answer_every, answer_first
from serving.answers import ScoreAnswer
from serving.log.entries import Answered
from serving.log.writer import LogUnavailableError
from serving.problems import AmbiguousDomainError, InvalidRequestError, NotReadyError
from serving.reading import parse_body, parse_rows
from serving.requests import MOST_ROWS
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer
from serving.web.keeping import api_key_id, kept, require_some

__all__ = ["ENDPOINTS"]


async def _score(call: Call) -> Response:
    body, answers, language = await json_body(call.request), call.services.answers, call.language

    def work() -> Answered:
        desk = answers.desk()
        attributes = desk.snapshot.manifest.attributes
        record = parse_body(body, model=salesforce_model(attributes))
        asked = wanted_of(record, attributes=attributes, levels=desk.levels())
        return answer_first(
            answers, asked, request_id=call.request_id, language=language, api_key_id=api_key_id(call)
        )

    return json_answer(flat(await kept(call, await call.compute(work)), language=language))


async def _score_many(call: Call) -> Response:
    body, language = await json_body(call.request), call.language
    outcomes = await call.compute(partial(_outcomes, call, body))
    rows = await asyncio.gather(*(_sent(call, outcome) for outcome in outcomes))
    require_some(rows)
    told = partial(flat_rows, rows, request_id=call.request_id, language=language)
    return json_answer(await call.compute(told))


def _outcomes(call: Call, body: bytes) -> list[Outcome]:
    answers = call.services.answers
    desk = answers.desk()
    attributes, levels = desk.snapshot.manifest.attributes, desk.levels()
    _, rows = parse_rows(body, whole=SalesforceRecords, rows="accounts", model=salesforce_model(attributes))

    def asked(place: int, row: Record | InvalidRequestError) -> Wanted | InvalidRequestError:
        if isinstance(row, InvalidRequestError):
            return row
        try:
            return wanted_of(row, attributes=attributes, levels=levels, path=f"accounts[{place}].")
        except InvalidRequestError as error:
            return error

    rows_asked = [asked(place, row) for place, row in enumerate(rows)]
    return answer_every(answers, rows_asked, language=call.language, api_key_id=api_key_id(call))


async def _sent(call: Call, outcome: Outcome) -> ScoreAnswer | SpearfishError:
    """The answer of a record, once it may be sent. One that cannot be kept is refused alone."""
    if isinstance(outcome, SpearfishError):
        return outcome
    try:
        return await kept(call, outcome)
    except LogUnavailableError as error:
        return error


_UNAVAILABLE = (NotReadyError, WorkspaceError, BundleError, EngineError)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/salesforce/score",
        scope="score",
        handle=_score,
        operation=Operation(
            name="scoreSalesforceRecord",
            summary="Score a record of Salesforce",
            description="Scores of an Account, or of the account of a Contact or Lead, with the numbers of "
            "POST /v1/score on one level. The Id names the account; where it is not known yet, the company "
            "is matched by domain or name, or its fit rests on what is sent.",
            tag="salesforce",
            parameters=(LANGUAGE,),
            body=salesforce_model,
            body_description="The record, whole or with the fields that a flow fills in.",
            example={"Id": "001A0000006Vm9uIAC", "Name": "Example", "Website": "https://www.example.com"},
            answer=CrmScore,
            answer_description="The scores and their reasons.",
            problems=(UnknownAccountError, AmbiguousDomainError, *_UNAVAILABLE),
        ),
    ),
    Endpoint(
        "POST",
        "/v1/salesforce/score/batch",
        scope="score",
        handle=_score_many,
        operation=Operation(
            name="scoreSalesforceRecords",
            summary="Score a collection of records of Salesforce",
            description=f"Up to {MOST_ROWS:,} records in one call, each answered or refused for itself, in "
            "the order of the request. Records of one company may repeat.",
            tag="salesforce",
            parameters=(LANGUAGE,),
            body=records_model,
            body_description="The collection.",
            example={"accounts": [{"Id": "001A0000006Vm9uIAC"}, {"Name": "Example", "Industry": "Banking"}]},
            answer=CrmScores,
            answer_description="A score or a problem for each record.",
            problems=_UNAVAILABLE,
        ),
    ),
)
