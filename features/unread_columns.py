"""Columns of a mapping's sources that nothing reads.

Turns files, queries and tables of databases into the columns that no source makes anything of, each told
once, with a cell. Time rule: none. Null rule: blank cells are no examples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from features.bindings import Source
from features.engine import run_sql
from features.mapping import Config
from features.privacy.masking import ABOUT_PEOPLE, kind_of, without_addresses
from features.sources import FILE_COLUMN, Relation, identifier

__all__ = ["SAMPLE", "WIDTH", "Unread", "UnreadColumns", "filled_by"]

SAMPLE = 1000
"""Rows of each file and table in which examples are looked for."""

WIDTH = 60
"""Signs of a cell that are shown."""

_Origin = tuple[str, ...]
"""Files, as the mapping names them; or a database and a table in it."""


@dataclass(frozen=True)
class Unread:
    """A column that nothing reads.

    place: "files", the name of a further file, "query", or a table of a database as "db.TABLE".
    example: a cell, or of what kind it is where it may tell who somebody is; None without any.
    """

    place: str
    column: str
    example: str | None


def filled_by(source: Source) -> dict[str, tuple[str, ...]]:
    """By source column, what it fills."""
    found: dict[str, tuple[str, ...]] = {}
    for name, binding in {**source.bindings, **source.beside}.items():
        if binding.column is not None:
            found[binding.column] = (*found.get(binding.column, ()), name)
    return found


class UnreadColumns:
    """What is read of each file and each database, by all sources of a mapping together."""

    def __init__(self, config: Config) -> None:
        self._read: dict[_Origin, set[str]] = {}
        self._people: set[_Origin] = set()
        self._queries: dict[str, str] = {}
        for source in config.sources:
            if source.path and source.query is None:
                self._read.setdefault(source.path, set()).update(filled_by(source))
            for given in source.files.values():
                self._read.setdefault(given.path, set()).update(given.columns)
            if source.table in ABOUT_PEOPLE:
                self._people |= {source.path, *(given.path for given in source.files.values())}
            if source.database is not None:
                query = source.query or ""
                # What a * stands for is not written; what is bound is read of it.
                said = " ".join([query, *(filled_by(source) if "*" in query else ())])
                self._queries[source.database] = f"{self._queries.get(source.database, '')} {said}"
        self._about_people = {
            source.database
            for source in config.sources
            if source.database is not None and source.table in ABOUT_PEOPLE
        }

    def of(
        self, connection: duckdb.DuckDBPyConnection, source: Source, *, relation: Relation
    ) -> Iterator[Unread]:
        """Those of a source that were not told yet. Its database has to be attached."""
        files = {"files": source.path} | {name: given.path for name, given in source.files.items()}
        for name, sql in relation.unread.items():
            personal = source.table in ABOUT_PEOPLE or files[name] in self._people
            rows = f"SELECT * EXCLUDE ({FILE_COLUMN}) FROM ({sql})"
            yield from self._told(connection, rows, origin=files[name], place=name, personal=personal)
        if source.query is not None:
            yield from self._made(connection, source, relation=relation)
        if source.database is not None:
            yield from self._tables(connection, source, relation=relation)

    def _made(
        self, connection: duckdb.DuckDBPyConnection, source: Source, *, relation: Relation
    ) -> Iterator[Unread]:
        """Columns that a query makes and nothing is bound to; those that a file asks for are told with it."""
        asked = {column for given in source.files.values() for column in given.columns}
        read = {*filled_by(source), *(source.traffic.columns if source.traffic else ()), FILE_COLUMN, *asked}
        unbound = [name for name in relation.types if name not in read]
        if unbound:
            inputs = {source.path, *(given.path for given in source.files.values())}
            personal = source.table in ABOUT_PEOPLE or bool(inputs & self._people)
            personal |= source.database in self._about_people
            rows = f"SELECT {', '.join(map(identifier, unbound))} FROM {relation.sql}"
            yield from _columns(connection, rows, place="query", personal=personal)

    def _tables(
        self, connection: duckdb.DuckDBPyConnection, source: Source, *, relation: Relation
    ) -> Iterator[Unread]:
        """Columns of the tables that a query reads which no query of this database names."""
        database = source.database or ""
        said = self._queries[database].casefold()
        made = relation.types.keys() - set(relation.missing.get("query", ()))
        for schema, table in _tables_of(connection, source.query or ""):
            personal = source.table in ABOUT_PEOPLE or database in self._about_people
            names = [
                name
                for name in _columns_of(connection, schema, table)
                if name not in made and not re.search(rf"\b{re.escape(name.casefold())}\b", said)
            ]
            if names:
                rows = (
                    f"SELECT {', '.join(map(identifier, names))}"
                    f" FROM db.{identifier(schema)}.{identifier(table)}"
                )
                origin, place = (database, schema, table), f"db.{table}"
                yield from self._told(connection, rows, origin=origin, place=place, personal=personal)

    def _told(
        self, connection: duckdb.DuckDBPyConnection, rows: str, *, origin: _Origin, place: str, personal: bool
    ) -> Iterator[Unread]:
        told = self._read.setdefault(origin, set())
        for unread in _columns(connection, rows, place=place, personal=personal):
            if unread.column not in told:
                told.add(unread.column)
                yield unread


def _columns(
    connection: duckdb.DuckDBPyConnection, rows: str, *, place: str, personal: bool
) -> Iterator[Unread]:
    found = run_sql(connection, f"SELECT * FROM ({rows}) LIMIT {SAMPLE}")
    columns = [column for column, *_ in found.description]
    sample = found.fetchall()
    for at, column in enumerate(columns):
        cells = (str(row[at]).strip() for row in sample if row[at] is not None)
        cell = next((cell for cell in cells if cell), None)
        # Nothing says anything of the column: one of a file about people may tell who they are.
        shown = cell and (kind_of(cell) if personal else without_addresses(cell[:WIDTH]))
        yield Unread(place, column, shown)


def _tables_of(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[str, str]]:
    """Schema and name of each table of the database that a query reads, as the database calls them."""
    sql = "SELECT CAST(json_serialize_sql(?) AS VARCHAR)"
    (tree,) = run_sql(connection, sql, parameters=[query.strip().rstrip(";")]).fetchone() or ("{}",)
    for catalog, schema, table in sorted(set(_named(json.loads(tree)))):
        # Of db.Account, the parser cannot know whether db is a database or a schema of one.
        if "db" not in (catalog, schema):
            continue
        found = run_sql(
            connection,
            "SELECT DISTINCT schema_name, table_name FROM duckdb_columns() WHERE database_name = 'db'"
            " AND lower(table_name) = $1 AND ($2 = 'db' OR lower(schema_name) = $2)"
            " AND schema_name NOT IN ('information_schema', 'pg_catalog') ORDER BY ALL",
            parameters=[table, schema],
        ).fetchall()
        yield from found[:1]


def _named(tree: object) -> Iterator[tuple[str, str, str]]:
    """Catalogue, schema and name of the tables in a parsed query, in lower case."""
    if isinstance(tree, dict) and tree.get("type") == "BASE_TABLE":
        catalog, schema, table = (str(tree[f"{part}_name"]) for part in ("catalog", "schema", "table"))
        yield catalog.casefold(), schema.casefold(), table.casefold()
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    for part in parts:
        yield from _named(part)


def _columns_of(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> Sequence[str]:
    rows = run_sql(
        connection,
        "SELECT column_name FROM duckdb_columns()"
        " WHERE database_name = 'db' AND schema_name = ? AND table_name = ? ORDER BY column_index",
        parameters=[schema, table],
    ).fetchall()
    return [name for (name,) in rows]
