"""Runners: one release for a whole job, no row lost or answered twice whatever is killed, nothing forgotten
kept."""

from __future__ import annotations

import gc
import io
import os
import shutil
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from server_process import until
from small_workspace import ACCOUNTS, NOW, account_id, publish

from features.errors import EngineError, WorkspaceError
from features.privacy.forgetting import Request
from features.workspace import Workspace
from serving.jobs import reading, work
from serving.jobs.answering import Answerer
from serving.jobs.gathering import JobDesk
from serving.jobs.reading import read_parts
from serving.jobs.results import from_bytes, to_bytes
from serving.jobs.runner import LEASE, Runner
from serving.jobs.settings import JobSettings
from serving.store import Store, jobs
from serving.store.door import StoreDoor
from serving.store.jobs import Job, Part
from training.forgetting import forget

ROOT = Path(__file__).parents[2]
NAMES = [account_id(number) for number in range(0, ACCOUNTS, 4)]
PARTS = 6


@pytest.fixture
def workspace(company: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the company, to write to."""
    copy = Workspace(tmp_path / "workspace")
    shutil.copytree(company.home, copy.home, ignore=shutil.ignore_patterns("store.db*", "bentoml", "limits"))
    with Store.open(company.store_url) as theirs, Store.open(copy.store_url) as ours:
        raw, target = theirs.engine.raw_connection(), ours.engine.raw_connection()
        raw.driver_connection.backup(target.driver_connection)
        raw.close()
        target.close()
    return copy


def queue(
    workspace: Workspace, *, names: list[str] = NAMES, in_parts: int = PARTS, job_id: str = "job"
) -> str:
    """A job in several parts; its name."""
    parts, first = [], 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "MOST_ROWS", len(names) // in_parts)
        content = "\n".join(["account_id", *names]).encode()
        for number, part in enumerate(read_parts(io.BytesIO(content), file_format="csv", most_rows=1_000)):
            parts.append(Part(number, first, part.num_rows, to_bytes(part)))
            first += part.num_rows
    job = Job(job_id, "score", "queued", NOW, rows=first - 1, language="en", format="csv")
    with Store.open(workspace.store_url) as store, store.writing() as connection:
        jobs.add(connection, job, parts)
    return job.id


def runner(workspace: Workspace, *, later: timedelta = timedelta()) -> Runner:
    return Runner(workspace, settings=JobSettings(), clock=lambda: NOW + later)


def found(workspace: Workspace) -> Job:
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        job = jobs.find(connection, job_id="job")
    assert job is not None
    return job


def rows(workspace: Workspace, *, job_id: str = "job") -> list[dict[str, Any]]:
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        numbers = jobs.results(connection, job_id=job_id)
        contents = [jobs.result(connection, job_id=job_id, number=number) for number in numbers]
    return [row for content in contents for row in from_bytes(content or b"").to_pylist()]


def before_each_part(patch: pytest.MonkeyPatch, act: Callable[[int], None]) -> None:
    """Do something before each part is told, by its first row."""
    tell = Answerer.tell

    def acting(self: Answerer, looked: Any) -> Any:
        act(looked.first_row)
        return tell(self, looked)

    patch.setattr(Answerer, "tell", acting)


@pytest.fixture(scope="module")
def whole(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The result when nothing happens."""
    copy = Workspace(tmp_path_factory.mktemp("whole") / "workspace")
    shutil.copytree(company.home, copy.home)
    queue(copy)
    assert runner(copy).turn()
    job = found(copy)
    assert (job.state, job.done, job.failed, job.started_at) == ("done", len(NAMES), 0, NOW)
    assert job.fingerprints is not None
    assert set(job.fingerprints) == {"fit", "intent"}
    made = rows(copy)
    assert [row["asked_account_id"] for row in made] == NAMES
    assert [row["row"] for row in made] == list(range(1, len(NAMES) + 1))
    return made


def test_after_kill_9_another_runner_goes_on_at_the_last_finished_part(
    workspace: Workspace, whole: list[dict[str, Any]]
) -> None:
    """The job began at NOW, so that its rows stay comparable whenever they are answered."""
    queue(workspace)
    with Store.open(workspace.store_url) as store:
        with store.writing() as connection:
            jobs.claim(connection, lease="dead", now=NOW, until=NOW)
        environment = os.environ | {"SPEARFISH_HOME": str(workspace.home), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "serving.jobs"]
        with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
            until(lambda: found(workspace).done > 0)
            process.send_signal(signal.SIGKILL)
        killed = found(workspace)
        assert killed.done <= len(NAMES)
        if killed.state == "running":
            assert killed.lease_until is not None
            runner(workspace, later=killed.lease_until - NOW + LEASE).turn()
    assert found(workspace).state == "done"
    assert found(workspace).done == len(NAMES)
    assert rows(workspace) == whole


def test_a_stopped_runner_gives_its_job_back_and_a_promotion_does_not_touch_it(
    workspace: Workspace, whole: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(workspace)
    first = runner(workspace)
    with monkeypatch.context() as patch:
        before_each_part(patch, lambda row: first.stop() if row > 1 else None)
        first.turn()
    given_back = found(workspace)
    assert (given_back.state, given_back.done, given_back.attempts) == ("queued", len(NAMES) // PARTS, 0)
    release = given_back.release_id
    assert publish(workspace, kinds=("fit",), seed=2) != release
    assert runner(workspace, later=timedelta(days=1)).turn()
    assert (found(workspace).release_id, rows(workspace)) == (release, whole)


@pytest.mark.parametrize("room", [True, False])
def test_features_that_are_gathered_first_change_nothing(
    workspace: Workspace, whole: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, *, room: bool
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    gathered = list[int]()
    turn_to = JobDesk.turn_to
    monkeypatch.setattr(JobDesk, "turn_to", lambda self, named: (gathered.append(1), turn_to(self, named)))
    monkeypatch.setattr(work, "_MANY_FACTS", 0)
    monkeypatch.setattr(work, "MOST_ROWS", 1)
    if not room:
        monkeypatch.setattr("os.posix_fallocate", full)
    queue(workspace)
    assert runner(workspace).turn()
    assert rows(workspace) == whole
    assert len(gathered) == PARTS + bool(len(NAMES) % PARTS)


def test_answers_do_not_depend_on_the_size_of_the_parts(workspace: Workspace) -> None:
    """Nor do those of rows that are refused: one nobody knows, and one that an earlier part has."""
    names = [*NAMES[:9], "nobody", *NAMES[9:], NAMES[0]]
    found = list[list[dict[str, Any]]]()
    for in_parts in (1, 2, len(names)):
        job_id = queue(workspace, names=names, in_parts=in_parts, job_id=f"in {in_parts}")
        assert runner(workspace).turn()
        found.append(rows(workspace, job_id=job_id))
    assert found[0] == found[1] == found[2]
    refused = {row["row"]: row["error"] for row in found[0] if row["error"]}
    assert refused == {10: "unknown-account", len(names): "duplicate-account"}


def test_a_job_holds_two_parts_at_once_however_many_there_are(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with a row that is refused, as every large file has some; Python's collector looks too seldom."""
    held, look, features = list[int](), Answerer.look, list[weakref.ref[Any]]()

    def looking(self: Answerer, *given: Any, **named: Any) -> Any:
        looked = look(self, *given, **named)
        _, matrix = looked.matrices["fit"]
        features.append(weakref.ref(matrix))
        held.append(sum(one() is not None for one in features))
        return looked

    monkeypatch.setattr(Answerer, "look", looking)
    queue(workspace, names=[each for name in NAMES[:12] for each in (name, "nobody")], in_parts=12)
    gc.disable()
    try:
        assert runner(workspace).turn()
    finally:
        gc.enable()
    assert held == [1, *[2] * 11]


def test_a_store_that_is_gone_for_a_while_loses_nothing(
    workspace: Workspace, whole: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(workspace)
    monkeypatch.setattr("serving.jobs.runner._PAUSE", 0.01)
    open_store, calls = StoreDoor.open, [0]

    def failing(self: StoreDoor) -> Store:
        calls[0] += 1
        if calls[0] > 3 and calls[0] % 2:
            raise WorkspaceError("the store is locked by another process")
        return open_store(self)

    monkeypatch.setattr(StoreDoor, "open", failing)
    at_work = runner(workspace)
    until(lambda: at_work.turn() and found(workspace).state == "done")
    assert rows(workspace) == whole


def test_a_cancelled_job_is_dropped_by_its_runner(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(workspace)

    def cancel(_: int) -> None:
        with Store.open(workspace.store_url) as store, store.writing() as connection:
            jobs.cancel(connection, job_id="job", now=NOW)

    before_each_part(monkeypatch, cancel)
    assert runner(workspace).turn()
    assert (found(workspace).state, rows(workspace)) == ("cancelled", [])


def test_a_job_that_never_comes_on_fails_and_says_why(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(workspace)

    def broken(*_: object, **__: object) -> None:
        raise EngineError("the SQL engine failed", sql="SELECT 1")

    monkeypatch.setattr(Answerer, "look", broken)
    at_work = runner(workspace)
    turns = [at_work.turn() for _ in range(jobs.MOST_ATTEMPTS)]
    assert turns == [False] * (jobs.MOST_ATTEMPTS - 1) + [True]
    job = found(workspace)
    assert (job.state, rows(workspace)) == ("failed", [])
    assert "the SQL engine failed" in (job.problem or "")


def test_a_job_that_kills_its_runners_fails_in_the_end(workspace: Workspace) -> None:
    queue(workspace)
    with Store.open(workspace.store_url) as store:
        for _ in range(jobs.MOST_ATTEMPTS):
            with store.writing() as connection:
                jobs.claim(connection, lease="dead", now=NOW, until=NOW - LEASE)
    assert runner(workspace).turn()
    assert (found(workspace).state, "again and again" in (found(workspace).problem or "")) == ("failed", True)


def test_who_is_forgotten_while_a_job_runs_is_in_no_result(
    workspace: Workspace, whole: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(workspace)
    gone, done = NAMES[len(NAMES) // PARTS], list[int]()

    def act(row: int) -> None:
        if row > 1 and not done:
            done.append(row)
            forget(workspace, Request(accounts=(gone,)), who="Ada", now=NOW, patience=0)

    before_each_part(monkeypatch, act)
    assert runner(workspace).turn()
    left = rows(workspace)
    assert (found(workspace).state, len(left)) == ("done", len(NAMES))
    place = NAMES.index(gone)
    assert [left[place][name] for name in ("account_id", "asked_account_id", "name", "domain")] == [None] * 4
    assert left[place]["row"] == place + 1
    assert gone not in str(left)
    assert left[:place] + left[place + 1 :] == whole[:place] + whole[place + 1 :]


def test_results_are_dropped_when_their_days_are_over(workspace: Workspace) -> None:
    queue(workspace)
    assert runner(workspace).turn()
    assert not runner(workspace, later=timedelta(days=7)).turn()
    assert found(workspace).state == "done"
    assert not runner(workspace, later=timedelta(days=7, seconds=1)).turn()
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        assert jobs.find(connection, job_id="job") is None
