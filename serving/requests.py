"""The request of POST /v1/score, made from the data contract.

Turns a JSON body into one strict `ScoreRequest`: unknown fields, wrong types, NaN, infinities, control
characters and oversized lists are refused, each with the field, what was got, what is allowed and the fix.
Time rule: every time carries a zone, becomes naive UTC and is floored to the second. Null rule: `null` and
an absent field both mean "not known"; nothing is filled in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from features.contract import TABLES, Column, Table
from features.errors import suggestion
from features.tables import Attribute
from serving.problems import FieldError, InvalidRequestError, MalformedJsonError

__all__ = [
    "LIST_LIMITS",
    "Identifier",
    "ScoreRequest",
    "StrictModel",
    "clean_domain",
    "one_of",
    "parse_body",
    "parse_request",
    "request_model",
]

LIST_LIMITS = {
    "earlier_versions": 100,
    "contacts": 1_000,
    "activities": 5_000,
    "intent_topics": 5_000,
    "opportunities": 500,
}
"""The most rows that one request may carry, by list."""

_TEXT = r"^[^\x00-\x1f\x7f]*$"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
_LONGEST_IDENTIFIER, _LONGEST_TEXT, _LARGEST_SET = 200, 10_000, 1_000
_LARGEST_INTEGER = 2**53 - 1
_EARLIEST = datetime.fromisoformat("1900-01-01")


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise PydanticCustomError("moment_type", "is not a date-time")
    if not _ISO.fullmatch(value):
        raise PydanticCustomError("moment_form", "is not a date-time with a zone")
    try:
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PydanticCustomError("moment_form", "is not a date that exists") from error
    naive = moment.replace(tzinfo=None, microsecond=0)
    if naive < _EARLIEST:
        raise PydanticCustomError("moment_range", "is before the year 1900")
    return naive


def clean_domain(value: str) -> str:
    """A domain as the tables hold it: lower case, without www.

    >>> clean_domain("WWW.Example.com.")
    'example.com'
    """
    return value.strip().lower().removeprefix("www.").rstrip(".")


Moment = Annotated[
    datetime, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Identifier = Annotated[str, Field(min_length=1, max_length=_LONGEST_IDENTIFIER, pattern=_TEXT)]
Text = Annotated[str, Field(max_length=_LONGEST_TEXT, pattern=_TEXT)]
Domain = Annotated[str, Field(min_length=1, max_length=255, pattern=_TEXT), AfterValidator(clean_domain)]


Model = TypeVar("Model", bound=BaseModel)


class StrictModel(BaseModel):
    """What every request model obeys."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class ScoreRequest(StrictModel):
    """Which account to score, given in exactly one of three ways, and as of when.

    `request_model` narrows `record` to the contract and to the attributes that the workspace declares.
    """

    account_id: Identifier | None = Field(None, description="Identifier of a known account.")
    domain: Domain | None = Field(
        None, description="Web domain of a known account, such as example.com; www. is ignored."
    )
    record: Any = None
    as_of: Moment | None = Field(
        None,
        description="Moment of the prediction; only facts known strictly before it count. Not in the future. "
        "Default: the later of today's midnight in the workspace's time zone and one second after the "
        "account's newest known fact.",
    )

    ways: ClassVar[tuple[str, ...]] = ("account_id", "domain", "record")

    @model_validator(mode="after")
    def _exactly_one_way(self) -> ScoreRequest:
        given = [way for way in self.ways if getattr(self, way) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "one_way", "must name the account in exactly one way", {"given": ", ".join(given) or "none"}
            )
        return self


def _annotation(column: Column) -> Any:
    if column.allowed:
        allowed = {"type": "string", "enum": list(column.allowed)}
        return Annotated[str, AfterValidator(one_of(column.allowed)), WithJsonSchema(allowed)]
    if column.pattern:
        return Annotated[str, Field(max_length=_LONGEST_IDENTIFIER, pattern=f"^(?:{column.pattern})$")]
    if column.type == "integer":
        return Annotated[
            int,
            Field(
                ge=int(_first(column.minimum, -_LARGEST_INTEGER)),
                le=int(_first(column.maximum, _LARGEST_INTEGER)),
            ),
        ]
    if column.type == "number":
        return Annotated[float, Field(ge=column.minimum, le=column.maximum)]
    if column.type == "string":
        return Identifier if not column.nullable else Text
    return {
        "boolean": bool,
        "timestamp": Moment,
        "set": Annotated[list[Identifier], Field(max_length=_LARGEST_SET)],
    }[column.type]


