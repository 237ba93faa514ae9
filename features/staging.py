"""Reads one source into DuckDB: every row typed, checked and kept, good or bad.

Turns a `Source` into rows of the table `staged_<name>`: the canonical columns, and for a row at fault the
reason, the column, what it held and its cells as JSON. Time rule: `known_at` follows from the data as
the source says; it is never the clock. Null rule: what a source does not bind is NULL.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

import duckdb

from features.cells import read_cells
from features.changes import CHANGED_AT
from features.contract import TABLES, Table, sql_type
from features.deletions import hold_extract
from features.engine import first_line, run_sql
from features.errors import ConfigError, EngineError
from features.faults import FAULT_FIELDS
from features.history import source_id
from features.locating import remember_places
from features.mapping import EVENT_TIME, Source
from features.parts import fixed_values, show_part, show_rows, target
from features.privacy.masking import without_values
from features.sources import Relation, identifier, open_source
from features.tables import Attribute
from features.typed_rows import (
    FAULT,
    TypedRows,
    canonical_columns,
    known_at_sql,
    naive_utc,
    source_cell,
    typed_rows,
)
from features.unnamed import beside
from features.validation import Reason, literal

__all__ = [
    "FAULT_FIELDS",
    "canonical_columns",
    "create_staging",
    "number_gaps",
    "source_cell",
    "stage",
    "unread_cells",
    "withheld_cells",
]

_FAULT = "STRUCT(" + ", ".join(f'"{name}" VARCHAR' for name in FAULT_FIELDS) + ")"
_BESIDE = {
    "_source": "VARCHAR",
    "_deleted_at": "TIMESTAMP",
    CHANGED_AT: "TIMESTAMP",
    "_unread": "VARCHAR[]",
    "_withheld": "VARCHAR[]",
    "_fault": _FAULT,
}
"""Beside the canonical columns: the source's id, when the record was deleted and last changed in it, the text
columns whose cells their normaliser could not read, those whose cells say how to reach a person, and what is
wrong."""

_SMALL = 1 << 22
"""Bytes of files up to which rows of activities go into the staging table as they are."""


def create_staging(
    connection: duckdb.DuckDBPyConnection, *, table: Table, attributes: tuple[Attribute, ...]
) -> None:
    """An empty table for all rows of a canonical table, good and bad."""
    kinds = {name: sql_type(kind) for name, kind in canonical_columns(table, attributes=attributes).items()}
    kinds |= dict.fromkeys(beside(table.name), "INTEGER")
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in (kinds | _BESIDE).items())
    run_sql(connection, f"CREATE TABLE {target(table.name)} ({columns})")
    show_rows(connection, name=table.name)


def stage(
    connection: duckdb.DuckDBPyConnection,
    *,
    source: Source,
    position: int,
    attributes: tuple[Attribute, ...],
    now: datetime,
) -> int:
    """Read a source into its staging table. Returns rows read, lines that were no CSV rows included."""
    if source.extracted_at is not None and naive_utc(source.extracted_at) > now:
        raise ConfigError(f"sources[{position}].extracted_at is in the future", got=source.extracted_at)
    relation = open_source(connection, source=source, position=position)
    if relation is None:
        return 0
    read = partial(typed_rows, source, relation=relation, attributes=attributes, now=now)
    in_a_part = _in_parts(source, relation=relation)
    if in_a_part:
        rows = _stage_part(connection, source=source, reading=read(), position=position)
    else:
        sql = f"INSERT INTO {target(source.table)} {read().whole}"
        rows = _insert(connection, sql, source=source, position=position)
    malformed = _malformed(connection, source=source, relation=relation)
    nameless = beside(source.table) and "activity_id" not in source.columns and relation.numbered is not None
    by_content = read(numbered=True).numbered_rows if nameless else None
    remember_places(connection, source=source, relation=relation, nameless=by_content)
    if relation.numbered is not None:
        faulty = f"part_{position} WHERE {FAULT} IS NOT NULL" if in_a_part else _faulty(source)
        _number_faults(connection, source=source, faulty=faulty, again=read(numbered=True).whole)
    show_rows(connection, name=source.table)
    _require_a_zone(connection, source=source, position=position)
    if source.complete and source.extracted_at is not None:
        hold_extract(
            connection,
            table=TABLES[source.table],
            source=source_id(source),
            moment=naive_utc(source.extracted_at),
            whole=not malformed,
            place=f"sources[{position}] ({source.table}, {source.label})",
        )
    return rows + malformed


def unread_cells(connection: duckdb.DuckDBPyConnection, *, name: str) -> dict[str, int]:
    """By text column, cells of the rows read now that its normaliser could not read."""
    return _cells_beside(connection, name=name, beside="_unread")


def withheld_cells(connection: duckdb.DuckDBPyConnection, *, name: str) -> dict[str, int]:
    """By text column, cells of the rows read now that were left out, as they say how to reach a person."""
    return _cells_beside(connection, name=name, beside="_withheld")


def _cells_beside(connection: duckdb.DuckDBPyConnection, *, name: str, beside: str) -> dict[str, int]:
    columns = f"SELECT unnest({beside}) AS name FROM staged_{name} WHERE _fault IS NULL"
    counted = run_sql(connection, f"SELECT name, count(*) FROM ({columns}) GROUP BY name ORDER BY name")
    return {str(column): int(cells) for column, cells in counted.fetchall()}


def _faulty(source: Source) -> str:
    """The rows at fault that were inserted without their numbers."""
    return (
        f"{target(source.table)} WHERE _fault IS NOT NULL AND _fault.line IS NULL"
        f" AND _source = {literal(source_id(source))}"
    )


def _number_faults(connection: duckdb.DuckDBPyConnection, *, source: Source, faulty: str, again: str) -> None:
    """Read the faulty rows once more, with their numbers. Files without a fault are not read again."""
    if run_sql(connection, f"SELECT 1 FROM {faulty} LIMIT 1").fetchone():
        run_sql(connection, f"DELETE FROM {faulty}")
        run_sql(connection, f"INSERT INTO {target(source.table)} {again}")


def _insert(connection: duckdb.DuckDBPyConnection, sql: str, *, source: Source, position: int) -> int:
    """Rows inserted. Our own SQL casts nothing that may fail: such a failure is the mapping's query."""
    try:
        inserted = connection.execute(sql).fetchone()
    except (duckdb.DataError, duckdb.ProgrammingError, duckdb.NotSupportedError) as error:
        raise ConfigError(
            f"sources[{position}] ({source.table}, {source.label}): reading failed",
            got=without_values(first_line(error), table=source.table),
            fix="correct the query or the file; TRY_CAST leaves a cell empty instead of failing",
        ) from error
    except duckdb.Error as error:
        raise EngineError(f"the SQL engine failed: {first_line(error)}", sql=sql) from error
    return int(inserted[0]) if inserted else 0


