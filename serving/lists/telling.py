"""What a draw changes of the list itself, and what its version says of it.

Turns who was on a list and who is, and whom the rules left out, into counts, into values of the list and into
words of its version. Time rule: none of its own. Null rule: an account without a segment names none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from serving.lists import constraints
from serving.lists.constraints import Constrained
from serving.lists.proposing import Draw
from serving.store import lists
from serving.store.list_members import Drop, Member
from serving.store.lists import TargetList

__all__ = ["compared", "some_of", "tell", "values_of"]

_KEPT_OF_A_RULE = 1_000
"""Accounts that are named of those that a rule left out; all of them are counted."""


def some_of(drops: Iterable[constraints.Drop]) -> list[Drop]:
    """Whom each rule left out, as far as they are named."""
    named: Counter[str] = Counter()
    some = []
    for drop in drops:
        named[drop.rule] += 1
        if named[drop.rule] <= _KEPT_OF_A_RULE:
            some.append(Drop(drop.account_id, drop.rule, drop.detail, drop.score))
    return some


def tell(
    connection: Connection,
    found: TargetList,
    constrained: Constrained,
    *,
    kind: Draw,
    why: str,
    who: str,
    now: datetime,
    source: Mapping[str, Any],
) -> None:
    """Say on the version what it was drawn from."""
    (version,) = (one for one in lists.versions(connection, list_id=found.id) if one.number == found.version)
    told = {"rules": {rule.rule: rule.dropped for rule in constrained.counted()}}
    told["conflicts"] = dict(Counter(one.rule for one in constrained.conflicts))
    lists.tell_draw(
        connection,
        list_id=found.id,
        version=replace(
            version,
            kind=version.kind if version.number == 1 else kind,
            opened_at=now,
            opened_by=who,
            why=why,
            source=dict(source),
            drops=told,
        ),
    )


def values_of(
    found: TargetList,
    industry: str | None,
    *,
    members: Mapping[str, Member],
    kind: Draw,
    now: datetime,
) -> dict[str, Any]:
    """What a draw changes of the list itself. industry: of a pilot."""
    values: dict[str, Any] = {"refreshed_at": now, "sub_industry": industry}
    if kind != "refresh" or found.rebuilt_at is None:
        values["rebuilt_at"] = now
    used = {one.segment for one in members.values() if one.segment is not None}
    anew = kind in ("rebuild", "redraw")
    kept = [one for one in found.segments if one["basis"] != "suggested" or one["name"] in used or not anew]
    named = used - {segment["name"] for segment in kept}
    values["segments"] = [
        *kept,
        *({"name": name, "basis": "suggested", "description": None} for name in sorted(named)),
    ]
    return values


def compared(before: Mapping[str, Member], after: Mapping[str, Member]) -> dict[str, int]:
    """How many accounts a draw added, dropped and moved."""
    was, now = (
        {name: one.segment for name, one in some.items() if one.status == "target"}
        for some in (before, after)
    )
    both = was.keys() & now.keys()
    return {
        "added": len(now.keys() - was.keys()),
        "dropped": len(was.keys() - now.keys()),
        "moved": sum(was[name] != now[name] for name in both),
    }
