"""The order in which a table is stored, and its rows in that order.

Turns SQL for the rows of a table into SQL that sorts them. Time rule: none of its own. Null rule: a column
that is empty in every row costs nothing.

Keys of a fixed width are sorted in half the time of texts. Millions of activities seldom share account and
second: these two are their key, and the few that do share both get their places among each other first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from features.contract import Table
from features.engine import run_sql
from features.joined import PART
from features.relations import has_rows
from features.repeated import seldom_repeated_sql
from features.sources import identifier
from features.unnamed import ACCOUNT_AND_SECOND, BEYOND
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
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    *,
    table: Table,
    types: Mapping[str, str],
    tied: str = "",
    apart: bool = False,
) -> str:
    """The rows in the order in which they are stored.

    rows, tied: SQL of the rows. apart: whether no row of `rows` shares account and second with any other.

    Sorting is what takes the time. So accounts are compared by their place among all instead of as texts,
    and a column that holds the same in every row, or the same as another, is put in afterwards.
    """
    whole = f"{rows} UNION ALL {tied}" if tied else rows
    columns, (first, *rest) = list(types), _ORDER[table.name]
    by_account = first == "account_id"
    tested = {name: kind for name, kind in types.items() if name != first}
    same = _same_everywhere(connection, whole, types=tested)
    # What was deleted and came back has one row for each time.
    order = [*rest, "withdrawn_at", *(PART for one in columns if one == PART)]
    if "activity_id" in rest and has_rows(connection, f"({whole}) WHERE activity_id IS NULL"):
        order += [name for name in columns if name not in (first, *order)]
    order = ["place" if by_account else first, *(name for name in order if name not in same)]
    moved = [identifier(name) for name in columns if name not in same] + ["place"] * by_account
    parts = None
    if by_account and order[1:2] == ["occurred_at"]:
        parts = (rows, tied) if apart else _parted(connection, whole)
    if parts is not None:
        ordered = _by_second(*parts, moved=moved, order=order)
    else:
        placed = _placed(whole) if by_account else whole
        ordered = f"SELECT {', '.join(moved)} FROM ({placed}) ORDER BY {_listed(order)}"
    told = ", ".join(
        f"{same[name]} AS {identifier(name)}" if name in same else identifier(name)
        for name in columns
        if same.get(name, "") != _LEFT_OUT.get(table.name, {}).get(name)
    )
    return f"SELECT {told} FROM ({ordered})"


def _parted(connection: duckdb.DuckDBPyConnection, rows: str) -> tuple[str, str] | None:
    """The rows that share account and second with no other one, and the others, empty where there are none.

    None where the others are many.
    """
    keys = seldom_repeated_sql(connection, f"SELECT {ACCOUNT_AND_SECOND} AS key FROM ({rows})")
    if keys is None:
        return None
    if not has_rows(connection, f"({keys})"):
        return rows, ""
    of_key = f"SELECT * FROM ({rows}) WHERE {ACCOUNT_AND_SECOND}"
    return f"{of_key} NOT IN ({keys})", f"{of_key} IN ({keys})"


def _by_second(rows: str, tied: str, *, moved: Sequence[str], order: Sequence[str]) -> str:
    """The rows by account and second; those that these do not tell apart have taken their turns before."""
    listed = ", ".join(moved)
    parts = f"SELECT {listed}, CAST(0 AS UINTEGER) AS turn FROM ({_placed(rows)})"
    if tied:
        turn = f"CAST(row_number() OVER (ORDER BY {_listed(order)}) AS UINTEGER)"
        parts += f" UNION ALL SELECT {listed}, {turn} FROM ({_placed(tied)})"
    return f"SELECT {listed} FROM ({parts}) ORDER BY place, occurred_at, turn"


def _placed(rows: str) -> str:
    return f"SELECT said.*, place FROM ({rows}) AS said JOIN known_accounts ON id = account_id"


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(identifier, columns))


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


def _constant(value: object) -> str:
    """A cell as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return f"[{', '.join(map(_constant, value))}]"
    return repr(value) if isinstance(value, int | float) else literal(str(value))
