"""The audit log: who changed what about access, and how often somebody was refused.

Turns changes into entries and refusals into counts, in the caller's transaction. No personal data: an entry
names the account of who typed a command, and a key by its prefix; refusals are counted by hour, not told one
by one, so that nobody can fill the log. Time rule: moments are naive UTC, whole seconds. Null rule: a refusal
without a known key has an empty prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from serving.store import schema

__all__ = ["REFUSALS_KEPT_FOR", "Entry", "Refusals", "count_refusals", "entries", "note", "refusals"]

REFUSALS_KEPT_FOR = timedelta(days=90)
"""How long counts of refusals are kept. Entries stay."""

_ADD = text(
    "INSERT INTO refused_uses (hour, reason, prefix, count) VALUES (:hour, :reason, :prefix, :count) "
    "ON CONFLICT (hour, reason, prefix) DO UPDATE SET count = refused_uses.count + excluded.count"
).bindparams(bindparam("hour", type_=schema.UtcSeconds))


@dataclass(frozen=True)
class Entry:
    """One change. subject: what was changed, such as the prefix of a key."""

    at: datetime
    who: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True)
class Refusals:
    """How often requests were refused for one reason within an hour."""

    hour: datetime
    reason: str
    prefix: str
    count: int


def note(connection: Connection, *, entry: Entry) -> None:
    """Add an entry."""
    connection.execute(insert(schema.audit_log).values(vars(entry)))


def entries(connection: Connection) -> tuple[Entry, ...]:
    """Every entry, the newest first."""
    table = schema.audit_log
    columns = [table.c[name] for name in Entry.__dataclass_fields__]
    rows = connection.execute(select(*columns).order_by(table.c.id.desc())).mappings()
    return tuple(Entry(**row) for row in rows)


def count_refusals(connection: Connection, *, counts: Mapping[tuple[datetime, str, str], int]) -> None:
    """Add to the counts of hour, reason and prefix, and let go of old ones."""
    # In one order: two workers that add to the same rows must not wait for each other in a circle.
    for (hour, reason, prefix), count in sorted(counts.items()):
        connection.execute(_ADD, {"hour": hour, "reason": reason, "prefix": prefix, "count": count})
    oldest = max(hour for hour, _, _ in counts) - REFUSALS_KEPT_FOR
    connection.execute(delete(schema.refused_uses).where(schema.refused_uses.c.hour < oldest))


def refusals(connection: Connection) -> tuple[Refusals, ...]:
    """Every count, the newest first."""
    table = schema.refused_uses
    rows = connection.execute(
        select(table).order_by(table.c.hour.desc(), table.c.reason, table.c.prefix)
    ).mappings()
    return tuple(Refusals(**row) for row in rows)
