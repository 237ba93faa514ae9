"""The OpenAPI document of every /v1 route, served at /docs.json.

Turns the request, answer and problem models into OpenAPI 3.0.3 with named schemas, operation identifiers and
every status that can occur. Time rule: none. Null rule: a value that may be null says `nullable: true`; the
document holds no anyOf, no oneOf and no type null, because importers such as Salesforce External Services
understand none of them.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from features.tables import Attribute
from serving.answers import ProblemDetails, ScoreAnswer
from serving.problems import PROBLEMS, ProblemKind
from serving.profile import ProfileAnswer
from serving.requests import ScoreRequest, request_model

__all__ = ["document"]

_REFERENCE = "#/components/schemas/{model}"
_SCORE_STATUSES = (400, 404, 408, 409, 413, 415, 422, 500, 503)
_PROFILE_STATUSES = (422, 500, 503)
_EXAMPLE = {"account_id": "acc-000042"}

Json = dict[str, Any]


@cache
def document(attributes: tuple[Attribute, ...] = ()) -> Json:
    """The document of a workspace with these declared attributes. Treat it as read-only."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Spearfish",
            "version": version("spearfish"),
            "description": "Explained ICP fit and buying intent for B2B accounts.",
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "scores", "description": "Scores with their reasons."},
            {"name": "models", "description": "What the models learned."},
        ],
        "paths": {
            "/v1/score": {"post": _score_operation()},
            "/v1/profile": {"get": _profile_operation()},
        },
        "components": {"schemas": _schemas(request_model(attributes))},
    }


def _score_operation() -> Json:
    return {
        "operationId": "scoreAccount",
        "summary": "Score one account",
        "description": "Fit and intent of one account with up to five reasons for and five against each. The "
        "account is named by account_id or by domain, or sent along as a record with its activities.",
        "tags": ["scores"],
        "parameters": [_language_parameter()],
        "requestBody": {
            "required": True,
            "description": "Exactly one of account_id, domain and record.",
            "content": {
                "application/json": {"schema": {"$ref": _reference(ScoreRequest)}, "example": _EXAMPLE}
            },
        },
        "responses": {"200": _answer(ScoreAnswer, "The scores and their reasons.")}
        | {str(status): _problem(status) for status in _SCORE_STATUSES},
    }


def _profile_operation() -> Json:
    return {
        "operationId": "getProfile",
        "summary": "The ideal customer profile",
        "description": "What sets the accounts that are won apart, in words and figures: traits found on "
        "earlier accounts that hold on later ones, and where they agree with what sales stated.",
        "tags": ["models"],
        "parameters": [_language_parameter(), _model_parameter()],
        "responses": {"200": _answer(ProfileAnswer, "The profile of a fit model that answers now.")}
        | {str(status): _problem(status) for status in _PROFILE_STATUSES},
    }


def _language_parameter() -> Json:
    return {
        "name": "Accept-Language",
        "in": "header",
        "required": False,
        "description": "Language of the sentences: en (default) or zh.",
        "schema": {"type": "string"},
    }


def _model_parameter() -> Json:
    return {
        "name": "model",
        "in": "query",
        "required": False,
        "description": "Of which fit model: fit (default), which is of all accounts, or one as fit.emea.",
        "schema": {"type": "string"},
    }


def _answer(model: type[BaseModel], description: str) -> Json:
    return {
        "description": description,
        "headers": {"X-Request-ID": _header("Names this answer in logs.", "string")},
        "content": {"application/json": {"schema": {"$ref": _reference(model)}}},
    }


def _problem(status: int) -> Json:
    kinds = _kinds(status)
    titles = "; ".join(dict.fromkeys(kind.title for kind in kinds))
    headers = {"X-Request-ID": _header("Names this answer in logs.", "string")}
    if any(kind.retry_after for kind in kinds):
        headers["Retry-After"] = _header("Seconds to wait before trying again.", "integer")
    return {
        "description": f"{titles}.",
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": _reference(ProblemDetails)}}},
    }


def _kinds(status: int) -> list[ProblemKind]:
    """The kinds of a status on a known path."""
    return [kind for kind in PROBLEMS.values() if kind.status == status and kind.slug != "not-found"]


def _header(description: str, kind: str) -> Json:
    return {"description": description, "schema": {"type": kind}}


def _reference(model: type[BaseModel]) -> str:
    return _REFERENCE.format(model=model.__name__)


def _schemas(request: type[BaseModel]) -> Json:
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (request, "validation"),
        (ScoreAnswer, "serialization"),
        (ProfileAnswer, "serialization"),
        (ProblemDetails, "serialization"),
    ]
    _, generated = models_json_schema(models, ref_template=_REFERENCE)
    definitions: Json = generated["$defs"]
    nullable: set[str] = set()
    schemas = {name: _translated(schema, nullable=nullable) for name, schema in sorted(definitions.items())}
    for name in nullable:
        schemas[name]["nullable"] = True
    return schemas


def _translated(schema: Any, *, nullable: set[str]) -> Any:
    """JSON Schema 2020-12 as OpenAPI 3.0 words it. `nullable` collects named schemas that may be null."""
    if isinstance(schema, list):
        return [_translated(each, nullable=nullable) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "anyOf" in schema:
        return _optional(schema, nullable=nullable)
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    kept = {key: value for key, value in schema.items() if key not in ("title", "default")}
    properties = {
        name: _translated(inner, nullable=nullable) for name, inner in kept.pop("properties", {}).items()
    }
    inner = {key: _translated(value, nullable=nullable) for key, value in kept.items()}
    return inner | ({"properties": properties} if "properties" in schema else {})


def _optional(schema: Json, *, nullable: set[str]) -> Json:
    """`X or null`, the only union in our models, as a nullable X."""
    (present,) = (each for each in schema["anyOf"] if each != {"type": "null"})
    if "$ref" in present:
        nullable.add(present["$ref"].rsplit("/", 1)[-1])
        return {"$ref": present["$ref"]}
    translated: Json = _translated(present, nullable=nullable)
    outer = {key: value for key, value in schema.items() if key == "description"}
    # A nullable enum would have to list null, which importers refuse: an optional choice is left out instead.
    return translated | outer | ({} if "enum" in translated else {"nullable": True})
