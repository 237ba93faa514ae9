"""What is asked of lists in paths and queries.

Turns texts into numbers, choices and places, or into an error that names the parameter. Time rule: none. Null
rule: a parameter that is left out has its default.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from features.errors import InputError, UnknownAccountError
from serving.desk import Snapshot
from serving.lists.facts import require_columns
from serving.lists.forgotten import People
from serving.lists.known import KnownAccount, account_in
from serving.lists.settings import Rules
from serving.problems import FieldError, InvalidRequestError, NotReadyError
from serving.store import lists
from serving.store.lists import TargetList
from serving.web.endpoint import Call, Json, parameter

__all__ = [
    "LIST_ID",
    "PAGE",
    "SHORT_TEXT",
    "VERSION",
    "account_of",
    "choice",
    "decode_page",
    "encode_page",
    "flag",
    "id_parameter",
    "integer",
    "limit_parameter",
    "number",
    "path_number",
    "people_of",
    "require_rules",
    "text",
    "version_of",
]

_MOST = 2**31 - 1
SHORT_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^\x00]+$"}
"""The schema of what `text` takes."""

_LONGEST = 200
Word = TypeVar("Word", bound=str)


def id_parameter(name: str, description: str) -> Json:
    """A number of ours in a path."""
    schema = {"type": "integer", "minimum": 1, "maximum": _MOST}
    return parameter(name, "path", description, schema=schema, required=True)


LIST_ID: Json = id_parameter("id", "The id of a list.")

PAGE: Json = parameter(
    "page",
    "query",
    "What next_page of the page before said; absent for the first one.",
    schema={"type": "string"},
)

VERSION: Json = parameter(
    "version",
    "query",
    "A version of the list; absent for the newest.",
    schema={"type": "integer", "minimum": 1, "maximum": _MOST},
)


def account_of(call: Call, found: TargetList, account_id: str) -> KnownAccount:
    """The account with all that it is called. Neither database takes every text for a name."""
    if "\x00" in account_id or len(account_id) > 200:
        raise UnknownAccountError("there is no such account", got=account_id[:80].replace("\x00", "?"))
    return account_in(call.services.answers.desk().snapshot.tables, account_id, rules=found.rules)


def people_of(call: Call) -> People | None:
    """Who was forgotten; None while there are no tables to answer from."""
    snapshot = _snapshot(call)
    return None if snapshot is None else snapshot.people


def require_rules(call: Call, rules: Rules) -> None:
    """Raise InvalidRequestError where rules name columns that the accounts do not have; while there are no
    tables, they may come with them."""
    snapshot = _snapshot(call)
    if snapshot is not None:
        require_columns(snapshot.tables, rules=rules)


def _snapshot(call: Call) -> Snapshot | None:
    try:
        return call.services.answers.desk().snapshot
    except NotReadyError:
        return None


def version_of(connection: Connection, found: TargetList, *, number: int | None) -> int:
    """The version that is asked for. Raises InputError where the list has none of this number."""
    if number is None or number == found.version:
        return found.version
    known = [one.number for one in lists.versions(connection, list_id=found.id)]
    if number not in known:
        told = ", ".join(map(str, sorted(known)[-10:]))
        raise InputError("the list has no such version", got=number, allowed=told, fix="name one of these")
    return number


def limit_parameter(most: int, default: int) -> Json:
    """The parameter that says how many a page holds."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return parameter("limit", "query", "How many a page holds.", schema=schema)


def path_number(call: Call, name: str = "id") -> int:
    """A number in the path. Raises InvalidRequestError."""
    given = call.request.path_params[name]
    found = _integer(given)
    if found is None or not 1 <= found <= _MOST:
        raise _wrong(name, "is no id", given, "a number from 1 on")
    return found


def integer(call: Call, name: str, *, default: int | None, least: int = 1, most: int = _MOST) -> int | None:
    """A whole number in the query. Raises InvalidRequestError."""
    given = call.request.query_params.get(name)
    if given is None:
        return default
    found = _integer(given)
    if found is None or not least <= found <= most:
        raise _wrong(name, "is not within its bounds", given, f"{least} to {most}")
    return found


def number(call: Call, name: str) -> float | None:
    """A number in the query. Raises InvalidRequestError."""
    given = call.request.query_params.get(name)
    if given is None:
        return None
    try:
        found = float(given) if given.isascii() and len(given) <= _LONGEST else math.nan
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise _wrong(name, "is no number", given, "a finite number")
    return found


def choice(call: Call, name: str, allowed: Sequence[Word], *, default: Word) -> Word:
    """One of a few words in the query. Raises InvalidRequestError."""
    given = call.request.query_params.get(name)
    if given is None:
        return default
    for word in allowed:
        if given == word:
            return word
    raise _wrong(name, "is not an allowed value", given, ", ".join(allowed))


def flag(call: Call, name: str) -> bool | None:
    """true or false in the query. Raises InvalidRequestError."""
    given = call.request.query_params.get(name)
    if given not in (None, "true", "false"):
        raise _wrong(name, "is not an allowed value", given, "true, false")
    return None if given is None else given == "true"


def text(call: Call, name: str) -> str | None:
    """A short text in the query. Raises InvalidRequestError."""
    given = call.request.query_params.get(name)
    if given is not None and (len(given) > _LONGEST or not given or "\x00" in given):
        raise _wrong(name, "is too long, or empty", given, f"1 to {_LONGEST} characters")
    return given


def encode_page(*place: Any) -> str:
    """A place where a page ended, as a text for a query."""
    told = json.dumps(place, ensure_ascii=False, allow_nan=False).encode()
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def decode_page(call: Call, *, kinds: Sequence[type | tuple[type, ...]]) -> tuple[Any, ...] | None:
    """The place that `page` names; None for the first page. kinds: of its values. Raises
    InvalidRequestError."""
    given = call.request.query_params.get("page")
    if given is None:
        return None
    try:
        padded = given.encode("ascii") + b"=" * (-len(given) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        place = None
    if not _is_place(place, kinds):
        raise _wrong("page", "is no page", given, "what next_page said")
    return tuple(place)


def _is_place(place: Any, kinds: Sequence[type | tuple[type, ...]]) -> bool:
    if not isinstance(place, list) or len(place) != len(kinds):
        return False
    return all(
        isinstance(value, kind) and not isinstance(value, bool) and _is_storable(value)
        for value, kind in zip(place, kinds, strict=True)
    )


def _is_storable(value: Any) -> bool:
    """Neither database takes this character or half of one, nor any number."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    return math.isfinite(value) and (isinstance(value, float) or abs(value) <= _MOST)


def _integer(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 10 else None


def _wrong(name: str, what: str, given: str | None, allowed: str) -> InvalidRequestError:
    got = None if given is None else given[:80]
    return InvalidRequestError([FieldError(name, what, got, allowed, "correct it, or leave it out")])
