"""What was handed over of target account lists: the exports, and the flags that a CRM was given.

Turns exports and the accounts that they called targets into rows and back. An account that was once called a
target is remembered for good, so that each later export can say that it is none any more. With an export is
kept what may change of its list and of others, so that its file says the same whenever it is written. Time
rule: moments are naive UTC, whole seconds. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from features.errors import InputError
from serving.store import schema
from serving.store.list_approved import approved_facts
from serving.store.list_members import holds_at
from serving.store.lists import TargetList

__all__ = [
    "Export",
    "Flag",
    "Other",
    "UnknownExportError",
    "add",
    "elsewhere",
    "find",
    "flag",
    "flags",
    "in_use",
    "of_list",
]

_EXPORTS, _FLAGS = schema.list_exports, schema.list_flags
_ROWS_AT_ONCE = 5_000


class UnknownExportError(InputError):
    """There is no such export of the list."""

    http_status = 404


class Other(NamedTuple):
    """Another list in use, by its name and its approved version at some moment."""

    list_id: int
    name: str
    version: int


@dataclass(frozen=True)
class Export:
    """One export.

    targets, leavers: rows that say true and false. draft: of what nobody has approved. name, revision,
    in_use: of the list at that moment; one that is archived has no targets. others: lists in use that had
    taken up who had left this one. id: 0 until it is stored.
    """

    list_id: int
    version: int
    format: str
    who: str
    at: datetime
    found_by: str
    draft: bool
    name: str
    revision: int
    in_use: bool
    targets: int = 0
    leavers: int = 0
    others: Sequence[Other] = ()
    id: int = 0


@dataclass(frozen=True, slots=True)
class Flag:
    """An account that a CRM was told to be a target. identifier: what it is found by there."""

    account_id: str
    found_by: str
    identifier: str


def add(connection: Connection, export: Export) -> Export:
    """Store it; as it is stored."""
    values = {name: value for name, value in asdict(export).items() if name != "id"}
    stored = connection.execute(insert(_EXPORTS).values(values).returning(_EXPORTS.c.id)).scalar_one()
    return replace(export, id=stored)


def find(connection: Connection, *, list_id: int, export_id: int) -> Export:
    """Raises UnknownExportError."""
    query = select(_EXPORTS).where(_EXPORTS.c.list_id == list_id, _EXPORTS.c.id == export_id)
    # Beyond what a column of PostgreSQL holds, there is none.
    found = _read(connection, query) if 0 < export_id < 2**31 else ()
    if not found:
        raise UnknownExportError("the list has no such export", got=export_id)
    return found[0]


def of_list(connection: Connection, *, list_id: int, limit: int | None = None) -> tuple[Export, ...]:
    """The exports of a list, the latest first."""
    query = select(_EXPORTS).where(_EXPORTS.c.list_id == list_id)
    return _read(connection, query.order_by(_EXPORTS.c.id.desc()).limit(limit))


def _read(connection: Connection, query: Select[Any]) -> tuple[Export, ...]:
    return tuple(
        Export(**row._asdict() | {"others": tuple(Other(*one) for one in row.others)})
        for row in connection.execute(query)
    )


def flag(connection: Connection, *, export: Export, some: Sequence[Flag]) -> None:
    """Remember whom an export calls targets; who was called one before stays as it is."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for start in range(0, len(some), _ROWS_AT_ONCE):
        rows = [
            {"list_id": export.list_id, "format": export.format, "export_id": export.id, **asdict(one)}
            for one in some[start : start + _ROWS_AT_ONCE]
        ]
        connection.execute(make(_FLAGS).on_conflict_do_nothing(), rows)


def flags(
    connection: Connection, *, list_id: int, file_format: str, until_export: int | None = None
) -> dict[str, Flag]:
    """By account, whom the exports in a format have called targets. until_export: up to and with this one."""
    columns = (_FLAGS.c.account_id, _FLAGS.c.found_by, _FLAGS.c.identifier)
    query = select(*columns).where(_FLAGS.c.list_id == list_id, _FLAGS.c.format == file_format)
    if until_export is not None:
        query = query.where(_FLAGS.c.export_id <= until_export)
    return {row.account_id: Flag(*row) for row in connection.execute(query.order_by(_FLAGS.c.account_id))}


def in_use(connection: Connection, *, but: int) -> tuple[Other, ...]:
    """The lists that are handed over, but one, the oldest first, by the names that were approved."""
    table = schema.target_lists
    query = select(table).where(
        table.c.id != but, table.c.approved_version.is_not(None), table.c.state != "archived"
    )
    found = [TargetList(**row._asdict()) for row in connection.execute(query.order_by(table.c.id))]
    return tuple(
        Other(one.id, approved_facts(connection, one)["name"], int(one.approved_version or 0))
        for one in found
    )


def elsewhere(
    connection: Connection, *, others: Iterable[Other], account_ids: Collection[str]
) -> dict[str, tuple[Other, str]]:
    """Of accounts that are targets of other lists, the first such list, and their segment on it."""
    members, found = schema.list_members, dict[str, tuple[Other, str]]()
    for other in others:
        # By its interval: by the time that somebody asks it need not be the newest version.
        holds = holds_at(other.version, newest=other.version + 1)
        own = (members.c.list_id == other.list_id) & (members.c.status == "target") & holds
        for part in _parts(sorted(set(account_ids) - found.keys())):
            rows = connection.execute(
                select(members.c.account_id, members.c.segment).where(own, members.c.account_id.in_(part))
            )
            found |= {name: (other, segment) for name, segment in rows}
    return found


def _parts(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + _ROWS_AT_ONCE] for start in range(0, len(names), _ROWS_AT_ONCE))
