"""The long lists of a record, read a column at a time.

Turns the activities and the research of a request, checked in one pass by the types of the data contract,
into rows that stay as they were sent and into Arrow columns. Whatever is not written as nearly everybody
writes it is refused here, and read again by the models of `serving.requests`, which say what is wrong with
it: nothing passes here that does not pass there, with the same values. Time rule: times are plain,
`2026-01-31T09:30:00Z`, so that their texts sort as they do; a row without known_at counts as known when it
happened. Null rule: what was not sent is empty, but for columns with a default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import gt, itemgetter
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
from pydantic_core import core_schema

from features.contract import TABLES, Column, Table
from features.privacy.identifiers import person_identifier
from serving.fields import EARLIEST, field_of

__all__ = ["PLAIN_TABLES", "RECORD_ID", "PlainRows", "plain_columns", "plain_list", "read_plain"]

RECORD_ID = "(record)"
"""The account_id of the one account in a record's tables."""

PLAIN_TABLES = ("activities", "intent_topics")
"""The tables of a record that hold hundreds of rows: flat ones, with one time of their own."""

_ROW = tuple[str, ...]
_YEAR = f"(?:{EARLIEST.year // 100}|[2-9][0-9])[0-9]{{2}}"
_LEAP = f"(?:{EARLIEST.year // 100}|[2-9][0-9])(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[3579][26])00"
_DAY = (
    f"(?:{_YEAR}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    f"|(?:0[13578]|1[02])-31)|(?:{_LEAP})-02-29)"
)
_TIME = f"^{_DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
"""The seconds that there are, from `EARLIEST` on."""

_SPACES = b" \t\n\r"
"""What may stand between the signs of JSON."""

_WITHOUT_KEYS = (str, int, float, bool, datetime, type(None))

_HAPPENED, _KNOWN = "occurred_at", "known_at"
_MICROSECONDS = pa.timestamp("us")
_PLACES = pa.array([f"(row {place})" for place in range(5_000)])

Row = dict[str, Any]


