"""Which account a record (a lead, a row of another source) speaks of.

Turns records and accounts into matches and a review file. Rules, the first that decides wins: a person's
decision, Salesforce id, registration number, web domain, name. A rule that points at several accounts is
narrowed by the name; what stays open, what is alike but not enough, and what contradicts itself goes to
review. Thresholds were chosen on one part of the companies of `training.checks.identity` and are reported on
another. Time rule: none; give the values that were known at the moment that is asked for. Null rule: an empty
cell neither agrees nor contradicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rapidfuzz.distance import Indel

from features.identity.blocking import NameBlocks
from features.identity.companies import Company, read_companies
from features.identity.similarity import WordWeights, name_similarity
from features.spreadsheets import write_csv

__all__ = [
    "REVIEW_COLUMNS",
    "AccountMatcher",
    "MatchSettings",
    "Matches",
    "name_score",
    "numbers_differ",
    "review_row",
    "write_review",
]

REVIEW_COLUMNS = (
    *("record_id", "account_id", "rule", "score", "reason"),
    *("record_name", "account_name", "record_domain", "account_domain", "record_country", "account_country"),
)


@dataclass(frozen=True)
class MatchSettings:
    """accept, review: names that are at least so much alike match, or are shown to a person.

    lead: by how much the best name must be ahead of the second best.
    other_country: what is taken off the likeness of names whose countries differ.
    candidates: accounts that each name is compared with. shown: pairs per record in the review file.
    register: of the registration numbers; see `identifiers`.
    """

    accept: float = 0.86
    review: float = 0.70
    lead: float = 0.03
    other_country: float = 0.15
    candidates: int = 10
    shown: int = 3
    register: str | None = None


@dataclass(frozen=True)
class Matches:
    """matched: record_id, account_id, rule, score; one row per matched record, in the order of the records.

    review: the same and what a person needs to decide; several rows per record, none of a matched one.
    """

    matched: pd.DataFrame
    review: pd.DataFrame


@dataclass(frozen=True)
class _Candidate:
    position: int
    score: float
    rule: str
    reason: str = ""


class AccountMatcher:
    """Accounts, ready to be matched against.

    accounts: account_id and any of name, domain, country, city, registration_number, salesforce_id.
    Raises ContractError when account_id is missing, empty or not unique.
    """

    def __init__(self, accounts: pd.DataFrame, *, settings: MatchSettings | None = None) -> None:
        self.settings = settings or MatchSettings()
        register = self.settings.register
        self.accounts = read_companies(accounts, identifier="account_id", register=register)
        self._by: dict[str, dict[str, list[int]]] = {
            rule: _positions([getattr(account, rule) for account in self.accounts])
            for rule in ("salesforce_id", "registration_number", "domain")
        }
        names = [account.name for account in self.accounts]
        self._weights, self._blocks = WordWeights(names), NameBlocks(names)

    def match(
        self, records: pd.DataFrame, *, decisions: Mapping[tuple[str, str], bool] | None = None
    ) -> Matches:
        """records: record_id and any of the columns of the accounts; no order is assumed or kept in mind.

        decisions: by pair of record and account, the smaller identifier first, whether they are the same.
        """
        decided = self._decided(decisions or {})
        asked = read_companies(records, identifier="record_id", register=self.settings.register)
        blocks = self._blocks.candidates([one.name for one in asked], most=self.settings.candidates)
        matched: list[tuple[object, ...]] = []
        review: list[tuple[object, ...]] = []
        for record, block in zip(asked, blocks, strict=True):
            found, doubtful = self._decide(
                record, block=block.tolist(), decided=decided.get(record.identifier, {})
            )
            if found is not None:
                matched.append(self._row(record, found))
            else:
                review += [self._review_row(record, pair) for pair in doubtful[: self.settings.shown]]
        return Matches(
            pd.DataFrame(matched, columns=list(REVIEW_COLUMNS[:4])),
            pd.DataFrame(review, columns=list(REVIEW_COLUMNS)),
        )

    def _decided(self, decisions: Mapping[tuple[str, str], bool]) -> dict[str, dict[int, bool]]:
        """By record, what a person decided of accounts, by their positions."""
        positions = {account.identifier: position for position, account in enumerate(self.accounts)}
        found: dict[str, dict[int, bool]] = {}
        for (one, two), same in decisions.items():
            for record, account in ((one, two), (two, one)):
                if account in positions:
                    found.setdefault(record, {})[positions[account]] = same
        return found

    def _decide(
        self, record: Company, *, block: list[int], decided: Mapping[int, bool]
    ) -> tuple[_Candidate | None, list[_Candidate]]:
        """The match, or the pairs to look at."""
        for position, same in sorted(decided.items()):
            if same:
                return _Candidate(position, 1.0, "decision"), []
        for rule in ("salesforce_id", "registration_number", "domain"):
            named = self._by[rule].get(getattr(record, rule) or "", [])
            positions = [position for position in named if position not in decided]
            if positions:
                return self._by_identifier(record, positions=positions, rule=rule)
        return self._by_name(record, block=[position for position in block if position not in decided])

    def _by_identifier(
        self, record: Company, *, positions: list[int], rule: str
    ) -> tuple[_Candidate | None, list[_Candidate]]:
        """One account has the identifier; of several the one with the name, if it is ahead."""
        ranked = self._ranked(record, positions, rule=rule)
        best = ranked[0]
        account = self.accounts[best.position]
        if rule == "domain" and numbers_differ(record, account):
            return None, [_with_reason(pair, "same domain, other registration number") for pair in ranked]
        if len(ranked) == 1 or best.score - ranked[1].score >= self.settings.lead:
            return _Candidate(best.position, 1.0 if len(ranked) == 1 else best.score, rule), []
        return None, [_with_reason(pair, f"{len(ranked)} accounts have this {rule}") for pair in ranked]

    def _by_name(self, record: Company, *, block: list[int]) -> tuple[_Candidate | None, list[_Candidate]]:
        ranked = [
            pair for pair in self._ranked(record, block, rule="name") if pair.score >= self.settings.review
        ]
        if not ranked:
            return None, []
        best, rivals = ranked[0], ranked[1:]
        if best.score < self.settings.accept:
            return None, [_with_reason(pair, pair.reason or "names are alike, not equal") for pair in ranked]
        if rivals and best.score - rivals[0].score < self.settings.lead:
            return None, [_with_reason(pair, "several accounts have such a name") for pair in ranked]
        return best, []

    def _ranked(self, record: Company, positions: Sequence[int], *, rule: str) -> list[_Candidate]:
        """Best first; ties by the account's identifier, so that the order of rows never matters."""
        pairs = [self._scored(record, position, rule=rule) for position in positions]
        return sorted(pairs, key=lambda pair: (-pair.score, self.accounts[pair.position].identifier))

    def _scored(self, record: Company, position: int, *, rule: str) -> _Candidate:
        account = self.accounts[position]
        score = name_score(record, account, weights=self._weights, settings=self.settings)
        reason = ""
        if rule == "name" and numbers_differ(record, account):
            score, reason = min(score, self.settings.accept - 0.01), "other registration number"
        elif record.country and account.country and record.country != account.country:
            reason = "other country"
        return _Candidate(position, score, rule, reason)

    def _row(self, record: Company, pair: _Candidate) -> tuple[object, ...]:
        account = self.accounts[pair.position]
        return record.identifier, account.identifier, pair.rule, round(pair.score, 4)

    def _review_row(self, record: Company, pair: _Candidate) -> tuple[object, ...]:
        account = self.accounts[pair.position]
        return review_row(record, account, rule=pair.rule, score=pair.score, reason=pair.reason)


