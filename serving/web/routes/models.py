"""What is served and what it learned: the models' cards, and the ideal customer profile.

Time rule: none. Null rule: none of its own.
"""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from features.errors import BundleError, EngineError, WorkspaceError
from serving.model_cards import ModelAnswer
from serving.problems import NotReadyError
from serving.profile import ProfileAnswer
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer, parameter

__all__ = ["ENDPOINTS"]

_MODEL = parameter(
    "model",
    "query",
    "Of which fit model: fit (default), which is of all accounts, or one as fit.emea.",
    schema={"type": "string"},
)


async def _profile(call: Call) -> Response:
    model = call.request.query_params.get("model")
    return json_answer(
        await call.compute(partial(call.services.answers.profile, language=call.language, model=model))
    )


async def _model(call: Call) -> Response:
    return json_answer(await call.compute(partial(call.services.answers.model, language=call.language)))


_UNAVAILABLE = (NotReadyError, WorkspaceError, BundleError, EngineError)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/model",
        scope="score",
        handle=_model,
        operation=Operation(
            name="getModel",
            summary="The models that answer now",
            description="The release that answers: since when, chosen by whom and why; and of each of its "
            "models the version, what its probability means, what it learned from and how well it did.",
            tag="models",
            parameters=(LANGUAGE,),
            answer=ModelAnswer,
            answer_description="The release and the cards of its models.",
            problems=_UNAVAILABLE,
        ),
    ),
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
            problems=_UNAVAILABLE,
        ),
    ),
)
