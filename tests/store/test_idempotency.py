"""A write that comes twice is done once, whatever happens in between; in SQLite and in PostgreSQL."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import Connection, func, select
from store_processes import NOON, entries_of, write_entry, write_once_and_die

from serving.store import Store, audit
from serving.store.idempotency import KEPT_FOR, Answered, RequestInProgressError, RequestReusedError, once
from serving.store.schema import finished_requests

PROCESSES = multiprocessing.get_context("forkserver")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of its own for each test, as the database is one for all."""
    return sha256(request.node.nodeid.encode()).hexdigest()


def do(
    store: Store,
    name: str,
    *,
    body: str = "b" * 64,
    at: timedelta = timedelta(),
    **options: Callable[..., Answered],
) -> Answered:
    write = options.get("write") or write_entry(name)
    with store.writing() as connection:
        return once(connection, name=name, body=body, now=NOON + at, write=write)


def test_the_second_time_is_the_stored_answer(either_url: str, name: str) -> None:
    with Store.open(either_url) as store:
        first, second = do(store, name), do(store, name)
        assert (first.status, first.replayed, second.replayed) == (201, False, True)
        assert first.answer == second.answer
        assert entries_of(store, name) == 1


def test_another_body_is_refused_and_changes_nothing(either_url: str, name: str) -> None:
    with Store.open(either_url) as store:
        do(store, name)
        with pytest.raises(RequestReusedError, match="another body"):
            do(store, name, body="c" * 64)
        assert entries_of(store, name) == 1


def test_after_a_day_the_name_is_free_again(either_url: str, name: str) -> None:
    with Store.open(either_url) as store:
        do(store, name)
        assert do(store, name, at=KEPT_FOR - timedelta(seconds=1)).replayed
        assert not do(store, name, at=KEPT_FOR).replayed
        with store.reading() as connection:
            old = finished_requests.c.at <= NOON
            assert connection.execute(select(func.count()).where(old)).scalar() == 0


def test_a_write_that_fails_keeps_nothing_and_may_come_again(either_url: str, name: str) -> None:
    def fail(connection: Connection) -> Answered:
        write_entry(name)(connection)
        raise ZeroDivisionError

    with Store.open(either_url) as store:
        with pytest.raises(ZeroDivisionError):
            do(store, name, write=fail)
        assert entries_of(store, name) == 0
        assert not do(store, name).replayed


def test_two_at_once_are_done_once(either_url: str, name: str) -> None:
    """PostgreSQL tells the second that the first is at it; SQLite lets it wait and gives it the answer."""
    begun, finish, results = threading.Event(), threading.Event(), []

    def slowly(connection: Connection) -> Answered:
        begun.set()
        assert finish.wait(20)
        return write_entry(name)(connection)

    def second() -> None:
        try:
            results.append(do(store, name).replayed)
        except RequestInProgressError:
            results.append(None)

    with Store.open(either_url) as store:
        one = threading.Thread(target=lambda: do(store, name, write=slowly))
        two = threading.Thread(target=second)
        one.start()
        assert begun.wait(20)
        two.start()
        if "postgresql" in either_url:
            two.join(20)
        finish.set()
        one.join(20)
        two.join(20)
        assert results == [None if "postgresql" in either_url else True]
        assert entries_of(store, name) == 1


def test_death_at_any_statement_leaves_both_or_neither(either_url: str, name: str) -> None:
    with Store.open(either_url) as store:
        for statement in range(20):
            own = f"{statement:02}{name[2:]}"
            process = PROCESSES.Process(target=write_once_and_die, args=(either_url, own, statement))
            process.start()
            process.join(60)
            with store.reading() as connection:
                kept = connection.execute(
                    select(finished_requests.c.answer).where(finished_requests.c.name == own)
                ).scalar()
            assert entries_of(store, own) == (0 if kept is None else 1)
            assert do(store, own).replayed == (kept is not None)
            assert entries_of(store, own) == 1
            if process.exitcode == 0:
                break
        assert process.exitcode == 0
        assert statement > 3
        assert json.loads(kept or "") == {"subject": own}
        with store.reading() as connection:
            assert len(audit.entries(connection)) >= statement