class PlainRows(list[Row]):
    """Rows of one table, as they were sent.

    happened, known: by row, as text. sent: the columns that any row has.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        super().__init__(rows)
        self.happened: list[str] = list(map(itemgetter(_HAPPENED), self))
        self.known: list[str] = [row.get(_KNOWN) or row[_HAPPENED] for row in self]
        self.sent: frozenset[str] = frozenset().union(*self)

    @property
    def newest(self) -> datetime | None:
        """When the newest row was known."""
        return _moment(max(self.known)) if self else None

    def full(self, table: Table) -> Iterator[Row]:
        """Each row with every column of its table that was asked for, times as naive UTC."""
        times = {column.name for column in table.columns if column.type == "timestamp"}
        for row in self:
            told: Row = {column.name: column.default for column in table.columns} | row
            yield told | {name: _moment(told[name]) for name in times if told.get(name)}

    def is_sound(self, table: Table, *, now: datetime) -> bool:
        """Whether no row has a fault that a look at each alone would find: see `serving.records`."""
        if not self:
            return True
        if max(self.known) > f"{now.isoformat()}Z":
            return False
        if any(map(gt, self.happened, self.known)):
            return False
        (first, *rest) = [name for name in table.key if name != "account_id"]
        # Rows without identifiers of their own get different ones.
        return first not in self.sent or len(set(self._keys(first, beside=rest))) == len(self)

    def _keys(self, name: str, *, beside: Sequence[str]) -> Iterable[object]:
        told = [row.get(name) for row in self]
        if not beside:
            return [_place(place) if one is None else one for place, one in enumerate(told)]
        return zip(told, self.happened, self.known, strict=True)

    @property
    def names_people(self) -> bool:
        """Whether a row says who it is about."""
        return "contact_id" in self.sent and any(row.get("contact_id") for row in self)


def plain_columns(parts: Sequence[PlainRows], *, name: str, schema: pa.Schema) -> pa.Table:
    """The rows of all parts in their order, as a table. name: of the table."""
    rows = list(chain.from_iterable(parts))
    return pa.table([_column(field, parts, rows=rows, name=name) for field in schema], schema=schema)


def _column(field: pa.Field, parts: Sequence[PlainRows], *, rows: Sequence[Row], name: str) -> pa.Array:
    column = field.name
    if column == "account_id":
        return pa.repeat(RECORD_ID, len(rows))
    if column in (_HAPPENED, _KNOWN):
        told = (part.happened if column == _HAPPENED else part.known for part in parts)
        return _moments(list(chain.from_iterable(told)))
    if column == "activity_id":
        return pa.concat_arrays([_identifiers(part) for part in parts])
    default = _DEFAULTS[name].get(column)
    if default is None and not any(column in part.sent for part in parts):
        return pa.nulls(len(rows), field.type)
    cells = _cells(rows, column, default)
    if column == "contact_id":
        cells = [one and person_identifier(one) for one in cells]
    return pa.array(cells, field.type)


def _cells(rows: Sequence[Row], column: str, default: int | None) -> list[Any]:
    try:
        # Most columns stand in every row, and are taken in a third of the time then.
        return list(map(itemgetter(column), rows))
    except KeyError:
        return [row.get(column, default) for row in rows]


def _identifiers(rows: PlainRows) -> pa.Array:
    """Rows need an identifier each."""
    if "activity_id" not in rows.sent:
        return _PLACES.slice(0, len(rows))
    sent = [row.get("activity_id") for row in rows]
    cells = [_place(place) if one is None else one for place, one in enumerate(sent)]
    return pa.array(cells, pa.string())


def _place(place: int) -> str:
    return f"(row {place})"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text[:-1])


def _moments(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.string()).cast(pa.timestamp("us", "UTC")).cast(_MICROSECONDS)


_DEFAULTS: Mapping[str, Mapping[str, int]] = {
    name: {column.name: column.default for column in TABLES[name].columns if column.default is not None}
    for name in PLAIN_TABLES
}


class _PlainList:
    """How pydantic reads a list of plain rows: by a schema of flat objects, without a model of each."""

    def __init__(self, columns: Iterable[Column], *, optional: _ROW, limit: int) -> None:
        self._columns, self._optional, self._limit = tuple(columns), optional, limit

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        fields = {column.name: self._field(column, handler) for column in self._columns}
        row = core_schema.typed_dict_schema(
            fields, config={"strict": True, "allow_inf_nan": False, "extra_fields_behavior": "forbid"}
        )
        rows = core_schema.list_schema(row, max_length=self._limit, strict=True)
        return core_schema.no_info_after_validator_function(PlainRows, rows)

    def _field(self, column: Column, handler: GetCoreSchemaHandler) -> core_schema.TypedDictField:
        empty = column.nullable or column.name in self._optional
        plain = _plain_type(column)
        if plain is None:
            plain = handler.generate_schema(field_of(column, optional=empty)[0])
        elif empty:
            plain = core_schema.nullable_schema(plain)
        return core_schema.typed_dict_field(plain, required=not empty and column.default is None)


def _plain_type(column: Column) -> core_schema.CoreSchema | None:
    """What is simpler than the type of `serving.fields`; None where that is used."""
    if column.type == "timestamp":
        return core_schema.str_schema(strict=True, pattern=_TIME)
    return core_schema.literal_schema(list(column.allowed)) if column.allowed else None


def plain_list(columns: Iterable[Column], *, optional: _ROW, limit: int) -> Any:
    """The type of a list of rows with these columns, as `PlainRows`. optional: may be left out or null."""
    return Annotated[list[Row], _PlainList(columns, optional=optional, limit=limit)]


def read_plain(body: bytes, *, model: type[BaseModel]) -> tuple[Any, str] | None:
    """The model and its text, of a body in which everything is plain; None for any other.

    No key stands in it twice: it has as many as what was read. Where no quote is escaped, a quote before a
    colon ends a key, or begins a value with a colon: then the count is too high, and the body not read here.
    """
    if b"\\" in body and b'\\"' in body:
        return None
    try:
        found = model.model_validate_json(body)
    except ValidationError:
        return None
    keys = body.translate(None, _SPACES).count(b'":')
    return (found, body.decode().strip()) if keys == _keys(found) else None


def _keys(value: Any) -> int:
    """How many keys the JSON of a model or a list has, at any depth: those that were sent."""
    if isinstance(value, PlainRows):
        return sum(map(len, value))
    own = 0 if isinstance(value, list) else len(value.model_fields_set)
    inner = value if isinstance(value, list) else vars(value).values()
    return own + sum([_keys(one) for one in inner if type(one) not in _WITHOUT_KEYS])
