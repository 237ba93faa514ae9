"""The OpenAPI document of every /v1 route, served at /docs.json.

Turns endpoints with their request, answer and problem models into OpenAPI 3.0.3 with named schemas, operation
identifiers and every status that can occur. Time rule: none. Null rule: a value that may be null says
`nullable: true`; the document holds no anyOf, no oneOf and no type null, because importers such as Salesforce
External Services understand none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from features.tables import Attribute
from serving.access.scopes import SCOPES, Scope
from serving.answers import ProblemDetails
from serving.own_version import own_version
from serving.problems import ProblemKind, problem_kind_of
from serving.web.endpoint import Endpoint, Json, Operation

__all__ = ["document"]

_REFERENCE = "#/components/schemas/{model}"

_API_KEY: Json = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key made by `spearfish keys create`. Its scopes: "
    + " ".join(f"{scope}: {what}" for scope, what in SCOPES.items()),
}

_REPEAT: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name for this request, such as a UUID. Sent again within 24 hours with the same body, "
    "it is not done again, and gets the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}

_BYTES: Json = {"type": "string", "format": "binary"}

Attributes = tuple[Attribute, ...]


@cache
def document(
    attributes: Attributes, *, endpoints: tuple[Endpoint, ...], tags: tuple[tuple[str, str], ...]
) -> Json:
    """The document of a workspace with these declared attributes. Treat it as read-only.

    tags: name and description of each group of operations, in the document's order.
    """
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Spearfish",
            "version": own_version(),
            "description": "Explained ICP fit and buying intent for B2B accounts.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": description} for name, description in tags],
        "paths": _paths(endpoints, attributes=attributes),
        "components": {
            "schemas": _schemas(endpoints, attributes=attributes),
            "securitySchemes": {"apiKey": _API_KEY},
        },
    }


def _paths(endpoints: Iterable[Endpoint], *, attributes: Attributes) -> Json:
    paths: Json = {}
    for endpoint in endpoints:
        operation = _operation(endpoint.operation, attributes=attributes) | _security(endpoint.needs)
        operation["description"] += _needed(endpoint.needs)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return paths


def _needed(scope: Scope | None) -> str:
    if scope is None:
        return " It needs neither a key nor a session."
    return f" Where keys are in use, this needs one with the scope {scope}, or a person whose role allows it."


def _security(scope: Scope | None) -> Json:
    if scope is None:
        return {"security": []}
    # OpenAPI 3.0 lets only OAuth and OpenID name scopes in `security`: they stand in an extension beside it.
    return {"security": [{"apiKey": []}], "x-required-scope": scope}


def _operation(operation: Operation, *, attributes: Attributes) -> Json:
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
        "parameters": [*operation.parameters, *([_REPEAT] if operation.repeatable else [])],
        "responses": {str(operation.status): _answer(operation)} | _problems(operation),
    }
    if operation.files:
        described["requestBody"] = {
            "required": True,
            "description": operation.body_description,
            "content": _file(operation),
        }
    if operation.body is not None:
        content: Json = {"schema": {"$ref": _reference(operation.body(attributes))}}
        described["requestBody"] = {
            "required": True,
            "description": operation.body_description,
            "content": {
                "application/json": content | ({"example": operation.example} if operation.example else {})
            },
        }
    return described


def _file(operation: Operation) -> Json:
    """A file as it is, or in a form."""
    form = {"multipart/form-data": {"schema": {"$ref": _reference(operation.form)}}} if operation.form else {}
    return {media_type: {"schema": _BYTES} for media_type in operation.files} | form


def _answer(operation: Operation) -> Json:
    headers = {"X-Request-ID": _header("Names this answer in logs.", "string")}
    if operation.repeatable:
        headers["Idempotency-Replayed"] = _header("true when this is the answer to an earlier one.", "string")
    return {
        "description": operation.answer_description,
        "headers": headers,
        "content": _answered(operation),
    }


def _answered(operation: Operation) -> Json:
    row: Json = {"$ref": _reference(operation.answer)}
    if not operation.answer_files:
        return {"application/json": {"schema": row}}
    return {
        media_type: {"schema": row if media_type.endswith("json") else _BYTES}
        for media_type in operation.answer_files
    }


def _problems(operation: Operation) -> Json:
    """The problems that an operation may end in, by status."""
    kinds = sorted({problem_kind_of(error) for error in operation.all_problems}, key=lambda kind: kind.status)
    statuses = dict.fromkeys(kind.status for kind in kinds)
    return {str(status): _problem([kind for kind in kinds if kind.status == status]) for status in statuses}


def _problem(kinds: list[ProblemKind]) -> Json:
    headers = {"X-Request-ID": _header("Names this answer in logs.", "string")}
    if any(kind.retry_after for kind in kinds):
        headers["Retry-After"] = _header("Seconds to wait before trying again.", "integer")
    if kinds[0].status == 401:
        headers["WWW-Authenticate"] = _header("Bearer: the scheme of keys.", "string")
    titles = sorted({kind.title for kind in kinds})
    return {
        "description": f"{'; '.join(titles)}.",
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"$ref": _reference(ProblemDetails)}}},
    }


def _header(description: str, kind: str) -> Json:
    return {"description": description, "schema": {"type": kind}}


def _reference(model: type[BaseModel]) -> str:
    return _REFERENCE.format(model=model.__name__)


def _schemas(endpoints: Iterable[Endpoint], *, attributes: Attributes) -> Json:
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemDetails, "serialization"): None}
    for endpoint in endpoints:
        if endpoint.operation.body is not None:
            models[endpoint.operation.body(attributes), "validation"] = None
        if endpoint.operation.form is not None:
            models[endpoint.operation.form, "validation"] = None
        models[endpoint.operation.answer, "serialization"] = None
    _, generated = models_json_schema(list(models), ref_template=_REFERENCE)
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
    if "exclusiveMinimum" in kept:
        # A number of its own since 2019, a word beside the minimum in OpenAPI 3.0.
        kept |= {"minimum": kept["exclusiveMinimum"], "exclusiveMinimum": True}
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
