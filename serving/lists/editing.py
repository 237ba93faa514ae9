"""What people say of a list itself: its name, purpose, goals and rules, and whom it keeps off.

Turns fields and entries into a changed list, or into an error that says what does not go together. Time rule:
moments are naive UTC, whole seconds. Null rule: a field that is not given stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from features.errors import InputError
from features.identity.domains import registrable_domain
from serving.fields import clean_domain
from serving.lists.forgotten import People, gone_from
from serving.lists.life_cycle import after
from serving.lists.proposing import ready
from serving.store import list_approved, lists
from serving.store.lists import TargetList

__all__ = ["edit", "exclude", "meant_by"]


def edit(
    connection: Connection, *, list_id: int, values: Mapping[str, Any], seen: int, who: str, now: datetime
) -> TargetList:
    """Change what is said of a list: fields of `ListDraft`. The accounts on it stay until the next draw.

    Of an approved list, what people review (`serving.store.list_approved.REVIEWED`) becomes another version,
    a draft, as every other change does; what was approved stays what is handed over. Raises UnknownListError,
    ListChangedError, ListStateError, InputError.
    """
    found = lists.lock(connection, list_id=list_id)
    lists.require_seen(connection, found, seen=seen, areas=("facts", "state"))
    if found.state == "archived":
        after(found.state, "revise")
    # A list that is no pilot any more has no sub-industry either.
    values = {"sub_industry": None, **values} if values.get("pilot") is False else values
    left = {name: value for name, value in values.items() if value != getattr(found, name)}
    if not left:
        return found
    _require_whole({**asdict(found), **left})
    if "name" in left:
        lists.require_free_name(connection, name=str(left["name"]), of=found.id)
    told = ", ".join(sorted(left))
    if not found.is_open and not left.keys().isdisjoint(list_approved.REVIEWED):
        list_approved.remember_approved(connection, found)
        found = ready(connection, found, kind="edit", why=f"edited: {told}", who=who, now=now)
    return lists.changed(
        connection, found, area="facts", action="edit", who=who, now=now, values=left, detail=told
    )


def _require_whole(told: Mapping[str, Any]) -> None:
    """Raise InputError where what is said of a list does not go together, as of a new one."""
    names = [one["name"] for one in told["segments"]]
    if told["name"].isdigit():
        raise InputError("name is a number, as those of lists are", got=told["name"], fix="choose a name")
    if len(set(names)) < len(names):
        raise InputError("segments names one twice", got=", ".join(names), fix="name each once")
    unknown = [goal["segment"] for goal in told["goals"] if goal["segment"] not in (None, *names)]
    if unknown:
        raise InputError(
            "goals name a segment that is not among the segments",
            got=unknown[0],
            allowed=", ".join(names),
            fix="keep the segment, or change the goal",
        )
    if not told["pilot"] and told["sub_industry"] is not None:
        raise InputError(
            "sub_industry is of a pilot; filter by rules instead",
            got=told["sub_industry"],
            fix="leave it out",
        )


def exclude(
    connection: Connection,
    *,
    list_id: int,
    entries: Sequence[str],
    seen: int,
    who: str,
    now: datetime,
    people: People | None = None,
) -> TargetList:
    """Keep accounts and domains off a list, in place of those before; from the next draw on.

    people: who was forgotten, and cannot come onto it anyway: the list does not name them for that.
    Raises UnknownListError, ListChangedError, ListStateError.
    """
    found = lists.lock(connection, list_id=list_id)
    lists.require_seen(connection, found, seen=seen, areas=("facts", "state"))
    if found.state == "archived":
        after(found.state, "revise")
    gone = gone_from(people)
    entries = [one for one in entries if not any(gone(name) for name in meant_by(one))]
    meant = dict.fromkeys(name for one in entries for name in meant_by(one))
    lists.set_excluded(connection, list_id=list_id, entries=list(meant))
    told = f"{len(entries)} accounts and domains"
    return lists.changed(connection, found, area="facts", action="exclude", who=who, now=now, detail=told)


def meant_by(text: str) -> tuple[str, ...]:
    """What somebody may mean who names an account or a domain: an identifier may hold dots, too.

    >>> meant_by(" WWW.Acme.example "), meant_by("Acme-1"), meant_by("https://rival.example/about")
    (('WWW.Acme.example', 'acme.example'), ('Acme-1',), ('https://rival.example/about', 'rival.example'))
    """
    told = text.strip()
    if "." not in told:
        return (told,)
    domain = registrable_domain(told) if re.search(r"[/@:]", told) else clean_domain(told)
    return tuple(dict.fromkeys(one for one in (told, domain) if one))
