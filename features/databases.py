"""Opens a database for a mapping's query, through DuckDB's readers for PostgreSQL, MySQL and SQLite.

Turns an address into the attached, read-only database `db`. The readers are extensions of DuckDB; they are
loaded from the Python packages that ship them (the extra `databases`) or from where DuckDB keeps them, never
from the network. Time rule: none. Null rule: that of the database. A password is never repeated, whatever
fails: it is hidden in what the database says, and such errors do not carry the original along.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb

from features.engine import first_line
from features.errors import ConfigError
from features.locations import require_within
from features.validation import literal

__all__ = ["attach_database", "attach_servers"]

_READERS = {
    "postgresql": "postgres_scanner",
    "postgres": "postgres_scanner",
    "mysql": "mysql_scanner",
    "sqlite": "sqlite_scanner",
}
_KINDS = {"postgres_scanner": "postgres", "mysql_scanner": "mysql", "sqlite_scanner": "sqlite"}
_SECRETS = ("password", "passwd", "sslpassword")


def attach_database(
    connection: duckdb.DuckDBPyConnection, *, address: str, place: str, folders: Iterable[str]
) -> None:
    """Make the database at `address` readable as `db`; one that is attached already stays so.

    The cells of SQLite are read as text, as those of files are: its columns may hold anything.
    folders: where the file of a SQLite database may lie.
    Raises ConfigError for an address of another kind, a reader that is not installed, or a refused
    connection.
    """
    kind, target = _target(connection, address=address, place=place, folders=folders)
    if _attached(connection) == target:
        return
    try:
        connection.execute("DETACH DATABASE IF EXISTS db")
        connection.execute(f"ATTACH {literal(target)} AS db (TYPE {kind}, READ_ONLY)")
    except duckdb.Error as error:
        said = _said_without_password(error, address=address)
        raise ConfigError(f"{place}: the database cannot be opened", got=said) from None


def attach_servers(connection: duckdb.DuckDBPyConnection, *, places: Mapping[str, str]) -> bool:
    """Load the readers that the addresses need, and attach a server that is the only database.

    places: where the mapping names an address, by address. Afterwards the connection may be kept from
    everything else; returns False where it must not be, as further databases have to be attached later.
    """
    for address, place in places.items():
        _load(connection, reader=_reader(address, place=place), place=place)
    servers = [address for address in places if not address.startswith("sqlite:")]
    if len(places) == 1 and servers:
        attach_database(connection, address=servers[0], place=places[servers[0]], folders=())
    return not servers or len(places) == 1


def _said_without_password(error: duckdb.Error, *, address: str) -> str:
    """The first line of an error, the password of the address replaced by ***."""
    said = first_line(error)
    for secret in sorted(_secrets(address), key=len, reverse=True):
        said = said.replace(secret, "***")
    return said


def _secrets(address: str) -> set[str]:
    """The password in every spelling in which an error may repeat it, a part of an ill-written one too."""
    rest = address.partition("://")[2]
    written = {part[0].partition(":")[2] for part in (rest.partition("@"), rest.rpartition("@")) if part[1]}
    options = parse_qsl(urlsplit(address).query)
    written |= {value for name, value in options if name.lower() in _SECRETS}
    written |= {text.partition("&")[0] for name in _SECRETS for text in rest.split(f"{name}=")[1:]}
    return {spelling for text in written for spelling in (text, unquote(text)) if spelling}


def _target(
    connection: duckdb.DuckDBPyConnection, *, address: str, place: str, folders: Iterable[str]
) -> tuple[str, str]:
    """What to attach, and its kind."""
    reader = _reader(address, place=place)
    _load(connection, reader=reader, place=place)
    kind, rest = _KINDS[reader], address.partition("://")[2]
    if kind != "sqlite":
        return kind, address
    connection.execute("SET sqlite_all_varchar = true")
    file = rest.removeprefix("/") if not rest.startswith("//") else rest[1:]
    require_within(Path(file), folders=folders, place=place)
    if not Path(file).is_file():
        raise ConfigError(f"{place}: no such file", got=file, fix="write sqlite:///FILE")
    return kind, file


def _reader(address: str, *, place: str) -> str:
    scheme, separator, _ = address.partition("://")
    reader = _READERS.get(scheme)
    if reader is None or not separator:
        raise ConfigError(
            f"{place}: no such kind of database",
            got=repr(scheme if separator else "no address"),
            allowed="postgresql://..., mysql://..., sqlite:///FILE",
        )
    return reader


def _attached(connection: duckdb.DuckDBPyConnection) -> str | None:
    found = connection.execute("SELECT path FROM duckdb_databases() WHERE database_name = 'db'").fetchone()
    return None if found is None else str(found[0])


def _load(connection: duckdb.DuckDBPyConnection, *, reader: str, place: str) -> None:
    try:
        shipped = _shipped(reader)
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute(f"LOAD {reader if shipped is None else literal(str(shipped))}")
    except duckdb.Error as error:
        package = f"duckdb-extension-{reader.replace('_', '-')}"
        raise ConfigError(
            f"{place}: DuckDB's reader {reader} is not installed",
            got=first_line(error),
            allowed=f"that of DuckDB {duckdb.__version__}",
            fix=f"install spearfish with the extra `databases`, or the Python package {package}=="
            f"{duckdb.__version__}",
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
