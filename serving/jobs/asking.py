"""The rows of a part as requests: each what POST /v1/score would be asked with.

Turns a table of text into checked requests, or into what is wrong with them. Time rule: a row without `as_of`
has that of its job. Null rule: a null cell is an absent field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from features.errors import InputError
from features.tables import Attribute
from serving.jobs.reading import COLUMNS
from serving.kept_errors import kept
from serving.problems import FieldError, InvalidRequestError, MalformedJsonError
from serving.reading import parse_body
from serving.requests import ScoreRequest, request_model

__all__ = ["Asked", "requests_of"]

Asked = ScoreRequest | InputError
_JSON = ("record", "lead")
_SHOWN = 120


def requests_of(part: pa.Table, *, attributes: Sequence[Attribute], as_of: datetime | None) -> list[Asked]:
    """The request of each row, or what is wrong with it. as_of: for rows that bring none."""
    model = request_model(tuple(attributes))
    found = [_request(row, model=model) for row in part.to_pylist()]
    if as_of is None:
        return found
    return [
        one.model_copy(update={"as_of": as_of})
        if isinstance(one, ScoreRequest) and one.as_of is None
        else one
        for one in found
    ]


def _request(row: Mapping[str, str | None], *, model: type[ScoreRequest]) -> Asked:
    fault, body = row["fault"], row["body"]
    try:
        if fault is not None:
            raise InvalidRequestError([FieldError("(row)", **json.loads(fault))])
        if body is None:
            given = {name: text for name in COLUMNS if (text := row[name]) is not None}
            if not any(name in given for name in _JSON):
                return _plain(given, model=model)
            body = _as_body(given)
        return parse_body(body.encode(), model=model)
    except InputError as error:
        return kept(error)


def _plain(given: Mapping[str, str], *, model: type[ScoreRequest]) -> ScoreRequest:
    """Most rows: without the way through JSON, whose only use is to say what is wrong."""
    try:
        return model.model_validate(given)
    except ValidationError:
        return parse_body(_as_body(given).encode(), model=model)


def _as_body(given: Mapping[str, str]) -> str:
    fields = (f"{json.dumps(name)}:{_json(name, text)}" for name, text in given.items())
    return f"{{{','.join(fields)}}}"


def _json(name: str, text: str) -> str:
    if name not in _JSON:
        return json.dumps(text)
    try:
        told: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedJsonError(f"{name} is not valid JSON", got=str(error)[:_SHOWN]) from error
    if not isinstance(told, dict):
        raise MalformedJsonError(f"{name} is no JSON object", got=text[:_SHOWN])
    return text
