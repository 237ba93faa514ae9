"""A draw: suggestions of the machine become what a list holds, and what people decided stays in force.

Turns suggestions and the facts of their accounts into members of a version: the rules leave accounts out, and
decisions of people come before all of them. The first draw fills the first version. Every later one is a
proposal, a version of its own beside what is there, until somebody accepts or discards it (see
`serving.lists.proposing`). A refresh is for the quarter: whoever is on the list, and is still suggested and
allowed, keeps the place, so that what changes is what has to. A rebuild is for the year: the machine's order
alone decides, and segments that it once named and that nobody is in any more go. A redraw is a rebuild for
another product or market: it may bring rules of its own, and finds the industry of a pilot anew. All of it is
one transaction of the caller: whatever is killed, the list is as it was or as it is to be. Time rule:
decisions count that are in force `now`. Null rule: an account that the tables do not know is left out, unless
people pinned it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from features.errors import InputError
from serving.lists import constraints, proposing
from serving.lists.constraints import Candidate, Constrained, constrain
from serving.lists.facts import Facts
from serving.lists.merging import SUGGESTED, Decided, decided_of, departed, merged
from serving.lists.proposing import Draw
from serving.lists.settings import Rules
from serving.store import list_members, list_overrides, lists
from serving.store.list_members import Drop, Member
from serving.store.list_overrides import Override
from serving.store.lists import ListStateError, TargetList

__all__ = ["Drawn", "Suggestion", "draw"]

_KEPT_OF_A_RULE = 1_000
"""Accounts that are named of those that a rule left out; all of them are counted."""

_UNKNOWN = "unknown account", "the tables do not hold it"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the machine says of one account.

    score: higher is better. probability: with its interval, where the data allow one. detail: reasons for and
    against and the nearest seeds, as JSON; `nearest` holds objects with `account_id`.
    """

    account_id: str
    score: float | None = None
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    segment: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawn:
    """What a draw did. added, dropped, moved: accounts, against what the list held before. constrained: whom
    the rules left out, and pins that they are against."""

    list: TargetList
    targets: int
    added: int
    dropped: int
    moved: int
    constrained: Constrained


def draw(
    connection: Connection,
    *,
    list_id: int,
    suggestions: Iterable[Suggestion],
    facts: Mapping[str, Facts],
    kind: Draw,
    why: str,
    who: str,
    now: datetime,
    source: Mapping[str, Any] | None = None,
    same: Mapping[str, str] | None = None,
    seen: int | None = None,
    given: Mapping[str, Any] | None = None,
) -> Drawn:
    """Draw a list. Raises UnknownListError, ListStateError, ListChangedError, InputError.

    facts: of every account that is suggested, as far as the tables know it, and of those that people pinned.
    source: what it was drawn from, for whoever asks later. same: by account that another one stands for now,
    that one. seen: the revision that the caller rests on; None for any. given: of a redraw, `rules` and
    `sub_industry` of the other market.
    """
    found = lists.lock(connection, list_id=list_id)
    if found.state == "review":
        raise ListStateError(
            "the list is being reviewed", got="review", allowed="draft, approved", fix="withdraw it first"
        )
    if seen is not None:
        lists.require_seen(connection, found, seen=seen, areas=("facts", "members", "state"))
    if given and kind != "redraw":
        raise InputError("rules: only a redraw brings its own", got=kind, fix="edit the list, or redraw it")
    found, base = proposing.opened(connection, found, kind=kind, why=why, who=who, now=now)
    asked = replace(found, **(given or {}))
    if kind == "redraw" and "sub_industry" not in (given or {}):
        asked = replace(asked, sub_industry=None)
    at = {"list_id": list_id, "newest": found.version}
    before = list_members.members(connection, **at, version=found.version)
    held = before if base is None else list_members.members(connection, **at, version=base)
    decided = _decided(connection, list_id=list_id, same=same or {}, now=now)
    own = _best(suggestions, same=same or {})
    stay = {name for name, one in held.items() if one.status == "target" and one.suggested}
    chosen = _choose(
        asked,
        own=own,
        facts=facts,
        decided=decided,
        excluded=lists.excluded(connection, list_id=list_id),
        first=stay if kind == "refresh" else frozenset(),
    )
    said = _said(chosen.constrained, own=own, facts=facts, decided=decided, before=before, draw=found.version)
    members = merged(said, decided=decided)
    reasons = {drop.account_id: drop.rule for drop in chosen.constrained.drops}
    list_members.write(
        connection,
        list_id=list_id,
        version=found.version,
        before=before,
        after=members,
        left=departed(before, members, reasons=reasons),
    )
    _keep_words(connection, found, chosen.constrained, own=own, members=members)
    counts = _compared(held, members)
    values = _values(asked, chosen, members=members, kind=kind, now=now) | dict(given or {})
    told = proposing.remembered(connection, found, base=base, values=values) | dict(source or {})
    _tell(connection, found, chosen.constrained, kind=kind, why=why, who=who, now=now, source=told)
    left = lists.changed(
        connection,
        found,
        area="members",
        action=kind,
        who=who,
        now=now,
        values=values,
        detail=", ".join(f"{count} {what}" for what, count in counts.items()),
    )
    targets = sum(one.status == "target" for one in members.values())
    return Drawn(left, targets, **counts, constrained=chosen.constrained)


def _decided(
    connection: Connection, *, list_id: int, same: Mapping[str, str], now: datetime
) -> dict[str, Decided]:
    """By account as it is called today, the decisions in force."""
    found = list_overrides.of_list(connection, list_id=list_id, unended=True)
    return decided_of(_today(one, same) for one in found if one.in_force(now))


