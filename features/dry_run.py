"""What a mapping would do, column by column, without doing it.

Turns the sources of a mapping into a report: each column of each file is bound, coerced (bound, and some of
its cells are changed on the way), ignored or missing, with examples. Time rule: none. Null rule: a blank
cell counts for nothing; one that is listed in `empty` is coerced to nothing. Nothing is written but into a
folder of its own, which is removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from features.bindings import Source
from features.cells import Cell, raw_name, read_cells
from features.contract import TABLES
from features.engine import run_sql
from features.errors import EngineError, InputError
from features.identity.identifiers_in_sql import salesforce_id_sql
from features.ingest import ingest
from features.mapping import Config
from features.privacy.counts import assumed_sentences
from features.privacy.in_sql import add_kept_address
from features.privacy.masking import (
    kind_sql,
    personal_columns,
    without_addresses_sql,
    without_values,
)
from features.report import IngestReport
from features.salesforce_ids import holds_ids
from features.sources import Relation, identifier, open_source, prepare_queries
from features.staging import source_cell
from features.tables import open_engine
from features.unread_columns import SAMPLE, WIDTH, UnreadColumns, filled_by
from features.workspace import Workspace

__all__ = ["ColumnReport", "DryRun", "SourceReport", "dry_run"]

Status = Literal["bound", "coerced", "ignored", "missing"]
_SHORT = 24
_BY_QUERY = ("the query",)


@dataclass(frozen=True)
class ColumnReport:
    """One column of a source.

    file: "files" for the `path` of the source, the name of a further file, "query", or a table of a database
        as "db.TABLE".
    fills: canonical columns and attributes that it fills; "the query" where a query reads it.
    rows: cells that hold something; None where nobody counted. coerced: those that are changed on the way.
    unreadable: those that are not of the type; their rows would be set aside.
    examples: a cell, or what becomes of one, as "1,090 -> 1090".
    """

    file: str
    column: str
    status: Status
    fills: tuple[str, ...] = ()
    rows: int | None = None
    coerced: int = 0
    unreadable: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceReport:
    """One source. found: whether its files are there. unbound: canonical columns that it leaves empty."""

    table: str
    name: str
    found: bool
    columns: tuple[ColumnReport, ...] = ()
    unbound: tuple[str, ...] = ()


@dataclass(frozen=True)
class DryRun:
    """Every source, and what an ingest into an empty workspace would give or why it would fail.

    assumed: by source of contacts, what the mapping assumes of consent.
    """

    sources: tuple[SourceReport, ...]
    tables: IngestReport | None
    error: InputError | None
    assumed: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """The report as one JSON object."""
        return {
            "sources": [asdict(source) for source in self.sources],
            "tables": None if self.tables is None else self.tables.to_dict()["tables"],
            "consent_assumed": dict(self.assumed),
            "error": None if self.error is None else self.error.sentence(),
        }

    def __rich__(self) -> Group:
        return Group(
            Text("What the mapping binds; nothing was changed", style="bold"),
            *(shown for source in self.sources for shown in _shown(source)),
            *map(Text, assumed_sentences(self.assumed)),
        )


def _shown(source: SourceReport) -> Iterator[RichTable | Text]:
    title = f"{source.table}: {source.name}"
    if not source.found:
        yield Text(f"{title}: no such file; the source is optional and left out", style="italic")
        return
    yield _table(source, title=title)
    ignored = [column for column in source.columns if column.status == "ignored"]
    filled = [f"{_where(column)} ({_cut(column.examples[0])})" for column in ignored if column.examples]
    empty = [_where(column) for column in ignored if not column.examples]
    for told, names in (("ignored", filled), (f"ignored, empty in the first {SAMPLE:,} rows", empty)):
        if names:
            yield Text(f"{told}: {', '.join(names)}\n")


def _cut(example: str) -> str:
    return example if len(example) <= _SHORT else example[:_SHORT] + "…"


def _where(column: ColumnReport) -> str:
    return column.column if column.file in ("files", "query") else f"{column.file}.{column.column}"


def _table(source: SourceReport, *, title: str) -> RichTable:
    shown = RichTable(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for column, width in (("column", 16), ("is", 7), ("fills", 12)):
        shown.add_column(column, min_width=width, overflow="fold")
    for column in ("rows", "coerced", "unread"):
        shown.add_column(column, justify="right", no_wrap=True, min_width=len(column))
    shown.add_column("for example", no_wrap=True, overflow="ellipsis", min_width=18, max_width=40)
    for line in _lines(source):
        shown.add_row(*(Text(cell) for cell in line))
    return shown


def _lines(source: SourceReport) -> Iterator[tuple[str, ...]]:
    for column in source.columns:
        if column.status == "ignored" or (column.status == "bound" and column.fills == _BY_QUERY):
            # What a query makes of a column is told already; what is ignored may be hundreds, and follows.
            continue
        counts = ("" if not count else f"{count:,}" for count in (column.coerced, column.unreadable))
        rows = "" if column.rows is None else f"{column.rows:,}"
        yield (
            _where(column),
            column.status,
            ", ".join(column.fills),
            rows,
            *counts,
            "; ".join(column.examples),
        )


def dry_run(config: Config) -> DryRun:
    """Look at every source of `config` and try an ingest into a workspace that is thrown away.

    Raises ConfigError or ContractError when a source cannot be opened.
    """
    with TemporaryDirectory(prefix="spearfish-") as folder:
        connection = open_engine()
        try:
            run_sql(connection, "SET temp_directory = ?", parameters=[str(Path(folder) / "spill")])
            prepare_queries(connection, config.sources, own=(Path(folder),))
            add_kept_address(connection, secret=b"")
            unread = UnreadColumns(config)
            sources = tuple(
                _source(connection, source, position=position, unread=unread)
                for position, source in enumerate(config.sources, start=1)
            )
        finally:
            connection.close()
        try:
            done = ingest(config, workspace=Workspace(Path(folder) / "workspace"))
            tables, error = replace(done, workspace="a workspace on trial, which is gone again"), None
        except InputError as refused:
            tables, error = None, refused
    return DryRun(sources, tables, error, config.assumptions)


def _source(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    *,
    position: int,
    unread: UnreadColumns,
) -> SourceReport:
    # What becomes of ids is told, too; those that a query reads have become so before.
    told = source if source.query is not None else source.model_copy(update={"system": None})
    relation = open_source(connection, source=told, position=position)
    if relation is None:
        return SourceReport(source.table, source.label, found=False)
    given = {*source.columns, "known_at"}
    unbound = tuple(name for name in TABLES[source.table].column_names if name not in given)
    columns = (
        *_bound(connection, source, relation=relation),
        *_missing(source, relation=relation),
        *(
            ColumnReport(one.place, one.column, "ignored", examples=(one.example,) if one.example else ())
            for one in unread.of(connection, source, relation=relation)
        ),
    )
    return SourceReport(source.table, source.label, found=True, columns=columns, unbound=unbound)


def _bound(
    connection: duckdb.DuckDBPyConnection, source: Source, *, relation: Relation
) -> Iterator[ColumnReport]:
    origin = "files" if source.query is None else "query"
    absent = {column for columns in relation.missing.values() for column in columns}
    counts = _counts(connection, source, relation=relation)
    for column, names in filled_by(source).items():
        if column not in absent or column not in relation.missing.get(origin, ()):
            told = [counts[name] for name in names if name in counts]
            yield _bound_column(origin, column, names, told)
    for name, given in source.files.items():
        for column in given.columns:
            if column not in relation.missing.get(name, ()) and name in relation.present:
                yield ColumnReport(name, column, "bound", _BY_QUERY)


def _bound_column(
    origin: str, column: str, names: tuple[str, ...], told: list[tuple[int, int, int, str | None, str | None]]
) -> ColumnReport:
    changed = [example for _, _, _, _, example in told if example]
    plain = [example for *_, example, _ in told if example]
    coerced = max((count for _, count, *_ in told), default=0)
    return ColumnReport(
        origin,
        column,
        "coerced" if coerced else "bound",
        names,
        rows=max((count for count, *_ in told), default=None),
        coerced=coerced,
        unreadable=max((count for _, _, count, *_ in told), default=0),
        examples=tuple(dict.fromkeys(changed or plain[:1])),
    )


def _counts(
    connection: duckdb.DuckDBPyConnection, source: Source, *, relation: Relation
) -> Mapping[str, tuple[int, int, int, str | None, str | None]]:
    """By canonical column: filled cells, coerced ones, unreadable ones, a cell, and what became of one."""
    bound = {name: binding for name, binding in source.bindings.items() if binding.column is not None}
    if not bound:
        return {}
    cells = {
        name: source_cell(name, binding=binding, source=source, relation=relation)
        for name, binding in bound.items()
    }
    columns = {name: binding.column or "" for name, binding in bound.items()}
    personal = personal_columns(source)
    raw = {name: _as_read(source, name) for name in columns.values()}
    read = (
        f"{cell} AS {raw_name(name)}, {identifier(name)} AS {_written(name)}" for name, cell in raw.items()
    )
    sql = f"SELECT {', '.join(read)} FROM {relation.sql}"
    sql = read_cells(cells.values(), rows=sql)
    values = (f"{cell.exact} AS {identifier(name)}" for name, cell in cells.items())
    sql = f"SELECT *, {', '.join(values)} FROM ({sql})"
    told = ", ".join(
        _count(cell, raw=_written(columns[name]), personal=columns[name] in personal)
        for name, cell in cells.items()
    )
    try:
        row = run_sql(connection, f"SELECT {told} FROM ({sql})").fetchone() or ()
    except EngineError as error:
        raise EngineError(without_values(error.what, table=source.table), sql=error.sql) from None
    return {name: row[5 * k : 5 * k + 5] for k, name in enumerate(cells)}


def _written(column: str) -> str:
    """What a source's column is called as it is written there."""
    return identifier(f"written {column}")


