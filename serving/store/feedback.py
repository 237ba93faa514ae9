"""What people say of accounts: accepted, rejected with a reason, and what came of it.

Turns feedback into rows that are never changed, and back. Time rule: `at` is when the store took it, naive
UTC, whole seconds; what was said later counts more. Null rule: only a rejection has a machine score, that of
the account at that moment, and even it may lack one where the account had none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Select, delete, insert, or_, select

from serving.store import schema

__all__ = ["OUTCOMES", "VERDICTS", "Feedback", "Outcome", "Verdict", "add", "forget", "of_account", "since"]

Verdict = Literal["accepted", "rejected", "outcome"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

Outcome = Literal["meeting", "opportunity", "won", "lost", "no_interest", "not_reached"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_TABLE = schema.feedback


@dataclass(frozen=True)
class Feedback:
    """One thing that somebody said of an account.

    reason: why it was rejected, in words. outcome: what came of it. machine_score: of the account when it was
    rejected, 0-100. given_by: whom the CRM names. id: 0 until it is stored.
    """

    at: datetime
    account_id: str
    verdict: Verdict
    request_id: str | None = None
    reason: str | None = None
    outcome: Outcome | None = None
    machine_score: float | None = None
    given_by: str | None = None
    api_key_id: int | None = None
    id: int = 0


def add(connection: Connection, given: Feedback) -> Feedback:
    """Store it; as it is stored."""
    values = {name: value for name, value in asdict(given).items() if name != "id"}
    stored = connection.execute(insert(_TABLE).values(values).returning(_TABLE.c.id)).scalar_one()
    return replace(given, id=stored)


def of_account(
    connection: Connection, *, account_ids: Collection[str], limit: int, before_id: int | None = None
) -> tuple[Feedback, ...]:
    """What was said of an account under any of its identifiers, the latest first.

    before_id: where the page before ended.
    """
    query = select(_TABLE).where(_TABLE.c.account_id.in_(account_ids))
    if before_id is not None:
        query = query.where(_TABLE.c.id < before_id)
    return _read(connection, query.order_by(_TABLE.c.id.desc()).limit(limit))


def since(connection: Connection, *, moment: datetime | None, after_id: int = 0) -> tuple[Feedback, ...]:
    """What was said from a moment on, or ever, and what was stored behind a place; the earliest first."""
    query = select(_TABLE)
    if moment is not None:
        query = query.where(or_(_TABLE.c.at >= moment, _TABLE.c.id > after_id))
    return _read(connection, query.order_by(_TABLE.c.at, _TABLE.c.id))


def _read(connection: Connection, query: Select[Any]) -> tuple[Feedback, ...]:
    return tuple(Feedback(**row._asdict()) for row in connection.execute(query))


def forget(connection: Connection, *, gone: Callable[[str], bool]) -> int:
    """Delete what was said of accounts that are gone; rows deleted."""
    known: Sequence[str] = connection.execute(select(_TABLE.c.account_id).distinct()).scalars().all()
    return sum(
        connection.execute(delete(_TABLE).where(_TABLE.c.account_id == account_id)).rowcount
        for account_id in known
        if gone(account_id)
    )
