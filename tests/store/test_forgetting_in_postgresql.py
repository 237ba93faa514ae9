"""A store in PostgreSQL forgets as one in SQLite does, and keeps no row of what was overwritten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from serving.store import Draft, Store, StoredBundle

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
EMAIL = "ann@example.com"


def test_what_is_overwritten_is_gone_from_the_tables(postgresql_url: str) -> None:
    drafts = [
        Draft(
            (StoredBundle("fit", "m", f"{n}" * 64, b"x"),),
            EMAIL,
            f"asked by {EMAIL} {'so ' * 300}",
            {"note": EMAIL},
        )
        for n in range(6)
    ]
    with Store.open(postgresql_url) as store:
        for draft in drafts:
            store.publish(draft, activate_at=None, now=NOW)
        assert _in_file(store, "releases")
        assert store.erase(lambda told: told.replace(EMAIL, "*" * len(EMAIL))) == {
            "releases": 6,
            "release_events": 6,
        }
        left, *_ = store.history()
        assert (left.created_by, left.settings) == ("*" * 15, {"note": "*" * 15})
        assert store.erase(lambda told: told.replace(EMAIL, "")) == {}
        assert [table for table in ("releases", "release_events") if _in_file(store, table)] == []


def _in_file(store: Store, table: str) -> bool:
    """Whether the file of a table holds the address: a row that was overwritten may lie there, dead."""
    sql = text("SELECT pg_read_binary_file(pg_relation_filepath(:name))")
    with store.reading() as connection:
        connection.execute(text("CHECKPOINT"))
        return EMAIL.encode() in bytes(connection.execute(sql, {"name": table}).scalar_one())
