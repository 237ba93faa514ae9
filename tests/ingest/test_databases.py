"""Databases are read through DuckDB's readers: what is in them, typed, and never a password in a message."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from database_servers import PASSWORD, mariadb_server, postgresql_server
from small_sources import MAPPING, run, write_sources

from features.dry_run import dry_run
from features.errors import ConfigError
from features.mapping import load_config

COLUMNS = (
    "{0}Id{0} VARCHAR(20), {0}Name{0} VARCHAR(40), {0}Industry{0} VARCHAR(40), {0}Staff{0} INT, {0}Score{0}"
)
ROWS = (
    "('a1', 'Müller 化学', 'Software', 10, 1.50, '2023-01-01 00:00:00{0}'),"
    " ('a2', NULL, NULL, NULL, NULL, '2023-01-02 10:00:00{0}')"
)


def _script(quote: str, *, moment: str, zone: str) -> str:
    table, at = f"{quote}Account{quote}", f"{quote}Updated{quote}"
    columns = f"{COLUMNS.format(quote)} DECIMAL(12, 2), {at} {moment}"
    return f"CREATE TABLE {table} ({columns}); INSERT INTO {table} VALUES {ROWS.format(zone)};"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with postgresql_server(_script('"', moment="timestamptz", zone="+00")) as address:
        yield address


@pytest.fixture(scope="module")
def mariadb() -> Iterator[str]:
    with mariadb_server(_script("`", moment="datetime", zone="")) as address:
        yield address


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    with sqlite3.connect(tmp_path / "crm.sqlite") as database:
        database.executescript(_script('"', moment="TEXT", zone=""))
    database.close()
    return "sqlite:///{folder}/crm.sqlite"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def address(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def _mapping(folder: Path, address: str, *, query: str = "FROM db.Account") -> Path:
    told = f"database = '{address}'\nquery = '''{query}'''\ntime_zone = 'UTC'"
    return write_sources(folder, mapping=MAPPING.replace('path = "{folder}/accounts*.csv"', told))


def test_a_database_gives_the_same_cells_as_a_file(tmp_path: Path, address: str) -> None:
    report, workspace = run(_mapping(tmp_path, address))
    assert report.table("accounts").quarantined == {}
    frame = workspace.tables().read("accounts").set_index("account_id")
    columns = ["name", "industry", "employees", "score", "known_at"]
    assert list(frame.loc["a1", columns]) == ["Müller 化学", "Software", 10, 1.5, pd.Timestamp(2023, 1, 1)]
    assert frame.loc["a2", columns[:4]].isna().all()
    assert frame.loc["a2", "known_at"] == pd.Timestamp(2023, 1, 2, 10)


def test_a_query_joins_tables_of_a_database_and_a_dry_run_looks_at_them(tmp_path: Path, address: str) -> None:
    query = "SELECT a.* FROM db.Account AS a JOIN db.Account AS b USING (Id) WHERE b.Name IS NOT NULL"
    path = _mapping(tmp_path, address, query=query)
    config = load_config(path, overrides={"folder": str(tmp_path)})
    staff = next(column for column in dry_run(config).sources[0].columns if column.column == "Staff")
    assert (staff.fills, staff.examples) == (("employees",), ("10",))
    assert list(run(path)[1].tables().read("accounts")["account_id"]) == ["a1"]


def _told(path: Path) -> dict[tuple[str, str], tuple[str, int | None, tuple[str, ...]]]:
    source = dry_run(load_config(path, overrides={"folder": str(path.parent)})).sources[0]
    return {(one.file, one.column): (one.status, one.rows, one.examples) for one in source.columns}


def test_a_dry_run_tells_of_a_database_what_it_tells_of_a_file(tmp_path: Path, address: str) -> None:
    """Of two rows one fills name, industry, staff and score; of the table, nothing reads Industry."""
    query = """SELECT Id, Name, ' Software' AS Industry, Staff || '.0' AS Staff, Score, Updated, 7 AS Luck
        FROM db.Account"""
    told = _told(_mapping(tmp_path, address, query=query))
    assert told["query", "Name"] == ("bound", 1, ("Müller 化学",))
    assert told["query", "Staff"] == ("coerced", 1, ("10.0 -> 10",))
    assert told["query", "Luck"] == ("ignored", None, ("7",))
    narrow = "SELECT Id, Name, Staff, 1 AS Score, Updated FROM db.Account"
    path = _mapping(tmp_path, address, query=narrow)
    path.write_text(path.read_text().replace('industry = "Industry"\n', ""), encoding="utf-8")
    told = _told(path)
    assert told["db.Account", "Industry"] == ("ignored", None, ("Software",))
    assert {column for place, column in told if place == "db.Account"} == {"Industry"}


def test_a_dry_run_tells_what_a_database_lacks(tmp_path: Path, address: str) -> None:
    path = _mapping(tmp_path, address, query="SELECT Id, Name, Staff, Score, Updated FROM db.Account")
    path.write_text(path.read_text().replace("query = ", "optional = true\nquery = "), encoding="utf-8")
    told = _told(path)
    assert told["query", "Industry"] == ("missing", None, ())
    assert told["db.Account", "Industry"] == ("ignored", None, ("Software",))


def test_a_dry_run_shows_no_cell_of_a_table_of_people(tmp_path: Path, sqlite: str) -> None:
    people = f"""
