"""Who approved a version of a list, or asked for changes.

Turns decisions of reviewers into rows and back; each counts for the list as it stood at one revision. Time
rule: moments are naive UTC, whole seconds. Null rule: a comment may be empty where somebody approved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, insert, select

from serving.store import schema

__all__ = ["Approval", "Decision", "Side", "add", "of_list"]

Side = Literal["marketing", "sales"]
Decision = Literal["approved", "changes_requested"]

_TABLE = schema.list_approvals


@dataclass(frozen=True)
class Approval:
    """One reviewer's decision. revision: of the list that they saw."""

    list_id: int
    version: int
    revision: int
    side: Side
    decision: Decision
    approver: str
    comment: str
    at: datetime


def add(connection: Connection, approval: Approval) -> None:
    """Store it."""
    connection.execute(insert(_TABLE).values(vars(approval)))


def of_list(connection: Connection, *, list_id: int, version: int | None = None) -> tuple[Approval, ...]:
    """What reviewers decided, the earliest first. version: None for all of them."""
    columns = [_TABLE.c[name] for name in Approval.__dataclass_fields__]
    query = select(*columns).where(_TABLE.c.list_id == list_id).order_by(_TABLE.c.id)
    if version is not None:
        query = query.where(_TABLE.c.version == version)
    return tuple(Approval(**row._asdict()) for row in connection.execute(query))
