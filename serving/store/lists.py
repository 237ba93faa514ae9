"""Target account lists: their rows, their versions, and every change of them.

Turns what a list is into rows and back. Whoever changes a list takes its row first (`lock`), so that writers
of one list come one after the other; each change raises the revision and is noted, so that whoever comes with
an older revision is told who was there before. Time rule: moments are naive UTC, whole seconds. Null rule: a
list without an approved version hands nothing over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, delete, func, insert, select, text, update

from features.errors import InputError, suggestion
from serving.store import audit, schema
from serving.store.turns import wait_for_erasing

__all__ = [
    "Area",
    "Change",
    "ListChangedError",
    "ListDraft",
    "ListStateError",
    "State",
    "TargetList",
    "UnknownListError",
    "Version",
    "add",
    "changed",
    "changes",
    "every",
    "excluded",
    "find",
    "lock",
    "named",
    "next_number",
    "note",
    "open_version",
    "remove_version",
    "require_free_name",
    "require_seen",
    "set_excluded",
    "tell_draw",
    "versions",
]

State = Literal["draft", "review", "approved", "archived"]
Area = Literal["facts", "members", "state"]
"""What a change is about: what is said of the list, who is on it, or what state it is in."""

_LISTS, _VERSIONS, _CHANGES = schema.target_lists, schema.list_versions, schema.list_changes
_NAMES_LOCK = 5_843_097
_ROWS_AT_ONCE = 5_000


class UnknownListError(InputError):
    """There is no such list."""

    http_status = 404


class ListChangedError(InputError):
    """Somebody else was there before: what was to be changed is no longer what was seen."""

    http_status = 409


class ListStateError(InputError):
    """A list in this state does not allow that."""

    http_status = 409


@dataclass(frozen=True, kw_only=True)
class ListDraft:
    """What people say of a list. segments, goals, rules: as `serving.lists.settings` has them, as JSON."""

    name: str
    owner: str
    purpose: str
    pilot: bool
    sub_industry: str | None
    size: int
    segments: list[dict[str, Any]] = field(default_factory=list)
    goals: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TargetList(ListDraft):
    """A list as it is stored.

    revision: rises with every change. version: the newest; approved_version: what is handed over. erased: how
    many of its accounts were forgotten.
    """

    id: int
    state: State = "draft"
    revision: int = 1
    version: int = 1
    approved_version: int | None = None
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    refreshed_at: datetime | None = None
    rebuilt_at: datetime | None = None
    erased: int = 0

    @property
    def is_open(self) -> bool:
        """Whether its newest version may still change: once approved, a change makes another one."""
        return self.version != self.approved_version


@dataclass(frozen=True)
class Version:
    """What a list was drawn from, or why else it has a new version.

    source: as whoever drew it tells. drops: by rule, how many candidates it left out, and `conflicts`.
    """

    number: int
    kind: str
    opened_at: datetime
    opened_by: str
    why: str
    source: dict[str, Any] = field(default_factory=dict)
    drops: dict[str, Any] = field(default_factory=dict)
    approved_at: datetime | None = None


@dataclass(frozen=True)
class Change:
    """One change of a list. detail: what of it, in a few words."""

    revision: int
    version: int
    area: Area
    action: str
    who: str
    at: datetime
    account_id: str | None = None
    detail: str = ""

    def sentence(self) -> str:
        what = f" {self.account_id}" if self.account_id is not None else ""
        of = f" ({self.detail})" if self.detail else ""
        return f"{self.who} at {self.at.isoformat()}Z: {self.action.replace('_', ' ')}{what}{of}"


def add(connection: Connection, draft: ListDraft, *, who: str, now: datetime, why: str = "") -> TargetList:
    """Make a list, with an empty first version. Raises InputError for a name that another one has."""
    _lock_names(connection)
    require_free_name(connection, name=draft.name)
    made = TargetList(id=0, **asdict(draft), created_at=now, created_by=who, changed_at=now, changed_by=who)
    values = {name: value for name, value in asdict(made).items() if name != "id"}
    made = replace(
        made, id=connection.execute(insert(_LISTS).values(values).returning(_LISTS.c.id)).scalar_one()
    )
    _add_version(connection, made, Version(1, "first", now, who, why))
    note(connection, made, area="state", action="create", who=who, now=now)
    return made


def find(connection: Connection, *, list_id: int) -> TargetList:
    """Raises UnknownListError."""
    return _one(connection, select(_LISTS).where(_LISTS.c.id == list_id), list_id)


def lock(connection: Connection, *, list_id: int) -> TargetList:
    """As `find`; until the transaction ends nobody else changes the list, and nobody is erased from it.

    Who was forgotten before has to be asked of whatever was read before this.
    """
    wait_for_erasing(connection)
    return _one(connection, select(_LISTS).where(_LISTS.c.id == list_id).with_for_update(), list_id)


def _one(connection: Connection, query: Select[Any], list_id: int) -> TargetList:
    # Beyond what a column of PostgreSQL holds, there is none.
    row = connection.execute(query).one_or_none() if 0 < list_id < 2**31 else None
    if row is None:
        raise UnknownListError("there is no such list", got=list_id, fix="see which there are")
    return TargetList(**row._asdict())


def named(connection: Connection, *, text: str) -> TargetList:
    """The list of this number or name; of those of one name the one that is not archived.

    Raises UnknownListError.
    """
    if text.isascii() and text.isdigit() and len(text) < 10:
        return find(connection, list_id=int(text))
    query = select(_LISTS).where(_LISTS.c.name == text)
    rows = connection.execute(query.order_by(_LISTS.c.state == "archived", _LISTS.c.id.desc())).all()
    if not rows:
        names = connection.execute(select(_LISTS.c.name)).scalars()
        raise UnknownListError("there is no such list", got=repr(text), fix=suggestion(text, names))
    return TargetList(**rows[0]._asdict())


def every(
    connection: Connection,
    *,
    states: Collection[State] | None = None,
    before_id: int | None = None,
    limit: int | None = None,
) -> tuple[TargetList, ...]:
    """Lists, the newest first. states: None for those in any. before_id: where the page before ended."""
    query = select(_LISTS).order_by(_LISTS.c.id.desc()).limit(limit)
    if states is not None:
        query = query.where(_LISTS.c.state.in_(states))
    if before_id is not None:
        query = query.where(_LISTS.c.id < before_id)
    return tuple(TargetList(**row._asdict()) for row in connection.execute(query))


def require_free_name(connection: Connection, *, name: str, of: int | None = None) -> None:
    """Raise InputError where another list that is not archived has the name. of: the list that wants it."""
    _lock_names(connection)
    query = select(_LISTS.c.id).where(_LISTS.c.name == name, _LISTS.c.state != "archived")
    if of is not None:
        query = query.where(_LISTS.c.id != of)
    taken = connection.execute(query).scalar()
    if taken is not None:
        raise InputError(
            "name: another list has it", got=repr(name), fix=f"choose another name, or archive list {taken}"
        )


def _lock_names(connection: Connection) -> None:
    """Whoever takes a name waits for others who do; SQLite lets writers in one by one anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _NAMES_LOCK})


