"""From staged rows to one canonical table: unknown references out, duplicates settled, sorted, written.

Turns `staged_<name>` into `<name>.parquet` and the table `quarantine`. Of rows with one key that differ, the
one with the most filled cells stays (then the earliest known, then the smallest text), so that the order
of files never matters. Time rule: rows that differ only in `known_at` under a key without it are one row,
known at the earliest of these times. Null rule: an empty cell counts as less complete than a filled one.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from features.cells import content_sql
from features.contract import TABLES, ColumnType, Table
from features.engine import run_sql
from features.report import Example
from features.sources import identifier
from features.validation import Reason, literal

__all__ = ["create_quarantine", "examples", "quarantine_counts", "settle", "write_quarantine"]

_ORDER = {
    "accounts": ("account_id", "known_at"),
    "contacts": ("account_id", "contact_id", "known_at"),
    "activities": ("account_id", "occurred_at", "activity_id"),
    "intent_topics": ("account_id", "topic", "occurred_at", "known_at"),
    "opportunities": ("account_id", "opportunity_id", "known_at"),
    "stage_changes": ("opportunity_id", "occurred_at", "stage"),
}
"""How each file is sorted: by whom it is read, then in a total order."""

_EXAMPLES = 5


def create_quarantine(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty tables for rows that are set aside."""
    run_sql(
        connection,
        'CREATE TABLE quarantine ("table" VARCHAR, source VARCHAR, reason VARCHAR, "column" VARCHAR,'
        " got VARCHAR, row VARCHAR)",
    )
    run_sql(
        connection, "CREATE TABLE malformed (name VARCHAR, source VARCHAR, message VARCHAR, line VARCHAR)"
    )


def settle(
    connection: duckdb.DuckDBPyConnection, *, table: Table, columns: dict[str, ColumnType], file: Path
) -> tuple[int, int]:
    """Write the canonical table to `file`. Returns rows written, and identical rows that became one."""
    name = table.name
    _set_aside_faults(connection, name=name)
    condition = _reference(connection, name=name)
    _set_aside_unknown(connection, name=name, columns=columns, known=condition)
    run_sql(
        connection,
        f"CREATE TEMP VIEW good_{name} AS SELECT * FROM staged_{name} WHERE _reason IS NULL AND {condition}",
    )
    collapsed = _settle_duplicates(connection, table=table, columns=columns)
    listed, key = ", ".join(map(identifier, columns)), _key_hash(table)
    run_sql(
        connection,
        f"COPY (SELECT {listed} FROM good_{name} WHERE {key} NOT IN (FROM repeated_{name})"
        f" UNION ALL SELECT {listed} FROM ranked_{name} WHERE place = 1"
        f" ORDER BY {', '.join(_ORDER[name])})"
        f" TO {literal(str(file))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)",
    )
    return _count(connection, f"read_parquet({literal(str(file))})"), collapsed


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    counted = run_sql(connection, f"SELECT count(*) FROM {relation}").fetchone()
    return int(counted[0]) if counted else 0


def _set_aside_faults(connection: duckdb.DuckDBPyConnection, *, name: str) -> None:
    run_sql(
        connection,
        f"INSERT INTO quarantine SELECT '{name}', _source, _reason, _column, _got, _row"
        f" FROM staged_{name} WHERE _reason IS NOT NULL",
    )
    run_sql(
        connection,
        f"INSERT INTO quarantine SELECT name, source, {literal(Reason.MALFORMED_LINE)}, NULL, message, line"
        f" FROM malformed WHERE name = '{name}'",
    )


def _reference(connection: duckdb.DuckDBPyConnection, *, name: str) -> str:
    """The condition under which what a row refers to exists. Accounts refer to nothing, and come first."""
    if name in ("accounts", "opportunities"):
        run_sql(
            connection,
            f"CREATE TABLE known_{name} AS SELECT DISTINCT {_REFERRED[name]} FROM staged_{name}"
            f" WHERE _reason IS NULL{_ACCOUNT_KNOWN if name == 'opportunities' else ''}",
        )
    match name:
        case "accounts":
            return "true"
        case "stage_changes":
            return "opportunity_id IN (FROM known_opportunities)"
        case _:
            return "account_id IN (FROM known_accounts)"


