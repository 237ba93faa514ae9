"""Scores for HubSpot: webhooks of workflows, and custom code actions.

HubSpot sends a webhook again after 429 and 5xx, and after no other 4xx: what is wrong with a record is a 4xx,
what is wrong with us a 5xx. Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from features.errors import BundleError, EngineError, UnknownAccountError, WorkspaceError
from serving.adapters.hubspot import hubspot_model, wanted_of
from serving.adapters.signature import PARAMETERS, is_signed, require_signature
from serving.adapters.told import CrmScore, flat
from serving.adapters.wanted import answer_first
from serving.log.entries import Answered
from serving.problems import AmbiguousDomainError, NotReadyError
from serving.reading import parse_body
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer
from serving.web.keeping import api_key_id, kept

__all__ = ["ENDPOINTS"]


async def _score(call: Call) -> Response:
    body = await json_body(call.request)
    require_signature(call.request, body)
    answered = await call.compute(partial(_answer, call, body))
    return json_answer(flat(await kept(call, answered), language=call.language))


def _answer(call: Call, body: bytes) -> Answered:
    answers = call.services.answers
    desk = answers.desk()
    attributes = desk.snapshot.manifest.attributes
    record = parse_body(body, model=hubspot_model(attributes))
    asked = wanted_of(record, attributes=attributes, levels=desk.levels())
    return answer_first(
        answers, asked, request_id=call.request_id, language=call.language, api_key_id=api_key_id(call)
    )


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/hubspot/score",
        scope="score",
        handle=_score,
        signed=is_signed,
        operation=Operation(
            name="scoreHubSpotRecord",
            summary="Score a record of HubSpot",
            description="Scores of a company, or of the company of a contact, with the numbers of POST "
            "/v1/score on one level. The record id names the account; where it is not known yet, the company "
            "is matched by domain or name, or its fit rests on what is sent. Takes the bodies of "
            "workflow webhooks, whole or with chosen properties, and those of custom code actions.",
            tag="hubspot",
            parameters=(LANGUAGE, *PARAMETERS),
            body=hubspot_model,
            body_description="The company or contact.",
            example={"hs_object_id": "2182162682", "name": "Example", "domain": "example.com"},
            answer=CrmScore,
            answer_description="The scores and their reasons.",
            problems=(
                *(UnknownAccountError, AmbiguousDomainError),
                *(NotReadyError, WorkspaceError, BundleError, EngineError),
            ),
        ),
    ),
)
