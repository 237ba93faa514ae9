"""Which accounts a list of companies means.

Turns rows of a file, or pasted lines, into seeds: account ids, domains, URLs, e-mail addresses or names,
however they are mixed. Each row is matched, ambiguous, repeated or not matched, with a sentence that says
why. Time rule: names and domains are those of the universe's moment. Null rule: a row without a word is not
counted; the domain of a mail provider says nothing of a company.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd
from rapidfuzz import fuzz, process

from features.identity.domains import is_mail_provider, registrable_domain
from features.identity.matching import AccountMatcher
from features.universe import Universe
from models.lookalikes.reasons import Words

__all__ = ["KINDS", "MatchedSeed", "SeedMatches", "Status", "match_seeds"]

Status = Literal["matched", "ambiguous", "repeated", "unmatched"]
Row = Mapping[str, str]
KINDS: Final = ("account_id", "domain", "email", "name", "country", "anything")
"""What a cell of a row may be; "anything" is told by how it looks."""

_SHOWN: Final = 3
_NEAR: Final = 85.0


@dataclass(frozen=True)
class MatchedSeed:
    """One row. row: its number, as the file or the paste counts. text: what it says. account_id: where
    matched
    or repeated. possible: accounts that it may mean."""

    row: int
    text: str
    status: Status
    words: Words
    account_id: str | None = None
    rule: str = ""
    possible: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeedMatches:
    """Every row that says anything, in order."""

    rows: tuple[MatchedSeed, ...]

    @property
    def account_ids(self) -> tuple[str, ...]:
        """The seeds, each once, sorted."""
        return tuple(sorted({one.account_id for one in self.rows if one.account_id is not None}))

    @property
    def counts(self) -> dict[str, int]:
        """Rows by status."""
        found = Counter(one.status for one in self.rows)
        return {status: found.get(status, 0) for status in ("matched", "ambiguous", "repeated", "unmatched")}


def match_seeds(universe: Universe, rows: Sequence[tuple[int, Row]]) -> SeedMatches:
    """Accounts of rows. rows: their numbers, and by kind what each cell says; see KINDS."""
    index = _Index(universe)
    told = [(number, _sorted_out(row, index)) for number, row in rows]
    told = [(number, row) for number, row in told if row]
    found: dict[int, MatchedSeed] = {}
    named: list[tuple[int, Row]] = []
    for number, row in told:
        match = index.by_identifier(number, row)
        if match is not None and (match.status != "unmatched" or not row.get("name")):
            found[number] = match
        elif row.get("name"):
            named.append((number, row))
    found |= index.by_names(named)
    return SeedMatches(tuple(_with_repeats([found[number] for number, _ in told if number in found])))


def _sorted_out(row: Row, index: _Index) -> dict[str, str]:
    """What a row says, by kind, with "anything" told by its looks."""
    told = {kind: text.strip() for kind, text in row.items() if text and text.strip()}
    if set(told) <= {"account_id", "country"} and told.get("account_id", "") not in index.ids:
        # What is no identifier of ours, and stands alone, may be a name.
        told = {("anything" if kind == "account_id" else kind): text for kind, text in told.items()}
    anything = told.pop("anything", None)
    if anything is not None:
        told.setdefault(_kind(anything, index), anything)
    return told if set(told) - {"country"} else {}


def _kind(text: str, index: _Index) -> str:
    if text in index.ids:
        return "account_id"
    if "@" in text and registrable_domain(text) is not None:
        return "email"
    if "://" in text or (" " not in text and "." in text and registrable_domain(text) is not None):
        return "domain"
    return "name"


def _with_repeats(rows: Sequence[MatchedSeed]) -> list[MatchedSeed]:
    """The same rows; those after the first of an account are repeats."""
    first: dict[str, int] = {}
    found = []
    for one in rows:
        if one.account_id is None or one.account_id not in first:
            first.setdefault(one.account_id or "", one.row)
            found.append(one)
            continue
        again = first[one.account_id]
        words = Words(f"the same account as in row {again}", f"与第{again}行为同一客户")
        found.append(MatchedSeed(one.row, one.text, "repeated", words, one.account_id, one.rule))
    return found


class _Index:
    """The accounts of a universe by what names them."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.ids = dict.fromkeys(universe.account_ids)
        self._by_domain: dict[str, list[str]] = {}
        written: list[str | None] = universe.rows.column("domain").to_pylist()
        for account_id, domain in zip(self.ids, written, strict=True):
            if domain:
                self._by_domain.setdefault(domain.casefold(), []).append(account_id)
        for domain in [one for one in self._by_domain if one.count(".") > 1 or not one.isascii()]:
            registered = registrable_domain(domain)
            if registered and registered != domain:
                self._by_domain.setdefault(registered, []).extend(self._by_domain[domain])
        self._alike: dict[str, list[str]] = {}
        for domain in self._by_domain:
            for key in _ends(domain):
                self._alike.setdefault(key, []).append(domain)

    def by_identifier(self, number: int, row: Row) -> MatchedSeed | None:
        """What an account id, a domain or an address means; None where the row has none of them."""
        answers = [
            self._named(number, row["account_id"]) if row.get("account_id") else None,
            self._at(number, row["domain"], rule="domain") if row.get("domain") else None,
            self._at(number, row["email"], rule="e-mail") if row.get("email") else None,
        ]
        given = [answer for answer in answers if answer is not None]
        best = [answer for answer in given if answer.status != "unmatched"]
        return next(iter([*best, *given]), None)

    def _named(self, number: int, text: str) -> MatchedSeed:
        if text in self.ids:
            return _matched(number, text, account_id=text, rule="account_id")
        words = Words(f"no account has the identifier {text}", f"没有标识为{text}的客户")
        return MatchedSeed(number, text, "unmatched", words)

    def _at(self, number: int, text: str, *, rule: str) -> MatchedSeed:
        if is_mail_provider(text):
            words = Words(
                f"{text}: a mail provider's domain says nothing of a company",
                f"{text}：邮箱服务商域名不代表公司",
            )
            return MatchedSeed(number, text, "unmatched", words)
        domain = registrable_domain(text)
        if domain is None:
            words = Words(f"{text} is no web domain", f"{text}不是有效域名")
            return MatchedSeed(number, text, "unmatched", words)
        found = sorted(set(self._by_domain.get(domain, [])))
        if len(found) == 1:
            return _matched(number, text, account_id=found[0], rule=rule)
        if found:
            several = Words(
                f"{len(found)} accounts have the domain {domain}", f"{len(found)}个客户使用域名{domain}"
            )
            return _ambiguous(number, text, found, several)
        alike = dict.fromkeys(name for key in _ends(domain) for name in self._alike.get(key, ()))
        near = process.extractOne(domain, alike.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR)
        if near is None:
            words = Words(f"no account has the domain {domain}", f"没有使用域名{domain}的客户")
            return MatchedSeed(number, text, "unmatched", words)
        words = Words(
            f"no account has the domain {domain}; did you mean {near[0]}?",
            f"没有使用域名{domain}的客户；是否指{near[0]}？",
        )
        return _ambiguous(number, text, sorted(set(self._by_domain[near[0]])), words)

    def by_names(self, rows: Sequence[tuple[int, Row]]) -> dict[int, MatchedSeed]:
        """What names of companies mean."""
        if not rows:
            return {}
        columns = [
            name for name in ("account_id", "name", "country") if name in self.universe.rows.column_names
        ]
        accounts: pd.DataFrame = self.universe.rows.select(columns).to_pandas()
        records = pd.DataFrame(
            {
                "record_id": [str(number) for number, _ in rows],
                "name": [row["name"] for _, row in rows],
                "country": [row.get("country") for _, row in rows],
            }
        ).astype(object)
        found = AccountMatcher(accounts[accounts["name"].notna()]).match(records)
        matched = dict(zip(found.matched["record_id"], found.matched["account_id"], strict=True))
        doubtful = found.review.groupby("record_id")["account_id"].agg(list).to_dict()
        open_rows = [(number, row["name"]) for number, row in rows if str(number) not in matched]
        doubtful = _namesakes(accounts, open_rows) | doubtful
        return {
            number: _by_name(number, row["name"], matched.get(str(number)), doubtful.get(str(number), []))
            for number, row in rows
        }


