"""A JSON body read into a strict model, and every fault of it told.

Turns bytes into a model, or into problems that name the field, what was got, what is allowed and the fix. An
e-mail address that is wrong is not repeated. Time and null rules: those of the models.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from features.errors import suggestion
from serving.problems import FieldError, InvalidRequestError, MalformedJsonError

__all__ = ["parse_body", "parse_rows"]

Model = TypeVar("Model", bound=BaseModel)
Whole = TypeVar("Whole", bound=BaseModel)

_MOST_ERRORS = 20
_WHOLE = "(body)"
_PERSONAL = "email"
"""A field whose value is not repeated."""


def parse_body(body: bytes, *, model: type[Model]) -> Model:
    """One strict model from a JSON body.

    Raises MalformedJsonError (not JSON, a key twice, nested too deeply) or InvalidRequestError, which lists
    every field that is wrong.
    """
    _read_json(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _explained(error, model=model) from error


def parse_rows(
    body: bytes, *, whole: type[Whole], rows: str, model: type[Model]
) -> tuple[Whole, list[Model | InvalidRequestError]]:
    """A body with a list of rows, each of which is right or wrong for itself.

    whole: of the body; its field `rows` takes any values. model: of one row. Raises the same as `parse_body`
    for what is wrong with the body as a whole.
    """
    try:
        parsed = whole.model_validate(_read_json(body))
    except ValidationError as error:
        raise _explained(error, model=whole) from error
    return parsed, [
        _row(row, model=model, path=f"{rows}[{place}]") for place, row in enumerate(getattr(parsed, rows))
    ]


def _row(row: object, *, model: type[Model], path: str) -> Model | InvalidRequestError:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        return InvalidRequestError(_field_errors(error, model=model, within=path))


def _read_json(body: bytes) -> object:
    """The value, without what validation would let pass: a key that is given twice, and NaN."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise MalformedJsonError(f"the key {twice!r} is given twice", fix="send each key once")
        return found

    def constant(name: str) -> None:
        raise MalformedJsonError(
            "JSON knows no such number", got=name, fix="leave the field out or send null"
        )

    try:
        # By itself json would read UTF-16 and a byte order mark as well, which the models refuse.
        text = body.decode("utf-8")
        found: object = json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise MalformedJsonError(
            "the body is not valid JSON", got=_short(str(error)), allowed="one JSON object in UTF-8"
        ) from error
    return found


def _explained(error: ValidationError, *, model: type[BaseModel]) -> InvalidRequestError | MalformedJsonError:
    details = error.errors(include_url=False)
    if details[0]["type"] == "json_invalid":
        return MalformedJsonError("the body is not valid JSON", got=details[0]["msg"])
    return InvalidRequestError(_field_errors(error, model=model))


def _field_errors(error: ValidationError, *, model: type[BaseModel], within: str = "") -> list[FieldError]:
    """within: the path of the value that was validated."""
    found = [_field_error(detail, model=model) for detail in error.errors(include_url=False)[:_MOST_ERRORS]]
    return [replace(one, field=_joined(within, one.field)) for one in found] if within else found


def _joined(path: str, field: str) -> str:
    return path if field == _WHOLE else f"{path}.{field}"


def _field_error(detail: Mapping[str, Any], *, model: type[BaseModel]) -> FieldError:
    context, kind = detail.get("ctx", {}), detail["type"]
    path = _path(detail["loc"])
    got = None if _PERSONAL in detail["loc"] else _shown(detail["input"])
    if kind == "extra_forbidden":
        fields = _fields_at(model, detail["loc"][:-1])
        near = suggestion(str(detail["loc"][-1]), fields)
        return FieldError(path, "no such field", None, ", ".join(fields), near or "remove it")
    if kind == "missing":
        return FieldError(path, "is missing", None, None, "add it")
    if kind == "one_way":
        ways = f"exactly one of {context['ways']}"
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
    "email_form": ("an address such as ann@example.com", None),
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
        # A field that nobody knows may be called anything.
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{_short(str(part))}"
    return path or _WHOLE


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


def _shown(value: object) -> str:
    try:
        return _short(json.dumps(value, default=str))
    except RecursionError:
        return "a value that is nested too deeply"


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "..."
