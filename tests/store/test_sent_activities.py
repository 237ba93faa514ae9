"""Activities in the store and on their way into the tables: order, once each, sudden death."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from features.workspace import Workspace
from serving.activities.waiting import Waiting
from serving.store import Store, activities, schema
from serving.store.activities import Activity
from serving.store.door import StoreDoor
from serving.store.moving import activity_source, clean_files, export_activities
from training.checks.activity_kills import campaign

AT = datetime.fromisoformat("2026-05-01T12:00:00")


@pytest.fixture
def store(either_url: str) -> Iterator[Store]:
    with Store.open(either_url) as opened:
        yield opened
        with opened.writing() as connection:
            connection.execute(delete(schema.activities))


def made(name: str, account: str = "a", *, minutes: int = 0, contact: str | None = None) -> Activity:
    known_at = AT + timedelta(minutes=minutes)
    return Activity(name, account, contact, "web_visit", "inbound", AT, known_at, quantity=3)


def add(store: Store, *rows: Activity) -> tuple[Activity, ...]:
    with store.writing() as connection:
        activities.lock(connection)
        return activities.add(connection, rows)


def test_rows_come_back_as_they_were_stored_in_a_growing_order(store: Store) -> None:
    kept = (*add(store, made("x"), made("y", contact="c")), *add(store, made("z", "b")))
    # A later store, restored from a backup, goes on above what there was: places count microseconds.
    assert kept[0].sequence == int(AT.replace(tzinfo=UTC).timestamp()) * 1_000_000
    assert [one.sequence - kept[0].sequence for one in kept] == [0, 1, 2]
    with store.reading() as connection:
        found = activities.known(connection, activity_ids={"x", "z", "absent"})
        newest = activities.newest_by_account(connection, after=kept[0].sequence)
        assert activities.count(connection, after=kept[0].sequence, through=kept[2].sequence) == 2
    assert found == {"x": kept[0], "z": kept[2]}
    assert {name: (one.sequence, one.rows) for name, one in newest.items()} == {
        "a": (kept[1].sequence, 1),
        "b": (kept[2].sequence, 1),
    }


def test_many_writers_leave_one_order_in_which_nothing_is_passed_over(store: Store) -> None:
    """Whoever reads what came after the last row that it saw has seen all in the end."""
    names = [f"{writer}-{number}" for writer in range(4) for number in range(10)]
    seen: list[str] = []
    with ThreadPoolExecutor(4) as threads:
        writing = [threads.submit(add, store, made(name)) for name in names]
        after = 0
        while not all(done.done() for done in writing) or len(seen) < len(names):
            with store.reading() as connection:
                found = activities.between(connection, after=after, before=AT + timedelta(1), limit=7)
            seen += [one.activity_id for one in found]
            after = max([after, *(one.sequence for one in found)])
    assert sorted(seen) == sorted(names)


def test_each_row_goes_into_one_file_once_its_second_has_passed(store: Store, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "home")
    add(store, made("x"), made("y", contact="c"))
    assert export_activities(workspace, store, now=AT) == 0
    assert activity_source(workspace) is None
    assert export_activities(workspace, store, now=AT + timedelta(seconds=1)) == 2
    add(store, made("z", minutes=1), made("later", minutes=9), made("behind it", minutes=1))
    assert export_activities(workspace, store, now=AT + timedelta(minutes=2)) == 1
    assert export_activities(workspace, store, now=AT + timedelta(minutes=2)) == 0
    files = sorted((workspace.home / "activities").iterdir())
    assert len(files) == 2
    assert clean_files(workspace, gone=lambda row: row.contact_id == "c") == 1
    assert sorted((workspace.home / "activities").iterdir()) == files


@pytest.fixture(scope="module")
def memory() -> Iterator[Store]:
    with Store.open("sqlite://") as opened:
        yield opened


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(0, 4), max_size=8))
def test_whatever_the_order_of_writes_and_exports_each_row_is_in_one_file(
    steps: list[int], memory: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """0: an export; any other number: so many rows more, some known in the second of the next export."""
    workspace = Workspace(tmp_path_factory.mktemp("home"))
    with memory.writing() as connection:
        connection.execute(delete(schema.activities))
    for minute, step in enumerate(steps):
        add(memory, *(made(f"{minute}-{row}", minutes=minute + row % 2) for row in range(step)))
        if step == 0:
            export_activities(workspace, memory, now=AT + timedelta(minutes=minute))
    export_activities(workspace, memory, now=AT + timedelta(hours=1))
    with memory.reading() as connection:
        kept = activities.between(connection, after=0, before=AT + timedelta(hours=1), limit=100)
    files = sorted(workspace.home.glob("activities/*.parquet"))
    moved = [name for file in files for name in pq.read_table(file).column("activity_id").to_pylist()]
    assert moved == [one.activity_id for one in kept]
    assert len(moved) == sum(steps)


def test_waiting_knows_what_others_wrote_and_what_it_is_told(store: Store) -> None:
    door = StoreDoor(store.engine.url.render_as_string(hide_password=False))
    waiting = Waiting(door)
    first, second = add(store, made("x"), made("y", "b"))
    waiting.cover(first.sequence)
    assert (waiting.rows, waiting.of(["a"], after=first.sequence)) == (1, ())
    assert waiting.of(["a", "b"], after=first.sequence) == (second,)
    (third,) = add(store, made("z"))
    assert waiting.of(["a"], after=first.sequence) == ()
    waiting.note([third])
    assert waiting.of(["a"], after=first.sequence) == (third,)
    # Tables of before: what they lack is known, too, before they answer.
    waiting.cover(0)
    assert (waiting.rows, waiting.of(["a"], after=0)) == (3, (first, third))
    door.close()


def test_a_killed_ingest_neither_loses_an_activity_nor_counts_one_twice(tmp_path: Path) -> None:
    """`python -m training.checks.activity_kills` kills many more."""
    found = campaign(3, seed=5, folder=tmp_path)
    assert found["faults"] == []
    assert found["waiting"] + found["moved"] + found["finished"] == 3
    assert found["steps"] > 40
