"""Opens what a mapping's source names: files, a SQL query, or a query on files or on a database.

Turns a `Source` into a relation that DuckDB can read. Cells of CSV files and workbooks arrive as text; lines
that are not CSV of the header's width go into a table of their own instead of stopping the load. Time
rule: none here. Null rule: none here, blank cells arrive blank; a column that an optional source lacks is
empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

import duckdb

from features.bindings import Source
from features.contract import TABLES
from features.databases import attach_database, attach_servers
from features.engine import first_line
from features.errors import ConfigError, ContractError, suggestion
from features.identity.identifiers_in_sql import salesforce_id_sql
from features.locations import matching_files, require_within
from features.plain_text import UNSEEN, Lacking
from features.query_words import define_words
from features.salesforce_ids import holds_ids
from features.text_files import TextFile, open_text
from features.validation import literal
from features.workbooks import ENDINGS, open_sheet

__all__ = [
    "FILE_COLUMN",
    "ROW_COLUMN",
    "Relation",
    "identifier",
    "lacks_files",
    "open_source",
    "prepare_queries",
]

FILE_COLUMN = "_file"
"""Beside a file's own columns: its path."""

ROW_COLUMN = "_row"
"""Beside the columns of `Relation.numbered`: the row's number in its file, the header being the first."""


@dataclass(frozen=True)
class Relation:
    """Something to select from.

    types: DuckDB's type by column; FILE_COLUMN is among them where a row's file is known.
    rejects: the table into which reading puts lines that are not CSV; not there for Parquet and SQL.
    present: by file of the source ("files" for its `path`), the columns that it has.
    missing: by file, columns that the mapping asks for and that are not there; they are empty.
    unread: by file, SQL that selects the columns that nobody asks for.
    numbered: like `sql`, but in the order of the files and with ROW_COLUMN: slower, for the few rows that
        somebody has to find. It needs the table `gaps`. None where a query makes the rows.
    gaps: the table of lines that are not CSV: file, and the number of rows from which on one more counts.
    places: by file, the same as `numbered` of its own rows, for rows that a query makes of them.
    asked: by file, the columns that they have.
    lacking: what no cell of the files holds.
    size: bytes of the files.
    """

    sql: str
    types: Mapping[str, str]
    rejects: str
    present: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    numbered: str | None = None
    gaps: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    size: int = 0
    lacking: Lacking = UNSEEN


