"""One identity for what several sources call one company.

Turns the accounts of all sources into a map from account to identity, and into pairs to look at. Accounts
merge by Salesforce id, registration number, web domain with a like name, and a like name that nothing
contradicts and that is the other's best; a person's decision goes before all of these, and what a source
itself has merged before that. The identity of a group is the account of the first source in rank, then the
one known first, then the smallest identifier, and never a record that its source merged into another: a rule
about the set of rows, so that neither their order nor the split of files matters, and an account of the CRM
keeps its identity when a bought list brings the company again. Time rule: none of its own; give the
versions known at the moment that is asked for. Null rule: an empty cell neither agrees nor contradicts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.errors import ContractError
from features.identity.companies import Company, read_companies
from features.identity.groups import Groups
from features.identity.matching import REVIEW_COLUMNS, MatchSettings, numbers_differ, review_row
from features.identity.pairs import Pair, alike_pairs
from features.identity.views import MERGED_BY_SOURCE
from features.spreadsheets import unguarded

__all__ = ["Identities", "read_decisions", "resolve"]

_RULES = ("decision", "salesforce_id", "registration_number", "domain", "name")
_EVER = pd.Timestamp("1678-01-01")
"""Before every moment that a frame can hold."""


@dataclass(frozen=True)
class Identities:
    """identity: account_id, identity, rule (how it was joined; empty for its own), score; by account_id.

    review: pairs that a person should decide, as `matching.write_review` writes them.
    """

    identity: pd.DataFrame
    review: pd.DataFrame


def resolve(
    accounts: pd.DataFrame,
    *,
    origins: Sequence[str] = (),
    within_origin: bool = False,
    settings: MatchSettings | None = None,
    decisions: Mapping[tuple[str, str], bool] | None = None,
    merged: Mapping[str, str] | None = None,
) -> Identities:
    """Find the accounts that are one company.

    accounts: account_id and any of origin, known_at, name, domain, country, registration_number,
        salesforce_id; one row per account.
    origins: the sources in the order of their rank; others follow by name.
    within_origin: whether two accounts of one source may merge by domain or name; else they go to review.
    decisions: by pair (smaller identifier first): the same company, or not.
    merged: by record that its source merged into another, the account that is left (`merged_records`).
    Raises ContractError when account_id is missing, empty or repeated.
    """
    settings = settings or MatchSettings()
    read = read_companies(accounts, identifier="account_id", register=settings.register)
    companies = sorted(read, key=lambda one: one.identifier)
    facts = _facts(accounts, origins=origins)
    gone = {record: winner for record, winner in (merged or {}).items() if {record, winner} <= facts.keys()}
    resolver = _Resolver(
        companies, facts=facts, decisions=decisions or {}, within_origin=within_origin, merged=gone
    )
    sources = {account_id: fact.origin for account_id, fact in facts.items()}
    found = alike_pairs(companies, origins=sources, settings=settings)
    for pair in sorted([*_decided(decisions or {}, known=facts), *found], key=_strength):
        resolver.consider(pair)
    return Identities(resolver.identity(), resolver.review())


def _strength(pair: Pair) -> tuple[int, float, str, str]:
    return _RULES.index(pair.rule), -pair.score, pair.first, pair.second


def read_decisions(file: Path) -> dict[tuple[str, str], bool]:
    """The decisions that a person wrote into a review file: "same" or "different"; empty ones are left out.

    Raises ContractError for any other word, and for a file without the columns.
    """
    frame = pd.read_csv(file, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    missing = {"record_id", "account_id", "decision"} - set(frame.columns)
    if missing:
        raise ContractError(f"{file.name} is no review file", got=f"no {', '.join(sorted(missing))}")
    decided = frame[frame["decision"].str.strip() != ""]
    words = decided["decision"].str.strip().str.lower()
    odd = ~words.isin(["same", "different"])
    if odd.any():
        row = int(decided.index[odd][0]) + 2
        raise ContractError(
            f"{file.name}, line {row}: unknown decision", got=words[odd].iloc[0], allowed="same, different"
        )
    records, accounts = (decided[name].map(unguarded) for name in ("record_id", "account_id"))
    pairs = zip(records, accounts, words, strict=True)
    return {(min(one, two), max(one, two)): word == "same" for one, two, word in pairs}


@dataclass(frozen=True)
class _Fact:
    """What ranks an account within its group."""

    rank: tuple[int, str]
    known_at: datetime
    origin: str


def _facts(accounts: pd.DataFrame, *, origins: Sequence[str]) -> dict[str, _Fact]:
    places = {origin: place for place, origin in enumerate(origins)}
    empty = pd.Series([None] * len(accounts), dtype=object, index=accounts.index)
    origin = ["" if pd.isna(source) else str(source) for source in accounts.get("origin", empty)]
    known = [
        _EVER if pd.isna(moment) else moment for moment in pd.to_datetime(accounts.get("known_at", empty))
    ]
    rows = zip(accounts["account_id"].astype(str), origin, known, strict=True)
    return {
        account_id: _Fact((places.get(source, len(places)), source), moment, source)
        for account_id, source, moment in rows
    }


def _decided(decisions: Mapping[tuple[str, str], bool], *, known: Collection[str]) -> Iterator[Pair]:
    for (one, two), same in decisions.items():
        if same and one in known and two in known:
            yield Pair(min(one, two), max(one, two), "decision", 1.0)


class _Resolver:
    """Groups under way: the strongest pairs come first."""

    def __init__(
        self,
        companies: Sequence[Company],
        *,
        facts: Mapping[str, _Fact],
        decisions: Mapping[tuple[str, str], bool],
        within_origin: bool,
        merged: Mapping[str, str],
    ) -> None:
        self._companies = {company.identifier: company for company in companies}
        self._facts, self._within = facts, within_origin
        self._different = {pair for pair, same in decisions.items() if not same}
        self._groups = Groups(self._companies)
        self._joined: dict[str, Pair] = {}
        self._doubtful: dict[tuple[str, str], tuple[Pair, str]] = {}
        self._merged = merged
        # Before all else, and without a question: it is one record by now.
        for record, winner in sorted(merged.items()):
            self._groups.join(record, winner)
            self._joined[record] = Pair(min(record, winner), max(record, winner), MERGED_BY_SOURCE, 1.0)

    def consider(self, pair: Pair) -> None:
        """Join the two, or note why a person should look at them."""
        key = (pair.first, pair.second)
        if key in self._different or self._groups.together(*key):
            return
        reason = pair.reason or self._objection(pair)
        if reason:
            self._doubtful.setdefault(key, (pair, reason))
            return
        self._groups.join(*key)
        for one in key:
            self._joined.setdefault(one, pair)

    def _objection(self, pair: Pair) -> str:
        """Why two groups must not become one; empty where nothing speaks against it."""
        one, two = self._groups.members(pair.first), self._groups.members(pair.second)
        across = [(min(a, b), max(a, b)) for a in one for b in two]
        if any(both in self._different for both in across):
            return "a person decided that members are different companies"
        if pair.rule in ("decision", "salesforce_id"):
            return ""
        if any(numbers_differ(self._companies[a], self._companies[b]) for a, b in across):
            return "other registration number"
        if pair.rule == "registration_number" or self._within:
            return ""
        if any(self._facts[a].origin == self._facts[b].origin for a, b in across):
            return "two accounts of one source"
        return self._rivalry(pair)

    def _rivalry(self, pair: Pair) -> str:
        """Whether one source has several accounts that are as much alike and not known to be one."""
        open_ones = [rival for rival in pair.rivals if not self._groups.together(*rival)]
        return "several accounts have such a name" if open_ones else ""

    def identity(self) -> pd.DataFrame:
        rows = []
        for members in self._groups.all():
            identity = min(members, key=self._place)
            for one in members:
                pair = self._joined.get(one)
                rows.append((one, identity, pair.rule if pair else "", pair.score if pair else 1.0))
        return pd.DataFrame(sorted(rows), columns=["account_id", "identity", "rule", "score"])

    def _place(self, one: str) -> tuple[bool, tuple[int, str], datetime, str]:
        fact = self._facts[one]
        return one in self._merged, fact.rank, fact.known_at, one

    def review(self) -> pd.DataFrame:
        """What is still apart after everything was considered."""
        rows = [
            review_row(
                *(self._companies[one] for one in key), rule=pair.rule, score=pair.score, reason=reason
            )
            for key, (pair, reason) in self._doubtful.items()
            if not self._groups.together(*key)
        ]
        return pd.DataFrame(rows, columns=list(REVIEW_COLUMNS))
