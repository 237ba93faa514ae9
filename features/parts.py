"""Rows of large files of activities while they are staged: only what differs from row to row is stored.

Turns the good rows of one source into a table `part_<position>`, and that into a view with every column of
the staging table: what the mapping says once, what follows from another column and what no good row has is
put in when it is read. `staged_activities` is a view of all parts and of `rest_activities`, which holds the
rows of small files and of queries, and every faulty row. Time rule: `known_at` is derived where the mapping
derives it. Null rule: a good row has no fault.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from features.engine import run_sql
from features.sources import identifier
from features.unnamed import beside
from features.validation import literal

__all__ = ["fixed_values", "hide_rows", "show_part", "show_rows", "target"]


def target(name: str) -> str:
    """The table that rows of a canonical table are inserted into."""
    return f"rest_{name}" if beside(name) else f"staged_{name}"


def show_rows(connection: duckdb.DuckDBPyConnection, *, name: str) -> None:
    """Make the view of everything that was staged; for tables that are staged in parts alone."""
    if not beside(name):
        return
    found = run_sql(
        connection,
        "SELECT view_name FROM duckdb_views() WHERE starts_with(view_name, ?) ORDER BY view_name",
        parameters=[f"given_{name}_"],
    ).fetchall()
    parts = [str(view) for (view,) in found]
    if not parts or run_sql(connection, f"SELECT 1 FROM rest_{name} LIMIT 1").fetchone():
        parts.append(f"rest_{name}")
    rows = " UNION ALL ".join(f"SELECT * FROM {part}" for part in parts)
    run_sql(connection, f"CREATE OR REPLACE TEMP VIEW staged_{name} AS {rows}")


def hide_rows(connection: duckdb.DuckDBPyConnection, *, name: str, hidden: str) -> int:
    """Leave rows out of the view, for good. hidden: SQL of which of the rows `said`. Returns how many."""
    shown = f"shown_{name}"
    run_sql(connection, f"ALTER VIEW staged_{name} RENAME TO {shown}")
    rows = f"SELECT * FROM {shown} AS said WHERE NOT {hidden}"
    run_sql(connection, f"CREATE TEMP VIEW staged_{name} AS {rows}")
    found = run_sql(connection, f"SELECT count(*) FROM {shown} AS said WHERE {hidden}").fetchone()
    return int(found[0]) if found else 0


def show_part(
    connection: duckdb.DuckDBPyConnection, *, name: str, position: int, given: Mapping[str, str]
) -> None:
    """Make the view of a part. given: SQL by column, for the columns that the part does not store."""
    described = run_sql(connection, f"DESCRIBE rest_{name}").fetchall()
    columns = ", ".join(
        f"CAST({given[column]} AS {kind}) AS {identifier(column)}" if column in given else identifier(column)
        for column, kind, *_ in described
    )
    sql = f"SELECT {columns} FROM part_{position}"
    run_sql(connection, f"CREATE TEMP VIEW given_{name}_{position} AS {sql}")


def fixed_values(connection: duckdb.DuckDBPyConnection, rows: str, *, columns: list[str]) -> dict[str, str]:
    """Literals for columns that hold the same in every row. rows: SQL of one row."""
    if not columns:
        return {}
    texts = ", ".join(f"CAST({identifier(name)} AS VARCHAR)" for name in columns)
    found = run_sql(connection, f"SELECT {texts} FROM ({rows})").fetchone() or ()
    return {
        name: "NULL" if text is None else literal(text) for name, text in zip(columns, found, strict=True)
    }
