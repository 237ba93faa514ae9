"""Finds where rows that were set aside stand in files: those that a query made or that other rows judge.

Turns the identifier of such a row into the one line of its source's files that holds it, once the files were
read; a row of a source that gives none, into the one line that says the same. Time rule: where several lines
hold it, as versions do, the one that became known then. Null rule: a row whose identifier stands in no line,
or in several, stays without a place.
"""

from __future__ import annotations

import duckdb

from features.bindings import Source
from features.contract import TABLES
from features.engine import run_sql
from features.sources import FILE_COLUMN, ROW_COLUMN, Relation, identifier
from features.unnamed import identifier_sql
from features.validation import literal

__all__ = ["create_places", "locate_rows", "remember_places"]

_MOST_ROWS = 100_000
"""Where more rows of one source are set aside, its mapping is to be mended, and not its rows."""

_LOST = "fresh AND line IS NULL AND row IS NOT NULL"


def create_places(connection: duckdb.DuckDBPyConnection) -> None:
    """An empty table of the files in which rows may be looked for, with SQL for their keys."""
    run_sql(
        connection,
        'CREATE TABLE row_places ("table" VARCHAR, source VARCHAR, id VARCHAR, known VARCHAR, lines VARCHAR)',
    )


def remember_places(
    connection: duckdb.DuckDBPyConnection, *, source: Source, relation: Relation, nameless: str | None = None
) -> None:
    """Note the files of a source, in the order in which the mapping names them.

    nameless: of a source whose rows have no identifier, SQL of its good rows as they are stored, with file
    and number: they are found by what they say.
    """
    if nameless is not None:
        _remember(connection, source=source, told=(None, None), lines=_by_content(nameless))
        return
    identity = source.bindings.get(_identity(source.table))
    known = source.known_at
    id_column = identity.column if identity is not None else None
    time_column = known.column if known is not None else None
    for name, sql in relation.places.items():
        lines = _lines(sql, columns=relation.asked[name], id_column=id_column, time_column=time_column)
        _remember(connection, source=source, told=(id_column, time_column), lines=lines)


def _remember(
    connection: duckdb.DuckDBPyConnection, *, source: Source, told: tuple[str | None, str | None], lines: str
) -> None:
    run_sql(
        connection,
        "INSERT INTO row_places VALUES (?, ?, ?, ?, ?)",
        parameters=[source.table, source.label, *told, lines],
    )


def _by_content(rows: str) -> str:
    """As `_lines`: only rows of the accounts in question get an identifier, which takes long."""
    asked = f"SELECT json_extract_string(row, '/account_id') FROM quarantine WHERE {_LOST}"
    return (
        f"SELECT {identifier_sql()} AS key, CAST(known_at AS VARCHAR) AS time, {FILE_COLUMN} AS file,"
        f" CAST({ROW_COLUMN} AS VARCHAR) AS line FROM ({rows}) WHERE account_id IN ({asked})"
    )


def locate_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Write file and line into the quarantine, for the rows of this ingest that lack them."""
    lost = run_sql(
        connection,
        f'SELECT "table", source FROM quarantine WHERE {_LOST} GROUP BY ALL'
        f" HAVING count(*) <= {_MOST_ROWS} ORDER BY ALL",
    ).fetchall()
    for table, source in lost:
        places = run_sql(
            connection,
            'SELECT id, known, lines FROM row_places WHERE "table" = ? AND source = ?',
            parameters=[table, source],
        ).fetchall()
        if places:
            lines = [lines for *_, lines in places]
            _locate(connection, table=table, source=source, told=places[0][:2], lines=lines)


def _identity(table: str) -> str:
    """The column that says which record a row is about."""
    return next(name for name in TABLES[table].key if name not in ("known_at", "occurred_at"))


def _lines(sql: str, *, columns: tuple[str, ...], id_column: str | None, time_column: str | None) -> str:
    """SQL for file, line, time and identifiers of each line; any cell may be one where none is called so."""
    chosen = (id_column,) if id_column in columns else columns
    cells = ", ".join(f"trim(CAST({identifier(name)} AS VARCHAR))" for name in chosen if name)
    time = f"CAST({identifier(time_column)} AS VARCHAR)" if time_column in columns and time_column else "NULL"
    return (
        f"SELECT unnest(list_distinct([{cells}])) AS key, {time} AS time, {FILE_COLUMN} AS file,"
        f" CAST({ROW_COLUMN} AS VARCHAR) AS line FROM ({sql})"
    )


def _locate(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: str,
    source: str,
    told: tuple[str | None, str | None],
    lines: list[str],
) -> None:
    """The first of the files that holds the identifier decides."""
    key, known = map(_first_of, zip(told, (_identity(table), "known_at"), strict=True))
    mine = f'{_LOST} AND "table" = {literal(table)} AND source = {literal(source)}'
    run_sql(
        connection,
        f"CREATE OR REPLACE TEMP TABLE wanted AS SELECT DISTINCT row AS told, {key} AS key, {known} AS known"
        f" FROM quarantine WHERE {mine}",
    )
    # The same time may be written in two ways: as the file has it, and as it was read.
    same = "coalesce(time = known OR TRY_CAST(time AS TIMESTAMP) = TRY_CAST(known AS TIMESTAMP), false)"
    held = " UNION ALL ".join(f"SELECT *, {k} AS position FROM ({sql})" for k, sql in enumerate(lines))
    run_sql(
        connection,
        "CREATE OR REPLACE TEMP TABLE found AS SELECT told, min(file) AS its_file, min(line) AS its_line"
        f" FROM (SELECT told, file, line, count(*) OVER (PARTITION BY told) AS lines, {same} AS same,"
        f" count_if({same}) OVER (PARTITION BY told) AS same_lines"
        f" FROM (SELECT * FROM wanted JOIN ({held}) USING (key)"
        " QUALIFY position = min(position) OVER (PARTITION BY told)))"
        " WHERE lines = 1 OR (same AND same_lines = 1) GROUP BY told",
    )
    run_sql(
        connection,
        f"UPDATE quarantine SET file = its_file, line = its_line FROM found WHERE {mine} AND row = told",
    )


def _first_of(names: tuple[str | None, str]) -> str:
    """SQL for the first of these members of the row that holds anything."""
    pointers = ["/" + name.replace("~", "~0").replace("/", "~1") for name in names if name]
    return f"coalesce({', '.join(f'json_extract_string(row, {literal(name)})' for name in pointers)})"
