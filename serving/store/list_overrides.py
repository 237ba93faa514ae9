"""What people decided of accounts on a list, beside what the machine says of them.

Turns decisions into rows and back. A decision is ended, by whom and why, or replaced by a later one; it is
never changed and never deleted, but to forget an account. Of whether an account is on the list (pin, drop)
one decision counts, and of its segment (move) another. Time rule: a decision with an end counts before that
moment. Null rule: one without an end counts until somebody ends it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, insert, select, update

from features.errors import InputError
from serving.store import schema

__all__ = ["Kind", "Override", "Slot", "UnknownOverrideError", "add", "end", "find", "of_list", "slot_of"]

Kind = Literal["pin", "drop", "move"]
Slot = Literal["membership", "segment"]

_TABLE = schema.list_overrides


class UnknownOverrideError(InputError):
    """There is no such decision on the list."""

    http_status = 404


def slot_of(kind: Kind) -> Slot:
    """What a decision is about; of each one counts."""
    return "segment" if kind == "move" else "membership"


@dataclass(frozen=True)
class Override:
    """One decision. machine_score: of the account then. ended_why: in words. id: 0 until it is stored."""

    list_id: int
    account_id: str
    kind: Kind
    reason: str
    made_by: str
    made_at: datetime
    segment: str | None = None
    expires_at: datetime | None = None
    machine_score: float | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_why: str | None = None
    id: int = 0

    def in_force(self, now: datetime) -> bool:
        """Whether it counts at a moment."""
        return self.ended_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def slot(self) -> Slot:
        return slot_of(self.kind)


def add(connection: Connection, override: Override) -> Override:
    """Store it; as it is stored."""
    values = {name: value for name, value in asdict(override).items() if name != "id"}
    stored = connection.execute(insert(_TABLE).values(values).returning(_TABLE.c.id)).scalar_one()
    return replace(override, id=stored)


def end(connection: Connection, override: Override, *, who: str, why: str, now: datetime) -> Override:
    """End it; one that has ended stays as it is."""
    if override.ended_at is not None:
        return override
    values = {"ended_at": now, "ended_by": who, "ended_why": why}
    connection.execute(update(_TABLE).where(_TABLE.c.id == override.id).values(values))
    return replace(override, ended_at=now, ended_by=who, ended_why=why)


def find(connection: Connection, *, list_id: int, override_id: int) -> Override:
    """Raises UnknownOverrideError."""
    query = select(_TABLE).where(_TABLE.c.list_id == list_id, _TABLE.c.id == override_id)
    # Beyond what a column of PostgreSQL holds, there is none.
    found = _read(connection, query) if 0 < override_id < 2**31 else ()
    if not found:
        raise UnknownOverrideError("the list has no such decision", got=override_id)
    return found[0]


def of_list(
    connection: Connection,
    *,
    list_id: int,
    account_ids: Collection[str] | None = None,
    unended: bool = False,
    before_id: int | None = None,
    limit: int | None = None,
) -> tuple[Override, ...]:
    """Decisions, the latest first. account_ids: None for all accounts. unended: without those that were ended
    or replaced; they may have run out all the same. before_id: where the page before ended."""
    query = select(_TABLE).where(_TABLE.c.list_id == list_id).order_by(_TABLE.c.id.desc()).limit(limit)
    if account_ids is not None:
        query = query.where(_TABLE.c.account_id.in_(account_ids))
    if unended:
        query = query.where(_TABLE.c.ended_at.is_(None))
    if before_id is not None:
        query = query.where(_TABLE.c.id < before_id)
    return _read(connection, query)


def _read(connection: Connection, query: Select[Any]) -> tuple[Override, ...]:
    return tuple(Override(**row._asdict()) for row in connection.execute(query))
