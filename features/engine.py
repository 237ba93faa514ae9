"""Runs a statement, and says which one it was when the SQL engine fails.

Turns DuckDB's errors into EngineError with the failing SQL. Time rule: none. Null rule: none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb

from features.errors import EngineError

__all__ = ["first_line", "run_sql"]

_PASSWORD = re.compile("(://[^:/@ ]*:).*(?=@)|(?<=password=)[^&'\" ]+")


def run_sql(
    connection: duckdb.DuckDBPyConnection, sql: str, *, parameters: Sequence[object] = ()
) -> duckdb.DuckDBPyConnection:
    """Execute `sql`; the connection then holds its rows. Raises EngineError."""
    try:
        return connection.execute(sql, list(parameters))
    except duckdb.Error as error:
        raise EngineError(f"the SQL engine failed: {first_line(error)}", sql=sql) from error


def first_line(error: duckdb.Error) -> str:
    """What DuckDB says, without the statement that it repeats, and without the password of an address."""
    return _PASSWORD.sub(r"\1***", str(error).strip().splitlines()[0])
