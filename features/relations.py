"""How many rows a relation has, and whether it has any.

Turns SQL of a relation (the name of a table, a selection in brackets, either with a condition after it) into
a number. Time rule: none. Null rule: none.
"""

from __future__ import annotations

import duckdb

from features.engine import run_sql

__all__ = ["count_rows", "has_rows"]


def count_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    """How many rows there are. Raises EngineError when the SQL fails."""
    counted = run_sql(connection, f"SELECT count(*) FROM {relation}").fetchone()
    return int(counted[0]) if counted else 0


def has_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    """Whether there is any row: the first one is enough. Raises EngineError when the SQL fails."""
    return run_sql(connection, f"SELECT 1 FROM {relation} LIMIT 1").fetchone() is not None
