"""The values that a request may hold: strict types, and those of the columns of the data contract.

Turns columns of the contract into types that refuse what is not exactly theirs: wrong types, NaN,
infinities, control characters, what is too long. Time rule: every time carries a zone, becomes naive UTC and
is floored to the second. Null rule: `null` and an absent field both mean "not known"; nothing is filled in.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from features.contract import Column
from features.privacy.addresses import normalised_address

__all__ = [
    "EARLIEST",
    "Domain",
    "EmailAddress",
    "Identifier",
    "Moment",
    "StrictModel",
    "Text",
    "clean_domain",
    "field_of",
    "one_of",
]

_TEXT = r"^[^\x00-\x1f\x7f]*$"
_PLAIN = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
_LONGEST_IDENTIFIER, _LONGEST_TEXT, _LARGEST_SET = 200, 10_000, 1_000
_LARGEST_INTEGER = 2**53 - 1
EARLIEST = datetime.fromisoformat("1900-01-01")
"""No moment of a request lies before."""


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise PydanticCustomError("moment_type", "is not a date-time")
    # As nearly all are written, and a record has hundreds.
    plain = _PLAIN.fullmatch(value)
    if not plain and not _ISO.fullmatch(value):
        raise PydanticCustomError("moment_form", "is not a date-time with a zone")
    try:
        naive = datetime.fromisoformat(value[:-1]) if plain else _in_utc(value)
    except (ValueError, OverflowError) as error:
        raise PydanticCustomError("moment_form", "is not a date that exists") from error
    if naive < EARLIEST:
        raise PydanticCustomError("moment_range", "is before the year 1900")
    return naive


def _in_utc(value: str) -> datetime:
    return datetime.fromisoformat(value.upper()).astimezone(UTC).replace(tzinfo=None, microsecond=0)


def clean_domain(value: str) -> str:
    """A domain as the tables hold it: lower case, without www.

    >>> clean_domain("WWW.Example.com.")
    'example.com'
    """
    return value.strip().lower().removeprefix("www.").rstrip(".")


def _email_address(value: str) -> str:
    if normalised_address(value) is None:
        raise PydanticCustomError("email_form", "is not an e-mail address")
    return value


Moment = Annotated[
    datetime, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Identifier = Annotated[str, Field(min_length=1, max_length=_LONGEST_IDENTIFIER, pattern=_TEXT)]
Text = Annotated[str, Field(max_length=_LONGEST_TEXT, pattern=_TEXT)]
EmailAddress = Annotated[
    str,
    Field(min_length=3, max_length=320, pattern=_TEXT, json_schema_extra={"format": "email"}),
    AfterValidator(_email_address),
]
Domain = Annotated[str, Field(min_length=1, max_length=255, pattern=_TEXT), AfterValidator(clean_domain)]


class StrictModel(BaseModel):
    """What every request model obeys."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


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


def field_of(column: Column, *, optional: bool) -> tuple[Any, Any]:
    """Type and default of a column, for `pydantic.create_model`. optional: it may be left out or null."""
    unit = f", in {column.unit}" if column.unit and column.unit not in column.description else ""
    description = f"{column.description}{unit}."
    if column.default is not None:
        return _annotation(column), Field(column.default, description=description)
    if optional or column.nullable:
        return _annotation(column) | None, Field(None, description=description)
    return _annotation(column), Field(description=description)
