"""The tables of people who use the page, in SQLAlchemy's words.

Declares who was invited, the one-time links that they sign in by, and their sessions. Neither a link nor a
session is here, only what is left of it by SHA-256. Time rule: moments are naive UTC, whole seconds. Null
rule: somebody without `removed_at` may sign in; a link without `used_at` and `withdrawn_at` was not used yet;
a session without `ended_at` goes on until it expires.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table

from serving.store.columns import metadata, moment

__all__ = ["people_changes", "sessions", "sign_in_links", "users"]


def _user() -> Column[int]:
    return Column("user_id", Integer, ForeignKey("users.id"), nullable=False)


users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("side", String(16)),
    moment("created_at"),
    Column("created_by", String(200), nullable=False),
    moment("removed_at", nullable=True),
    CheckConstraint("role IN ('viewer', 'approver')", name="role"),
    CheckConstraint("side IN ('marketing', 'sales')", name="side"),
    sqlite_autoincrement=True,
)
"""People. A row stays when somebody is removed: from the first one on nobody passes without signing in."""

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("id", Integer, primary_key=True),
    _user(),
    Column("digest", String(64), nullable=False, unique=True),
    moment("created_at"),
    Column("created_by", String(200), nullable=False),
    moment("expires_at"),
    moment("used_at", nullable=True),
    moment("withdrawn_at", nullable=True),
    Index("ix_sign_in_links_user_id", "user_id"),
    sqlite_autoincrement=True,
)
"""Links that each let somebody in once."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    _user(),
    Column("digest", String(64), nullable=False, unique=True),
    moment("created_at"),
    moment("last_used_at"),
    moment("expires_at"),
    moment("ended_at", nullable=True),
    Index("ix_sessions_user_id", "user_id"),
    sqlite_autoincrement=True,
)
"""Browsers that are signed in. expires_at: however much they are used."""

people_changes = Table(
    "people_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
"""How often any of these was changed: one small row that workers look at, and that writers take turns by."""