def identifier(name: str) -> str:
    """A column name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def prepare_queries(
    connection: duckdb.DuckDBPyConnection, sources: Iterable[Source], *, own: Iterable[Path]
) -> None:
    """Make the words of queries known, and keep SQL to files in the folders that sources may read.

    own: folders that the work itself reads and writes. It holds until the connection is closed. No server
    can be attached then: with several databases, one of them on a server, queries may read any file.
    """
    sources = list(sources)
    if any(source.query is not None for source in sources):
        define_words(connection)
    places = {
        source.database: _place(source, position)
        for position, source in enumerate(sources, start=1)
        if source.database is not None
    }
    if not attach_servers(connection, places=places):
        return
    within = [Path(folder) for source in sources for folder in source.within]
    both = {str(path) for folder in [*within, *own] for path in (folder.absolute(), folder.resolve())}
    connection.execute(f"SET allowed_directories = [{', '.join(map(literal, sorted(both)))}]")
    connection.execute("SET enable_external_access = false")


def _place(source: Source, position: int) -> str:
    return f"sources[{position}] ({source.table}, {source.label})"


def lacks_files(source: Source) -> bool:
    """Whether an optional source is left out, as a file that it cannot do without is not there."""
    needed = [source.path, *(given.path for given in source.files.values() if not given.optional)]
    return source.optional and any(
        patterns and not any(matching_files(pattern) for pattern in patterns) for patterns in needed
    )


def open_source(connection: duckdb.DuckDBPyConnection, *, source: Source, position: int) -> Relation | None:
    """The relation of a source; `position` counts the sources of the mapping from one.

    None for an optional source whose files are not there. Raises ConfigError for a missing file, a file
    outside of the folders that the source may read or SQL that fails, ContractError for a missing column.
    """
    return _Opening(connection, source=source, position=position).relation()


class _Opening:
    """One source on its way from files to a relation."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, source: Source, position: int) -> None:
        self.connection, self.source = connection, source
        self.place = _place(source, position)
        self.rejects = f"rejects_{position}"
        self.gaps = f"gaps_{position}"
        self.places: dict[str, str] = {}
        self.asked: dict[str, tuple[str, ...]] = {}
        self.scratch = _scratch_folder(connection) / f"source_{position}"
        self.originals: dict[Path, Path] = {}
        self.lacking = UNSEEN
        self.present: dict[str, tuple[str, ...]] = {}
        self.missing: dict[str, tuple[str, ...]] = {}
        self.unread: dict[str, str] = {}
        bindings = source.read
        told = source.traffic.columns if source.traffic is not None else ()
        read = [binding.column for binding in bindings.values() if binding.column]
        self.needed = list(dict.fromkeys([*read, *told]))

    def relation(self) -> Relation | None:
        source = self.source
        try:
            if source.database is not None:
                attach_database(
                    self.connection, address=source.database, place=self.place, folders=source.within
                )
            if not self._views():
                return None
            # On a line of its own, what follows a query is no part of a comment at its end.
            sql = (
                f"{source.query.strip().rstrip(';')}\n" if source.query is not None else "SELECT * FROM files"
            )
            described = self.connection.execute(f"DESCRIBE SELECT * FROM ({sql})").fetchall()
        except duckdb.Error as error:
            kind = "query" if source.query is not None else "file"
            raise ConfigError(
                f"{self.place}: the {kind} cannot be read", got=first_line(error), fix=self._fix()
            ) from error
        types = {str(name): str(kind) for name, kind, *_ in described}
        if source.query is not None:
            self._settle_missing("query", wanted=self.needed, present=types, place=self.place)
        lacking = [name for name in self.needed if name not in types]
        empty = "".join(f", CAST(NULL AS VARCHAR) AS {identifier(name)}" for name in lacking)
        numbered = self.places.get("files") if source.query is None else None
        told = self._ids_of_query(types) if source.query is not None else ""
        return Relation(
            f"(SELECT *{told}{empty} FROM ({sql}))",
            types | dict.fromkeys(lacking, "VARCHAR"),
            self.rejects,
            self.present,
            {name: columns for name, columns in self.missing.items() if columns},
            self.unread,
            None if numbered is None else f"(SELECT *{empty} FROM ({numbered}))",
            self.gaps,
            self.places,
            self.asked,
            sum(path.stat().st_size for path in self.originals),
            self.lacking,
        )

    def _ids_of_query(self, types: Mapping[str, str]) -> str:
        """What replaces the ids that a query gives: those of a database came through no file of ours."""
        ids = [name for name, kind in types.items() if kind == "VARCHAR" and holds_ids(self.source, name)]
        replaced = ", ".join(f"{_id(identifier(name))} AS {identifier(name)}" for name in ids)
        return f" REPLACE ({replaced})" if replaced else ""

    def _fix(self) -> str:
        """What to do about a query or a file that the engine refuses."""
        if self.source.query is None:
            return "export the file again, or correct `format` beside the table"
        tables = ", ".join(self.source.files) or ("files" if self.source.path else "none")
        if self.source.database is not None:
            return "correct the query: tables of the database are called db.TABLE, or db.SCHEMA.TABLE"
        return f"correct the query; its tables are the files of the source: {tables}"

    def _views(self) -> bool:
        """Make the views that the query reads; False when the source is to be left out."""
        if self.source.path:
            return self._view("files", self.source.path, wanted=None, optional=False)
        return all(
            self._view(name, given.path, wanted=given.columns, optional=given.optional)
            for name, given in self.source.files.items()
        )

    def _view(
        self, name: str, patterns: tuple[str, ...], *, wanted: tuple[str, ...] | None, optional: bool
    ) -> bool:
        """Create the view `name`. wanted: its columns; None: every column, or what is bound."""
        paths = self._paths(patterns)
        if not paths and not optional:
            if self.source.optional:
                return False
            raise ConfigError(
                f"{self.place}: no such file",
                got=", ".join(patterns),
                fix="correct the path, or give the folder with --set",
            )
        columns = f"{', '.join(f'NULL::VARCHAR AS {identifier(column)}' for column in wanted or ())}"
        sql = f"SELECT {columns} LIMIT 0" if not paths else self._files_sql(name, paths, wanted=wanted)
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS {sql}")
        return True

    def _paths(self, patterns: Iterable[str]) -> list[Path]:
        found: list[Path] = []
        for pattern in patterns:
            found += [file for file in matching_files(pattern) if file not in found]
        for file in found:
            require_within(file, folders=self.source.within, place=self.place)
        return found

    def _files_sql(self, name: str, paths: list[Path], *, wanted: tuple[str, ...] | None) -> str:
        """Rows of all files under each other. Files may order their columns differently."""
        groups: dict[TextFile, list[Path]] = {}
        lacking: list[Lacking] = []
        for number, path in enumerate(paths):
            found = self._open(path, scratch=self.scratch / f"{name}_{number}.csv")
            shape = TextFile(Path(), found.header, found.delimiter, found.skip, found.quoted)
            groups.setdefault(shape, []).append(found.path)
            self.originals[found.path] = path
            lacking.append(found.lacking)
        if self.source.query is None:
            self.lacking = reduce(Lacking.both, lacking)
        whole = self.source.query is not None and wanted is None
        chosen = list(next(iter(groups)).header) if whole else list(wanted or self.needed)
        self.present[name] = tuple(dict.fromkeys(column for shape in groups for column in shape.header))
        for shape, files in groups.items():
            place = f"{self.place}, file {files[0].name}"
            self._settle_missing(name, wanted=chosen, present=shape.header, place=place)
        self.asked[name] = tuple(chosen)
        self.places[name] = " UNION ALL ".join(
            self._numbered(file, shape=shape, chosen=chosen)
            for shape, files in groups.items()
            for file in files
        )
        first = next(iter(groups))
        if ignored := [column for column in first.header if column not in chosen]:
            self.unread[name] = self._select(groups[first], shape=first, chosen=ignored, as_text=True)
        return " UNION ALL ".join(
            self._select(files, shape=shape, chosen=chosen, as_text=wanted is not None)
            for shape, files in groups.items()
        )

    def _open(self, path: Path, *, scratch: Path) -> TextFile:
        """The file as it can be read; a Parquet file has no delimiter."""
        source = self.source
        match source.format or _format(path):
            case "parquet":
                described = self.connection.execute(
                    f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})"
                ).fetchall()
                return TextFile(path, tuple(str(column) for column, *_ in described), "")
            case "excel":
                scratch.parent.mkdir(parents=True, exist_ok=True)
                return open_sheet(path, sheet=source.sheet, scratch=scratch)
            case _:
                scratch.parent.mkdir(parents=True, exist_ok=True)
                return open_text(path, encoding=source.encoding, delimiter=source.delimiter, scratch=scratch)

    def _settle_missing(
        self, name: str, *, wanted: Iterable[str], present: Iterable[str], place: str
    ) -> None:
        """Note what is not there; raise ContractError where it has to be."""
        present = [column for column in present if column != FILE_COLUMN]
        missing = [column for column in wanted if column not in present]
        vital = {
            binding.column
            for column, binding in self.source.bindings.items()
            if not _may_be_empty(self.source, column)
        }
        for column in missing:
            if not self.source.optional or (name == "files" and column in vital):
                raise ContractError(
                    f"{place}: no column {column!r}",
                    allowed=", ".join(present),
                    fix=suggestion(column, present) or "correct the mapping or the file",
                )
        self.missing[name] = tuple(dict.fromkeys([*self.missing.get(name, ()), *missing]))

    def _select(
        self, files: list[Path], *, shape: TextFile, chosen: list[str], as_text: bool, again: bool = False
    ) -> str:
        """Rows of files of one shape. again: they were read before; their numbers matter, faults do not."""
        listed = "[" + ", ".join(literal(str(path)) for path in files) + "]"
        if not shape.delimiter:
            selected = ", ".join(
                _column(name, shape.header, as_text=as_text, is_id=holds_ids(self.source, name))
                for name in chosen
            )
            number = f", file_row_number + 1 AS {ROW_COLUMN}" if again else ""
            return (
                f"SELECT {selected}, filename AS {FILE_COLUMN}{number}"
                f" FROM read_parquet({listed}, union_by_name = true, filename = true,"
                f" file_row_number = {str(again).lower()})"
            )
        # By position: the reader's own rules for odd names do not matter then.
        cells = {name: f"cell_{position}" for position, name in enumerate(shape.header)}
        columns = ", ".join(f"{cell}: 'VARCHAR'" for cell in cells.values())
        selected = ", ".join(f"{self._cell(name, cells)} AS {identifier(name)}" for name in chosen)
        rejects = f"{self.rejects}_again" if again else self.rejects
        # parallel: a quoted line break at a chunk's edge must never be mistaken for a row's end.
        parallel = str(not (shape.quoted or again)).lower()
        return (
            f"SELECT {selected}, {self._original(files)} AS {FILE_COLUMN}"
            f" FROM read_csv({listed}, columns = {{{columns}}}, auto_detect = false,"
            f" header = true, skip = {shape.skip}, delim = {literal(shape.delimiter)}, quote = '\"',"
            f" escape = '\"', parallel = {parallel}, store_rejects = true,"
            f" rejects_table = '{rejects}', rejects_scan = '{rejects}_scan', rejects_limit = 0,"
            " filename = true)"
        )

    def _cell(self, name: str, cells: Mapping[str, str]) -> str:
        if name not in cells:
            return "NULL::VARCHAR"
        return _id(cells[name]) if holds_ids(self.source, name) else cells[name]

    def _numbered(self, file: Path, *, shape: TextFile, chosen: list[str]) -> str:
        """One file's rows with their numbers: good ones are counted, and lines that are none added."""
        rows = self._select([file], shape=shape, chosen=chosen, as_text=False, again=True)
        if not shape.delimiter:
            return rows
        skipped = f"SELECT count(*) FROM {self.gaps} AS gap WHERE gap.file = {literal(str(file))}"
        found = f"SELECT *, row_number() OVER () + {shape.skip + 1} AS {ROW_COLUMN} FROM ({rows})"
        number = f"{ROW_COLUMN} + ({skipped} AND gap.start <= {ROW_COLUMN})"
        return f"SELECT * REPLACE ({number} AS {ROW_COLUMN}) FROM ({found})"

    def _original(self, files: list[Path]) -> str:
        """The path of the row's file as the mapping names it, whatever copy is read."""
        copies = [
            f"WHEN {literal(str(file))} THEN {literal(str(self.originals[file]))}"
            for file in files
            if self.originals[file] != file
        ]
        return f"CASE filename {' '.join(copies)} ELSE filename END" if copies else "filename"


def _column(name: str, header: tuple[str, ...], *, as_text: bool, is_id: bool) -> str:
    if name not in header:
        return f"NULL::VARCHAR AS {identifier(name)}"
    text = f"CAST({identifier(name)} AS VARCHAR)"
    if is_id:
        return f"{_id(text)} AS {identifier(name)}"
    return f"{text} AS {identifier(name)}" if as_text else identifier(name)


def _id(text: str) -> str:
    return salesforce_id_sql(f"trim({text})")


def _format(path: Path) -> str:
    if path.suffix in (".parquet", ".pq"):
        return "parquet"
    return "excel" if path.suffix.lower() in ENDINGS else "csv"


def _may_be_empty(source: Source, name: str) -> bool:
    if name in source.attributes:
        return True
    column = TABLES[source.table].column(name)
    return column.nullable or column.default is not None


def _scratch_folder(connection: duckdb.DuckDBPyConnection) -> Path:
    """Beside what the engine spills: whoever bounded its memory removes that folder."""
    found = connection.execute("SELECT current_setting('temp_directory')").fetchone()
    return Path(str(found[0]) if found else ".tmp").absolute() / "texts"
