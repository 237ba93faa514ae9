"""Versions of lists that may change, and draws as proposals: opened, accepted or discarded.

Turns a list into one whose newest version may be written to, and a proposal into what the list is to be: an
accepted one is a draft like any other, a discarded one is gone with all that the machine proposed in it, and
with nothing that people decided meanwhile. Each runs within one transaction of the caller, and holds the list
meanwhile. Time rule: decisions count that are in force `now`. Null rule: a list without a proposal has
nothing to accept or to discard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from serving.lists.life_cycle import after
from serving.lists.merging import NOTHING, Decided, decided_of, departed, member
from serving.store import list_approved, list_members, list_overrides, lists
from serving.store.list_members import Member
from serving.store.lists import ListStateError, TargetList, Version

__all__ = ["DRAWS", "Draw", "accept", "discard", "open_proposal", "ready", "remembered", "to_open"]

Draw = Literal["first", "refresh", "rebuild", "redraw"]
DRAWS: tuple[Draw, ...] = ("first", "refresh", "rebuild", "redraw")
"""first: of a new list; refresh: each quarter; rebuild: from scratch, each year; redraw: for a new product or
market."""

_PROPOSAL, _BASE, _BEFORE, _SET = "proposal", "base", "before", "set"
"""What `source` of a version says of a proposal: open or accepted, the version that it is beside, and what it
changed of the list itself."""

_OF_LIST = ("refreshed_at", "rebuilt_at", "sub_industry", "segments", "rules")


def ready(
    connection: Connection, found: TargetList, *, kind: str, why: str, who: str, now: datetime
) -> TargetList:
    """The list with a version that may be changed: another one where the newest is approved already.

    Raises ListStateError for one that is archived.
    """
    if found.state == "archived":
        after(found.state, "revise")
    if found.is_open:
        return found
    number = lists.next_number(connection, found)
    return lists.open_version(connection, found, Version(number, kind, now, who, why))


def to_open(
    connection: Connection, found: TargetList, *, kind: Draw, why: str, who: str, now: datetime
) -> tuple[Version | None, int | None]:
    """The version that is to be opened for a draw, and the version that it is a proposal beside.

    None and None for the first draw, which fills the first version. A proposal that is still open is drawn
    again: None to be opened. Raises ListStateError.
    """
    if found.state == "archived":
        after(found.state, "revise")
    if found.refreshed_at is None and found.is_open:
        return None, None
    if kind == "first":
        raise ListStateError(
            "the list was drawn or approved before",
            got="first",
            allowed=", ".join(DRAWS[1:]),
            fix="refresh it each quarter, rebuild it each year, or redraw it for another market",
        )
    version = newest(connection, found)
    if version.source.get(_PROPOSAL) == "open":
        return None, int(version.source[_BASE])
    number = lists.next_number(connection, found)
    return Version(number, kind, now, who, why), found.version


def newest(connection: Connection, found: TargetList) -> Version:
    """The newest version."""
    return next(one for one in lists.versions(connection, list_id=found.id) if one.number == found.version)


def remembered(
    connection: Connection, found: TargetList, *, base: int | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    """What a version must say of the list it was drawn for, and for its proposal to be taken back."""
    if base is None:
        return {_SET: _plain({**asdict(found), **values})}
    now, source = _plain(asdict(found)), newest(connection, found).source
    before = dict(source.get(_BEFORE) or now)
    # What somebody changed since the proposal was drawn for the first time is theirs.
    before |= {name: now[name] for name, value in source.get(_SET, {}).items() if now[name] != value}
    return {_PROPOSAL: "open", _BASE: base, _BEFORE: before, _SET: _plain({**asdict(found), **values})}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: values[name] for name in _OF_LIST}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}


def open_proposal(connection: Connection, found: TargetList) -> Version | None:
    """The newest version where it is a proposal that nobody has accepted; None where there is none."""
    if not found.is_open or found.state == "archived":
        return None
    version = newest(connection, found)
    return version if version.source.get(_PROPOSAL) == "open" else None


def accept(
    connection: Connection, *, list_id: int, seen: int, who: str, now: datetime, why: str = ""
) -> TargetList:
    """Make a proposal the draft that is worked on.

    Raises UnknownListError, ListChangedError, ListStateError.
    """
    found, version = _proposed(connection, list_id=list_id, seen=seen)
    told = replace(version, source={**version.source, _PROPOSAL: "accepted"})
    lists.tell_draw(connection, list_id=list_id, version=told)
    detail = why or f"the {version.kind} of version {version.number}"
    return lists.changed(
        connection, found, area="state", action="accept_proposal", who=who, now=now, detail=detail
    )


def discard(
    connection: Connection, *, list_id: int, seen: int, who: str, now: datetime, why: str = ""
) -> TargetList:
    """Take a proposal back. What people decided meanwhile stays, as a draft where it changes the list.

    Raises UnknownListError, ListChangedError, ListStateError.
    """
    found, version = _proposed(connection, list_id=list_id, seen=seen)
    base = int(version.source[_BASE])
    at = {"list_id": list_id, "newest": found.version}
    proposed = list_members.members(connection, **at, version=found.version)
    list_members.take_back(connection, list_id=list_id, version=found.version)
    lists.remove_version(connection, list_id=list_id, number=found.version)
    values = _restored(found, version) | {
        "version": base,
        "state": "approved" if base == found.approved_version else "draft",
    }
    detail = why or f"the {version.kind} of version {version.number}"
    left = lists.changed(
        connection,
        found,
        area="state",
        action="discard_proposal",
        who=who,
        now=now,
        values=values,
        detail=detail,
    )
    left = _kept(connection, left, proposed=proposed, who=who, now=now)
    if any(
        getattr(left, name) != value for name, value in list_approved.approved_facts(connection, left).items()
    ):
        why = "edited while a proposal was open"
        left = ready(connection, left, kind="edit", why=why, who=who, now=now)
    return left


def _proposed(connection: Connection, *, list_id: int, seen: int) -> tuple[TargetList, Version]:
    found = lists.lock(connection, list_id=list_id)
    lists.require_seen(connection, found, seen=seen, areas=("facts", "members", "state"))
    version = open_proposal(connection, found)
    if version is None:
        raise ListStateError("the list has no open proposal", got=found.state, fix="refresh it first")
    return found, version


def _restored(found: TargetList, version: Version) -> dict[str, Any]:
    """What a draw changed of the list itself, as it was before; what somebody changed since stays."""
    before, was_set, now = version.source[_BEFORE], version.source[_SET], _plain(asdict(found))
    told = {name: before[name] for name in _OF_LIST if now[name] == was_set[name]}
    for name in ("refreshed_at", "rebuilt_at"):
        if told.get(name) is not None:
            told[name] = datetime.fromisoformat(told[name])
    return told


def _kept(
    connection: Connection, found: TargetList, *, proposed: Mapping[str, Member], who: str, now: datetime
) -> TargetList:
    """The list with every decision in force. proposed: accounts as the proposal knew them."""
    standing = list_overrides.of_list(connection, list_id=found.id, unended=True)
    decided = decided_of(one for one in standing if one.in_force(now))
    at = {"list_id": found.id, "version": found.version, "newest": found.version}
    before = list_members.members(connection, **at)
    newcomers = {
        name: replace(one, suggested=False, machine_segment=None)
        for name, one in proposed.items()
        if name not in before and name in decided
    }
    unended = {one.id: one for one in standing}

    def of(one: Member) -> Decided:
        """What counts of an account, whatever it was called when that was decided."""
        own = Decided(unended.get(one.override_id or 0), unended.get(one.move_id or 0))
        latest = decided.get(one.account_id, NOTHING)
        return Decided(latest.membership or own.membership, latest.segment or own.segment)

    held = {name: member(one, of(one)) for name, one in {**before, **newcomers}.items()}
    members = {name: one for name, one in held.items() if one is not None}
    if members == before:
        return found
    why = "decided while a proposal was open"
    found = ready(connection, found, kind="edit", why=why, who=who, now=now)
    list_members.write(
        connection,
        list_id=found.id,
        version=found.version,
        before=before,
        after=members,
        left=departed(before, members, reasons={}),
    )
    return found