def _today(override: Override, same: Mapping[str, str]) -> Override:
    return replace(override, account_id=same.get(override.account_id, override.account_id))


def _best(suggestions: Iterable[Suggestion], *, same: Mapping[str, str]) -> dict[str, Suggestion]:
    """By account, what was suggested of it; of several that are one company, the best."""
    found: dict[str, Suggestion] = {}
    for one in suggestions:
        name = same.get(one.account_id, one.account_id)
        before = found.get(name)
        if before is None or _score(before) < _score(one):
            found[name] = replace(one, account_id=name)
    return found


def _score(one: Suggestion) -> float:
    return float("-inf") if one.score is None else one.score


@dataclass(frozen=True)
class _Chosen:
    """Who is kept, and the industry of a pilot."""

    constrained: Constrained
    industry: str | None


def _choose(
    found: TargetList,
    *,
    own: Mapping[str, Suggestion],
    facts: Mapping[str, Facts],
    decided: Mapping[str, Decided],
    excluded: frozenset[str],
    first: Collection[str],
) -> _Chosen:
    rules = Rules.model_validate(found.rules)
    pinned = {name for name, one in decided.items() if one.is_pinned}
    taken_off = {name for name, one in decided.items() if one.is_dropped}
    candidates, unknown = [], []
    for name in [*own, *(name for name in sorted(pinned) if name not in own)]:
        one = own.get(name) or Suggestion(name)
        segment = _segment(decided.get(name), one.segment)
        if name in facts or name in pinned:
            known = facts.get(name) or Facts(name)
            candidates.append(known.candidate(score=one.score, segment=segment))
        else:
            unknown.append(one)
    industry = found.sub_industry
    options: dict[str, Any] = {"rules": rules, "excluded": excluded, "pinned": pinned, "taken_off": taken_off}
    if found.pilot and industry is None:
        industry = _usual_industry(constrain(candidates, size=None, **options).kept, size=found.size)
    options |= {"size": found.size, "first": first}
    chosen = constrain(candidates, industry=industry if found.pilot else None, **options)
    strangers = (constraints.Drop(one.account_id, *_UNKNOWN, one.score) for one in unknown)
    return _Chosen(replace(chosen, drops=(*chosen.drops, *strangers)), industry)


def _segment(decided: Decided | None, suggested: str | None) -> str | None:
    """Where an account counts towards the quotas: where it will be."""
    if decided is not None and decided.segment is not None:
        return decided.segment.segment
    held = None if decided is None else decided.membership
    return suggested if held is None or held.segment is None else held.segment


def _usual_industry(kept: Sequence[Candidate], *, size: int) -> str | None:
    """The industry of a pilot that names none: the one that most of the best accounts have."""
    counts = Counter(one.industry for one in kept[:size] if one.industry is not None)
    return min(counts, key=lambda name: (-counts[name], name), default=None)


def _said(
    constrained: Constrained,
    *,
    own: Mapping[str, Suggestion],
    facts: Mapping[str, Facts],
    decided: Mapping[str, Decided],
    before: Mapping[str, Member],
    draw: int,
) -> dict[str, Member]:
    """What the machine says of everybody who may be on the list: those that are kept, the best first, and
    then those that people took off."""
    broken = {one.account_id for one in constrained.conflicts}
    names = [one.account_id for one in constrained.kept]
    wanted = {name for name in names if name in own and name not in broken}
    names += sorted(name for name, one in decided.items() if one.is_dropped)
    return {
        name: _as_said(
            name, own.get(name), facts.get(name), before.get(name), suggested=name in wanted, draw=draw
        )
        for name in names
    }


def _as_said(
    name: str,
    one: Suggestion | None,
    known: Facts | None,
    last: Member | None,
    *,
    suggested: bool,
    draw: int,
) -> Member:
    member = last or Member(name, "target", SUGGESTED, suggested=suggested, draw=draw)
    if one is not None:
        member = replace(
            member,
            draw=draw,
            machine_segment=one.segment,
            score=one.score,
            probability=one.probability,
            low=one.low,
            high=one.high,
        )
    if known is not None:
        member = replace(
            member,
            name=known.name,
            domain=known.domain,
            industry=known.industry,
            country=known.country,
            account_owner=known.owner,
        )
    return replace(member, suggested=suggested)


def _keep_words(
    connection: Connection,
    found: TargetList,
    constrained: Constrained,
    *,
    own: Mapping[str, Suggestion],
    members: Mapping[str, Member],
) -> None:
    """Keep the reasons of those who are on the list, and whom each rule left out."""
    details = {
        name: json.dumps(own[name].detail, ensure_ascii=False, allow_nan=False)
        for name in members
        if name in own
    }
    list_members.set_details(connection, list_id=found.id, draw=found.version, details=details)
    named: Counter[str] = Counter()
    some = []
    for drop in constrained.drops:
        named[drop.rule] += 1
        if named[drop.rule] <= _KEPT_OF_A_RULE:
            some.append(Drop(drop.account_id, drop.rule, drop.detail, drop.score))
    list_members.set_drops(connection, list_id=found.id, version=found.version, drops=some)


def _tell(
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


def _values(
    found: TargetList, chosen: _Chosen, *, members: Mapping[str, Member], kind: Draw, now: datetime
) -> dict[str, Any]:
    """What a draw changes of the list itself."""
    values: dict[str, Any] = {"refreshed_at": now, "sub_industry": chosen.industry}
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


def _compared(before: Mapping[str, Member], after: Mapping[str, Member]) -> dict[str, int]:
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
