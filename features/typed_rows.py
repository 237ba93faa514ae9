"""The rows of one source as SQL: typed, checked, and what is wrong with them.

Turns a `Source` and its relation into a SELECT of every column of the staging table. Time rule: `known_at`
follows from the data as the source says; it is never the clock. Null rule: what a source does not bind is
NULL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from features.cells import Cell, raw_name, read_cells, typed_cell
from features.changes import CHANGED_AT
from features.contract import ATTRIBUTE_TYPES, START_OF_TIME, TABLES, ColumnType, Table, sql_type
from features.faults import NO_DETAILS, cell_checks, fault_sql, first_fault, id_checks, known_at_last
from features.history import source_id
from features.mapping import EVENT_TIME, Binding, Source
from features.privacy.consent import consent_sql
from features.sources import FILE_COLUMN, ROW_COLUMN, Relation, identifier
from features.tables import Attribute
from features.unnamed import beside
from features.validation import Check, Reason, literal, row_checks

__all__ = [
    "FAULT",
    "TypedRows",
    "canonical_columns",
    "known_at_sql",
    "naive_utc",
    "source_cell",
    "typed_rows",
]

FAULT = "fault"
"""The number of the first check that a row failed."""

_BESIDE: dict[str, ColumnType] = {
    "deleted": "boolean",
    "deleted_at": "timestamp",
    "opted_out": "boolean",
    "changed_at": "timestamp",
}
_USUAL = {"channel": ("web_visit", "email_open", "email_click", "pricing_visit", "download", "form")}
"""Kinds of which sources have millions of rows."""

_DAY_SECONDS = 24 * 60 * 60
_DAY_ALONE = "[^:]*|.*[ T]0?0:00(:00([.]0+)?)?"
"""Texts of times that tell of a day and of nothing more."""

_EXACT_TIME = '"exact occurred_at"'


def canonical_columns(table: Table, *, attributes: tuple[Attribute, ...]) -> dict[str, ColumnType]:
    """Type by name of the columns that the table is stored with."""
    columns = {column.name: column.type for column in table.columns}
    if table.name == "accounts":
        columns |= {attribute.name: attribute.column_type for attribute in attributes}
    return columns


@dataclass(frozen=True)
class TypedRows:
    """SQL for the rows of a source.

    rows: with the typed columns and the first `fault`. stored: by column of the staging table, SQL over
    these. cells: by name. numbered: the faulty rows alone, with their numbers.
    """

    rows: str
    stored: Mapping[str, str]
    cells: Mapping[str, Cell]
    numbered: bool

    @property
    def whole(self) -> str:
        """The rows as the staging table has them."""
        only = " WHERE fault IS NOT NULL" if self.numbered else ""
        return f"SELECT {', '.join(self.stored.values())} FROM ({self.rows}){only}"

    @property
    def numbered_rows(self) -> str:
        """The good rows with file and number, where they are numbered; without what is told of faults."""
        told = [f"{sql} AS {identifier(name)}" for name, sql in self.stored.items() if name != "_fault"]
        columns = ", ".join([*told, FILE_COLUMN, ROW_COLUMN])
        return f"SELECT {columns} FROM ({self.rows}) WHERE fault IS NULL"


def typed_rows(
    source: Source,
    *,
    relation: Relation,
    attributes: tuple[Attribute, ...],
    now: datetime,
    numbered: bool = False,
) -> TypedRows:
    """SQL in layers, each over the one before: raw cells, texts, typed values, derived ones, the fault."""
    table = TABLES[source.table]
    columns = canonical_columns(table, attributes=attributes)
    cells = [
        source_cell(name, binding=binding, source=source, relation=relation)
        for name, binding in source.read.items()
    ]
    checks = _checks(source, cells=cells, now=now)
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
    sql = read_cells(cells, rows=sql)
    sql = f"SELECT *, {_values(cells, columns=columns, table=table)} FROM ({sql})"
    sql = f"SELECT *, {_derived(source)} FROM ({sql})"
    sql = f"SELECT *, {first_fault(checks)} AS {FAULT} FROM ({sql})"
    changed = None if source.changed_at is None else _last_change(source)
    if consent := consent_sql(source, changed=changed):
        replaced = ", ".join(f"{value} AS {name}" for name, value in consent.items())
        sql = f"SELECT * REPLACE ({replaced}) FROM ({sql})"
    place = (FILE_COLUMN if located else "NULL", ROW_COLUMN if numbered else "NULL")
    stored = {name: identifier(name) for name in columns}
    stored |= dict.fromkeys(beside(table.name), _beyond(source))
    stored |= {
        "_source": literal(source_id(source)),
        "_deleted_at": _deleted_at(source),
        CHANGED_AT: _changed_at(source),
        "_unread": _unread(cells, source=source),
        "_withheld": _withheld(cells, table=table),
        "_fault": fault_sql(checks, cells=cells, raw=raw, source=source, place=place),
    }
    if relation.numbered is not None and not numbered:
        # Planning the details takes long, and faulty rows are read again for their numbers.
        stored["_fault"] = f"CASE WHEN {FAULT} IS NOT NULL THEN {NO_DETAILS} END"
    return TypedRows(sql, stored, {cell.name: cell for cell in cells}, numbered)


def _checks(source: Source, *, cells: list[Cell], now: datetime) -> list[Check]:
    table, undated = TABLES[source.table], source.undated is not None
    rows = row_checks(table, now=now, undated=undated, usual=_USUAL)
    checks = cell_checks(cells, table=table) + known_at_last(rows) + id_checks(source, cells=cells)
    unbound = {column.name for column in table.columns if column.may_be_unbound} - source.columns.keys()
    checks = [check for check in checks if check.column not in unbound]
    for name in ("deleted_at", "changed_at"):
        if name in source.beside:
            later = f"{name} > TIMESTAMP {literal(now.isoformat(' '))}"
            checks.append(Check(Reason.IN_THE_FUTURE, name, later))
    return checks


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
    kinds = {column.name: column.type for column in columns.values()} | _BESIDE
    attribute = source.attributes.get(name)
    return typed_cell(
        name,
        kind=kinds[name] if attribute is None else ATTRIBUTE_TYPES[attribute.type],
        binding=binding,
        source_type=relation.types.get(binding.column or "", "VARCHAR"),
        zone=source.time_zone,
        default=columns[name].default if name in columns else None,
        attribute=attribute is not None,
        lacking=relation.lacking,
    )


def _values(cells: list[Cell], *, columns: dict[str, ColumnType], table: Table) -> str:
    """Every canonical column but the derived ones, and what the checks need beside them."""
    defaults = {column.name: column.default for column in table.columns if column.default is not None}
    bound = {cell.name for cell in cells}
    parts = [f"{cell.value} AS {identifier(cell.name)}" for cell in cells]
    parts += [f"({cell.naive}) AS {cell.naive_name}" for cell in cells if cell.naive != "false"]
    parts += [f"{cell.exact} AS {_EXACT_TIME}" for cell in cells if cell.name == "occurred_at"]
    parts += [
        f"CAST({defaults.get(name, 'NULL')} AS {sql_type(kind)}) AS {identifier(name)}"
        for name, kind in columns.items()
        if name not in bound and name not in ("known_at", "activity_id")
    ]
    return ", ".join(parts)


def _derived(source: Source) -> str:
    parts = ["NULL"]
    if source.known_at is None:
        parts.append(f"CAST({known_at_sql(source)} AS TIMESTAMP) AS known_at")
    if source.table == "activities" and "activity_id" not in source.columns:
        parts.append("CAST(NULL AS VARCHAR) AS activity_id")
    return ", ".join(parts)


def known_at_sql(source: Source) -> str:
    """SQL for when a row was known, where the mapping binds no column to that."""
    if source.undated:
        return "NULL"
    if source.known is not None:
        return f"TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))}"
    if source.extracted_at is not None:
        return f"TIMESTAMP {literal(naive_utc(source.extracted_at).isoformat())}"
    happened = f"coalesce({', '.join(EVENT_TIME[source.table])})"
    if source.known_at_delay is None:
        return happened
    return f"{happened} + to_seconds({int(source.known_at_delay.total_seconds())})"


def _deleted_at(source: Source) -> str:
    """When it could be known that the row was deleted: not before the row itself."""
    if not source.marks:
        return "NULL"
    told = ["deleted_at"] if source.deleted_at is not None else []
    if source.changed_at is not None:
        told.append(_last_change(source))
    if source.deleted is not None and source.extracted_at is not None:
        told.append(known_at_sql(source))
    when = f"coalesce({', '.join([*told, 'CAST(NULL AS TIMESTAMP)'])})"
    start = f"TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))}"
    return f"CASE WHEN {_marked(source)} THEN greatest({when}, known_at, {start}) END"


def _marked(source: Source) -> str:
    """Whether the row says that it is deleted."""
    return "deleted_at IS NOT NULL" if source.deleted is None else "deleted"


def _changed_at(source: Source) -> str:
    """When the record was changed last; what was deleted is changed no more."""
    if source.changed_at is None:
        return "NULL"
    changed = _last_change(source)
    if source.deleted_at is None:
        return changed
    return f"CASE WHEN {_marked(source)} THEN least({changed}, deleted_at) ELSE {changed} END"


def _last_change(source: Source) -> str:
    """The time of the last change; where the day alone is told, its last second."""
    text, zone = identifier("text changed_at"), source.time_zone
    ended = f"changed_at + to_seconds({_DAY_SECONDS - 1})"
    if zone is not None and zone != "UTC":
        # On two days a year the clocks are changed.
        there = f"((changed_at AT TIME ZONE 'UTC') AT TIME ZONE {literal(zone)})"
        ended = (
            f"(({there} + to_seconds({_DAY_SECONDS - 1})) AT TIME ZONE {literal(zone)}) AT TIME ZONE 'UTC'"
        )
    # A midnight is how several tools write a day.
    return f"CASE WHEN regexp_full_match({text}, '{_DAY_ALONE}') THEN {ended} ELSE changed_at END"


def naive_utc(moment: datetime) -> datetime:
    """The moment in UTC, in whole seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _beyond(source: Source) -> str:
    """Microseconds that tell rows without an identifier apart, and are no part of the time that is kept."""
    if "activity_id" in source.columns:
        return "0"
    return f"CAST(coalesce(epoch_us({_EXACT_TIME}) - epoch_us(occurred_at), 0) AS INTEGER)"