def _ends(domain: str) -> tuple[str, str]:
    """How the name begins and how it ends: whoever mistypes a letter keeps one of the two."""
    name = domain.partition(".")[0]
    return f"{name[:3]}*", f"*{name[-3:]}"


def _namesakes(accounts: pd.DataFrame, named: Sequence[tuple[int, str]]) -> dict[str, list[str]]:
    """Accounts of the very name of a row, which alone does not tell them apart."""
    wanted = {name.casefold() for _, name in named}
    written = accounts["name"].str.strip().str.casefold()
    same = accounts["account_id"][written.isin(wanted)].groupby(written).agg(sorted).to_dict()
    return {
        str(number): same[name.casefold()] for number, name in named if len(same.get(name.casefold(), [])) > 1
    }


def _by_name(number: int, text: str, account_id: str | None, possible: list[str]) -> MatchedSeed:
    if account_id is not None:
        return _matched(number, text, account_id=account_id, rule="name")
    if possible:
        words = Words(f"several accounts are named like {text}", f"有多个客户名称与{text}相近")
        return _ambiguous(number, text, possible, words)
    words = Words(f"no account is named like {text}", f"没有名称与{text}相近的客户")
    return MatchedSeed(number, text, "unmatched", words)


def _matched(number: int, text: str, *, account_id: str, rule: str) -> MatchedSeed:
    return MatchedSeed(number, text, "matched", Words(f"by {rule}", f"依据{rule}"), account_id, rule)


def _ambiguous(number: int, text: str, possible: Sequence[str], words: Words) -> MatchedSeed:
    return MatchedSeed(number, text, "ambiguous", words, possible=tuple(possible[:_SHOWN]))
