"""The OpenAPI document: valid, complete, and simple enough for the importers of CRMs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from features.tables import Attribute
from serving.openapi import document as openapi_document
from serving.web.routes import ENDPOINTS, TAGS

ATTRIBUTES = (
    Attribute("web_rank", "number", "web rank"),
    Attribute("tags", "set", "tags"),
    Attribute("partner", "boolean", "partner"),
    Attribute("signed_up", "date", "sign-up"),
    Attribute("segment", "category", "segment"),
    Attribute("about", "text", "about"),
)


def document(attributes: tuple[Attribute, ...]) -> Any:
    return openapi_document(attributes, endpoints=ENDPOINTS, tags=tuple(TAGS.items()))


@pytest.fixture(scope="module", params=[(), ATTRIBUTES], ids=["plain", "attributes"])
def described(request: pytest.FixtureRequest) -> Any:
    return document(request.param)


def parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in the document with its path."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from parts(each, f"{path}/{key}")


def test_it_is_valid_openapi_3_0_3(described: Any) -> None:
    assert described["openapi"] == "3.0.3"
    assert not list(OpenAPIV30SpecValidator(described).iter_errors())


def test_it_holds_no_union_and_no_null(described: Any) -> None:
    for path, value in parts(described):
        assert path.rsplit("/", 1)[-1] not in ("anyOf", "oneOf", "$defs", "const"), path
        assert not (path.endswith("/type") and value == "null"), path
        assert value is not None, path


def test_descriptions_stay_short_enough_for_salesforce(described: Any) -> None:
    for path, value in parts(described):
        if path.endswith("/description") and isinstance(value, str):
            assert len(value) < 1_333, path


def test_lists_hold_named_or_plain_things_only(described: Any) -> None:
    for path, value in parts(described):
        if isinstance(value, dict) and value.get("type") == "array":
            assert "$ref" in value["items"] or value["items"]["type"] == "string", path


def test_objects_have_names(described: Any) -> None:
    """An importer makes a class of each object: one within another, or a map, would have no name."""
    for path, value in parts(described):
        if isinstance(value, dict) and value.get("type") == "object":
            assert re.fullmatch("/components/schemas/[A-Za-z0-9]+", path), path
            assert not isinstance(value.get("additionalProperties"), dict), path


def test_operations_and_schemas_have_plain_names(described: Any) -> None:
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations] + list(described["components"]["schemas"])
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]{1,79}", name) for name in names)
    assert len(set(names)) == len(names)


def test_every_status_tells_its_body(described: Any) -> None:
    responses = described["paths"]["/v1/score"]["post"]["responses"]
    frame = {"400", "401", "403", "408", "413", "414", "415", "422", "429", "431", "500", "503"}
    assert set(responses) == {"200", "404", "409"} | frame
    for status, response in responses.items():
        (media_type,) = response["content"]
        assert media_type == ("application/json" if status == "200" else "application/problem+json")
    assert "Retry-After" in responses["503"]["headers"]


def test_declared_attributes_are_fields_of_their_own_type() -> None:
    schemas = document(ATTRIBUTES)["components"]["schemas"]
    types = {name: field["type"] for name, field in schemas["Attributes"]["properties"].items()}
    assert types == {
        "web_rank": "number",
        "tags": "array",
        "partner": "boolean",
        "signed_up": "string",
        "segment": "string",
        "about": "string",
    }
