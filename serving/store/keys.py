"""Keys of callers as the store keeps them: made, listed, revoked, and when each was last of use.

Turns calls into rows, in the caller's transaction. The key itself is never here, only its digest. Time rule:
the caller says what time it is; last uses are kept to the hour. Null rule: a key without `expires_at` does
not expire, one without `revoked_at` was not revoked, one without `last_used_at` was never used.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, or_, select, update

from features.errors import InputError
from serving.store import audit, schema

__all__ = ["KeyDraft", "StoredKey", "add", "changes", "every_key", "note_uses", "revoke"]


@dataclass(frozen=True)
class KeyDraft:
    """A key to be. digest: SHA-256, in hexadecimal. per_minute, burst: see `serving.access.limits`."""

    prefix: str
    digest: str
    owner: str
    scopes: tuple[str, ...]
    per_minute: int
    burst: int
    expires_at: datetime | None


@dataclass(frozen=True)
class StoredKey(KeyDraft):
    """A key of the store."""

    id: int
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    last_used_at: datetime | None


def changes(connection: Connection) -> str:
    """What is another text once keys were made or revoked: two small rows, cheap to ask twice a second.

    Which key is the newest is part of it: a store that was restored may have counted as far, of other keys.
    """
    table = schema.api_keys
    newest = select(table.c.prefix).order_by(table.c.id.desc()).limit(1).scalar_subquery()
    number, prefix = connection.execute(select(schema.key_changes.c.number, newest)).one()
    return f"{number} {prefix or ''}"


def every_key(connection: Connection) -> tuple[StoredKey, ...]:
    """Every key ever made, the newest first."""
    table = schema.api_keys
    rows = connection.execute(select(table).order_by(table.c.id.desc())).mappings()
    return tuple(StoredKey(**{**row, "scopes": tuple(row["scopes"])}) for row in rows)


def add(connection: Connection, *, draft: KeyDraft, who: str, now: datetime) -> None:
    """Keep a new key, and say so in the audit log."""
    values = {**vars(draft), "scopes": list(draft.scopes), "created_at": now, "created_by": who}
    connection.execute(insert(schema.api_keys).values(values))
    until = f", until {draft.expires_at.isoformat()}Z" if draft.expires_at else ""
    detail = f"scopes {', '.join(draft.scopes)}; {draft.per_minute} requests a minute{until}"
    audit.note(
        connection,
        entry=audit.Entry(at=now, who=who, action="key created", subject=draft.prefix, detail=detail),
    )
    _count_change(connection)


def revoke(connection: Connection, *, prefix: str, who: str, now: datetime) -> bool:
    """Revoke a key. False when it was revoked before. Raises InputError for a prefix that no key has."""
    table = schema.api_keys
    query = select(table.c.revoked_at).where(table.c.prefix == prefix).with_for_update()
    found = connection.execute(query).one_or_none()
    if found is None:
        raise InputError("no key has this prefix", got=prefix, fix="see `spearfish keys list`")
    if found.revoked_at is not None:
        return False
    connection.execute(update(table).where(table.c.prefix == prefix).values(revoked_at=now))
    audit.note(
        connection, entry=audit.Entry(at=now, who=who, action="key revoked", subject=prefix, detail="")
    )
    _count_change(connection)
    return True


def note_uses(connection: Connection, *, prefixes: Collection[str], hour: datetime) -> None:
    """Keep that these keys were used in an hour."""
    table = schema.api_keys
    earlier = or_(table.c.last_used_at.is_(None), table.c.last_used_at < hour)
    connection.execute(
        update(table).where(table.c.prefix.in_(sorted(prefixes)), earlier).values(last_used_at=hour)
    )


def _count_change(connection: Connection) -> None:
    """Let workers know: the last statement of every change."""
    number = schema.key_changes.c.number
    connection.execute(update(schema.key_changes).values(number=number + 1))
