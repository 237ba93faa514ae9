"""A store that is replaced under a worker, as by restoring it: what the new one says counts, and at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import small_workspace
from in_process import ask
from small_workspace import account_id

from features.errors import WorkspaceError
from features.workspace import Workspace
from serving.access.access import Access
from serving.access.managing import create_key
from serving.holder import DeskHolder
from serving.scoring import utc_now
from serving.store import Store
from serving.store.door import StoreDoor
from serving.web.application import application
from serving.web.services import Services


@pytest.fixture
def home(company: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(company.home, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def holder(home: Workspace) -> Iterator[DeskHolder]:
    made = DeskHolder(home)
    made.look()
    yield made
    made.executor.shutdown()
    made.door.close()


def restored(home: Workspace, backup: Path) -> None:
    """As an administrator does it: the old file aside, the other one in its place."""
    for file in home.home.glob("store.db*"):
        file.unlink()
    shutil.copy(backup, home.home / "store.db")


def key(home: Workspace) -> str:
    with Store.open(home.store_url) as store:
        scopes = ["score", "activities"]
        return create_key(store, owner="CRM", scopes=scopes, who="Ada", now=utc_now()).text


def test_releases_keys_and_activities_are_those_of_the_restored_store(
    home: Workspace, holder: DeskHolder, tmp_path: Path
) -> None:
    with Store.open(home.store_url) as store:
        store.engine.dispose()
    shutil.copy(home.home / "store.db", tmp_path / "backup.db")
    access = Access(holder.door, limits=None)
    app = application(Services(answers=holder, access=access, door=holder.door))
    lost = key(home)
    second = small_workspace.publish(home, kinds=["fit"], seed=2)
    look(holder, access)
    visit = {"activity_id": "a", "account_id": account_id(7), "channel": "webinar", "direction": "inbound"}
    rows = {"activities": [visit | {"occurred_at": "2026-03-01T10:00:00Z"}]}
    assert asked(app, lost, "/v1/activities", rows).json()["accepted"] == 1
    before = asked(app, lost, "/v1/score", {"account_id": account_id(7)}).json()
    assert before["release"]["id"] == second

    restored(home, tmp_path / "backup.db")
    since = key(home)
    assert small_workspace.publish(home, kinds=["fit"], seed=3) == second, "its numbers begin where it ended"
    look(holder, access)
    assert asked(app, lost, "/v1/score", {"account_id": account_id(7)}).status_code == 401
    after = asked(app, since, "/v1/score", {"account_id": account_id(7)}).json()
    assert after["release"]["id"] == second
    assert after["fit"]["model"]["fingerprint"] != before["fit"]["model"]["fingerprint"]
    assert after["as_of"] < before["as_of"], "the activity is not known to this store"
    assert asked(app, since, "/v1/activities", rows).json()["accepted"] == 1
    again = asked(app, since, "/v1/score", {"account_id": account_id(7)}).json()
    assert again["as_of"] > after["as_of"]


def look(holder: DeskHolder, access: Access) -> None:
    holder.look()
    access.look()


def asked(app: Any, key: str, path: str, body: dict[str, Any]) -> httpx.Response:
    return ask(app, "POST", path, json=body, headers={"Authorization": f"Bearer {key}"})


def test_a_store_that_is_gone_is_not_written_to(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    door = StoreDoor(f"sqlite:///{file}")
    opened = door.open()
    file.rename(tmp_path / "aside.db")
    with pytest.raises(WorkspaceError, match=r"the store is gone.*put it back"):
        door.open()
    assert not file.exists()
    (tmp_path / "aside.db").rename(file)
    assert door.open() is opened
    door.close()