def _first(value: float | None, fallback: float) -> float:
    return fallback if value is None else value


def one_of(allowed: tuple[str, ...]) -> Any:
    """A validator of one of a few words."""

    def check(value: str) -> str:
        if value not in allowed:
            raise PydanticCustomError(
                "not_allowed", "is not an allowed value", {"allowed": ", ".join(allowed)}
            )
        return value

    return check


def _field(column: Column, *, optional: bool) -> tuple[Any, Any]:
    unit = f", in {column.unit}" if column.unit and column.unit not in column.description else ""
    description = f"{column.description}{unit}."
    if column.default is not None:
        return _annotation(column), Field(column.default, description=description)
    if optional or column.nullable:
        return _annotation(column) | None, Field(None, description=description)
    return _annotation(column), Field(description=description)


def _row_model(name: str, table: Table, *, without: Iterable[str], optional: Iterable[str]) -> Any:
    """A strict model of one table's rows, without the columns that the request implies."""
    fields: dict[str, Any] = {
        column.name: _field(column, optional=column.name in set(optional))
        for column in table.columns
        if column.name not in set(without)
    }
    return create_model(name, __base__=StrictModel, __doc__=table.description, **fields)


def _attributes_model(attributes: tuple[Attribute, ...]) -> Any:
    fields: dict[str, Any] = {
        attribute.name: _field(
            Column(attribute.name, attribute.column_type, attribute.label, unit=attribute.unit), optional=True
        )
        for attribute in attributes
    }
    doc = "The further account columns that this workspace's mapping declares."
    return create_model("Attributes", __base__=StrictModel, __doc__=doc, **fields)


@cache
def request_model(attributes: tuple[Attribute, ...]) -> type[ScoreRequest]:
    """The request model of a workspace: the contract's columns and its declared attributes."""
    account = _account_model(attributes)
    lists: dict[str, Any] = {"earlier_versions": _list_of(account, name="earlier_versions")} | {
        name: _list_of(
            _row_model(row_name, TABLES[name], without=("account_id", "email"), optional=optional), name=name
        )
        for name, row_name, optional in _ROW_MODELS
    }
    record = create_model(
        "ScoreRecord",
        __base__=StrictModel,
        __doc__="An account that comes with its facts; nothing is looked up and nothing is stored.",
        account=(account, Field(description="What is known of the company now.")),
        **lists,
    )
    optional_record: Any = record | None
    return create_model(
        "ScoreRequest",
        __base__=ScoreRequest,
        __doc__="Which account to score: exactly one of account_id, domain and record; and as of when.",
        record=(optional_record, Field(None, description="An account that is sent along with its facts.")),
    )


_ROW_MODELS = (
    ("contacts", "Contact", ("known_at",)),
    ("activities", "Activity", ("activity_id", "known_at")),
    ("intent_topics", "IntentTopic", ("known_at",)),
    ("opportunities", "Opportunity", ("opportunity_id", "known_at")),
)


def _account_model(attributes: tuple[Attribute, ...]) -> Any:
    facts = _row_model("Facts", TABLES["accounts"], without=("account_id",), optional=("known_at",))
    return create_model(
        "AccountFacts",
        __base__=facts,
        __doc__="What is known of the company. Without known_at the facts count as known all along.",
        attributes=(
            _attributes_model(attributes) | None,
            Field(None, description="Further declared columns, by name."),
        ),
    )


def _list_of(row: Any, *, name: str) -> tuple[Any, Any]:
    description = (
        TABLES[name].description if name in TABLES else "Older facts, each with known_at; growth needs them."
    )
    limited = Annotated[list[row], Field(max_length=LIST_LIMITS[name])]
    return limited, Field(default_factory=list, description=description)


def parse_request(body: bytes, *, attributes: tuple[Attribute, ...]) -> ScoreRequest:
    """One strict request from a JSON body.

    Raises MalformedJsonError (not JSON, a key twice, nested too deeply) or InvalidRequestError, which lists
    every field that is wrong.
    """
    return parse_body(body, model=request_model(attributes))


