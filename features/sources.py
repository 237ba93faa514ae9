"""Opens what a mapping's source names: CSV or Parquet files, a SQL query, or a query on files.

Turns a `Source` into a relation that DuckDB can read. CSV cells arrive as text; lines that are not CSV of
the header's width go into a table of their own instead of stopping the load. Time rule: none here. Null
rule: none here, blank cells arrive blank.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.engine import first_line
from features.errors import ConfigError, ContractError, suggestion
from features.mapping import Source, matching_files
from features.validation import literal

__all__ = ["Relation", "identifier", "open_source"]


@dataclass(frozen=True)
class Relation:
    """Something to select from.

    types: DuckDB's type by column.
    rejects: the table into which reading puts lines that are not CSV; not there for Parquet and SQL.
    """

    sql: str
    types: Mapping[str, str]
    rejects: str


def identifier(name: str) -> str:
    """A column name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def open_source(
    connection: duckdb.DuckDBPyConnection, *, source: Source, position: int, needed: Iterable[str]
) -> Relation:
    """The relation of a source; `position` counts the sources of the mapping from one.

    needed: source columns that the mapping binds.
    Raises ConfigError for a missing file or SQL that fails, ContractError for a missing column.
    """
    place = f"sources[{position}] ({source.table}, {source.label})"
    rejects = f"rejects_{position}"
    sql = source.query.strip().rstrip(";") if source.query is not None else "SELECT * FROM files"
    try:
        if source.path:
            files = _files_sql(connection, source=source, place=place, rejects=rejects, needed=list(needed))
            connection.execute(f"CREATE OR REPLACE TEMP VIEW files AS {files}")
        described = connection.execute(f"DESCRIBE SELECT * FROM ({sql})").fetchall()
    except duckdb.Error as error:
        kind = "query" if source.query is not None else "file"
        raise ConfigError(f"{place}: the {kind} cannot be read", got=first_line(error)) from error
    types = {str(name): str(kind) for name, kind, *_ in described}
    _require(needed, types, place=place)
    return Relation(f"({sql})", types, rejects)


def _require(needed: Iterable[str], present: Iterable[str], *, place: str) -> None:
    present = list(present)
    for name in needed:
        if name not in present:
            raise ContractError(
                f"{place}: no column {name!r}",
                allowed=", ".join(present),
                fix=suggestion(name, present) or "correct the mapping or the file",
            )


def _paths(source: Source, *, place: str) -> list[Path]:
    found: list[Path] = []
    for pattern in source.path:
        files = matching_files(pattern)
        if not files:
            raise ConfigError(
                f"{place}: no such file", got=pattern, fix="correct the path, or give the folder with --set"
            )
        found += [file for file in files if file not in found]
    return found


def _files_sql(
    connection: duckdb.DuckDBPyConnection, *, source: Source, place: str, rejects: str, needed: list[str]
) -> str:
    """Rows of all files under each other. Files may order their columns differently."""
    groups: dict[tuple[bool, tuple[str, ...]], list[Path]] = {}
    for path in _paths(source, place=place):
        key = (_is_parquet(path, source=source), _header(connection, path, source=source))
        groups.setdefault(key, []).append(path)
    wanted = needed if source.query is None else list(next(iter(groups))[1])
    for (_, header), paths in groups.items():
        _require(wanted, header, place=f"{place}, file {paths[0].name}")
    return " UNION ALL ".join(
        _select(paths, header=header, wanted=wanted, source=source, rejects=rejects)
        for (_, header), paths in groups.items()
    )


def _is_parquet(path: Path, *, source: Source) -> bool:
    return source.format == "parquet" or (source.format is None and path.suffix in (".parquet", ".pq"))


def _header(connection: duckdb.DuckDBPyConnection, path: Path, *, source: Source) -> tuple[str, ...]:
    if _is_parquet(path, source=source):
        described = connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})"
        ).fetchall()
        return tuple(str(column) for column, *_ in described)
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines, delimiter=source.delimiter), None)
    except (UnicodeDecodeError, OSError, csv.Error) as error:
        raise ConfigError(
            f"{path} cannot be read as CSV in UTF-8", got=error, fix="convert the file"
        ) from error
    if not header:
        raise ContractError(f"{path} is empty", got="no header line", fix="write the column names on top")
    # SQL does not tell upper from lower case in the names of columns.
    folded = [name.casefold() for name in header]
    repeated = sorted({name for name in header if folded.count(name.casefold()) > 1})
    if repeated:
        raise ContractError(f"{path} names a column twice", got=", ".join(repeated), fix="rename one of them")
    return tuple(header)


def _select(
    paths: list[Path], *, header: tuple[str, ...], wanted: list[str], source: Source, rejects: str
) -> str:
    files = "[" + ", ".join(literal(str(path)) for path in paths) + "]"
    if _is_parquet(paths[0], source=source):
        return f"SELECT {', '.join(map(identifier, wanted))} FROM read_parquet({files}, union_by_name = true)"
    # By position: the reader's own rules for odd names do not matter then.
    cells = {name: f"cell_{position}" for position, name in enumerate(header)}
    columns = ", ".join(f"{cell}: 'VARCHAR'" for cell in cells.values())
    selected = ", ".join(f"{cells[name]} AS {identifier(name)}" for name in wanted)
    # parallel = false: a quoted line break at a chunk's edge can never be mistaken for a row's end.
    return (
        f"SELECT {selected} FROM read_csv({files}, columns = {{{columns}}}, auto_detect = false,"
        f" header = true, delim = {literal(source.delimiter)}, quote = '\"', escape = '\"', parallel = false,"
        f" store_rejects = true, rejects_table = '{rejects}', rejects_scan = '{rejects}_scan',"
        " rejects_limit = 0)"
    )