def _in_parts(source: Source, *, relation: Relation) -> bool:
    """Whether to store no more of the rows than differs: it saves time with millions of them."""
    return bool(beside(source.table)) and relation.numbered is not None and relation.size > _SMALL


def _stage_part(
    connection: duckdb.DuckDBPyConnection, *, source: Source, reading: TypedRows, position: int
) -> int:
    """Read a large file into a table of its own. Returns the rows read."""
    given = _given(connection, source=source, reading=reading)
    told = [f"{sql} AS {identifier(name)}" for name, sql in reading.stored.items() if name not in given]
    sql = f"SELECT {', '.join(told)}, CAST({FAULT} AS USMALLINT) AS {FAULT} FROM ({reading.rows})"
    rows = _insert(connection, f"CREATE TABLE part_{position} AS {sql}", source=source, position=position)
    show_part(connection, name=source.table, position=position, given=given)
    return rows


def _given(connection: duckdb.DuckDBPyConnection, *, source: Source, reading: TypedRows) -> dict[str, str]:
    """By column of the staging table, SQL for what need not be stored for each good row."""
    table, bound = TABLES[source.table], source.bindings
    given = {name: sql for name, sql in reading.stored.items() if sql in ("0", "NULL")}
    given |= {"_source": reading.stored["_source"], "_fault": "NULL"}
    for column in table.columns:
        if column.name not in reading.cells and column.name != "known_at":
            given[column.name] = "NULL" if column.default is None else str(column.default)
    fixed = [name for name in source.columns if bound[name].column is None]
    values = ", ".join(f"{reading.cells[name].value} AS {identifier(name)}" for name in fixed)
    texts = read_cells([reading.cells[name] for name in fixed], rows="SELECT 0")
    given |= fixed_values(connection, f"SELECT {values} FROM ({texts})", columns=fixed)
    if source.known_at is None and not given.keys() & set(EVENT_TIME[source.table]):
        given["known_at"] = known_at_sql(source)
    return given


