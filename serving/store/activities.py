"""Activities that were sent to the service: each stored once, in one order that everybody sees.

Turns rows of the data contract into rows of the store, and back. `sequence` grows from row to row in the
order in which rows can be seen: whoever has seen one has seen all before it. It counts microseconds, so that
it goes on growing in a store that was restored from a backup. Time rule: `known_at` is when the store took
the row, by the server's clock, naive UTC, whole seconds. Null rule: as in the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, delete, func, insert, select, text

from serving.store import schema

__all__ = [
    "Activity",
    "Newest",
    "add",
    "between",
    "count",
    "forget",
    "is_of",
    "known",
    "last_sequence",
    "lock",
    "newest_by_account",
    "of_accounts",
]

_TABLE = schema.activities
_MANY = 500
"""Values in one condition: SQLite and PostgreSQL both take more."""

_LOCK = 5843097

Value = TypeVar("Value")


@dataclass(frozen=True)
class Activity:
    """One row as the contract has it. traffic: why it is no engagement. sequence: 0 until it is stored."""

    activity_id: str
    account_id: str
    contact_id: str | None
    channel: str
    direction: str
    occurred_at: datetime
    known_at: datetime
    quantity: int = 1
    seconds: int | None = None
    people: int | None = None
    traffic: str | None = None
    sequence: int = 0

    @property
    def content(self) -> tuple[object, ...]:
        """What it says, whenever it became known."""
        return tuple(getattr(self, name) for name in _CONTENT)


_NAMES = tuple(field.name for field in fields(Activity))
_CONTENT = tuple(name for name in _NAMES if name not in ("known_at", "sequence"))


@dataclass(frozen=True)
class Newest:
    """The last row of an account, and when its newest one became known. rows: how many were counted."""

    sequence: int
    known_at: datetime
    rows: int = 0


def known(connection: Connection, *, activity_ids: Collection[str]) -> dict[str, Activity]:
    """By activity_id, those of these that are stored."""
    found = (
        row for some in _parts(activity_ids) for row in _read(connection, _TABLE.c.activity_id.in_(some))
    )
    return {row.activity_id: row for row in found}


def lock(connection: Connection) -> None:
    """Let the writers of activities wait for each other, so that rows are seen in their order.

    SQLite lets writers in one by one anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def add(
    connection: Connection, rows: Sequence[Activity], *, api_key_id: int | None = None
) -> tuple[Activity, ...]:
    """Store rows that are not `known`, after `lock` in the same transaction; as they are stored."""
    if not rows:
        return ()
    clock = int(max(row.known_at for row in rows).replace(tzinfo=UTC).timestamp()) * 1_000_000
    first = max(last_sequence(connection) + 1, clock)
    stored = tuple(
        Activity(**(asdict(row) | {"sequence": sequence})) for sequence, row in enumerate(rows, start=first)
    )
    connection.execute(insert(_TABLE), [asdict(row) | {"api_key_id": api_key_id} for row in stored])
    return stored


def last_sequence(connection: Connection) -> int:
    """That of the last row; 0 before there is one."""
    return int(connection.execute(select(func.coalesce(func.max(_TABLE.c.sequence), 0))).scalar_one())


def count(connection: Connection, *, after: int, through: int) -> int:
    """How many rows there are in a part of the order."""
    part = _TABLE.c.sequence.between(after + 1, through)
    return connection.execute(select(func.count()).where(part)).scalar_one()


def newest_by_account(connection: Connection, *, after: int) -> dict[str, Newest]:
    """By account, what came after a row."""
    query = (
        select(
            _TABLE.c.account_id,
            func.max(_TABLE.c.sequence),
            func.max(_TABLE.c.known_at),
            func.count(),
        )
        .where(_TABLE.c.sequence > after)
        .group_by(_TABLE.c.account_id)
    )
    return {account: Newest(*told) for account, *told in connection.execute(query)}


def of_accounts(
    connection: Connection, *, account_ids: Collection[str], after: int, through: int
) -> tuple[Activity, ...]:
    """The rows of accounts in a part of the order."""
    part = _TABLE.c.sequence.between(after + 1, through)
    return tuple(
        row for some in _parts(account_ids) for row in _read(connection, _TABLE.c.account_id.in_(some), part)
    )


def between(connection: Connection, *, after: int, before: datetime, limit: int) -> tuple[Activity, ...]:
    """The next rows in their order, up to the first that was not known before a moment."""
    later = _TABLE.c.sequence > after
    first_new = select(func.min(_TABLE.c.sequence)).where(later, _TABLE.c.known_at >= before)
    end = connection.execute(first_new).scalar()
    conditions = [later] if end is None else [later, _TABLE.c.sequence < end]
    return tuple(_read(connection, *conditions, limit=limit))


def _read(connection: Connection, *conditions: Any, limit: int | None = None) -> Iterator[Activity]:
    query = select(*(_TABLE.c[name] for name in _NAMES)).where(*conditions).order_by(_TABLE.c.sequence)
    for row in connection.execute(query if limit is None else query.limit(limit)):
        yield Activity(**row._asdict())


def _parts(values: Collection[Value]) -> Iterator[list[Value]]:
    """The values, so many at a time."""
    listed = list(values)
    yield from (listed[start : start + _MANY] for start in range(0, len(listed), _MANY))


def is_of(
    row: Activity,
    *,
    gone: Callable[[Literal["account", "contact"], str], bool],
    clean: Callable[[str], str] = str,
) -> bool:
    """Whether a row is about somebody who was forgotten.

    clean: from a text to one that names none of them.
    """
    about_person = row.contact_id is not None and gone("contact", row.contact_id)
    return about_person or gone("account", row.account_id) or clean(row.activity_id) != row.activity_id


def forget(connection: Connection, *, gone: Callable[[Activity], bool], after: int = 0) -> int:
    """Delete rows of those who are gone; rows deleted. after: where to begin in the order."""
    deleted = 0
    while rows := tuple(_read(connection, _TABLE.c.sequence > after, limit=10_000)):
        after = rows[-1].sequence
        named = [row.sequence for row in rows if gone(row)]
        for some in _parts(named):
            deleted += connection.execute(delete(_TABLE).where(_TABLE.c.sequence.in_(some))).rowcount
    return deleted
