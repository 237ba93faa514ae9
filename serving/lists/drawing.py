"""A draw: suggestions of the machine become what a list holds, and what people decided stays in force.

Turns suggestions and the facts of their accounts into members of a version: the rules leave accounts out, and
decisions of people come before all of them. The first draw fills the first version. Every later one is a
proposal, a version of its own beside what is there, until somebody accepts or discards it (see
`serving.lists.proposing`). A refresh is for the quarter: whoever is on the list, and is still suggested and
allowed, keeps the place, so that what changes is what has to. A rebuild is for the year: the machine's order
alone decides, and segments that it once named and that nobody is in any more go. A redraw is a rebuild for
another product or market: it may bring rules of its own, and finds the industry of a pilot anew. A draw is
worked out before it is written, so that nobody waits for that; all that it writes is one transaction of the
caller: whatever is killed, the list is as it was or as it is to be. Time rule: decisions count that are in
force `now`. Null rule: an account that the tables do not know is left out, unless people pinned it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from features.errors import InputError
from serving.lists import constraints, proposing, telling
from serving.lists.constraints import Candidate, Constrained, constrain
from serving.lists.facts import Facts
from serving.lists.forgotten import People, gone_from, nearest_without, nobody
from serving.lists.merging import SUGGESTED, Decided, decided_of, departed, gone_into, merged, today
from serving.lists.proposing import Draw
from serving.lists.settings import Rules
from serving.store import list_members, list_overrides, lists
from serving.store.list_members import Member, Rewriting
from serving.store.list_overrides import Override
from serving.store.lists import ListStateError, TargetList, Version

__all__ = ["Drawn", "Plan", "Suggestion", "carried_out", "draw", "planned"]

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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A draw that is worked out and that nobody has waited for: what is to be written.

    found: the list that it rests on. asked: of what it was worked out, to do so again where the list has
    changed since, or listed, who was forgotten. opens: the version that it begins. base: the one that it is a
    proposal beside.
    """

    found: TargetList
    asked: Mapping[str, Any]
    listed: object
    opens: Version | None
    base: int | None
    rewriting: Rewriting
    details: Mapping[str, bytes]
    constrained: Constrained
    values: Mapping[str, Any]
    counts: Mapping[str, int]
    targets: int


def draw(connection: Connection, **asked: Any) -> Drawn:
    """Draw a list, in one transaction that writes. asked, errors: as of `planned`.

    A long list is better planned in a transaction that reads, and carried out in one that writes, which lets
    the other writers in meanwhile.
    """
    lists.lock(connection, list_id=asked["list_id"])
    return carried_out(connection, planned(connection, **asked))


def planned(
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
    people: People | None = None,
) -> Plan:
    """Work out a draw; nothing is written. Raises UnknownListError, ListStateError, ListChangedError,
    InputError.

    facts: of every account that is suggested, as far as the tables know it, and of those that people pinned.
    source: what it was drawn from, for whoever asks later. same: by account that another one stands for now,
    that one. seen: the revision that the caller rests on; None for any. given: of a redraw, `rules` and
    `sub_industry` of the other market. people: who was forgotten, and is left out without a word.
    """
    # Before anything is read: whoever is forgotten meanwhile makes this another one.
    listed = None if people is None else people.listed()
    suggestions, same, given = tuple(suggestions), same or {}, given or {}
    gone = gone_from(people)
    words: dict[str, Any] = {"kind": kind, "why": why, "who": who, "now": now}
    # The list is read first: whatever changes while the rest is read, changes it, too.
    found = lists.find(connection, list_id=list_id)
    if found.state == "review":
        raise ListStateError(
            "the list is being reviewed", got="review", allowed="draft, approved", fix="withdraw it first"
        )
    if seen is not None:
        lists.require_seen(connection, found, seen=seen, areas=("facts", "members", "state"))
    if given and kind != "redraw":
        raise InputError("rules: only a redraw brings its own", got=kind, fix="edit the list, or redraw it")
    opens, base = proposing.to_open(connection, found, **words)
    number = found.version if opens is None else opens.number
    asked = replace(found, version=number, **given)
    if kind == "redraw" and "sub_industry" not in given:
        asked = replace(asked, sub_industry=None)
    at = {"list_id": list_id, "newest": found.version}
    before = list_members.members(connection, **at, version=found.version)
    held = before if base in (None, found.version) else list_members.members(connection, **at, version=base)
    decided = _decided(connection, list_id=list_id, same=same, now=now)
    decided = {name: one for name, one in decided.items() if not gone(name)}
    own = _best(_remembered(suggestions, same=same, gone=gone), same=same)
    known = today(held, same=same).items()
    stay = {name for name, one in known if one.status == "target" and one.suggested}
    listed_off = lists.excluded(connection, list_id=list_id)
    chosen = _choose(
        asked,
        own=own,
        facts=facts,
        decided=decided,
        excluded=listed_off.union(same[name] for name in listed_off if name in same),
        first=stay if kind == "refresh" else frozenset(),
    )
    said = _said(
        chosen.constrained,
        own=own,
        facts=facts,
        decided=decided,
        before=today(before, same=same),
        draw=number,
    )
    members = merged(said, decided=decided)
    reasons = {drop.account_id: drop.rule for drop in chosen.constrained.drops}
    reasons |= gone_into(before, members, same=same)
    rewriting = list_members.rewriting(
        list_id=list_id,
        version=number,
        before=before,
        after=members,
        left=departed(before, members, reasons=reasons),
    )
    return Plan(
        found=found,
        asked={
            **words,
            "list_id": list_id,
            "suggestions": suggestions,
            "facts": facts,
            "source": source or {},
            "same": same,
            "seen": seen,
            "given": given,
            "people": people,
        },
        listed=listed,
        opens=opens,
        base=base,
        rewriting=rewriting,
        details={name: _packed(own[name]) for name in members if name in own},
        constrained=chosen.constrained,
        values={
            **telling.values_of(asked, chosen.industry, members=members, kind=kind, now=now),
            **given,
        },
        counts=telling.compared(held, members),
        targets=sum(one.status == "target" for one in members.values()),
    )