def name_score(one: Company, other: Company, *, weights: WordWeights, settings: MatchSettings) -> float:
    """The likeness of two names, less what another spelling and another country take off."""
    score = name_similarity(one.name, other.name, weights=weights)
    if score >= settings.review:
        # Two accounts of one name: the one written the same way is meant.
        score -= 0.02 * Indel.normalized_distance(one.written.casefold(), other.written.casefold())
    if one.country and other.country and one.country != other.country:
        score -= settings.other_country
    return max(score, 0.0)


def review_row(
    record: Company, account: Company, *, rule: str, score: float, reason: str
) -> tuple[object, ...]:
    """What a person needs to decide whether two are one, in the order of REVIEW_COLUMNS."""
    named = (record.written or None, account.written or None)
    places = (record.domain, account.domain, record.country, account.country)
    return (record.identifier, account.identifier, rule, round(score, 4), reason, *named, *places)


def write_review(review: pd.DataFrame, file: Path) -> None:
    """The review file, for a spreadsheet (`spreadsheets.write_csv`), doubtful pairs in order.

    A person fills the column `decision` ("same" or "different").
    """
    ordered = review.sort_values(["score", "record_id", "account_id"], ascending=[False, True, True])
    write_csv(ordered.assign(decision=""), file)


def _with_reason(pair: _Candidate, reason: str) -> _Candidate:
    return _Candidate(pair.position, pair.score, pair.rule, reason)


def numbers_differ(one: Company, other: Company) -> bool:
    """Whether both have a number of the same register, and not the same."""
    if one.registration_number is None or other.registration_number is None:
        return False
    registers = {number.partition(":")[0] for number in (one.registration_number, other.registration_number)}
    return len(registers) == 1 and one.registration_number != other.registration_number


def _positions(values: Sequence[str | None]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, value in enumerate(values):
        if value:
            found.setdefault(value, []).append(position)
    return found
