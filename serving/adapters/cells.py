"""Single values as CRMs write them.

Turns what stands in a field of a CRM into what the core takes: numbers and booleans also from texts, moments
from the forms of Salesforce (2026-01-31T09:30:00.000+0000) and of HubSpot (milliseconds since 1970), sets
from texts with semicolons. Time rule: moments become UTC with Z; a day alone is its first second; a moment
without a zone is refused. Null rule: null, an empty text and blanks mean that nothing is known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from features.contract import ColumnType
from features.normalisation.normalisers import normaliser
from serving.answers import iso

__all__ = ["cell", "employees_of", "revenue_of", "text_of"]

_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_MILLISECONDS = re.compile(r"-?\d{11,14}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


def text_of(value: object) -> str | None:
    """A text; a number as it would be typed. Tabs and ends of lines, which people paste, are blanks.

    >>> text_of(" Acme "), text_of("Acme\\tLtd\\n"), text_of(250.0), text_of(True), text_of("  ")
    ('Acme', 'Acme Ltd', '250', 'true', None)
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if value is None or isinstance(value, str | int | float):
        return (_CONTROL.sub(" ", str(value)).strip() or None) if value is not None else None
    raise PydanticCustomError("cell", "is not a single value", {"allowed": "a text, a number, true or false"})


def number_of(value: object) -> float | int | None:
    """A number, also from a text. Raises for what is none.

    >>> number_of("1,250.5"), number_of("250"), number_of(1.0e7), number_of("")
    (1250.5, 250, 10000000, None)
    """
    text = text_of(value)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text) or not any(letter.isdigit() for letter in text):
        raise PydanticCustomError("cell", "is not a number", {"allowed": "a number, as 250 or the text 250"})
    number = float(text.replace(",", ""))
    if not math.isfinite(number):
        raise PydanticCustomError("cell", "is too large", {"allowed": "a finite number"})
    return int(number) if number.is_integer() else number


def whole_of(value: object) -> int | None:
    """A whole number, also from a text."""
    number = number_of(value)
    if isinstance(number, float):
        raise PydanticCustomError("cell", "is not a whole number", {"allowed": "a whole number"})
    return number


def boolean_of(value: object) -> bool | None:
    """True or false, also from a text.

    >>> boolean_of("TRUE"), boolean_of("no"), boolean_of("")
    (True, False, None)
    """
    text = text_of(value)
    if text is None:
        return None
    if text.lower() not in (*_YES, *_NO):
        raise PydanticCustomError("cell", "is neither true nor false", {"allowed": "true, false"})
    return text.lower() in _YES


def moment_of(value: object) -> str | None:
    """A moment as the core takes it.

    >>> moment_of("2026-01-31T09:30:00.000+0000"), moment_of("1769851800000"), moment_of("2026-01-31")
    ('2026-01-31T09:30:00Z', '2026-01-31T09:30:00Z', '2026-01-31T00:00:00Z')
    """
    text = text_of(value)
    if text is None:
        return None
    try:
        if _MILLISECONDS.fullmatch(text):
            moment = datetime.fromtimestamp(int(text) // 1_000, tz=UTC)
        else:
            moment = datetime.fromisoformat(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
        if moment.tzinfo is not None:
            return iso(moment.astimezone(UTC).replace(tzinfo=None, microsecond=0))
    except (ValueError, OverflowError, OSError):
        pass
    allowed = "2026-01-31T09:30:00Z or 2026-01-31T09:30:00.000+0000 or 2026-01-31 or milliseconds since 1970"
    raise PydanticCustomError("cell", "is not a moment with a zone", {"allowed": allowed})


def set_of(value: object) -> list[str] | None:
    """The members of a set, also from a text.

    >>> set_of("crm;chat; "), set_of(["crm", ""]), set_of("")
    (['crm', 'chat'], ['crm'], None)
    """
    members = value if isinstance(value, list) else (text_of(value) or "").split(";")
    return [member for member in map(text_of, members) if member] or None


def employees_of(value: object) -> int | None:
    """A number of people, also from a range such as 51-200."""
    return _amount_of(value, "employees")


def revenue_of(value: object) -> float | int | None:
    """A yearly revenue, also as $10M; a sum without a currency stays as it is."""
    return _amount_of(value, "revenue_usd") if _worded(value) else number_of(value)


def _worded(value: object) -> bool:
    text = text_of(value)
    return text is not None and not _NUMBER.fullmatch(text)


def _amount_of(value: object, name: str) -> int | None:
    if not _worded(value):
        return whole_of(value)
    read = normaliser(name)(text_of(value) or "")
    if read is None:
        raise PydanticCustomError("cell", "is not a number", {"allowed": "a number, as 250 or the text 250"})
    return int(read) if read else None


_READERS: dict[ColumnType, tuple[Callable[[object], Any], dict[str, Any]]] = {
    "string": (text_of, {"type": "string"}),
    "integer": (whole_of, {"type": "integer", "format": "int64"}),
    "number": (number_of, {"type": "number", "format": "double"}),
    "boolean": (boolean_of, {"type": "boolean"}),
    "timestamp": (moment_of, {"type": "string", "format": "date-time"}),
    "set": (set_of, {"type": "string"}),
}


def cell(
    column_type: ColumnType, description: str, *, reader: Callable[[object], Any] | None = None
) -> tuple[Any, Any]:
    """Type and default of a field, for `pydantic.create_model`. reader: in place of the usual one."""
    usual, schema = _READERS[column_type]
    kind = Annotated[Any, PlainValidator(reader or usual), WithJsonSchema(schema | {"nullable": True})]
    return kind, Field(None, description=description)
