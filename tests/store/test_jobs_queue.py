"""The queue of jobs: one runner for each, parts answered once, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from sqlalchemy import delete

from serving.jobs.reading import PART_SCHEMA
from serving.jobs.results import RESULT_SCHEMA, from_bytes, result_table, to_bytes
from serving.store import Store, jobs, schema
from serving.store.job_figures import JobFigures, job_figures
from serving.store.jobs import Job, Part

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
LEASE = timedelta(seconds=30)


@pytest.fixture
def store(either_url: str) -> Iterator[Store]:
    """A store without jobs, which leaves none to other tests."""
    with Store.open(either_url) as opened:
        yield opened
        with opened.writing() as connection:
            connection.execute(delete(schema.job_parts))
            connection.execute(delete(schema.jobs))


def queued(store: Store, job_id: str = "a", *, parts: int = 2, after: int = 0, content: bytes = b"in") -> Job:
    moment = NOW + timedelta(seconds=after)
    job = Job(job_id, "score", "queued", moment, rows=10 * parts, language="en", format="csv")
    with store.writing() as connection:
        made = (Part(number, 1 + 10 * number, 10, content) for number in range(parts))
        jobs.add(connection, job, made)
    return job


def claimed(store: Store, lease: str, *, after: int = 0) -> Job | None:
    now = NOW + timedelta(seconds=after)
    with store.writing() as connection:
        return jobs.claim(connection, lease=lease, now=now, until=now + LEASE)


def found(store: Store, job_id: str = "a") -> Job:
    with store.reading() as connection:
        job = jobs.find(connection, job_id=job_id)
    assert job is not None
    return job


def finished(store: Store, lease: str, *, number: int, failed: int = 0) -> bool:
    with store.writing() as connection:
        return jobs.finish_part(
            connection, job_id="a", lease=lease, number=number, content=b"out", failed=failed
        )


def waiting(store: Store) -> list[int]:
    """The numbers of the parts that are left."""
    numbers, after = [], -1
    with store.reading() as connection:
        while (part := jobs.next_part(connection, job_id="a", after=after)) is not None:
            numbers.append(after := part.number)
    return numbers


def test_each_job_has_one_runner_and_the_oldest_goes_first(store: Store) -> None:
    queued(store, "b", after=1)
    queued(store, "a")
    taken = [claimed(store, lease) for lease in ("x", "y", "z")]
    assert [job and job.id for job in taken] == ["a", "b", None]
    with store.reading() as connection:
        assert job_figures(connection, now=NOW).jobs["running"] == 2


def test_a_job_goes_on_after_the_last_finished_part_once_its_runner_falls_silent(store: Store) -> None:
    queued(store, parts=3)
    claimed(store, "x")
    assert finished(store, "x", number=0, failed=2)
    with store.writing() as connection:
        assert jobs.beat(connection, job_id="a", lease="x", until=NOW + 2 * LEASE)
    assert claimed(store, "y", after=31) is None
    later = claimed(store, "y", after=61)
    assert later is not None
    assert (later.started_at, later.done, later.failed, later.attempts) == (NOW, 10, 2, 1)
    assert waiting(store) == [1, 2]
    # The silent one wakes up: nothing of what it says counts.
    assert not finished(store, "x", number=1)
    with store.writing() as connection:
        assert not jobs.beat(connection, job_id="a", lease="x", until=NOW + LEASE)
        assert not jobs.finish(connection, job_id="a", lease="x", now=NOW)
        assert not jobs.fail(connection, job_id="a", lease="x", problem="{}", now=NOW)
    assert found(store) == later
    # And a part counts once, even for the one whose turn it is.
    assert [finished(store, "y", number=number) for number in (1, 1, 2, 0)] == [True, False, True, False]
    with store.writing() as connection:
        assert jobs.finish(connection, job_id="a", lease="y", now=NOW)
    assert (found(store).state, found(store).done, waiting(store)) == ("done", 30, [])
    with store.reading() as connection:
        numbers = jobs.results(connection, job_id="a")
        assert [jobs.result(connection, job_id="a", number=number) for number in numbers] == [b"out"] * 3


@pytest.mark.parametrize(("tried", "attempts"), [(True, 2), (False, 1)])
def test_a_job_that_is_given_back_may_be_taken_at_once(store: Store, *, tried: bool, attempts: int) -> None:
    queued(store)
    claimed(store, "x")
    with store.writing() as connection:
        assert jobs.give_back(connection, job_id="a", lease="x", tried=tried)
    again = claimed(store, "y")
    assert again is not None
    assert again.attempts == attempts


def test_a_cancelled_job_is_nobodys_and_its_rows_are_gone(store: Store) -> None:
    queued(store)
    claimed(store, "x")
    with store.writing() as connection:
        assert jobs.cancel(connection, job_id="a", now=NOW)
        assert not jobs.cancel(connection, job_id="a", now=NOW)
    assert not finished(store, "x", number=0)
    assert (found(store).state, waiting(store), claimed(store, "y")) == ("cancelled", [], None)


def test_old_jobs_go_with_their_results(store: Store) -> None:
    queued(store, "old")
    queued(store, "new")
    with store.writing() as connection:
        jobs.cancel(connection, job_id="old", now=NOW - LEASE)
        jobs.cancel(connection, job_id="new", now=NOW)
        assert [jobs.prune(connection, before=NOW) for _ in range(2)] == [1, 0]
        assert [job.id for job in jobs.newest(connection, limit=9)] == ["new"]


def rows(*told: dict[str, str]) -> bytes:
    return to_bytes(pa.Table.from_pylist(list(told), schema=PART_SCHEMA))


def test_the_forgotten_go_from_files_that_wait_and_from_results(store: Store) -> None:
    ann = '{"record":{"account":{"name":"X"},"activities":[{"contact_id":"c-1","channel":"web_visit"}]}}'
    queued(
        store,
        parts=1,
        content=rows(
            {"account_id": "acc-1"},
            {"account_id": "acc-2"},
            {"lead": '{"email":"ann@example.com"}'},
            {"body": ann},
            {"record": ann.replace("c-1", "c-2")},
            {"body": '{"account_id":"acc-1"}'},
            {"body": "not even JSON"},
        ),
    )
    queued(store, "b", parts=1)
    results = {
        "row": [1, 2],
        "account_id": ["acc-1", "acc-2"],
        "asked_account_id": ["old-1", "acc-2"],
        "name": ["Gone", "Stays"],
        "error_detail": [None, "ask ann@example.com"],
        "fit_score": [1.5, 2.5],
    }
    with store.writing() as connection:
        part = {"input": None, "result": to_bytes(result_table(results, rows=2))}
        connection.execute(schema.job_parts.update().where(schema.job_parts.c.job_id == "b").values(part))
    changed = store.erase(
        lambda text: text.replace("ann@example.com", "*" * 15),
        gone=lambda kind, name: (kind, name) in {("account", "acc-1"), ("contact", "c-1")},
    )
    assert changed == {"job_parts": 2}
    with store.reading() as connection:
        part_a = jobs.next_part(connection, job_id="a")
        result = jobs.result(connection, job_id="b", number=0)
    assert part_a is not None
    assert result is not None
    left = from_bytes(part_a.content).to_pylist()
    assert [row["fault"] is not None for row in left] == [True, False, True, True, False, True, False]
    assert not [row for row in left if row["fault"] and any(row[name] for name in ("account_id", "body"))]
    table = from_bytes(result)
    assert table.schema == RESULT_SCHEMA
    assert table.select(
        ["account_id", "asked_account_id", "name", "error_detail", "fit_score"]
    ).to_pylist() == [
        {"account_id": None, "asked_account_id": None, "name": None, "error_detail": None, "fit_score": 1.5},
        {"account_id": "acc-2", "asked_account_id": "acc-2", "name": "Stays"}
        | {"error_detail": f"ask {'*' * 15}", "fit_score": 2.5},
    ]
    assert store.erase(str, gone=lambda *_: False) == {}


def test_figures_tell_how_jobs_go(store: Store) -> None:
    def figures(after: int) -> JobFigures:
        with store.reading() as connection:
            return job_figures(connection, now=NOW + timedelta(seconds=after))

    none = {"queued": 0, "running": 0, "done": 0, "failed": 0, "cancelled": 0}
    assert figures(0) == JobFigures(none, answered=0, refused=0, waiting=0, seconds=0, oldest=0)
    queued(store, "a")
    queued(store, "b", after=30)
    assert figures(40) == JobFigures(none | {"queued": 2}, 0, 0, waiting=40, seconds=0, oldest=40)
    assert claimed(store, "one", after=60)
    assert finished(store, "one", number=0, failed=3)
    counted = none | {"queued": 1, "running": 1}
    assert figures(70) == JobFigures(counted, answered=7, refused=3, waiting=30, seconds=0, oldest=70)
    assert finished(store, "one", number=1)
    with store.writing() as connection:
        assert jobs.finish(connection, job_id="a", lease="one", now=NOW + timedelta(seconds=85))
    counted = none | {"queued": 1, "done": 1}
    assert figures(90) == JobFigures(counted, answered=17, refused=3, waiting=20, seconds=25, oldest=60)
    with store.writing() as connection:
        assert jobs.cancel(connection, job_id="b", now=NOW + timedelta(seconds=95))
    counted = none | {"done": 1, "cancelled": 1}
    assert figures(100) == JobFigures(counted, answered=17, refused=3, waiting=0, seconds=25, oldest=0)
