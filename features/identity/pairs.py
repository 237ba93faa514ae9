"""Pairs of accounts that could be one company, with the rule that says so.

Turns companies into pairs: those that share a Salesforce id, a registration number or a domain, and those
whose names are alike. Pairs that are not enough by themselves carry the reason. Time rule: none. Null rule:
an empty cell makes no pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from features.identity.blocking import NameBlocks
from features.identity.companies import Company
from features.identity.matching import MatchSettings, name_score
from features.identity.similarity import WordWeights

__all__ = ["Pair", "alike_pairs"]

_LARGE_DOMAIN = 30
"""Accounts that share a domain and are still compared each with each; the tenants of a portal are not."""


@dataclass(frozen=True)
class Pair:
    """Two accounts, the smaller identifier first, that a rule takes for one company.

    reason: why the rule alone is not enough; empty where it is.
    rivals: (account, rival) where the rival, of the same source as the account, is about as much alike.
    """

    first: str
    second: str
    rule: str
    score: float
    reason: str = ""
    rivals: tuple[tuple[str, str], ...] = ()


def alike_pairs(
    companies: Sequence[Company], *, origins: Mapping[str, str], settings: MatchSettings
) -> Iterator[Pair]:
    """companies: in the order of their identifiers. origins: the source by identifier."""
    weights = WordWeights([company.name for company in companies])
    for rule in ("salesforce_id", "registration_number"):
        for group in _sharing(companies, rule):
            yield from (Pair(group[0].identifier, one.identifier, rule, 1.0) for one in group[1:])
    for group in _sharing(companies, "domain"):
        yield from _by_domain(group, weights=weights, settings=settings)
    yield from _by_name(companies, weights=weights, origins=origins, settings=settings)


def _sharing(companies: Sequence[Company], attribute: str) -> list[list[Company]]:
    """Groups of two and more that share a value, each in the order of the companies."""
    found: dict[str, list[Company]] = {}
    for company in companies:
        value = getattr(company, attribute)
        if value:
            found.setdefault(value, []).append(company)
    return [group for _, group in sorted(found.items()) if len(group) > 1]


def _by_domain(group: list[Company], *, weights: WordWeights, settings: MatchSettings) -> Iterator[Pair]:
    large = len(group) > _LARGE_DOMAIN
    for at, one in enumerate(group):
        for other in group[at + 1 :]:
            if large and one.name.key != other.name.key:
                continue
            nameless = not one.name.words or not other.name.words
            score = 1.0 if nameless else name_score(one, other, weights=weights, settings=settings)
            reason = "" if score >= settings.review else "same domain, other name"
            yield Pair(one.identifier, other.identifier, "domain", round(score, 6), reason)


def _by_name(
    companies: Sequence[Company],
    *,
    weights: WordWeights,
    origins: Mapping[str, str],
    settings: MatchSettings,
) -> Iterator[Pair]:
    names = [company.name for company in companies]
    blocks = NameBlocks(names).candidates(names, most=settings.candidates + 1)
    alike: dict[int, dict[int, float]] = {at: {} for at in range(len(companies))}
    for at, block in enumerate(blocks):
        for other in (int(position) for position in block if position != at):
            if other not in alike[at]:
                score = name_score(companies[at], companies[other], weights=weights, settings=settings)
                alike[at][other] = alike[other][at] = score
    for one, others in alike.items():
        for two, score in others.items():
            if one < two and score >= settings.review:
                rivals = _rivals(one, two, alike, origins=origins, companies=companies, lead=settings.lead)
                reason = _doubt(companies[one], companies[two], score=score, settings=settings)
                pair = (companies[one].identifier, companies[two].identifier)
                yield Pair(*pair, "name", round(score, 6), reason, rivals)


def _rivals(
    one: int,
    two: int,
    alike: Mapping[int, Mapping[int, float]],
    *,
    origins: Mapping[str, str],
    companies: Sequence[Company],
    lead: float,
) -> tuple[tuple[str, str], ...]:
    """Accounts of the source of one side that are about as much like the other side."""
    found = []
    for here, there in ((one, two), (two, one)):
        account = companies[there].identifier
        for other, score in alike[here].items():
            rival = companies[other].identifier
            if other != there and origins[rival] == origins[account] and score > alike[here][there] - lead:
                found.append((account, rival))
    return tuple(sorted(found))


def _doubt(one: Company, two: Company, *, score: float, settings: MatchSettings) -> str:
    """Why a like name is not enough; empty where it is."""
    if one.domain and two.domain and one.domain != two.domain:
        return "like name, other domain"
    if one.country and two.country and one.country != two.country:
        return "like name, other country"
    return "names are alike, not equal" if score < settings.accept else ""
