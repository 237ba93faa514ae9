"""The order in which a table is stored, and its rows in that order.

Turns SQL for the rows of a table into SQL that sorts them. Time rule: none of its own. Null rule: a column
that is empty in every row costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from features.contract import Table
from features.engine import run_sql
from features.joined import PART
from features.sources import identifier
from features.unnamed import BEYOND
from features.validation import literal

__all__ = ["sorted_sql"]

_ORDER = {
    "accounts": ("account_id", "known_at"),
    "contacts": ("account_id", "contact_id", "known_at"),
    "activities": ("account_id", "occurred_at", "activity_id"),
    "intent_topics": ("account_id", "topic", "occurred_at", "known_at"),
    "opportunities": ("account_id", "opportunity_id", "known_at"),
    "stage_changes": ("opportunity_id", "occurred_at", "stage"),
}
"""How each file is sorted: by whom it is read, then in a total order."""


_FIRST = 2048
_LEFT_OUT = {
    "activities": {
        "activity_id": "CAST(NULL AS VARCHAR)",
        "people": "CAST(NULL AS BIGINT)",
        "withdrawn_at": "CAST(NULL AS TIMESTAMP)",
        BEYOND: "CAST(0 AS INTEGER)",
    }
}
"""Columns that are not stored where every row has this: writing them would take as long as any other."""


def sorted_sql(
    connection: duckdb.DuckDBPyConnection, rows: str, *, table: Table, types: Mapping[str, str]
) -> str:
    """The rows in the order in which they are stored.

    Sorting is what takes the time. So accounts are compared by their place among all instead of as texts,
    and a column that holds the same in every row, or the same as another, is put in afterwards.
    """
    columns, (first, *rest) = list(types), _ORDER[table.name]
    by_account = first == "account_id"
    tested = {name: kind for name, kind in types.items() if name != first}
    same = _same_everywhere(connection, rows, types=tested)
    # What was deleted and came back has one row for each time.
    order = [*rest, "withdrawn_at", *(PART for one in columns if one == PART)]
    if "activity_id" in rest and _nameless(connection, rows):
        order += [name for name in columns if name not in (first, *order)]
    order = ["place" if by_account else first, *(name for name in order if name not in same)]
    if by_account:
        rows = f"SELECT said.*, place FROM ({rows}) AS said JOIN known_accounts ON id = account_id"
    moved = ", ".join([identifier(name) for name in columns if name not in same] + ["place"] * by_account)
    whole = ", ".join(
        f"{same[name]} AS {identifier(name)}" if name in same else identifier(name)
        for name in columns
        if same.get(name, "") != _LEFT_OUT.get(table.name, {}).get(name)
    )
    return f"SELECT {whole} FROM (SELECT {moved} FROM ({rows}) ORDER BY {', '.join(map(identifier, order))})"


def _same_everywhere(
    connection: duckdb.DuckDBPyConnection, rows: str, *, types: Mapping[str, str]
) -> dict[str, str]:
    """SQL for the columns that hold one value in every row, or nothing in any, or the time of another one."""
    count, same = _same(connection, f"{rows} LIMIT {_FIRST}", types=types)
    if count == _FIRST and same:
        # Most columns differ within the first rows: the others are few, and quickly read.
        _, same = _same(connection, rows, types={name: types[name] for name in same})
    return same


def _same(
    connection: duckdb.DuckDBPyConnection, rows: str, *, types: Mapping[str, str]
) -> tuple[int, dict[str, str]]:
    """How many rows there are, and the columns that are the same in all of them."""
    parts = [f"min({name}), max({name}), count({name})" for name in map(identifier, types)]
    twice = "known_at" in types and "occurred_at" in rows
    parts.append("count_if(known_at IS DISTINCT FROM occurred_at)" if twice else "1")
    found = run_sql(connection, f"SELECT count(*), {', '.join(parts)} FROM ({rows})").fetchone() or (0,)
    same = {}
    for place, (column, kind) in enumerate(types.items()):
        least, most, count = found[1 + 3 * place : 4 + 3 * place]
        if least == most and count in (0, found[0]):
            same[column] = f"CAST({_constant(least)} AS {kind})"
    if not found[-1] and "known_at" not in same:
        same["known_at"] = "occurred_at"
    return int(found[0]), same


def _nameless(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    sql = f"SELECT 1 FROM ({rows}) WHERE activity_id IS NULL LIMIT 1"
    return run_sql(connection, sql).fetchone() is not None


def _constant(value: object) -> str:
    """A cell as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return f"[{', '.join(map(_constant, value))}]"
    return repr(value) if isinstance(value, int | float) else literal(str(value))
