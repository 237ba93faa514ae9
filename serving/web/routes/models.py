"""What the models learned: the ideal customer profile.

Time rule: none. Null rule: none of its own.
"""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from features.errors import BundleError, EngineError, InputError, WorkspaceError
from serving.problems import NotReadyError
from serving.profile import ProfileAnswer
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Json, Operation, json_answer

__all__ = ["ENDPOINTS"]

_MODEL: Json = {
    "name": "model",
    "in": "query",
    "required": False,
    "description": "Of which fit model: fit (default), which is of all accounts, or one as fit.emea.",
    "schema": {"type": "string"},
}


async def _profile(call: Call) -> Response:
    model = call.request.query_params.get("model")
    return json_answer(
        await call.compute(partial(call.services.answers.profile, language=call.language, model=model))
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/profile",
        scope="score",
        handle=_profile,
        operation=Operation(
            name="getProfile",
            summary="The ideal customer profile",
            description="What sets the accounts that are won apart, in words and figures: traits found on "
            "earlier accounts that hold on later ones, and where they agree with what sales stated.",
            tag="models",
            parameters=(LANGUAGE, _MODEL),
            answer=ProfileAnswer,
            answer_description="The profile of a fit model that answers now.",
            problems=(InputError, NotReadyError, WorkspaceError, BundleError, EngineError),
        ),
    ),
)
