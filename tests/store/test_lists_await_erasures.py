"""Whoever changes a list waits for an erasure that looks for rows, and an erasure for whoever changes one."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pytest

from features.errors import WorkspaceError
from serving.lists.requests import ListRequest
from serving.store import Store, engine, lists
from serving.store.turns import erase_alone

NOW = datetime.fromisoformat("2026-05-01T12:00:00")


def test_neither_begins_before_the_other_has_ended(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engine._POSTGRESQL, "options", "-c lock_timeout=100ms")
    given = {"name": f"list {uuid4().hex}", "owner": "Ann", "purpose": "try it"}
    with Store.open(postgresql_url) as one, Store.open(postgresql_url) as other:
        with one.writing() as connection:
            made = lists.add(connection, ListRequest.model_validate(given).draft(), who="Ann", now=NOW)
        with one.writing() as erasing:
            erase_alone(erasing)
            with pytest.raises(WorkspaceError, match="locked by another process"), other.writing() as waiting:
                lists.lock(waiting, list_id=made.id)
        with one.writing() as changing:
            lists.lock(changing, list_id=made.id)
            with pytest.raises(WorkspaceError, match="locked by another process"), other.writing() as waiting:
                erase_alone(waiting)
        with one.writing() as connection:
            assert lists.lock(connection, list_id=made.id) == made
