"""New tables beside those that answer: taken whole or not at all, and no release waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import in_process
import pytest
import small_workspace
from in_process import open_to_everybody
from prometheus_client import REGISTRY
from server_process import PATIENCE, until
from small_workspace import load_data, publish

from features.workspace import Workspace
from serving import new_tables
from serving.desk import Snapshot
from serving.holder import DeskHolder
from serving.remembered import Remembered


@pytest.fixture
def workspace(without_release: Workspace) -> Workspace:
    publish(without_release, kinds=["fit"])
    return without_release


@pytest.fixture
def holder(workspace: Workspace) -> Iterator[DeskHolder]:
    """One that looks when it is told to, and answers from the tables and the release that are there."""
    made = DeskHolder(workspace)
    made.look()
    made.require_ready()
    yield made
    made.executor.shutdown()
    made.door.close()


def ingest_newcomer(workspace: Workspace) -> Path:
    """New tables, in which there is one more account; their folder."""
    frame = small_workspace.frames()["accounts"]
    newcomer = frame.iloc[[0]].assign(account_id="newcomer", domain="new.example")
    load_data(workspace, folder=workspace.home.parent, accounts=[frame, newcomer])
    return workspace.snapshots / workspace.manifest().snapshot


def asked(holder: DeskHolder, account_id: str) -> httpx.Response:
    return in_process.ask(
        open_to_everybody(holder), "POST", "/v1/score", json={"account_id": account_id, "as_of": None}
    )


def fault(part: str) -> float | None:
    return REGISTRY.get_sample_value("spearfish_fault", {"part": part})


@pytest.mark.parametrize("table", ["accounts", "activities"])
@pytest.mark.parametrize("damage", ["half removed", "damaged"])
def test_tables_that_cannot_be_read_leave_those_before_and_are_told_of(
    workspace: Workspace, holder: DeskHolder, caplog: pytest.LogCaptureFixture, table: str, damage: str
) -> None:
    before = asked(holder, "acc-20").json()
    folder = ingest_newcomer(workspace)
    second = publish(workspace, kinds=["fit"], seed=2)
    file = folder / workspace.manifest().tables[table].files[0]
    content = file.read_bytes()
    if damage == "damaged":
        file.write_bytes(content[: len(content) // 2])
    else:
        file.unlink()
    for _ in range(3):
        holder.renew()
    assert asked(holder, "acc-20").json() | {"request_id": ""} == before | {"request_id": ""}
    assert asked(holder, "newcomer").status_code == 404
    assert fault("tables") == 1
    said = [one.getMessage() for one in caplog.records if "new tables are not taken" in one.getMessage()]
    assert len(said) == 1, "and once, though it is tried again and again"
    assert "those before go on answering" in said[0]
    # A release does not wait until somebody has mended the tables.
    holder.look()
    assert asked(holder, "acc-20").json()["release"]["id"] == second
    assert fault("release") == 0

    file.write_bytes(content)

    def taken() -> bool:
        holder.renew()
        return asked(holder, "newcomer").status_code == 200

    until(taken)
    assert fault("tables") == 0
    assert asked(holder, "newcomer").json()["release"]["id"] == second


def test_a_release_does_not_wait_for_tables_that_take_long(
    workspace: Workspace, holder: DeskHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slow(*given: Any, **named: Any) -> Snapshot:
        reading.set()
        assert go_on.wait(PATIENCE)
        return Snapshot(*given, **named)

    monkeypatch.setattr(new_tables, "Snapshot", slow)
    ingest_newcomer(workspace)
    thread = threading.Thread(target=holder.renew)
    thread.start()
    try:
        assert reading.wait(PATIENCE)
        second = publish(workspace, kinds=["fit"], seed=2)
        holder.look()
        assert asked(holder, "acc-20").json()["release"]["id"] == second
        assert asked(holder, "newcomer").status_code == 404
    finally:
        go_on.set()
        thread.join()
    assert asked(holder, "newcomer").json()["release"]["id"] == second


def test_tables_never_bring_back_the_release_that_answered_when_they_were_read(
    workspace: Workspace, holder: DeskHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that comes while a desk is made for the one before answers from the new tables, too."""
    make, releases = holder._made, list[int]()

    def overtaken(release: Any, snapshot: Snapshot, **named: Any) -> Remembered:
        if not releases:
            releases.append(publish(workspace, kinds=["fit"], seed=2))
            holder.look()
        return make(release, snapshot, **named)

    ingest_newcomer(workspace)
    monkeypatch.setattr(holder, "_made", overtaken)
    before = holder.desk()
    holder.renew()
    assert holder.desk().release.release.id == releases[0]
    assert asked(holder, "newcomer").json()["release"]["id"] == releases[0]
    assert before.snapshot is not holder.desk().snapshot


def test_facts_are_told_through_when_they_are_known(workspace: Workspace, holder: DeskHolder) -> None:
    through = workspace.manifest().data_through
    assert through is not None
    seconds = (through - small_workspace.START.replace(year=1970)).total_seconds()
    assert REGISTRY.get_sample_value("spearfish_data_through_seconds") == seconds


@pytest.mark.parametrize("error", [KeyError("activities"), RuntimeError("cannot start a thread")])
def test_whatever_tables_raise_is_a_fault_that_is_told(workspace: Workspace, error: Exception) -> None:
    def take(snapshot: Snapshot) -> None:
        raise error

    tables = new_tables.NewTables(workspace, current=lambda: None, take=take)
    tables.look()
    assert str(error) in str(tables.fault)
    assert fault("tables") == 1
