"""Reads one source into DuckDB: every row typed, checked and kept, good or bad.

Turns a `Source` into rows of the table `staged_<name>`: the canonical columns, and for a row at fault the
reason, the column, what it held and its cells as JSON. Time rule: `known_at` follows from the data as
the source says; it is never the clock. Null rule: what a source does not bind is NULL.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import duckdb

from features.cells import Cell, content_sql, raw_name, typed_cell
from features.contract import ATTRIBUTE_TYPES, START_OF_TIME, TABLES, ColumnType, Table, sql_type
from features.deletions import hold_extract
from features.engine import first_line, run_sql
from features.errors import ConfigError, EngineError
from features.faults import FAULT_FIELDS, cell_checks, fault_sql, first_fault, known_at_last
from features.history import source_id
from features.locating import remember_places
from features.mapping import EVENT_TIME, Binding, Source
from features.privacy.consent import consent_sql
from features.privacy.masking import (
    without_values,
)
from features.sources import FILE_COLUMN, ROW_COLUMN, Relation, identifier, open_source
from features.tables import Attribute
from features.validation import Check, Reason, literal, row_checks

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
    "_unread": "VARCHAR[]",
    "_withheld": "VARCHAR[]",
    "_fault": _FAULT,
}
"""Beside the canonical columns: the source's id, when the row was deleted in it, the text columns whose
cells their normaliser could not read, those whose cells say how to reach a person, and what is wrong."""

_MARKS: dict[str, ColumnType] = {"deleted": "boolean", "deleted_at": "timestamp", "opted_out": "boolean"}
_EXACT_TIME = '"exact occurred_at"'


def canonical_columns(table: Table, *, attributes: tuple[Attribute, ...]) -> dict[str, ColumnType]:
    """Type by name of the columns that the table is stored with."""
    columns = {column.name: column.type for column in table.columns}
    if table.name == "accounts":
        columns |= {attribute.name: attribute.column_type for attribute in attributes}
    return columns


def create_staging(
    connection: duckdb.DuckDBPyConnection, *, table: Table, attributes: tuple[Attribute, ...]
) -> None:
    """An empty table for all rows of a canonical table, good and bad."""
    kinds = {name: sql_type(kind) for name, kind in canonical_columns(table, attributes=attributes).items()}
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in (kinds | _BESIDE).items())
    run_sql(connection, f"CREATE TABLE staged_{table.name} ({columns})")


def stage(
    connection: duckdb.DuckDBPyConnection,
    *,
    source: Source,
    position: int,
    attributes: tuple[Attribute, ...],
    now: datetime,
) -> int:
    """Read a source into its staging table. Returns rows read, lines that were no CSV rows included."""
    if source.extracted_at is not None and _naive_utc(source.extracted_at) > now:
        raise ConfigError(f"sources[{position}].extracted_at is in the future", got=source.extracted_at)
    relation = open_source(connection, source=source, position=position)
    if relation is None:
        return 0
    sql = _staging_sql(source, relation=relation, attributes=attributes, now=now)
    rows = _insert(connection, f"INSERT INTO staged_{source.table} {sql}", source=source, position=position)
    _require_a_zone(connection, source=source, position=position)
    malformed = _malformed(connection, source=source, relation=relation)
    remember_places(connection, source=source, relation=relation)
    if relation.numbered is not None:
        again = _staging_sql(source, relation=relation, attributes=attributes, now=now, numbered=True)
        _number_faults(connection, source=source, again=again)
    if source.complete and source.extracted_at is not None:
        hold_extract(
            connection,
            table=TABLES[source.table],
            source=source_id(source),
            moment=_naive_utc(source.extracted_at),
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


def _number_faults(connection: duckdb.DuckDBPyConnection, *, source: Source, again: str) -> None:
    """Read the faulty rows once more, with their numbers. Files without a fault are not read again."""
    faulty = (
        f"FROM staged_{source.table} WHERE _fault IS NOT NULL AND _fault.line IS NULL"
        f" AND _source = {literal(source_id(source))}"
    )
    if run_sql(connection, f"SELECT 1 {faulty} LIMIT 1").fetchone():
        run_sql(connection, f"DELETE {faulty}")
        run_sql(connection, f"INSERT INTO staged_{source.table} {again}")


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


def _staging_sql(
    source: Source,
    *,
    relation: Relation,
    attributes: tuple[Attribute, ...],
    now: datetime,
    numbered: bool = False,
) -> str:
    """Layers, each over the one before: raw cells, texts, typed values, derived columns, the first fault.

    numbered: the faulty rows alone, with their numbers.
    """
    table = TABLES[source.table]
    columns = canonical_columns(table, attributes=attributes)
    cells = [
        source_cell(name, binding=binding, source=source, relation=relation)
        for name, binding in source.read.items()
    ]
    undated = source.undated is not None
    checks = cell_checks(cells, table=table) + known_at_last(row_checks(table, now=now, undated=undated))
    if source.deleted_at is not None:
        later = f"deleted_at > TIMESTAMP {literal(now.isoformat(' '))}"
        checks.append(Check(Reason.IN_THE_FUTURE, "deleted_at", later))
    bound = source.read.values()
    raw = list(dict.fromkeys(binding.column for binding in bound if binding.column is not None))
    if source.traffic is not None:
        cells.append(
            Cell("traffic", "string", source.traffic.sql(raw_name), '"text traffic"', '"text traffic"')
        )
        raw = list(dict.fromkeys([*raw, *source.traffic.columns]))
    located = FILE_COLUMN in relation.types
    read = [f"{identifier(name)} AS {raw_name(name)}" for name in raw] + [FILE_COLUMN] * located
    read += [ROW_COLUMN] * numbered
    sql = f"SELECT {', '.join(read)} FROM {relation.numbered if numbered else relation.sql}"
    sql = f"SELECT *, {', '.join(f'{cell.text} AS {cell.text_name}' for cell in cells)} FROM ({sql})"
    sql = f"SELECT *, {_values(cells, columns=columns, table=table)} FROM ({sql})"
    sql = f"SELECT *, {_derived(source, cells=cells, columns=columns)} FROM ({sql})"
    sql = f"SELECT *, {first_fault(checks)} AS fault FROM ({sql})"
    if consent := consent_sql(source):
        replaced = ", ".join(f"{value} AS {name}" for name, value in consent.items())
        sql = f"SELECT * REPLACE ({replaced}) FROM ({sql})"
    place = (FILE_COLUMN if located else "NULL", ROW_COLUMN if numbered else "NULL")
    fault = fault_sql(checks, cells=cells, raw=raw, source=source, place=place)
    lists = f"{_unread(cells, source=source)}, {_withheld(cells, table=table)}"
    beside = f"{literal(source_id(source))}, {_deleted_at(source)}, {lists}, {fault}"
    only = " WHERE fault IS NOT NULL" if numbered else ""
    return f"SELECT {', '.join(map(identifier, columns))}, {beside} FROM ({sql}){only}"


def _unread(cells: list[Cell], *, source: Source) -> str:
    """Names of text columns that hold nothing though the source does; cells of other types are faults."""
    normalised = {name for name, binding in source.bindings.items() if binding.normalise is not None}
    declared = normalised | {"email"}
    unread = {
        cell.name: f"{cell.text_name} IS NOT NULL AND {identifier(cell.name)} IS NULL AND NOT {cell.withheld}"
        for cell in cells
        if cell.name in declared and cell.type == "string"
    }
    return _names_where(unread)


def _withheld(cells: list[Cell], *, table: Table) -> str:
    """Names of text columns whose cells say how to reach a person; where one is needed, that is a fault."""
    return _names_where(
        {
            cell.name: cell.withheld
            for cell in cells
            if cell.withheld != "false" and cell.name not in table.required
        }
    )


def _names_where(conditions: Mapping[str, str]) -> str:
    """SQL for the list of the names whose condition is true; NULL where there can be none."""
    found = ", ".join(f"CASE WHEN {one} THEN {literal(name)} END" for name, one in conditions.items())
    if not found:
        return "NULL"
    any_ = " OR ".join(conditions.values())
    return f"CASE WHEN {any_} THEN list_filter([{found}], lambda name: name IS NOT NULL) END"


def source_cell(name: str, *, binding: Binding, source: Source, relation: Relation) -> Cell:
    """How the canonical column or attribute `name` is read from the relation of its source."""
    columns = {column.name: column for column in TABLES[source.table].columns}
    kinds = {column.name: column.type for column in columns.values()} | _MARKS
    attribute = source.attributes.get(name)
    return typed_cell(
        name,
        kind=kinds[name] if attribute is None else ATTRIBUTE_TYPES[attribute.type],
        binding=binding,
        source_type=relation.types.get(binding.column or "", "VARCHAR"),
        zone=source.time_zone,
        default=columns[name].default if name in columns else None,
        attribute=attribute is not None,
    )


def _values(cells: list[Cell], *, columns: dict[str, ColumnType], table: Table) -> str:
    """Every canonical column but the derived ones, and what the checks need beside them."""
    defaults = {column.name: column.default for column in table.columns if column.default is not None}
    bound = {cell.name for cell in cells}
    parts = [f"{cell.value} AS {identifier(cell.name)}" for cell in cells]
    parts += [f"({cell.naive}) AS {cell.naive_name}" for cell in cells]
    parts += [f"{cell.exact} AS {_EXACT_TIME}" for cell in cells if cell.name == "occurred_at"]
    parts += [
        f"CAST({defaults.get(name, 'NULL')} AS {sql_type(kind)}) AS {identifier(name)}"
        for name, kind in columns.items()
        if name not in bound and name not in ("known_at", "activity_id")
    ]
    return ", ".join(parts)


def _derived(source: Source, *, cells: list[Cell], columns: dict[str, ColumnType]) -> str:
    parts = ["NULL"]
    if source.known_at is None:
        parts.append(f"CAST({_known_at(source)} AS TIMESTAMP) AS known_at")
    if source.table == "activities" and "activity_id" not in source.columns:
        parts.append(f"{_activity_id(columns)} AS activity_id")
    return ", ".join(parts)


def _known_at(source: Source) -> str:
    if source.undated:
        return "NULL"
    if source.known is not None:
        return f"TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))}"
    if source.extracted_at is not None:
        return f"TIMESTAMP {literal(_naive_utc(source.extracted_at).isoformat())}"
    happened = f"coalesce({', '.join(EVENT_TIME[source.table])})"
    if source.known_at_delay is None:
        return happened
    return f"{happened} + to_seconds({int(source.known_at_delay.total_seconds())})"


def _deleted_at(source: Source) -> str:
    """When it could be known that the row was deleted: not before the row itself."""
    if not source.marks:
        return "NULL"
    told = "deleted_at" if source.deleted_at is not None else "CAST(NULL AS TIMESTAMP)"
    if source.deleted is None:
        marked = "deleted_at IS NOT NULL"
    else:
        marked = "deleted"
        if source.extracted_at is not None:
            told = f"coalesce({told}, {_known_at(source)})"
    start = f"TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))}"
    return f"CASE WHEN {marked} THEN greatest({told}, known_at, {start}) END"


def _naive_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _activity_id(columns: dict[str, ColumnType]) -> str:
    """A hash of what the row says, to the microsecond, leaving out when it became known.

    So the same row in two overlapping files is one activity. Rows that cannot be told apart are taken for
    the same row; a source in which they are not has to bind `activity_id` or use `quantity`.
    """
    told = {
        name: kind for name, kind in columns.items() if name not in ("activity_id", "known_at", "traffic")
    }
    content = {_EXACT_TIME if name == "occurred_at" else name: kind for name, kind in told.items()}
    # 80 bits: among a billion rows the chance that any two are mistaken for one is below one in a million.
    return f"left(md5({content_sql(content)}), 20)"


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
    """Whether lines may have been found that are not CSV."""
    sql = "SELECT 1 FROM duckdb_tables() WHERE table_name = ?"
    return run_sql(connection, sql, parameters=[relation.rejects]).fetchone() is not None


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
