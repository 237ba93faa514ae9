"""Expansions in the hands of runners: nothing lost whatever is killed, no list of two states of the tables,
nothing of the forgotten kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from server_process import until
from small_workspace import NOW, load_data
from small_workspace import _accounts as some_accounts
from sqlalchemy import update

from features.workspace import Workspace
from serving.jobs import expanding, expansion_parts, running
from serving.jobs.expansion_parts import FIRST, parts_of, told_in
from serving.jobs.runner import LEASE, Runner
from serving.jobs.running import supervised
from serving.jobs.settings import JobSettings
from serving.lists.expansion_requests import ExpandRequest
from serving.store import Store, jobs, schema
from serving.store.jobs import Job

ROOT = Path(__file__).parents[2]
SIZE, AT_ONCE = 35, 10
DYING = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from features.workspace import Workspace
from serving.jobs import expanding
from serving.jobs.runner import Runner
from serving.jobs.settings import JobSettings
_, home, now, number, when, at_once = sys.argv
expanding.AT_ONCE = int(at_once)
keep = expanding._Waiting.keep
def dying(self, part, content, **told):
    if part.number != int(number):
        return keep(self, part, content, **told)
    if when == "after":
        keep(self, part, content, **told)
    os.kill(os.getpid(), signal.SIGKILL)
expanding._Waiting.keep = dying
Runner(Workspace(Path(home)), settings=JobSettings(), clock=lambda: datetime.fromisoformat(now)).turn()
"""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (expanding, expansion_parts):
        monkeypatch.setattr(module, "AT_ONCE", AT_ONCE)


@pytest.fixture
def workspace(without_release: Workspace) -> Workspace:
    """Tables alone: no release is needed."""
    return without_release


def queue(workspace: Workspace, *, name: str = "job", **question: Any) -> None:
    asked = ExpandRequest.model_validate({"size": SIZE} | question).asked()
    parts = parts_of(asked, size=asked["size"])
    job = Job(name, "expand", "queued", NOW, rows=len(parts), language="en", format="csv", as_of=NOW)
    with Store.open(workspace.store_url) as store, store.writing() as connection:
        jobs.add(connection, job, parts)


def found(workspace: Workspace, name: str = "job") -> Job:
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        job = jobs.find(connection, job_id=name)
    assert job is not None
    return job


def stored(workspace: Workspace, name: str = "job") -> list[list[dict[str, Any]]]:
    """What each part holds, but for which snapshot answers."""
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        numbers = jobs.results(connection, job_id=name)
        contents = [jobs.result(connection, job_id=name, number=number) for number in numbers]
    told = [list(told_in(content or b"")) for content in contents]
    told[0][0].pop("snapshot")
    return told


def turn(workspace: Workspace, *, later: timedelta = timedelta()) -> None:
    Runner(workspace, settings=JobSettings(), clock=lambda: NOW + later).turn()


def killed_at(workspace: Workspace, number: int, when: str) -> None:
    told = [str(workspace.home), NOW.isoformat(), str(number), when, str(AT_ONCE)]
    done = subprocess.run([sys.executable, "-c", DYING, *told], cwd=ROOT, check=False)
    assert done.returncode == -9


@pytest.mark.parametrize(
    ("number", "when"), [(0, "before"), (1, "after"), (2, "before"), (2, "after"), (FIRST + 1, "before")]
)
def test_after_kill_9_another_runner_ends_with_the_same_list(
    workspace: Workspace, number: int, when: str
) -> None:
    for name in ("job", "whole"):
        queue(workspace, name=name)
    killed_at(workspace, number, when)
    job = found(workspace)
    assert (job.state, job.done) == ("running", number + (when == "after"))
    for _ in range(2):
        turn(workspace, later=2 * LEASE)
    job = found(workspace)
    assert (job.state, job.done, job.rows) == ("done", FIRST + 4, FIRST + 4)
    told = stored(workspace)
    assert [len(part) for part in told] == [1, 0, 1, 10, 10, 10, 5]
    assert told == stored(workspace, "whole")


