"""A URL becomes a database that is up to date, and its faults become errors that say what to do.

SQLite runs in WAL mode with foreign keys and a busy timeout; a writer takes the write lock when it
begins, so that what it read cannot change before it writes. PostgreSQL gets the same by locking rows.
Time rule and null rule: none of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import OperationalError as SQLiteError
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
    StatementError,
)

from features.errors import ConfigError, SpearfishError, WorkspaceError
from serving.store.schema import REVISION

__all__ = [
    "database_exists",
    "file_of",
    "migrate",
    "open_database",
    "reading",
    "revision_of",
    "store_faults",
    "writing",
]

BUSY_SECONDS = 10
_WRITES = "spearfish_writes"

_POSTGRESQL: dict[str, Any] = {
    "connect_timeout": 5,
    "options": f"-c lock_timeout={BUSY_SECONDS}s",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

_LOCKED = ("is locked by another process", "end what holds it, or try again")
_FULL = ("cannot grow, the disk is full", "free some space")

_FAULTS = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_READONLY": ("cannot be written to", "give this user write access to the file and its folder"),
    "SQLITE_CANTOPEN": ("cannot be opened", "check that its folder exists and may be written to"),
    "SQLITE_PERM": ("cannot be opened", "give this user access to the file and its folder"),
    "SQLITE_NOTADB": ("is not a database", "restore the file from a backup, or move it away"),
    "SQLITE_CORRUPT": ("is damaged", "restore the file from a backup, or move it away"),
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR": ("cannot be read or written", "check the disk and that it has space"),
    # PostgreSQL: lock_not_available, disk_full.
    "55P03": _LOCKED,
    "53100": _FULL,
}
"""What is wrong and what to do, by how names of SQLite's errors or PostgreSQL's SQLSTATE begin."""


def open_database(url: str, *, create: bool = True) -> Engine:
    """The engine of a database whose tables are those of this version; older ones are migrated.

    create: False refuses a SQLite file that does not exist. The folder is never created.
    Raises ConfigError for a URL that cannot be used, WorkspaceError for everything about the database.
    """
    target = _parsed(url)
    file = _sqlite_file(target)
    if file is not None and not create and not file.exists():
        raise WorkspaceError("there is no store", got=str(file), fix="run `spearfish promote` first")
    engine = _engine(target)
    with store_faults(engine):
        found = revision_of(engine)
    if found != REVISION:
        migrate(engine)
    return engine


def database_exists(url: str) -> bool:
    """Whether there is a database to open; one that is not a file of SQLite's always is."""
    file = file_of(url)
    return file is None or file.exists()


def file_of(url: str) -> Path | None:
    """The file of SQLite that a URL names; None for one in memory and for another database."""
    return _sqlite_file(_parsed(url))


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            "the store's URL cannot be read", allowed="sqlite:///path/store.db, postgresql+psycopg://..."
        ) from error


def _sqlite_file(url: URL) -> Path | None:
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if is_file and not str(url.database).startswith("file:") else None


def _engine(url: URL) -> Engine:
    is_sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, pool_pre_ping=not is_sqlite, connect_args=_patience(url))
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError(
            "the database driver is missing", got=url.drivername, fix=f"install it: {error}"
        ) from error
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _patience(url: URL) -> dict[str, Any]:
    """How long the driver waits for a lock, for a server, and for one that went away without a word."""
    if url.get_backend_name() == "sqlite":
        return {"timeout": BUSY_SECONDS}
    # Those that are made of libpq know these; what the URL says counts before.
    own = _POSTGRESQL if url.get_driver_name() in ("psycopg", "psycopg2") else {}
    return {name: value for name, value in own.items() if name not in url.query}


def _prepare_sqlite(connection: SQLiteConnection, record: object) -> None:
    # The driver's own transaction handling commits before some statements; with None, BEGIN is ours.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    # What is deleted or overwritten is zeroed in the file, as somebody may have asked to be forgotten.
    connection.execute("PRAGMA secure_delete=ON")
    while connection.execute("PRAGMA journal_mode").fetchone() == ("delete",):
        _switch_to_wal(connection)


def _switch_to_wal(connection: SQLiteConnection) -> None:
    """Switch a new database, or wait until another process has had its turn at it."""
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except SQLiteError as error:
        if error.sqlite_errorname != "SQLITE_BUSY":
            raise
        # SQLite does not wait for the switch itself when two processes try it at once.
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the database."""
    with store_faults(engine), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write: all of it or nothing. Writers wait for each other."""
    prepared = engine.execution_options(**{_WRITES: True})
    with store_faults(engine), prepared.begin() as connection:
        yield connection


@contextmanager
def store_faults(engine: Engine) -> Iterator[None]:
    """Turn a fault of the database into WorkspaceError; broken constraints stay what they are."""
    try:
        yield
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        fault = error.orig if isinstance(error, StatementError) and error.orig else error
        if isinstance(fault, SpearfishError):
            raise fault from None
        raise _explained(fault, place=engine.url.render_as_string(hide_password=True)) from error


def _explained(fault: BaseException, *, place: str) -> WorkspaceError:
    name = str(getattr(fault, "sqlite_errorname", None) or getattr(fault, "sqlstate", None))
    for prefix, (what, fix) in _FAULTS.items():
        if name.startswith(prefix):
            return WorkspaceError(f"the store {what}", got=place, fix=fix)
    # What a driver says names hosts and users: callers are shown `what` and `fix` alone.
    return WorkspaceError(
        "the store does not answer",
        got=f"{place}: {next(iter(str(fault).splitlines()), type(fault).__name__)}",
        fix="check that the database runs and that SPEARFISH_STORE_URL is right",
    )


def revision_of(engine: Engine) -> str | None:
    """The migration that the database stands at, None for an empty one."""
    with engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(engine: Engine) -> None:
    """Bring the tables to this version in one transaction; several processes may try at once."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(5843096)"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise WorkspaceError(
                "the store was made by another version of Spearfish",
                got=f"revision {_revision(connection)}",
                allowed=f"revision {REVISION} or older",
                fix="install the newer version of Spearfish",
            ) from error
