"""Opens a database for a mapping's query, through DuckDB's readers for PostgreSQL, MySQL and SQLite.

Turns an address into the attached, read-only database `db`. The readers are extensions of DuckDB; they are
loaded from where DuckDB keeps them or from the Python packages that ship them, never from the network.
Time rule: none. Null rule: that of the database.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

import duckdb

from features.engine import first_line
from features.errors import ConfigError
from features.locations import require_within
from features.validation import literal

__all__ = ["attach_database"]

_READERS = {
    "postgresql": "postgres_scanner",
    "postgres": "postgres_scanner",
    "mysql": "mysql_scanner",
    "sqlite": "sqlite_scanner",
}
_KINDS = {"postgres_scanner": "postgres", "mysql_scanner": "mysql", "sqlite_scanner": "sqlite"}


def attach_database(
    connection: duckdb.DuckDBPyConnection, *, address: str, place: str, folders: Iterable[str]
) -> None:
    """Make the database at `address` readable as `db`.

    folders: where the file of a SQLite database may lie.
    Raises ConfigError for an address of another kind, a reader that is not installed, or a refused
    connection; a password in the address is never repeated.
    """
    scheme, separator, rest = address.partition("://")
    reader = _READERS.get(scheme)
    if reader is None or not separator:
        raise ConfigError(
            f"{place}: no such kind of database",
            got=repr(scheme if separator else "no address"),
            allowed="postgresql://..., mysql://..., sqlite:///FILE",
        )
    _load(connection, reader=reader, place=place)
    target = address
    if _KINDS[reader] == "sqlite":
        target = rest.removeprefix("/") if not rest.startswith("//") else rest[1:]
        file = Path(target)
        require_within(file, folders=folders, place=place)
        if not file.is_file():
            raise ConfigError(f"{place}: no such file", got=target, fix="write sqlite:///FILE")
    try:
        connection.execute("DETACH DATABASE IF EXISTS db")
        connection.execute(f"ATTACH {literal(target)} AS db (TYPE {_KINDS[reader]}, READ_ONLY)")
    except duckdb.Error as error:
        secret = rest.partition("@")[0].partition(":")[2] if "@" in rest else ""
        said = first_line(error).replace(secret, "***") if secret else first_line(error)
        raise ConfigError(f"{place}: the database cannot be opened", got=said) from error


def _load(connection: duckdb.DuckDBPyConnection, *, reader: str, place: str) -> None:
    try:
        shipped = _shipped(reader)
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute(f"LOAD {reader if shipped is None else literal(str(shipped))}")
    except duckdb.Error as error:
        raise ConfigError(
            f"{place}: DuckDB's reader {reader} is not installed",
            got=first_line(error),
            allowed=f"that of DuckDB {duckdb.__version__}",
            fix=f"with a network, run once: python -c \"import duckdb; duckdb.sql('INSTALL {reader}')\"; or "
            f"install the Python package duckdb-extension-{reader.replace('_', '-')}=="
            f"{duckdb.__version__}, where that version exists",
        ) from error


def _shipped(reader: str) -> Path | None:
    """The extension's file in the Python package that ships it for this version of DuckDB."""
    package = importlib.util.find_spec(f"duckdb_extension_{reader}")
    folders = package.submodule_search_locations if package is not None else None
    files = [
        file
        for folder in folders or ()
        for file in Path(folder).glob(f"**/v{duckdb.__version__}/{reader}.duckdb_extension")
    ]
    return next(iter(files), None)
