"""A store that is locked, full, overrun or gone says so as one error, and loses nothing that it took."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from logging_process import made
from sqlalchemy import create_engine, delete, event, text

from features.errors import WorkspaceError
from serving.store import Store, engine, predictions
from serving.store.schema import predictions as table
from serving.store.turns import erase_alone, wait_for_erasing


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


def keep(store: Store, *numbers: int) -> None:
    """One transaction for each."""
    for number in numbers:
        with store.writing() as connection:
            predictions.insert(connection, [made(f"r{number}", evidence=bytes(50_000))])


def kept(store: Store) -> list[str]:
    with store.reading() as connection:
        return sorted(row.request_id for row in predictions.newest(connection, limit=1_000))


def test_a_full_disk_loses_nothing_that_was_taken(store: Store) -> None:
    most = [1_000_000]

    @event.listens_for(store.engine, "begin")
    def no_room(connection: Any) -> None:
        # As SQLite itself finds a full disk.
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most[0]}")

    with store.reading() as connection:
        most[0] = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 100
    keep(store, *range(5))
    with pytest.raises(WorkspaceError, match=r"the disk is full.*free some space"):
        keep(store, *range(5, 20))
    taken = kept(store)
    assert taken == sorted(f"r{number}" for number in range(len(taken)))
    assert len(taken) >= 5
    most[0] = 1_000_000
    keep(store, 99)
    assert kept(store) == sorted([*taken, "r99"])


def test_more_connections_than_there_are_is_a_fault_of_the_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    one = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    with engine.reading(one), pytest.raises(WorkspaceError, match="does not answer"), engine.reading(one):
        pass
    one.dispose()


def test_a_lock_of_postgresql_is_not_waited_for_for_good(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engine._POSTGRESQL, "options", "-c lock_timeout=100ms")
    with Store.open(postgresql_url) as holding, Store.open(postgresql_url) as store:
        with holding.writing() as held:
            erase_alone(held)
            with pytest.raises(WorkspaceError, match="locked by another process"), store.writing() as waiting:
                wait_for_erasing(waiting)
        with store.writing() as connection:
            wait_for_erasing(connection)
            predictions.insert(connection, [made("after")])
        assert "after" in kept(store)
        with store.writing() as connection:
            connection.execute(delete(table))


def test_what_the_url_says_of_waiting_counts(postgresql_url: str) -> None:
    for told, expected in (("", "10s"), ("?options=-c%20lock_timeout%3D3s", "3s")):
        with Store.open(postgresql_url + told) as store, store.reading() as connection:
            assert connection.execute(text("SHOW lock_timeout")).scalar() == expected