[[sources]]
table = "contacts"
database = '{sqlite}'
query = "SELECT Id AS Who, Id FROM db.Account"
known = "start_of_time"
consent = {{ assume = "test" }}
[sources.columns]
contact_id = "Who"
account_id = "Id"
"""
    path = _mapping(
        tmp_path, sqlite, query="SELECT Id, '' AS Industry, 1 AS Staff, 1 AS Score, Updated FROM db.Account"
    )
    path.write_text(path.read_text().replace('name = "Name"\n', "") + people, encoding="utf-8")
    assert _told(path)["db.Account", "Name"] == ("ignored", None, ("[text, 9 characters]",))


def test_a_database_is_only_read(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError):
        run(_mapping(tmp_path, address, query="DELETE FROM db.Account RETURNING *"))
    assert run(_mapping(tmp_path, address))[0].table("accounts").loaded == 2


def test_a_query_of_a_database_reads_no_file_elsewhere(tmp_path: Path, address: str) -> None:
    query = "SELECT * FROM read_text('/etc/hostname'), db.Account"
    with pytest.raises(ConfigError, match="Permission Error"):
        run(_mapping(tmp_path, address, query=query))


def test_a_cell_of_sqlite_that_is_not_of_its_columns_type_is_set_aside(tmp_path: Path, sqlite: str) -> None:
    with sqlite3.connect(tmp_path / "crm.sqlite") as database:
        database.execute("INSERT INTO Account VALUES ('a3', 'Zoë', 'Software', 'many', 1, '2023-01-03')")
    database.close()
    report, _ = run(_mapping(tmp_path, sqlite))
    assert report.table("accounts").loaded == 2
    (example,) = report.table("accounts").examples
    assert (example.column, example.got, example.reason) == ("employees", "many", "wrong type")


@pytest.mark.parametrize(("server", "variable"), [("postgresql", "PGPASSWORD"), ("mariadb", "MYSQL_PWD")])
def test_the_password_may_come_from_the_environment(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    variable: str,
) -> None:
    address = str(request.getfixturevalue(server)).replace(":s3cret%20p%40ss@", "@")
    monkeypatch.setenv(variable, PASSWORD)
    assert run(_mapping(tmp_path, address))[0].table("accounts").loaded == 2


@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
@pytest.mark.parametrize("password", ["wr0ng%20p%40ss", "wr0ng p@ss"])
def test_no_message_holds_a_password(
    tmp_path: Path, request: pytest.FixtureRequest, server: str, password: str
) -> None:
    address = str(request.getfixturevalue(server)).replace("s3cret%20p%40ss", password)
    with pytest.raises(ConfigError, match="the database cannot be opened") as raised:
        run(_mapping(tmp_path, address))
    assert "wr0ng" not in str(raised.value)
    # What is raised from something shows that, too.
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_query_that_fails_repeats_no_password(tmp_path: Path, postgresql: str) -> None:
    scan = f"postgres_scan('{postgresql.replace('s3cret', 'wr0ng')}', 'public', 'Account')"
    with pytest.raises(ConfigError, match=r"reader:\*\*\*@127") as raised:
        run(_mapping(tmp_path, postgresql, query=f"FROM {scan}"))
    assert "wr0ng" not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "message"),
    [("oracle://x", "no such kind of database (got 'oracle'"), ("crm.db", "got 'no address'")],
)
def test_another_kind_of_database_is_refused(tmp_path: Path, address: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        run(_mapping(tmp_path, address))
    assert message in str(raised.value)


def test_a_reader_that_is_not_installed_is_named(
    tmp_path: Path, sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("features.databases._shipped", lambda reader: tmp_path / "none.duckdb_extension")
    with pytest.raises(ConfigError) as raised:
        run(_mapping(tmp_path, sqlite))
    assert "DuckDB's reader sqlite_scanner is not installed" in str(raised.value)
    assert f"duckdb-extension-sqlite-scanner=={duckdb.__version__}" in str(raised.value)
