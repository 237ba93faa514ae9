"""What is served, and since when: immutable releases, and the one pointer that chooses among them.

A promotion writes its bundles, its release and its log entry, and moves the pointer last, in one
transaction: another process sees all of it or nothing. Time rule: the pointer names the release that
answers from `activate_at` on and the one that answers until then. Null rule: a release may hold one
model alone; without a pointer nothing is served. A release remembers which one it replaced, so that steps
back walk the same way however often they are taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from features.errors import InputError, WorkspaceError
from features.model_keys import KINDS, ModelKey, kind_of
from serving.store import schema

__all__ = [
    "Draft",
    "Event",
    "Pointer",
    "Published",
    "Release",
    "SteppedBack",
    "StoredBundle",
    "activate",
    "bundle_bytes",
    "chosen",
    "events",
    "history",
    "pointer",
    "publish",
    "release",
    "step_back",
]


@dataclass(frozen=True)
class StoredBundle:
    """A model bundle as the store keeps it: `model` is its key, such as fit, `content` its archive."""

    model: ModelKey
    name: str
    fingerprint: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Draft:
    """A release that is to be: its bundles, who makes it and why, and what the server needs.

    settings: JSON that travels with the release, such as the time zone and the priority table.
    """

    bundles: tuple[StoredBundle, ...]
    created_by: str
    reason: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        models = [bundle.model for bundle in self.bundles]
        kinds = {model.partition(".")[0] for model in models}
        if not models or len(set(models)) < len(models) or not kinds <= set(KINDS):
            raise InputError(
                "a release holds a fit model, an intent model, named ones of these, each once",
                got=", ".join(models) or "no model",
                allowed=", ".join(KINDS),
            )
        _require_reason(who=self.created_by, why=self.reason)

    @property
    def fingerprints(self) -> dict[ModelKey, str]:
        """Fingerprint by model."""
        return {bundle.model: bundle.fingerprint for bundle in self.bundles}


@dataclass(frozen=True)
class Release:
    """What is served, immutable. fingerprints: by model. `previous_id` is the release that it replaced."""

    id: int
    created_at: datetime
    created_by: str
    reason: str
    fingerprints: Mapping[ModelKey, str]
    settings: Mapping[str, Any]
    previous_id: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "created_at": f"{self.created_at.isoformat()}Z",
            "created_by": self.created_by,
            "reason": self.reason,
            "models": dict(self.fingerprints),
            "settings": dict(self.settings),
            "previous_id": self.previous_id,
        }


@dataclass(frozen=True)
class Pointer:
    """Which release answers from `activate_at` on, and which one answers until then."""

    release_id: int | None
    activate_at: datetime | None
    replaced_id: int | None

    def serving_id(self, now: datetime) -> int | None:
        """The release that answers at `now` (UTC), None before the first one is active."""
        due = self.activate_at is not None and self.activate_at <= now
        return self.release_id if due else self.replaced_id


@dataclass(frozen=True)
class Published:
    """The release that the pointer names, and whether this call made it."""

    release: Release
    activate_at: datetime
    changed: bool


@dataclass(frozen=True)
class SteppedBack:
    """The release that was left, and the one that is pointed to now."""

    left: Release
    release: Release


@dataclass(frozen=True)
class Event:
    """One move of the pointer. action: promote, rollback or activate."""

    at: datetime
    who: str
    why: str
    action: str
    release_id: int
    replaced_id: int | None
    activate_at: datetime


def pointer(connection: Connection, *, lock: bool = False) -> Pointer:
    """The pointer. lock: hold it until the transaction ends (SQLite's writers hold everything anyway)."""
    columns = schema.pointer.c
    query = select(columns.release_id, columns.activate_at, columns.replaced_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise WorkspaceError("the store lost its pointer row", fix="restore the store from a backup")
    return Pointer(*row)


def chosen(connection: Connection, *, lock: bool = False) -> Release | None:
    """The release pointed to, whether it answers already or not yet."""
    chosen_id = pointer(connection, lock=lock).release_id
    return None if chosen_id is None else release(connection, release_id=chosen_id)


def release(connection: Connection, *, release_id: int) -> Release:
    """One release. Raises InputError when there is none of that number."""
    row = connection.execute(select(schema.releases).where(schema.releases.c.id == release_id)).one_or_none()
    if row is None:
        raise InputError("no such release", got=release_id, fix="see the numbers in `spearfish doctor`")
    return _release(row, models=_models(connection, of=[release_id]).get(release_id, {}))


def _release(row: Row[Any], *, models: Mapping[ModelKey, str]) -> Release:
    return Release(**row._mapping, fingerprints=models)


def _models(connection: Connection, *, of: Sequence[int] | None = None) -> dict[int, dict[ModelKey, str]]:
    """The fingerprints of each release by model, the unnamed ones of a kind first. of: None means of all."""
    table = schema.release_models
    query = select(table.c.release_id, table.c.model, table.c.fingerprint).order_by(table.c.model)
    found: dict[int, dict[ModelKey, str]] = {}
    for release_id, model, fingerprint in connection.execute(
        query if of is None else query.where(table.c.release_id.in_(of))
    ):
        found.setdefault(release_id, {})[model] = fingerprint
    return found


def history(connection: Connection) -> tuple[Release, ...]:
    """Every release, the newest first."""
    rows = connection.execute(select(schema.releases).order_by(schema.releases.c.id.desc()))
    models = _models(connection)
    return tuple(_release(row, models=models.get(row.id, {})) for row in rows)


def events(connection: Connection) -> tuple[Event, ...]:
    """Every move of the pointer, the newest first."""
    columns = [column for column in schema.release_events.c if column.name != "id"]
    rows = connection.execute(select(*columns).order_by(schema.release_events.c.id.desc()))
    return tuple(Event(**row._mapping) for row in rows)


def bundle_bytes(connection: Connection, *, fingerprint: str) -> bytes:
    """The archive of a bundle. Raises WorkspaceError when the store does not hold it."""
    table = schema.bundles
    content = connection.execute(select(table.c.content).where(table.c.fingerprint == fingerprint)).scalar()
    if content is None:
        raise WorkspaceError(
            "the store does not hold this bundle", got=fingerprint, fix="run `spearfish promote` again"
        )
    return bytes(content)


def publish(connection: Connection, *, draft: Draft, activate_at: datetime, now: datetime) -> Published:
    """Make the release and point to it. The same models and settings as now pointed to change nothing."""
    before = pointer(connection, lock=True)
    current = None if before.release_id is None else release(connection, release_id=before.release_id)
    if current is not None and before.activate_at is not None and _same(draft, current):
        return Published(current, before.activate_at, changed=False)
    for bundle in draft.bundles:
        _keep(connection, bundle=bundle, now=now)
    made = _insert_release(connection, draft=draft, previous_id=before.release_id, now=now)
    moved = Event(
        at=now,
        who=draft.created_by,
        why=draft.reason,
        action="promote",
        release_id=made.id,
        replaced_id=before.serving_id(now),
        activate_at=activate_at,
    )
    _move(connection, event=moved)
    return Published(made, activate_at, changed=True)


def _same(draft: Draft, current: Release) -> bool:
    models = draft.fingerprints == dict(current.fingerprints)
    return models and dict(draft.settings) == dict(current.settings)


def _keep(connection: Connection, *, bundle: StoredBundle, now: datetime) -> None:
    """Add a bundle unless it is there: equal fingerprints are equal models."""
    table = schema.bundles
    known = connection.execute(
        select(table.c.fingerprint).where(table.c.fingerprint == bundle.fingerprint)
    ).scalar()
    if known is None:
        connection.execute(
            insert(table).values(
                fingerprint=bundle.fingerprint,
                kind=kind_of(bundle.model),
                name=bundle.name,
                content=bundle.content,
                created_at=now,
            )
        )


def _insert_release(
    connection: Connection, *, draft: Draft, previous_id: int | None, now: datetime
) -> Release:
    values: dict[str, Any] = {
        "created_at": now,
        "created_by": draft.created_by,
        "reason": draft.reason,
        "settings": dict(draft.settings),
        "previous_id": previous_id,
    }
    table = schema.releases
    made = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
    models = draft.fingerprints
    rows = [
        {"release_id": made, "model": model, "fingerprint": fingerprint}
        for model, fingerprint in models.items()
    ]
    connection.execute(insert(schema.release_models), rows)
    return Release(id=made, fingerprints=models, **values)


def activate(
    connection: Connection,
    *,
    release_id: int,
    activate_at: datetime,
    who: str,
    why: str,
    now: datetime,
    action: str = "activate",
) -> Release:
    """Point to a release that exists."""
    _require_reason(who=who, why=why)
    before = pointer(connection, lock=True)
    chosen = release(connection, release_id=release_id)
    moved = Event(
        at=now,
        who=who,
        why=why,
        action=action,
        release_id=release_id,
        replaced_id=before.serving_id(now),
        activate_at=activate_at,
    )
    _move(connection, event=moved)
    return chosen


def step_back(
    connection: Connection, *, activate_at: datetime, who: str, why: str, now: datetime
) -> SteppedBack:
    """Point to the release before the one pointed to. Raises InputError when there is none."""
    current = chosen(connection, lock=True)
    if current is None:
        raise InputError("there is no release to go back from", fix="run `spearfish promote` first")
    if current.previous_id is None:
        raise InputError(
            "there is no release to go back to",
            got=f"release {current.id}, the first one",
            fix="train and promote other models",
        )
    earlier = activate(
        connection,
        release_id=current.previous_id,
        activate_at=activate_at,
        who=who,
        why=why,
        now=now,
        action="rollback",
    )
    return SteppedBack(left=current, release=earlier)


def _move(connection: Connection, *, event: Event) -> None:
    """Log the move, then write the pointer: the last statement of every transaction that changes it."""
    connection.execute(insert(schema.release_events).values(vars(event)))
    connection.execute(
        update(schema.pointer).values(
            release_id=event.release_id, activate_at=event.activate_at, replaced_id=event.replaced_id
        )
    )


def _require_reason(*, who: str, why: str) -> None:
    for name, value in (("who", who), ("why", why)):
        if not value.strip():
            raise InputError(f"a change of what is served says {name}", got=repr(value), fix="give --reason")