def _packed(one: Suggestion) -> bytes:
    return list_members.packed(json.dumps(one.detail, ensure_ascii=False, allow_nan=False))


def carried_out(connection: Connection, plan: Plan) -> Drawn:
    """Write what was planned, in one transaction. Where the list has changed since, or somebody was
    forgotten, the draw is worked out anew, while nobody else can change it. Raises what `planned` raises."""
    found = lists.lock(connection, list_id=plan.found.id)
    people: People | None = plan.asked["people"]
    if found != plan.found or (people is not None and people.listed() != plan.listed):
        plan = planned(connection, **plan.asked)
    if plan.opens is not None:
        found = lists.open_version(connection, found, plan.opens)
    words = {name: plan.asked[name] for name in ("who", "now")}
    list_members.rewrite(connection, plan.rewriting)
    at: dict[str, int] = {"list_id": found.id}
    list_members.set_details(connection, **at, draw=found.version, details=plan.details)
    drops = telling.some_of(plan.constrained.drops)
    list_members.set_drops(connection, **at, version=found.version, drops=drops)
    told = proposing.remembered(connection, found, base=plan.base, values=plan.values)
    kind, why, source = (plan.asked[name] for name in ("kind", "why", "source"))
    telling.tell(connection, found, plan.constrained, kind=kind, why=why, **words, source=told | dict(source))
    left = lists.changed(
        connection,
        found,
        area="members",
        action=kind,
        **words,
        values=plan.values,
        detail=", ".join(f"{count} {what}" for what, count in plan.counts.items()),
    )
    return Drawn(left, plan.targets, **plan.counts, constrained=plan.constrained)


def _decided(
    connection: Connection, *, list_id: int, same: Mapping[str, str], now: datetime
) -> dict[str, Decided]:
    """By account as it is called today, the decisions in force."""
    found = list_overrides.of_list(connection, list_id=list_id, unended=True)
    return decided_of(_today(one, same) for one in found if one.in_force(now))


def _today(override: Override, same: Mapping[str, str]) -> Override:
    name = same.get(override.account_id, override.account_id)
    return override if name == override.account_id else replace(override, account_id=name)


def _remembered(
    suggestions: Iterable[Suggestion], *, same: Mapping[str, str], gone: Callable[[str], bool]
) -> Iterator[Suggestion]:
    """The suggestions without accounts that were forgotten, which are near to nobody either."""
    if gone is nobody:
        yield from suggestions
        return
    for one in suggestions:
        if not (gone(one.account_id) or gone(same.get(one.account_id, one.account_id))):
            detail = nearest_without(one.detail, gone=gone)
            yield one if detail is one.detail else replace(one, detail=detail)


def _best(suggestions: Iterable[Suggestion], *, same: Mapping[str, str]) -> dict[str, Suggestion]:
    """By account, what was suggested of it; of several that are one company, the best."""
    found: dict[str, Suggestion] = {}
    for one in suggestions:
        name = same.get(one.account_id, one.account_id)
        before = found.get(name)
        if before is None or _score(before) < _score(one):
            found[name] = one if name == one.account_id else replace(one, account_id=name)
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
        # Where it counts towards the quotas: where it will be.
        placed = decided[name].placed if name in decided else None
        segment = one.segment if placed is None else placed.segment
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
    told: dict[str, Any] = {"suggested": suggested}
    if one is not None:
        told |= {
            "draw": draw,
            "machine_segment": one.segment,
            "score": one.score,
            "probability": one.probability,
            "low": one.low,
            "high": one.high,
        }
    if known is not None:
        told |= {
            "name": known.name,
            "domain": known.domain,
            "industry": known.industry,
            "country": known.country,
            "account_owner": known.owner,
        }
    if last is None:
        return Member(name, "target", SUGGESTED, **{"draw": draw, **told})
    return replace(last, **told)