_REFERRED = {"accounts": "account_id", "opportunities": "opportunity_id"}
_ACCOUNT_KNOWN = " AND account_id IN (FROM known_accounts)"


def _set_aside_unknown(
    connection: duckdb.DuckDBPyConnection, *, name: str, columns: dict[str, ColumnType], known: str
) -> None:
    if name == "accounts":
        return
    column = "opportunity_id" if name == "stage_changes" else "account_id"
    reason = Reason.UNKNOWN_OPPORTUNITY if name == "stage_changes" else Reason.UNKNOWN_ACCOUNT
    run_sql(
        connection,
        f"INSERT INTO quarantine SELECT '{name}', _source, {literal(reason)}, '{column}', {column},"
        f" {_as_json(columns)} FROM staged_{name} WHERE _reason IS NULL AND NOT ({known})",
    )


def _as_json(columns: dict[str, ColumnType]) -> str:
    members = ", ".join(f"{literal(name)}, {identifier(name)}" for name in columns)
    return f"CAST(json_object({members}) AS VARCHAR)"


def _key_hash(table: Table) -> str:
    """A hash that only narrows down which keys repeat; what is equal is decided on the keys themselves."""
    return f"hash({', '.join(table.key)})"


def _settle_duplicates(
    connection: duckdb.DuckDBPyConnection, *, table: Table, columns: dict[str, ColumnType]
) -> int:
    """Rank the rows under repeated keys, the one that stays first. Returns how many equal it."""
    name, key = table.name, ", ".join(table.key)
    content = content_sql({column: kind for column, kind in columns.items() if column != "known_at"})
    filled = " + ".join(f"CAST({identifier(column)} IS NOT NULL AS INTEGER)" for column in columns)
    run_sql(
        connection,
        f"CREATE TABLE repeated_{name} AS SELECT {_key_hash(table)} AS key FROM good_{name}"
        " GROUP BY key HAVING count(*) > 1",
    )
    run_sql(
        connection,
        f"CREATE TABLE ranked_{name} AS SELECT *, row_number() OVER best AS place,"
        f" content = first_value(content) OVER best AS same FROM"
        f" (SELECT *, {content} AS content, {filled} AS filled FROM good_{name}"
        f" WHERE {_key_hash(table)} IN (FROM repeated_{name}))"
        f" WINDOW best AS (PARTITION BY {key} ORDER BY filled DESC, known_at, content)",
    )
    run_sql(
        connection,
        f"INSERT INTO quarantine SELECT '{name}', _source, {literal(Reason.CONFLICTING_DUPLICATE)},"
        f" '{table.key[0]}', {table.key[0]}, {_as_json(columns)} FROM ranked_{name} WHERE NOT same",
    )
    return _count(connection, f"ranked_{name} WHERE same AND place > 1")


def quarantine_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Rows set aside by table (in the contract's order) and reason, the most frequent first."""
    counts: dict[str, dict[str, int]] = {name: {} for name in TABLES}
    rows = run_sql(
        connection,
        'SELECT "table", reason, count(*) AS rows FROM quarantine GROUP BY ALL ORDER BY rows DESC, reason',
    ).fetchall()
    for name, reason, count in rows:
        counts[name][reason] = int(count)
    return {name: reasons for name, reasons in counts.items() if reasons}


def examples(connection: duckdb.DuckDBPyConnection, *, name: str) -> tuple[Example, ...]:
    """Up to five rows per reason, always the same ones."""
    rows = run_sql(
        connection,
        'SELECT source, reason, "column", got, row FROM quarantine WHERE "table" = ? QUALIFY row_number()'
        ' OVER (PARTITION BY reason ORDER BY "column", got, row, source) <= ?'
        ' ORDER BY reason, "column", got, row, source',
        parameters=[name, _EXAMPLES],
    ).fetchall()
    return tuple(Example(*row) for row in rows)


def write_quarantine(connection: duckdb.DuckDBPyConnection, *, name: str, folder: Path) -> None:
    """The rows of one table that were set aside, as `folder`/<name>.parquet."""
    folder.mkdir(exist_ok=True)
    run_sql(
        connection,
        f"COPY (SELECT * FROM quarantine WHERE \"table\" = '{name}'"
        ' ORDER BY source, reason, "column", got, row)'
        f" TO {literal(str(folder / f'{name}.parquet'))} (FORMAT parquet, COMPRESSION zstd)",
    )
