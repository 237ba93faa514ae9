"""Finds the hashes that occur more than once among millions.

Turns SQL of one column of hashes into SQL of those that are repeated. Hardly any is, as a rule: sorting plain
numbers and looking at neighbours takes half the time of grouping. Time rule: none. Null rule: a hash is never
NULL.
"""

from __future__ import annotations

import duckdb

from features.engine import run_sql
from features.relations import count_rows

__all__ = ["repeated_sql", "seldom_repeated_sql"]

_FEW = 1 << 18
"""Up to so many rows grouping is faster."""

_SELDOM = 50
"""Of so many rows one may share its hash with others, so that those are worth a way of their own."""


def repeated_sql(connection: duckdb.DuckDBPyConnection, hashes: str) -> str:
    """SQL of the repeated ones, each once. hashes: SQL of the column `key`, 64 bits without a sign."""
    if count_rows(connection, f"({hashes})") <= _FEW:
        return f"SELECT key FROM ({hashes}) GROUP BY key HAVING count(*) > 1"
    return f"SELECT DISTINCT key FROM ({hashes}) QUALIFY key = lag(key) OVER (ORDER BY key)"


def seldom_repeated_sql(connection: duckdb.DuckDBPyConnection, hashes: str) -> str | None:
    """SQL of the repeated ones, found already, until the next call. hashes: as in `repeated_sql`.

    None where many are repeated, or there are so few rows that it saves nothing.
    """
    count = count_rows(connection, f"({hashes})")
    if count <= _FEW:
        return None
    found = repeated_sql(connection, hashes)
    run_sql(connection, f"CREATE OR REPLACE TEMP TABLE seldom_repeated AS {found}")
    many = count_rows(connection, "seldom_repeated") * _SELDOM > count
    return None if many else "SELECT key FROM seldom_repeated"