def parse_body(body: bytes, *, model: type[Model]) -> Model:
    """As `parse_request`, of any strict model."""
    _check_json(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _explained(error, model=model) from error


def _check_json(body: bytes) -> None:
    """What the validator's own reader lets pass: a key that is given twice, and NaN outside numbers."""

    def unique(pairs: list[tuple[str, object]]) -> None:
        keys = [key for key, _ in pairs]
        if len(set(keys)) != len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise MalformedJsonError(f"the key {twice!r} is given twice", fix="send each key once")

    def constant(name: str) -> None:
        raise MalformedJsonError(
            "JSON knows no such number", got=name, fix="leave the field out or send null"
        )

    try:
        json.loads(body, object_pairs_hook=unique, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise MalformedJsonError(
            "the body is not valid JSON", got=_short(str(error)), allowed="one JSON object in UTF-8"
        ) from error


def _explained(error: ValidationError, *, model: type[BaseModel]) -> InvalidRequestError | MalformedJsonError:
    details = error.errors(include_url=False)
    if details[0]["type"] == "json_invalid":
        return MalformedJsonError("the body is not valid JSON", got=details[0]["msg"])
    return InvalidRequestError([_field_error(detail, model=model) for detail in details[:20]])


def _field_error(detail: Mapping[str, Any], *, model: type[BaseModel]) -> FieldError:
    context, kind = detail.get("ctx", {}), detail["type"]
    path = _path(detail["loc"])
    got = _short(json.dumps(detail["input"], default=str))
    if kind == "extra_forbidden":
        fields = _fields_at(model, detail["loc"][:-1])
        near = suggestion(str(detail["loc"][-1]), fields)
        return FieldError(path, "no such field", None, ", ".join(fields), near or "remove it")
    if kind == "missing":
        return FieldError(path, "is missing", None, None, "add it")
    if kind == "one_way":
        ways = "exactly one of " + ", ".join(ScoreRequest.ways)
        return FieldError(path, detail["msg"], str(context["given"]), ways, "send one of them")
    allowed, fix = _ALLOWED.get(kind, (None, None))
    if "allowed" in context:
        near = suggestion(str(detail["input"]), str(context["allowed"]).split(", "))
        allowed, fix = str(context["allowed"]), near
    what = detail["msg"][0].lower() + detail["msg"][1:]
    return FieldError(path, what, got, allowed or _bounds(context), fix or "correct the value")


_DATE_TIME = ("ISO 8601 with a zone, such as 2026-01-31T09:30:00Z", "send a date, a time and a zone")
_ALLOWED: dict[str, tuple[str | None, str | None]] = {
    "moment_type": _DATE_TIME,
    "moment_form": _DATE_TIME,
    "moment_range": ("1900-01-01T00:00:00Z and later", None),
    "string_type": ("a string", "put the value in quotes"),
    "int_type": ("a whole number", "send a number without quotes and without decimals"),
    "int_from_float": ("a whole number", "send a number without decimals"),
    "float_type": ("a number", "send a number without quotes"),
    "finite_number": ("a finite number", "leave the field out when the value is not known"),
    "bool_type": ("true or false", "send true or false without quotes"),
    "list_type": ("a list", "put the values in square brackets"),
    "model_type": ("an object", "send a JSON object"),
    "model_attributes_type": ("an object", "send a JSON object"),
    "string_pattern_mismatch": (None, "use the allowed characters only; control characters are refused"),
}


def _path(location: Iterable[object]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{part}"
    return path or "(body)"


def _bounds(context: Mapping[str, Any]) -> str | None:
    names = {
        "ge": "at least",
        "le": "at most",
        "max_length": "at most this long:",
        "min_length": "at least this long:",
        "pattern": "the pattern",
    }
    return "; ".join(f"{names[key]} {value}" for key, value in context.items() if key in names) or None


def _fields_at(model: type[BaseModel], location: Iterable[object]) -> list[str]:
    """The fields of the (nested) model that a location leads to."""
    current: Any = model
    for part in location:
        if isinstance(part, str):
            current = _inner_model(current.model_fields[part].annotation)
    return list(current.model_fields)


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_inner_model(argument) for argument in getattr(annotation, "__args__", ()))
    return next((found for found in inner if found is not None), None)


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "..."
