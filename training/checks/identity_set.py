"""The labelled set on which the identification of companies is measured, made from a list of real ones.

Turns a list of companies into accounts to match against and records to match: spoiled copies, whose account
is known, and look-alikes, which have none. Half of the look-alikes are real companies that were taken out of
the accounts and share a telling word with one that stayed; half are real names with one thing changed that
sets companies apart (place, line of business, brand, number, an addition). Companies whose names differ in
the legal form only are neither copied nor taken for look-alikes: whether they are one is not known. Written
before the matcher. Time rule: none. Null rule: a record may lack domain, country and city.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from training.checks.identity_noise import NOISES, core, spoil

__all__ = ["LabelledSet", "Part", "labelled_set", "read_companies"]

Part = Literal["choose", "report"]

_CHINESE_WRITING: Final = {"China", "Hong Kong", "Taiwan", "Macau"}
_OFTEN: Final = 40
"""From so many names on, a word says what a company does or where, not who it is."""

_MAIL: Final = ("gmail.com", "qq.com", "outlook.com", "163.com", "yahoo.com", "web.de")
_COUNTRIES: Final = {
    "United States": ("USA", "US", "U.S.A."),
    "China": ("CN", "中国", "PR China"),
    "United Kingdom": ("UK", "GB", "Great Britain"),
    "Germany": ("Deutschland", "DE"),
    "Japan": ("JP", "日本"),
    "South Korea": ("Korea, Republic of", "KR"),
    "Hong Kong": ("HK", "Hong Kong SAR"),
    "Taiwan": ("TW", "台湾"),
}


@dataclass(frozen=True)
class LabelledSet:
    """accounts: account_id, name, domain, country, city. records: record_id, the same four, and the truth.

    Of the truth: account_id (None for look-alikes), kind (the noise or the change), `another_domain`.
    """

    accounts: pd.DataFrame
    records: pd.DataFrame


def read_companies(file: Path) -> pd.DataFrame:
    """The list: one row per web domain, with name, country and city, in order of the domain."""
    frame = pd.read_parquet(file, columns=["domain", "name", "country", "city"]).astype(object)
    frame = frame.where(frame.notna(), None)
    return frame.sort_values("domain", ignore_index=True)


def labelled_set(
    companies: pd.DataFrame, *, part: Part, seed: int, copies: int = 5_000, look_alikes: int = 5_000
) -> LabelledSet:
    """The set of one part of the companies. Parts share no copied and no imitated company."""
    rng = random.Random(f"{part} {seed}")
    companies = companies.reset_index(drop=True)
    keys = [core(name) for name in companies["name"]]
    often = Counter(keys)
    mine = [
        at
        for at, domain in enumerate(companies["domain"])
        if _part(domain) == part and often[keys[at]] == 1 and len(keys[at]) >= 3
    ]
    rng.shuffle(mine)
    words = _Words(companies["name"].tolist())
    real = _with_a_neighbour(mine, words=words, wanted=look_alikes // 2)
    taken = set(real)
    copied = [at for at in mine if at not in taken][:copies]
    imitated = [at for at in mine if at not in taken][-(look_alikes - len(real)) :]
    rows = [
        *_copies(companies, copied, rng=rng),
        *_real_look_alikes(companies, real, rng=rng),
        *_made_look_alikes(companies, imitated, words=words, keys=set(keys), rng=rng),
    ]
    rng.shuffle(rows)
    accounts = companies.drop(index=real).rename_axis("account_id").reset_index()
    accounts["account_id"] = accounts["account_id"].map(_account_id)
    records = pd.DataFrame(rows).rename_axis("record_id").reset_index()
    records["record_id"] = records["record_id"].map("R{:05d}".format)
    return LabelledSet(accounts, records)


def _account_id(at: int) -> str:
    return f"A{at:06d}"


def _part(domain: str) -> Part:
    return "choose" if hashlib.sha256(domain.encode()).digest()[0] < 128 else "report"


class _Words:
    """How often each word of the names occurs, and which are rare, common or places."""

    def __init__(self, names: list[str]) -> None:
        self.of = [name.lower().split() for name in names]
        self.count = Counter(word for words in self.of for word in set(words))
        plain = sorted(word for word in self.count if word.isalpha() and len(word) > 3)
        self.common = [word for word in plain if _OFTEN <= self.count[word] < 500]
        self.rare = [word for word in plain if self.count[word] <= 3 and len(word) > 4]

    def rarest(self, at: int) -> str:
        return min(self.of[at], key=lambda word: (self.count[word], word))


def _with_a_neighbour(positions: list[int], *, words: _Words, wanted: int) -> list[int]:
    """Companies that share a telling word with another one: 2 to 12 names hold it."""
    telling = [
        at
        for at in positions
        if any(2 <= words.count[word] <= 12 and len(word) > 3 and word.isalpha() for word in words.of[at])
    ]
    return telling[:wanted]


def _copies(
    companies: pd.DataFrame, positions: list[int], *, rng: random.Random
) -> Iterator[dict[str, object]]:
    for at in positions:
        company = companies.iloc[at]
        kinds, name = _spoiled(company, rng=rng)
        domain, another = _domain(company["domain"], name=name, rng=rng)
        yield _place(company, rng=rng) | {
            "name": name,
            "domain": domain,
            "account_id": _account_id(at),
            "kind": "+".join(kinds),
            "another_domain": another,
        }


def _spoiled(company: pd.Series, *, rng: random.Random) -> tuple[tuple[str, ...], str]:
    """One to three kinds of noise and the name after them, drawn until it differs from the name before.

    Companies that write Chinese are given in Chinese nine times in ten, where their names allow it.
    """
    several = [kind for kind in NOISES if kind != "chinese"]
    chinese = company["country"] in _CHINESE_WRITING and rng.random() < 0.9
    kinds: tuple[str, ...] = ("chinese",) if chinese else ()
    name = spoil(company["name"], kinds=kinds, rng=rng)
    while name == company["name"]:
        kinds = tuple(rng.sample(several, k=rng.choice((1, 1, 2, 2, 3))))
        name = spoil(company["name"], kinds=kinds, rng=rng)
    return kinds, name


def _place(company: pd.Series, *, rng: random.Random) -> dict[str, object]:
    """Country and city, each written as people do, or left out."""
    country, city = company["country"], company["city"]
    if rng.random() < 0.3:
        country = rng.choice(_COUNTRIES.get(country, (country,)))
    return {
        "country": None if rng.random() < 0.2 else country,
        "city": None if rng.random() < 0.4 else city,
    }


def _domain(domain: str, *, name: str, rng: random.Random) -> tuple[str | None, bool]:
    """How the domain is written in a CRM, and whether it is another one."""
    match rng.choices(("same", "mail", "none", "another"), weights=(55, 15, 15, 15))[0]:
        case "same":
            forms = (domain, f"https://www.{domain}/", domain.upper(), f"info@{domain}", f"mail.{domain}")
            return rng.choice(forms), False
        case "mail":
            return f"{core(name)[:8]}@{rng.choice(_MAIL)}", True
        case "none":
            return None, True
        case _:
            stem = domain.partition(".")[0]
            return rng.choice((f"{stem}-group.net", f"{stem}.io", f"my{stem}.org", f"{stem}online.biz")), True


def _real_look_alikes(
    companies: pd.DataFrame, positions: list[int], *, rng: random.Random
) -> Iterator[dict[str, object]]:
    """Real companies that no account stands for; half of them spoiled, too."""
    for at in positions:
        company = companies.iloc[at]
        name = _spoiled(company, rng=rng)[1] if rng.random() < 0.5 else company["name"]
        yield _place(company, rng=rng) | {
            "name": name,
            "domain": rng.choice((company["domain"], company["domain"], None, f"office@{rng.choice(_MAIL)}")),
            "account_id": None,
            "kind": "real",
            "another_domain": True,
        }


def _made_look_alikes(
    companies: pd.DataFrame, positions: list[int], *, words: _Words, keys: set[str], rng: random.Random
) -> Iterator[dict[str, object]]:
    """Names of real companies with one thing changed that sets companies apart, at the same place."""
    for at in positions:
        company = companies.iloc[at]
        kind, name = _changed(company["name"], at=at, words=words, keys=keys, rng=rng)
        if rng.random() < 0.3:
            name = spoil(name, kinds=("legal_form",), rng=rng)
        yield _place(company, rng=rng) | {
            "name": name,
            "domain": rng.choice((f"{core(name)[:20]}.com", None, f"sales@{rng.choice(_MAIL)}")),
            "account_id": None,
            "kind": kind,
            "another_domain": True,
        }


def _changed(name: str, *, at: int, words: _Words, keys: set[str], rng: random.Random) -> tuple[str, str]:
    """The kind of change and a name that no listed company has."""
    while True:
        kind = rng.choice(("business", "brand", "number", "addition", "place"))
        changed = _change(name, kind=kind, at=at, words=words, rng=rng)
        if changed is not None and core(changed) not in keys:
            return kind, changed


def _change(name: str, *, kind: str, at: int, words: _Words, rng: random.Random) -> str | None:
    written = name.split()
    match kind:
        case "number":
            number = rng.choice(("II", "III", "2", "Second", "No. 5", "New"))
            return " ".join([*written[:1], number, *written[1:]]) if len(written) > 1 else None
        case "addition":
            return " ".join([*written[:1], rng.choice(words.common).title(), *written[1:]])
        case "brand":
            brand = words.rarest(at)
            others = rng.sample(words.rare, k=min(400, len(words.rare)))
            alike = [other for other in others if other[0] == brand[0] and other != brand]
            return _replaced(written, brand, alike[0]) if alike else None
        case "business":
            common = [word for word in words.of[at] if word in words.common]
            return _replaced(written, rng.choice(common), rng.choice(words.common)) if common else None
        case _:
            places = [word for word in words.of[at] if word in _PLACES]
            others = sorted(_PLACES - set(places))
            if places:
                return _replaced(written, places[0], rng.choice(others))
            return " ".join([rng.choice(others).title(), *written]) if len(written) < 4 else None


def _replaced(written: list[str], old: str, new: str) -> str:
    return " ".join(new.title() if word.lower() == old else word for word in written)


_PLACE_WORDS: Final = """
    beijing shanghai tianjin chongqing guangdong zhejiang jiangsu shandong sichuan hubei hunan henan
    fujian anhui shenzhen guangzhou hangzhou ningbo suzhou nanjing wuhan chengdu qingdao dalian xiamen
    china hong taiwan japan tokyo osaka korea seoul india mumbai delhi bengal thailand indonesia malaysia
    singapore australia queensland canada ontario america american texas california florida ohio georgia
    carolina virginia michigan pennsylvania brazil mexico chile peru argentina colombia germany bavaria
    france italia milano espana madrid london scotland ireland sweden norway denmark finland poland turkey
    israel africa nigeria kenya egypt saudi qatar dubai north south east west northern southern eastern
    western pacific atlantic asia europe european nordic baltic
"""
_PLACES: Final = frozenset(_PLACE_WORDS.split())
"""Words that say where."""
