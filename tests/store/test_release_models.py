"""Releases of several models, and stores from before there were any."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from store_processes import NOON, draft

from serving.store import Store, engine

_OLD = """
    INSERT INTO bundles VALUES ('fit-1', 'fit', 'icp_fit', x'01', '2026-05-01 12:00:00'),
        ('fit-2', 'fit', 'icp_fit', x'02', '2026-05-01 12:00:00'),
        ('intent-1', 'intent', 'buying_intent', x'03', '2026-05-01 12:00:00');
    INSERT INTO releases VALUES
        (1, '2026-05-01 12:00:00', 'Ada', 'better', 'fit-1', NULL, '{"time_zone": "UTC"}', NULL),
        (2, '2026-05-01 12:00:00', 'Ada', 'better', 'fit-2', 'intent-1', '{}', 1);
    UPDATE pointer SET release_id = 2, activate_at = '2026-05-01 12:00:00', replaced_id = 1;
    INSERT INTO release_events (at, who, why, action, release_id, replaced_id, activate_at)
        VALUES ('2026-05-01 12:00:00', 'Ada', 'better', 'promote', 2, 1, '2026-05-01 12:00:00');
"""


@pytest.fixture
def old_store(tmp_path: Path) -> Path:
    """A store as the migration before left it, with two releases."""
    file = tmp_path / "store.db"
    config = Config()
    config.set_main_option("script_location", str(Path(engine.__file__).parent / "migrations"))
    made = create_engine(f"sqlite:///{file}")
    with made.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    made.dispose()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(_OLD)
    return file


def test_releases_of_before_are_read_walked_back_and_followed(old_store: Path) -> None:
    with Store.open(f"sqlite:///{old_store}") as store:
        assert [(one.id, one.fingerprints, one.previous_id) for one in store.history()] == [
            (2, {"fit": "fit-2", "intent": "intent-1"}, 1),
            (1, {"fit": "fit-1"}, None),
        ]
        assert store.release(1).settings == {"time_zone": "UTC"}
        current = store.current(NOON)
        assert current is not None
        assert (current.id, len(store.events())) == (2, 1)
        assert store.step_back(activate_at=None, who="Bob", why="worse", now=NOON).release.id == 1
        assert store.publish(draft("fit-2"), activate_at=None, now=NOON).release.id == 3
    with closing(sqlite3.connect(old_store)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
