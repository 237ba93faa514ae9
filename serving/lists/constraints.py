"""Who may be on a list: rules over candidates, each of which is kept or left out for exactly one reason.

Turns candidates into those that are kept, the best first, and of every other one the first rule against it.
The rules, in their order: taken off by hand, customers, open opportunities, opted out, the named facts (such
as competitors) in the order that they are given, listed accounts and domains, the industry of the pilot, the
filters (industry, country, territory, owner, technology, employees), the minimum score; then, candidate by
candidate, one account of each parent, the quota of its segment, that of its owner, the caps on shares, and
the size of the list. Only an account that is kept takes a place, so that the next one of its parent may come
where the better one was left out.

What people pinned is never left out and takes its place first; where it breaks a rule, that is told. The
outcome depends on nothing but its input: the best is the one with the highest score, and of equal ones the
first by identifier; who is to stay where it can comes before all that are not. Time rule: none. Null rule: an
account of which a filtered fact is not known does not pass that filter; one without an owner, segment or
parent counts towards none of their quotas, but all accounts without a fact share the cap of that fact; one
without a score is below any minimum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

from serving.lists.settings import Rules

__all__ = [
    "CUSTOMER",
    "OPEN_OPPORTUNITY",
    "OPTED_OUT",
    "Candidate",
    "Conflict",
    "Constrained",
    "Drop",
    "RuleCount",
    "constrain",
    "where_relation",
]

CUSTOMER, OPEN_OPPORTUNITY, OPTED_OUT = "customer", "open_opportunity", "opted_out"

_EXAMPLES = 5

Reason = tuple[str, str]
"""The rule, as it is counted, and what it found."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the rules read of an account.

    territory, owner, parent: from the columns that the rules name. relations: what it is to us: CUSTOMER,
    OPEN_OPPORTUNITY, OPTED_OUT, and `where_relation` of each rule that it meets. score: higher is better.
    """

    account_id: str
    score: float | None = None
    segment: str | None = None
    domain: str | None = None
    industry: str | None = None
    country: str | None = None
    territory: str | None = None
    owner: str | None = None
    parent: str | None = None
    employees: int | None = None
    technologies: Collection[str] = ()
    relations: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a candidate is left out. rule: as it is counted; detail: what it found, in words."""

    account_id: str
    rule: str
    detail: str
    score: float | None


@dataclass(frozen=True)
class RuleCount:
    """How many candidates a rule left out. accounts: the best few of them."""

    rule: str
    dropped: int
    accounts: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """An account that somebody pinned although a rule is against it."""

    account_id: str
    rule: str
    detail: str


@dataclass(frozen=True)
class Constrained:
    """kept: in the order in which places are taken. drops: of every other candidate, in the same order."""

    kept: tuple[Candidate, ...]
    drops: tuple[Drop, ...]
    conflicts: tuple[Conflict, ...]

    def counted(self) -> tuple[RuleCount, ...]:
        """How many each rule left out, the one that left out most first."""
        found: dict[str, list[str]] = {}
        for drop in self.drops:
            found.setdefault(drop.rule, []).append(drop.account_id)
        return tuple(
            RuleCount(rule, len(accounts), tuple(accounts[:_EXAMPLES]))
            for rule, accounts in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        )


def where_relation(name: str) -> str:
    """What an account is to us that meets the rule of this name."""
    return f"where {name}"


def constrain(
    candidates: Iterable[Candidate],
    *,
    rules: Rules,
    size: int | None = None,
    excluded: Collection[str] = (),
    pinned: Collection[str] = (),
    taken_off: Collection[str] = (),
    industry: str | None = None,
    first: Collection[str] = (),
) -> Constrained:
    """Who is kept, and why everybody else is not.

    candidates: each account once, in any order. size: accounts that the list may hold; None for any number.
    excluded: identifiers and domains from a file. pinned: accounts that people keep on it; taken_off: those
    that people keep off. industry: the only one that a pilot has; None for any. first: those that take their
    places before better ones do, as they are on the list already.
    """
    ordered = sorted(candidates, key=lambda one: (one.account_id not in first, *_place(one)))
    checks = _checks(rules, excluded=frozenset(excluded), taken_off=taken_off, industry=industry)
    room = _Room(rules, size=size)
    held = [one for one in ordered if one.account_id in pinned]
    conflicts = []
    for one in held:
        reason = _first(checks, one)
        if reason is not None:
            conflicts.append(Conflict(one.account_id, *reason))
        room.take(one)
    kept, drops = [], []
    for one in ordered:
        if one.account_id in pinned:
            kept.append(one)
            continue
        reason = _first(checks, one) or room.refusal(one)
        if reason is None:
            room.take(one)
            kept.append(one)
        else:
            drops.append(Drop(one.account_id, *reason, one.score))
    return Constrained(tuple(kept), tuple(drops), tuple(conflicts))


def _place(one: Candidate) -> tuple[bool, float, str]:
    return one.score is None, -(one.score or 0.0), one.account_id


Check = Callable[[Candidate], Reason | None]


def _first(checks: Sequence[Check], one: Candidate) -> Reason | None:
    for check in checks:
        reason = check(one)
        if reason is not None:
            return reason
    return None


def _checks(
    rules: Rules, *, excluded: frozenset[str], taken_off: Collection[str], industry: str | None
) -> list[Check]:
    """The rules that look at one account alone, in their order."""
    checks = [
        *([_taken_off(frozenset(taken_off))] if taken_off else []),
        *_relations(rules),
        *([_listed(excluded)] if excluded else []),
        *([_one_of("industry of the pilot", "industry", [industry])] if industry is not None else []),
        *_filters(rules),
    ]
    if rules.minimum_score is not None:
        checks.append(_minimum(rules.minimum_score))
    return checks