def changed(
    connection: Connection,
    found: TargetList,
    *,
    area: Area,
    action: str,
    who: str,
    now: datetime,
    values: Mapping[str, Any] | None = None,
    account_id: str | None = None,
    detail: str = "",
    seen_as_before: bool = False,
) -> TargetList:
    """Change a list that is locked, raise its revision, and note who did it. The list as it is then.

    seen_as_before: keep the revision, as nothing was changed of what people look at when they approve.
    """
    revision = found.revision + (not seen_as_before)
    after = replace(found, **(values or {}), revision=revision, changed_at=now, changed_by=who)
    left = {name: value for name, value in asdict(after).items() if value != getattr(found, name)}
    if left:
        connection.execute(update(_LISTS).where(_LISTS.c.id == found.id).values(left))
    note(connection, after, area=area, action=action, who=who, now=now, account_id=account_id, detail=detail)
    return after


def note(
    connection: Connection,
    found: TargetList,
    *,
    area: Area,
    action: str,
    who: str,
    now: datetime,
    account_id: str | None = None,
    detail: str = "",
) -> None:
    """Note what was done, at the revision that the list has; a change of its state in the audit log, too."""
    one = Change(found.revision, found.version, area, action, who, now, account_id, detail)
    connection.execute(insert(_CHANGES).values(list_id=found.id, **vars(one)))
    if area == "state":
        told = audit.Entry(now, who, f"list_{action}", f"list {found.id}", detail)
        audit.note(connection, entry=told)


