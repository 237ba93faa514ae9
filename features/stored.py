"""The rows that earlier ingests left: those of a table, and those that are kept beside it.

Turns a stored file into SQL of its rows as they would be staged today. Time rule: none of its own. Null rule:
a column that was not there yet is empty, and so is an identifier that its source did not give.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from features.changes import CHANGED_AT, has_versions, stored_known_at
from features.contract import TABLES, ColumnType, Table, sql_type
from features.engine import run_sql
from features.errors import WorkspaceError
from features.sources import identifier
from features.unnamed import beside, derived_before, without_derived
from features.validation import literal

__all__ = ["MARKED", "require_comparable", "stored_sql"]

_MARK = "identifiers"
MARKED = f"{{{_MARK}: 'as given'}}"
"""SQL for the metadata of files in which no identifier was derived."""


def require_comparable(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: Table,
    columns: Mapping[str, ColumnType],
    earlier: Path,
    naming: Collection[str],
) -> None:
    """Refuse a table in which rows that are read again could not be told from new ones.

    earlier: the snapshot. naming: ids of sources that give every row an identifier. Raises WorkspaceError.
    """
    for file in (earlier / f"{table.name}.parquet", earlier / "kept" / f"{table.name}.parquet"):
        if not beside(table.name) or not file.is_file() or _is_marked(file):
            continue
        rows = derived_before(stored_sql(file, name=table.name, columns=columns), own=naming)
        if run_sql(connection, f"{rows} LIMIT 1").fetchone() is not None:
            raise WorkspaceError(
                f"an earlier version read {table.name} with fractions of seconds, and knows these rows by"
                " identifiers that cannot be derived any more: read again, they would count twice",
                got=str(file),
                fix="`--rebuild` reads the files of this mapping from the start, and forgets the rest",
            )


def _is_marked(file: Path) -> bool:
    return _MARK.encode() in (pq.read_metadata(file).metadata or {})


def stored_sql(file: Path, *, name: str, columns: Mapping[str, ColumnType]) -> str:
    """The rows of a stored file; a column that was not there yet is empty."""
    present = set(pq.read_schema(file).names)
    parts = [
        identifier(column) if column in present else f"CAST(NULL AS {sql_type(kind)}) AS {identifier(column)}"
        for column, kind in columns.items()
        if column != "known_at"
    ]
    parts.append(stored_known_at(present))
    if has_versions(TABLES[name]):
        parts.append(CHANGED_AT if CHANGED_AT in present else f"CAST(NULL AS TIMESTAMP) AS {CHANGED_AT}")
    parts += ["_source", *(column if column in present else f"0 AS {column}" for column in beside(name))]
    rows = f"SELECT {', '.join(parts)} FROM read_parquet({literal(str(file))})"
    return rows if not beside(name) or _is_marked(file) else without_derived(rows)