def _as_read(source: Source, column: str) -> str:
    """SQL for what an ingest reads of a column that was opened as it is written; see `_source`."""
    name = identifier(column)
    if source.query is None and holds_ids(source, column):
        return salesforce_id_sql(f"trim(CAST({name} AS VARCHAR))")
    return name


def _count(cell: Cell, *, raw: str, personal: bool) -> str:
    written, value = f"trim(CAST({raw} AS VARCHAR))", identifier(cell.name)
    became = f"coalesce(CAST({value} AS VARCHAR), 'nothing')"
    filled, unread = f"{written} <> ''", f"{cell.text_name} IS NOT NULL AND {value} IS NULL"
    changed = f"{filled} AND NOT ({unread}) AND NOT coalesce({_same(cell, written=written)}, false)"
    example = f"left({written}, {WIDTH}) || ' -> ' || left({became}, {WIDTH})"
    plain, example = without_addresses_sql(f"left({written}, {WIDTH})"), without_addresses_sql(example)
    if personal:
        plain, example = kind_sql(written), f"{kind_sql(written)} || ' -> ' || {kind_sql(became)}"
    return (
        f"count(*) FILTER ({filled}), count(*) FILTER ({changed}), count(*) FILTER ({unread}),"
        f" min({plain}) FILTER ({filled}), min({example}) FILTER ({changed})"
    )


def _same(cell: Cell, *, written: str) -> str:
    """Whether a cell says what was written, if perhaps in another layout."""
    value = identifier(cell.name)
    match cell.type:
        case "number":
            return f"TRY_CAST({written} AS DOUBLE) = {value}"
        case "timestamp":
            return f"TRY_CAST({written} AS TIMESTAMP) = {value}"
        case "boolean":
            return f"lower({written}) = CAST({value} AS VARCHAR)"
        case "set":
            return f"{written} = array_to_string({value}, ';')"
        case _:
            return f"{written} = CAST({value} AS VARCHAR)"


def _missing(source: Source, *, relation: Relation) -> Iterator[ColumnReport]:
    fills = filled_by(source)
    for name, columns in relation.missing.items():
        for column in columns:
            read = _BY_QUERY if name in source.files else fills.get(column, ())
            yield ColumnReport(name, column, "missing", read)