def changes(
    connection: Connection,
    *,
    list_id: int,
    after: int = 0,
    areas: Collection[Area] | None = None,
    limit: int | None = None,
) -> tuple[Change, ...]:
    """What was changed, the latest first. after: only later than this revision."""
    columns = [_CHANGES.c[name] for name in Change.__dataclass_fields__]
    query = select(*columns).where(_CHANGES.c.list_id == list_id, _CHANGES.c.revision > after)
    if areas is not None:
        query = query.where(_CHANGES.c.area.in_(areas))
    rows = connection.execute(query.order_by(_CHANGES.c.id.desc()).limit(limit))
    return tuple(Change(**row._asdict()) for row in rows)


def require_seen(connection: Connection, found: TargetList, *, seen: int, areas: Collection[Area]) -> None:
    """Raise ListChangedError where what somebody wants to change was changed after the revision they saw."""
    if seen > found.revision:
        raise InputError(
            "revision: the list has not come that far", got=seen, allowed=f"up to {found.revision}"
        )
    later = changes(connection, list_id=found.id, after=seen, areas=areas)
    if later:
        told = "; ".join(change.sentence() for change in later[:3])
        more = f", and {len(later) - 3} more changes" if len(later) > 3 else ""
        raise ListChangedError(
            f"the list was changed meanwhile: {told}{more}",
            got=f"revision {seen}",
            allowed=f"revision {found.revision}",
            fix="read it again, and send what you want with its revision",
        )


def open_version(connection: Connection, found: TargetList, version: Version) -> TargetList:
    """Begin another version of a list that is locked: a draft that holds what the one before it holds."""
    _add_version(connection, found, version)
    values: dict[str, Any] = {"version": version.number, "state": "draft"}
    connection.execute(update(_LISTS).where(_LISTS.c.id == found.id).values(values))
    return replace(found, **values)


def next_number(connection: Connection, found: TargetList) -> int:
    """The number of another version: one that no version had before, even if it was discarded."""
    query = select(func.max(_CHANGES.c.version)).where(_CHANGES.c.list_id == found.id)
    return max(found.version, connection.execute(query).scalar_one() or 0) + 1


def remove_version(connection: Connection, *, list_id: int, number: int) -> None:
    """Drop a version that was discarded; what was done to it stays among the changes."""
    own = (_VERSIONS.c.list_id == list_id) & (_VERSIONS.c.number == number)
    connection.execute(delete(_VERSIONS).where(own))


def _add_version(connection: Connection, found: TargetList, version: Version) -> None:
    connection.execute(insert(_VERSIONS).values(list_id=found.id, **vars(version)))


def tell_draw(connection: Connection, *, list_id: int, version: Version) -> None:
    """Say what a version that is not approved yet was drawn from."""
    own = (_VERSIONS.c.list_id == list_id) & (_VERSIONS.c.number == version.number)
    connection.execute(update(_VERSIONS).where(own).values(vars(version)))


def versions(connection: Connection, *, list_id: int) -> tuple[Version, ...]:
    """Every version, the newest first."""
    columns = [_VERSIONS.c[name] for name in Version.__dataclass_fields__]
    query = select(*columns).where(_VERSIONS.c.list_id == list_id).order_by(_VERSIONS.c.number.desc())
    return tuple(Version(**row._asdict()) for row in connection.execute(query))


def excluded(connection: Connection, *, list_id: int) -> frozenset[str]:
    """The accounts and domains that a file keeps off the list."""
    table = schema.list_exclusions
    return frozenset(connection.execute(select(table.c.entry).where(table.c.list_id == list_id)).scalars())


def set_excluded(connection: Connection, *, list_id: int, entries: Sequence[str]) -> int:
    """Replace the accounts and domains that a file keeps off. How many there are now."""
    table = schema.list_exclusions
    connection.execute(delete(table).where(table.c.list_id == list_id))
    rows = [{"list_id": list_id, "entry": entry} for entry in sorted(set(entries))]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        connection.execute(insert(table), rows[start : start + _ROWS_AT_ONCE])
    own = select(func.count()).select_from(table).where(table.c.list_id == list_id)
    return connection.execute(own).scalar_one()
