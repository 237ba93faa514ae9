"""What people approved of what is said of a target account list, beside what is said of it since.

Turns an approved version into the facts that were reviewed with it, which lie with what it was drawn from.
Time rule: none of its own. Null rule: of a version that was approved before they were kept, what is said of
the list counts until somebody edits it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from serving.store import schema
from serving.store.lists import TargetList

__all__ = ["REVIEWED", "approved_facts", "mark_approved", "remember_approved"]

REVIEWED = ("name", "purpose", "segments", "goals")
"""What people approve of what is said of a list. Its owner answers for it whoever that is; size and rules
count from the next draw on, which is reviewed itself."""

_VERSIONS = schema.list_versions
_AS_APPROVED = "as_approved"


def mark_approved(connection: Connection, found: TargetList, *, at: datetime) -> None:
    """Say when the newest version was approved, and what was said of the list then."""
    _keep(connection, found, number=found.version, approved_at=at)


def approved_facts(connection: Connection, found: TargetList) -> dict[str, Any]:
    """What people approved of what is said of a list, by field; as it is now where nobody approved it."""
    now = {name: getattr(found, name) for name in REVIEWED}
    if found.approved_version is None:
        return now
    query = select(_VERSIONS.c.source).where(_one(found, number=found.approved_version))
    source = connection.execute(query).scalar_one_or_none() or {}
    return {**now, **source.get(_AS_APPROVED, {})}


def remember_approved(connection: Connection, found: TargetList) -> None:
    """Keep what was approved of an approved list that is about to be edited, where nobody kept it before."""
    if found.approved_version is not None:
        _keep(connection, found, number=found.approved_version)


def _keep(connection: Connection, found: TargetList, *, number: int, **values: Any) -> None:
    own = _one(found, number=number)
    source = connection.execute(select(_VERSIONS.c.source).where(own)).scalar_one()
    told = {_AS_APPROVED: {name: getattr(found, name) for name in REVIEWED}, **source}
    connection.execute(update(_VERSIONS).where(own).values(source=told, **values))


def _one(found: TargetList, *, number: int) -> ColumnElement[bool]:
    return (_VERSIONS.c.list_id == found.id) & (_VERSIONS.c.number == number)