def _taken_off(accounts: frozenset[str]) -> Check:
    reason = "taken off by hand", "was taken off the list by hand"
    return lambda one: reason if one.account_id in accounts else None


def _relations(rules: Rules) -> Iterable[Check]:
    for asked, relation, rule, detail in (
        (rules.customers, CUSTOMER, "customers", "is a customer"),
        (rules.open_opportunities, OPEN_OPPORTUNITY, "open opportunities", "has an open opportunity"),
        (rules.opted_out, OPTED_OUT, "opted out", "all of its contacts have opted out"),
    ):
        if asked:
            yield _related(relation, (rule, detail))
    for one in rules.where:
        yield _related(
            where_relation(one.name), (one.name, f"{one.attribute} is one of {', '.join(one.values)}")
        )


def _related(relation: str, reason: Reason) -> Check:
    return lambda one: reason if relation in one.relations else None


def _listed(excluded: frozenset[str]) -> Check:
    def check(one: Candidate) -> Reason | None:
        if one.account_id in excluded:
            return "listed", "is on the list of those to be kept off"
        if one.domain is not None and one.domain in excluded:
            return "listed", f"{one.domain} is on the list of those to be kept off"
        return None

    return check


def _filters(rules: Rules) -> Iterable[Check]:
    told = rules.filters
    for rule, fact, values in (
        ("industry", "industry", told.industries),
        ("country", "country", told.countries),
        ("territory", "territory", told.territories),
        ("owner", "owner", told.owners),
    ):
        if values is not None:
            yield _one_of(rule, fact, values)
    if told.technologies is not None:
        yield _uses(told.technologies)
    if told.employees_from is not None or told.employees_to is not None:
        yield _sized(told.employees_from, told.employees_to)


def _one_of(rule: str, fact: str, values: Sequence[str]) -> Check:
    allowed = {value.casefold() for value in values}

    def check(one: Candidate) -> Reason | None:
        value: str | None = getattr(one, fact)
        if value is None:
            return f"{rule} not known", f"{fact} is not known"
        return None if value.casefold() in allowed else (rule, f"{fact} is {value}")

    return check


def _uses(technologies: Sequence[str]) -> Check:
    allowed = {value.casefold() for value in technologies}

    def check(one: Candidate) -> Reason | None:
        if not one.technologies:
            return "technology not known", "technologies are not known"
        used = any(name.casefold() in allowed for name in one.technologies)
        return None if used else ("technology", f"uses none of {', '.join(technologies)}")

    return check


def _sized(least: int | None, most: int | None) -> Check:
    def check(one: Candidate) -> Reason | None:
        if one.employees is None:
            return "employees not known", "employees are not known"
        fits = (least is None or one.employees >= least) and (most is None or one.employees <= most)
        return None if fits else ("employees", f"has {one.employees:,} employees")

    return check


def _minimum(least: float) -> Check:
    def check(one: Candidate) -> Reason | None:
        if one.score is None:
            return "minimum score", "was never scored"
        return None if one.score >= least else ("minimum score", f"scores {one.score:.4g}")

    return check


@dataclass
class _Room:
    """The places of a list that are still free."""

    rules: Rules
    size: int | None
    taken: int = 0
    parents: dict[str, str] = field(default_factory=dict)
    segments: Counter[str] = field(default_factory=Counter)
    owners: Counter[str] = field(default_factory=Counter)
    values: Counter[tuple[str, str | None]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._of_segments = {quota.name: quota.most for quota in self.rules.segment_quotas}
        self._of_owners = {quota.name: quota.most for quota in self.rules.owner_quotas}
        # A share of no number is no cap.
        self._caps: Mapping[str, int] = (
            {} if self.size is None else {cap.fact: floor(cap.share * self.size) for cap in self.rules.caps}
        )

    def take(self, one: Candidate) -> None:
        self.taken += 1
        if one.parent is not None:
            self.parents.setdefault(one.parent, one.account_id)
        if one.segment is not None:
            self.segments[one.segment] += 1
        if one.owner is not None:
            self.owners[one.owner] += 1
        for fact in self._caps:
            self.values[fact, getattr(one, fact)] += 1

    def refusal(self, one: Candidate) -> Reason | None:
        """Why there is no place for it; None where there is one."""
        if one.parent is not None and one.parent in self.parents:
            return "one of each parent", f"{self.parents[one.parent]} has the same parent, {one.parent}"
        most = None if one.segment is None else self._of_segments.get(one.segment)
        if most is not None and self.segments[str(one.segment)] >= most:
            return "quota of segment", f"{one.segment} has its {most:,}"
        most = self._most_of(one.owner)
        if most is not None and self.owners[str(one.owner)] >= most:
            return "quota of owner", f"{one.owner} has {most:,}"
        for fact, cap in self._caps.items():
            value = getattr(one, fact)
            if self.values[fact, value] >= cap:
                return f"share of one {fact}", f"{value or 'not known'} has its {cap:,}"
        if self.size is not None and self.taken >= self.size:
            return "size", f"the list has its {self.size:,}"
        return None

    def _most_of(self, owner: str | None) -> int | None:
        if owner is None:
            return None
        return self._of_owners.get(owner, self.rules.most_per_owner)