def test_after_kill_9_the_supervised_runner_is_started_again_and_ends_with_the_same_list(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Real runners beside a server: what is killed is in the midst of it, and nobody but they go on."""
    # What they are started with is not changed by a test.
    monkeypatch.undo()
    monkeypatch.setattr(running, "_PAUSE", 0.1)
    with supervised(workspace):
        queue(workspace, name="whole")
        until(lambda: found(workspace, "whole").state == "done")
        for attempt in range(5):
            name = f"job {attempt}"
            (runner,) = runners_of(workspace)
            queue(workspace, name=name)
            while found(workspace, name).state == "queued":
                assert runner.is_running()
            runner.kill()
            until(lambda gone=runner: not gone.is_running() or gone.status() == psutil.STATUS_ZOMBIE)
            if (killed := found(workspace, name)).state == "running":
                break
        assert killed.state == "running", "each was done before its runner was killed"
        # As if the time had passed in which a runner that is slow would have given a sign.
        with Store.open(workspace.store_url) as store, store.writing() as connection:
            connection.execute(update(schema.jobs).values(lease_until=NOW - LEASE))
        until(lambda: found(workspace, name).state not in ("running", "queued"))
    assert "the runner of jobs ended with -9 and is started again" in caplog.text
    job = found(workspace, name)
    assert (job.state, job.done) == ("done", job.rows)
    assert stored(workspace, name) == stored(workspace, "whole")


def runners_of(workspace: Workspace) -> list[psutil.Process]:
    """The runners of a workspace that this process has started."""
    return [
        one
        for one in psutil.Process().children()
        if one.is_running() and one.environ().get("SPEARFISH_HOME") == str(workspace.home)
    ]


def test_a_list_that_is_taken_up_after_the_tables_changed_begins_anew(
    workspace: Workspace, tmp_path: Path
) -> None:
    queue(workspace)
    killed_at(workspace, FIRST + 1, "before")
    accounts = some_accounts(np.random.default_rng(5)).iloc[:-1]
    accounts = accounts.assign(
        known_at=NOW - timedelta(days=60), employees=accounts["employees"] * 7 % 900 + 1
    )
    load_data(workspace, folder=tmp_path, accounts=[accounts])
    turn(workspace, later=2 * LEASE)
    queue(workspace, name="whole")
    turn(workspace, later=2 * LEASE)
    assert found(workspace).state == "done"
    assert stored(workspace) == stored(workspace, "whole")


def test_what_cannot_be_answered_fails_once_and_says_why(workspace: Workspace) -> None:
    queue(workspace, mode="intent")
    turn(workspace)
    queue(workspace, name="few", filters={"industries": ["fishing"]})
    turn(workspace)
    # Without a release the first one waits: it may come.
    assert found(workspace).state == "queued"
    failed = found(workspace, "few")
    assert failed.problem is None or "no seed is an account" in failed.problem


def test_the_forgotten_leave_questions_and_lists(workspace: Workspace) -> None:
    queue(workspace, account_ids=["acc-00", "acc-03", "acc-07"])
    with Store.open(workspace.store_url) as store:
        store.erase(lambda text: text, gone=lambda kind, name: (kind, name) == ("account", "acc-07"))
    turn(workspace)
    first, *_, some = stored(workspace)[: FIRST + 1]
    assert first[0]["account_ids"] == ["acc-00", "acc-03"]
    lost = some[0]["account_id"]
    with Store.open(workspace.store_url) as store:
        store.erase(
            lambda text: text,
            gone=lambda kind, name: (kind, name) in {("account", lost), ("account", "acc-03")},
        )
    told = [one for part in stored(workspace)[FIRST:] for one in part]
    assert len(told) == SIZE - 1
    assert lost not in {one["account_id"] for one in told}
    assert {seed["account_id"] for one in told for seed in one["nearest"]} == {"acc-00"}


def test_a_copy_is_a_copy(workspace: Workspace, tmp_path: Path) -> None:
    """Equal tables and seeds give an equal list, wherever."""
    other = Workspace(tmp_path / "other")
    shutil.copytree(workspace.home, other.home)
    for place in (workspace, other):
        queue(place)
        turn(place)
    assert stored(workspace) == stored(other)
