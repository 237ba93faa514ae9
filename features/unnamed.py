"""Activities that their source gives no identifier: what they say is what they are known by.

Turns the columns of such rows into the SQL by which equal ones are found: a cheap hash to look for them, and
an identifier of 20 signs for the few rows that have to be told apart by one. It is not stored: it says
nothing that the row does not say. Time rule: `occurred_at` counts to the microsecond, though the tables
hold whole seconds; the rest of it is stored beside. Null rule: an empty `activity_id` is a row without an
identifier.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from features.cells import content_sql
from features.contract import TABLES, WITHDRAWN_AT, ColumnType, Table, sql_type
from features.validation import literal

__all__ = [
    "ACCOUNT_AND_SECOND",
    "BEYOND",
    "beside",
    "completed",
    "derived_before",
    "found_by",
    "identified",
    "identifier_sql",
    "without_derived",
]

BEYOND: Final = "_beyond"
"""Stored beside the columns of activities: microseconds of the time beyond its second, 0 for a row with an
identifier of its own."""

_ACTIVITIES: Final = TABLES["activities"]
_TELLING: Final = ("account_id", "contact_id", "channel", "occurred_at", "seconds")
"""Columns that tell nearly all rows apart: the fewer are hashed, the faster it goes."""

ACCOUNT_AND_SECOND: Final = "hash(account_id, occurred_at)"
"""What hardly two activities share, where times are told to the second."""

_NOT_SAID: Final = ("activity_id", "known_at", "traffic")


def beside(name: str) -> tuple[str, ...]:
    """What a table is stored with for the sake of rows without identifiers."""
    return (BEYOND,) if name == _ACTIVITIES.name else ()


def identifier_sql() -> str:
    """SQL for the identifier of an activity: its own, or one derived from what it says.

    That is a hash of the row, its time to the microsecond, leaving out when it became known.

    So the same row in two overlapping files is one activity. Rows that cannot be told apart are taken for
    the same row; a source in which they are not has to bind `activity_id` or use `quantity`.
    """
    return f"coalesce(activity_id, {_derived()})"


def _derived() -> str:
    # 80 bits: among a billion rows the chance that any two are mistaken for one is below one in a million.
    return f"left(md5({content_sql(_said())}), 20)"


def _said() -> Mapping[str, ColumnType]:
    told = {column.name: column.type for column in _ACTIVITIES.columns if column.name not in _NOT_SAID}
    exact = f"occurred_at + to_microseconds({BEYOND})"
    return {exact if name == "occurred_at" else name: kind for name, kind in told.items()}


def identified(rows: str, *, name: str) -> str:
    """SQL for a relation with an identifier for every row; `_own` tells whether the source gave it."""
    if name != _ACTIVITIES.name:
        return f"(SELECT *, true AS _own FROM {rows})"
    return (
        f"(SELECT * REPLACE ({identifier_sql()} AS activity_id), activity_id IS NOT NULL AS _own FROM {rows})"
    )


def completed(rows: str, *, present: Collection[str]) -> str:
    """SQL for stored activities with every column. present: those that are in the file."""
    kinds = {column.name: sql_type(column.type) for column in (*_ACTIVITIES.columns, WITHDRAWN_AT)}
    lacking = {name: f"CAST(NULL AS {kind})" for name, kind in kinds.items()} | {BEYOND: "0"}
    added = [f"{empty} AS {name}" for name, empty in lacking.items() if name not in present]
    return f"(SELECT {', '.join(['*', *added])} FROM {rows})"


def without_derived(rows: str) -> str:
    """SQL for the rows of a workspace in which derived identifiers were stored, without these."""
    return f"SELECT * REPLACE (NULLIF(activity_id, {_derived()}) AS activity_id) FROM ({rows})"


def derived_before(rows: str, *, own: Collection[str]) -> str:
    """SQL for stored activities whose identifier an earlier version derived from more than they say now.

    It kept no fractions of seconds. rows: as `without_derived` leaves them. own: ids of sources that give
    every row an identifier.
    """
    looks_so = "regexp_full_match(activity_id, '[0-9a-f]{20}')"
    others = f" AND _source NOT IN ({', '.join(map(literal, own))})" if own else ""
    return f"SELECT 1 FROM ({rows}) WHERE {looks_so}{others}"


def found_by(table: Table, *, keys: Collection[str], exactly: bool) -> list[str]:
    """SQL for hashes that only narrow down what repeats; what is equal is decided on the cells themselves.

    Those that are made faster come first: one will do if few rows share it. keys: the columns that say what
    a row is about. exactly: whether identifiers are to be compared with those of other relations, in which
    rows have nothing else.
    """
    named = f"hash({', '.join(keys)})"
    if table.name != _ACTIVITIES.name:
        return [named]
    if exactly:
        return [f"hash({identifier_sql()})"]
    said = (ACCOUNT_AND_SECOND, f"hash({', '.join(_TELLING)}, {BEYOND})")
    return [f"CASE WHEN activity_id IS NULL THEN {one} ELSE {named} END" for one in said]
