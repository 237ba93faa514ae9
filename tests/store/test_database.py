"""The database under the store: migrations, faults, several processes, sudden death."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable
from store_processes import NOON, draft, publish, publish_and_die, walk_back

from features.errors import ConfigError, WorkspaceError
from serving.store import Store, engine, schema

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["serving.store", "alembic.command"])


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


def run(target: Callable[..., None], *arguments: tuple[object, ...]) -> list[int | None]:
    """Run the target once per tuple of arguments, at the same time; the exit codes."""
    processes = [PROCESSES.Process(target=target, args=some) for some in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
    return [process.exitcode for process in processes]


def test_sqlite_is_opened_in_wal_mode_with_foreign_keys_and_patience(url: str) -> None:
    with Store.open(url) as store, store.reading() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000, "synchronous": 2}


def test_migrations_make_the_declared_tables(url: str) -> None:
    with Store.open(url) as store, store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_the_revision_in_the_code_is_the_newest_migration() -> None:
    script = ScriptDirectory(str(Path(engine.__file__).parent / "migrations"))
    assert script.get_current_head() == schema.REVISION


def test_the_tables_can_be_made_in_postgresql() -> None:
    dialect = make_url("postgresql://").get_dialect()()
    made = "\n".join(
        str(CreateTable(table).compile(dialect=dialect)) for table in schema.metadata.sorted_tables
    )
    assert made.count("CREATE TABLE") == len(schema.metadata.tables)
    assert "BYTEA" in made
    assert "TIMESTAMP WITHOUT TIME ZONE" in made


def test_opening_an_up_to_date_store_is_quick_and_loads_no_migrations(url: str) -> None:
    Store.open(url).close()
    program = (
        "import sys, time; from serving.store import Store; start = time.perf_counter();"
        f"Store.open({url!r}).pointer(); took = time.perf_counter() - start;"
        "heavy = {'alembic', 'mlflow', 'pandas', 'lightgbm', 'bentoml'} & set(sys.modules);"
        "print(took, heavy)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    took, heavy = done.stdout.split(" ", 1)
    assert float(took) < 0.5, "measured 0.01 s alone; the limit allows for a busy machine"
    assert heavy.strip() == "set()"


def test_opening_again_keeps_what_is_there(url: str) -> None:
    publish(url, ("fit-1",))
    with Store.open(url, create=False) as store:
        assert store.current(NOON) == store.release(1)


def test_a_missing_store_is_refused_where_none_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"there is no store.*promote"):
        Store.open(f"sqlite:///{tmp_path}/store.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"cannot be opened.*nowhere/store\.db.*folder"):
        Store.open(f"sqlite:///{tmp_path}/nowhere/store.db")


def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database, but something somebody wrote" * 50)
    with pytest.raises(WorkspaceError, match="is not a database"):
        Store.open(f"sqlite:///{tmp_path}/store.db")
    assert (tmp_path / "store.db").read_text().startswith("not a database")


def test_a_read_only_store_is_read_but_not_written(tmp_path: Path, url: str) -> None:
    publish(url, ("fit-1",))
    with Store.open(f"sqlite:///file:{tmp_path}/store.db?mode=ro&uri=true") as store:
        assert len(store.history()) == 1
        with pytest.raises(WorkspaceError, match=r"cannot be written to.*write access"):
            store.publish(draft("fit-2"), activate_at=None, now=NOON)


def test_a_locked_store_is_read_and_says_that_it_is_locked(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(url, ("fit-1",))
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with Store.open(url) as store, closing(sqlite3.connect(tmp_path / "store.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.pointer().release_id == 1
        with pytest.raises(WorkspaceError, match="locked by another process"):
            store.publish(draft("fit-2"), activate_at=None, now=NOON)
        other.rollback()
        assert store.publish(draft("fit-2"), activate_at=None, now=NOON).release.id == 2


def test_a_store_that_another_process_is_making_is_waited_for(tmp_path: Path, url: str) -> None:
    with closing(sqlite3.connect(tmp_path / "store.db", check_same_thread=False)) as other:
        other.execute("CREATE TABLE alembic_version (version_num TEXT)")
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.2, other.rollback)
        timer.start()
        with Store.open(url) as store:
            assert store.history() == ()
        timer.join()


def test_a_store_of_a_newer_version_is_left_alone(url: str) -> None:
    with Store.open(url) as store, store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(WorkspaceError, match=r"another version of Spearfish.*revision 9999"):
        Store.open(url)


@pytest.mark.parametrize("bad", ["store.db", "mysql+nothing://host/store", "postgresql+missing://host/store"])
def test_a_url_that_cannot_be_used_is_a_config_error(bad: str) -> None:
    with pytest.raises(ConfigError):
        Store.open(bad)


def test_a_fault_does_not_show_the_password() -> None:
    fault = engine._explained(
        DBAPIError("SELECT 1", None, sqlite3.OperationalError("connection refused")),
        place="postgresql://ada:***@host/store",
    )
    assert "ada:***@host" in str(fault)
    assert "SPEARFISH_STORE_URL" in str(fault)


def test_concurrent_promotions_are_serialised_and_none_is_lost(own_url: str) -> None:
    names = [tuple(f"fit-{process}{i}" for i in range(5)) for process in range(4)]
    assert run(publish, *((own_url, some) for some in names)) == [0] * 4
    with Store.open(own_url) as store:
        history, events, pointer = store.history(), store.events(), store.pointer()
    assert {release.fingerprints["fit"] for release in history} == {name for some in names for name in some}
    assert [release.previous_id for release in history] == [release.id - 1 or None for release in history]
    assert [event.release_id for event in events] == [release.id for release in history]
    assert pointer.release_id == 20


def test_concurrent_rollbacks_each_take_one_step(own_url: str) -> None:
    publish(own_url, tuple(f"fit-{i}" for i in range(9)))
    assert run(walk_back, (own_url, 4), (own_url, 4)) == [0, 0]
    with Store.open(own_url) as store:
        assert store.pointer().release_id == 1


@pytest.mark.parametrize("existing", [True, False], ids=["second release", "first opening"])
def test_death_at_any_statement_leaves_the_old_or_the_new(tmp_path: Path, existing: bool) -> None:
    outcomes = []
    for statement in range(100):
        url = f"sqlite:///{tmp_path}/{statement}.db"
        publish(url, ("fit-1",) if existing else ())
        [code] = run(publish_and_die, (url, "fit-2", statement))
        with Store.open(url) as store:
            history, pointer = store.history(), store.pointer()
            assert len(history) == len(store.events()) == (pointer.release_id or 0)
            if history:
                assert store.bundle_bytes(history[0].fingerprints["fit"])
            store.publish(draft("fit-3"), activate_at=None, now=NOON)
        outcomes.append(len(history) - existing)
        if code == 0:
            break
    assert outcomes == [0] * (len(outcomes) - 1) + [1]
    assert len(outcomes) > 8


def test_death_within_a_promotion_leaves_the_old_or_the_new_in_postgresql_as_well(
    own_postgresql_url: str,
) -> None:
    """All deaths one after the other in one store, each upon what the one before it left."""
    own = own_postgresql_url
    publish(own, ("fit-0",))
    outcomes = []
    for statement in range(100):
        with Store.open(own) as store:
            before = len(store.history())
        [code] = run(publish_and_die, (own, f"fit-{statement + 1}", statement))
        with Store.open(own) as store:
            history, pointer = store.history(), store.pointer()
            assert [event.release_id for event in store.events()] == [release.id for release in history]
            # A sequence goes on where a transaction did not.
            assert pointer.release_id == max(release.id for release in history)
            assert store.bundle_bytes(history[0].fingerprints["fit"])
        outcomes.append(len(history) - before)
        if code == 0:
            break
    assert outcomes == [0] * (len(outcomes) - 1) + [1]
    assert len(outcomes) > 4