def _malformed(connection: duckdb.DuckDBPyConnection, *, source: Source, relation: Relation) -> int:
    """Put the lines that are no rows of the header's width into `malformed`; returns how many.

    The table of gaps says by how much they move the numbers of the rows after them.
    """
    rejects = relation.rejects
    if not _rejected(connection, relation=relation):
        number_gaps(connection, relation=relation)
        return 0
    inserted = run_sql(
        connection,
        # One line may have two faults.
        f"INSERT INTO malformed SELECT '{source.table}', {literal(source.label)}, min(error_message),"
        f" min(csv_line), min(file_path), CAST(min(line) AS VARCHAR) FROM {rejects}"
        f" JOIN {rejects}_scan USING (scan_id, file_id) GROUP BY scan_id, file_id, line_byte_position",
    ).fetchone()
    number_gaps(connection, relation=relation)
    return int(inserted[0]) if inserted else 0


def number_gaps(connection: duckdb.DuckDBPyConnection, *, relation: Relation) -> None:
    """Make the table that `relation.numbered` needs, once all rows were read."""
    run_sql(connection, f"CREATE OR REPLACE TEMP TABLE {relation.gaps} (file VARCHAR, start BIGINT)")
    if not _rejected(connection, relation=relation):
        return
    rejects = relation.rejects
    run_sql(
        connection,
        f"INSERT INTO {relation.gaps} SELECT file_path, line + 1 - row_number()"
        " OVER (PARTITION BY file_path ORDER BY line) FROM (SELECT DISTINCT file_path, line"
        f" FROM {rejects} JOIN {rejects}_scan USING (scan_id, file_id))",
    )


def _rejected(connection: duckdb.DuckDBPyConnection, *, relation: Relation) -> bool:
    """Whether lines were found that are not CSV."""
    sql = "SELECT 1 FROM duckdb_tables() WHERE table_name = ?"
    if run_sql(connection, sql, parameters=[relation.rejects]).fetchone() is None:
        return False
    return run_sql(connection, f"SELECT 1 FROM {relation.rejects} LIMIT 1").fetchone() is not None


def _require_a_zone(connection: duckdb.DuckDBPyConnection, *, source: Source, position: int) -> None:
    """One naive time is a bad row; nothing but naive times is a zone that was not declared."""
    naive = f"_fault.reason = {literal(Reason.TIME_WITHOUT_ZONE)}"
    sql = (
        f"SELECT count_if({naive}), count_if(_fault IS NULL), min(_fault.column) FILTER ({naive}),"
        f" min(_fault.got) FILTER ({naive}) FROM staged_{source.table}"
        f" WHERE _source = {literal(source_id(source))}"
    )
    found, good, column, got = run_sql(connection, sql).fetchone() or (0, 0, None, None)
    if found and not good:
        raise ConfigError(
            f"sources[{position}] ({source.table}, {source.label}): {column} holds times without a zone",
            got=repr(got),
            fix='declare it beside the table, as in time_zone = "UTC" or time_zone = "Europe/Berlin"',
        )
