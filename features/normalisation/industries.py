"""Industries as places in one hierarchy: the sections and divisions of ISIC, revision 4.

Turns codes (NAICS, SIC, NACE, ISIC) and free text in several languages into a section (a letter, 21 of them)
and, where the text is exact enough, a division (two digits, 88). Codes are led over by the concordances of
the statistical offices (`data/industry_codes.csv`), text by the titles of the standards and by what
companies and data providers call industries (`data/industry_words.txt`). Time rule: none. Null rule: see
`reading`; "other" and what is in no list is not read, as a wrong industry is worse than none.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from features.normalisation.reading import NOTHING, UNREAD, Reading, plain, tidy

__all__ = ["Industry", "Scheme", "read_industry"]

Scheme = Literal["naics", "sic", "nace", "isic"]
_SCHEMES: dict[str, Scheme] = {"naics": "naics", "sic": "sic", "nace": "nace", "isic": "isic"}

_DATA = Path(__file__).parent / "data"
_CODED = re.compile(
    r"(?P<scheme>naics|sic|nace|isic)[\s:#-]*(code)?[\s:#-]*(?P<code>[\d.]+).*", re.IGNORECASE
)
_CHINESE = re.compile("[\u4e00-\u9fff]")
_SHORTEST_PART = 4
"""Shorter phrases ("it", "ai") must be the whole text."""


@dataclass(frozen=True)
class Industry:
    """section: a letter of ISIC. division: two digits, or None where only the section is known."""

    section: str
    division: str | None = None

    @property
    def title(self) -> str:
        """The finest level that is known, as people and models read it: code and title.

        >>> Industry("P", "85").title, Industry("K").title
        ('P85 Education', 'K Financial and insurance activities')
        """
        if self.division is None:
            return self.section_title
        return f"{self.section}{self.division} {_titles()[self.division]}"

    @property
    def section_title(self) -> str:
        return f"{self.section} {_titles()[self.section]}"


@lru_cache(maxsize=65_536)
def read_industry(text: str | None, *, scheme: Scheme | None = None) -> Reading[Industry]:
    """The place in the hierarchy.

    scheme: of a column of codes. Without it, six digits are NAICS, digits with a point are NACE, codes that
    name their scheme ("SIC 7372") are read, other numbers are not; everything else is text.

    >>> read_industry("COMPUTER_SOFTWARE").value, read_industry("541511").value
    (Industry(section='J', division='62'), Industry(section='J', division='62'))
    >>> read_industry("Other")
    Reading(value=None, unread=True)
    """
    bare = tidy(text)
    if bare is None:
        return NOTHING
    found = _coded(bare, scheme=scheme) or (_worded(bare) if scheme is None else None)
    return Reading(_industry(found)) if found else UNREAD


def _industry(code: str) -> Industry:
    return Industry(code) if code.isalpha() else Industry(_sections()[code], code)


def _coded(text: str, *, scheme: Scheme | None) -> str | None:
    """The section or division of a code; None where it is none."""
    named = _CODED.fullmatch(text)
    if named:
        scheme, text = _SCHEMES[named["scheme"].lower()], named["code"]
    code = re.sub(r"\.0$", "", text) if scheme in ("naics", "sic") else text
    if scheme is None and re.fullmatch(r"\d{6}", code):
        scheme = "naics"
    if scheme is None and re.fullmatch(r"[A-U]\d{2}|[A-U]?\d{2}\.\d{1,2}(\.\d+)?", code):
        scheme = "nace"
    match scheme:
        case "naics" | "sic":
            digits = code.strip().zfill(4) if scheme == "sic" and len(code) == 3 else code.strip()
            return _prefixes(scheme).get(digits)
        case "nace" | "isic":
            return _standard(code)
        case None:
            return None


def _standard(code: str) -> str | None:
    """ISIC and NACE share sections and divisions."""
    match = re.fullmatch(r"([A-Ua-u])|[A-Ua-u]?(\d{2})[\d.]*", code.strip())
    if match is None:
        return None
    found = match[1].upper() if match[1] else match[2]
    return found if found in _titles() else None


def _worded(text: str) -> str | None:
    """By the whole text, else by the longest phrase in it, the first of several."""
    words = plain(text.replace("&", " and "))
    whole = _phrases().get(words)
    if whole:
        return whole
    if _CHINESE.search(words):
        return _longest(words, [phrase for phrase in _phrases() if _CHINESE.search(phrase)])
    spans = _spans(words.split())
    return next(
        (_phrases()[span] for span in spans if len(span) >= _SHORTEST_PART and span in _phrases()), None
    )


def _longest(text: str, phrases: list[str]) -> str | None:
    held = [phrase for phrase in phrases if phrase in text]
    return _phrases()[min(held, key=lambda phrase: (-len(phrase), text.index(phrase)))] if held else None


def _spans(words: list[str]) -> Iterator[str]:
    """Every run of up to eight words, long runs first, then from the left."""
    for length in range(min(len(words), 8), 0, -1):
        yield from (" ".join(words[at : at + length]) for at in range(len(words) - length + 1))


def _rows(name: str) -> Iterator[dict[str, str]]:
    lines = (_DATA / name).read_text(encoding="utf-8").splitlines()
    yield from csv.DictReader([line for line in lines if not line.startswith("#")])


@cache
def _titles() -> dict[str, str]:
    """Titles of sections and divisions by code."""
    return {row["code"]: row["title"] for row in _rows("isic.csv") if len(row["code"]) <= 2}


@cache
def _sections() -> dict[str, str]:
    """The section of each division: the standard lists a section before its divisions."""
    found, section = {}, ""
    for code in _titles():
        if code.isalpha():
            section = code
        else:
            found[code] = section
    return found


@cache
def _prefixes(scheme: str) -> dict[str, str]:
    """By a code and by its beginnings: the division that most of their codes share, else the section."""
    below: dict[str, list[str]] = {}
    for row in _rows("industry_codes.csv"):
        if row["scheme"] == scheme:
            for length in range(2, len(row["code"]) + 1):
                below.setdefault(row["code"][:length], []).append(row["isic"])
    shared = {prefix: _shared(codes) for prefix, codes in below.items()}
    return {prefix: code for prefix, code in shared.items() if code is not None}


def _shared(codes: list[str]) -> str | None:
    """What two thirds of the codes have in common."""
    for level in (codes, [code if code.isalpha() else _sections()[code] for code in codes]):
        code, count = min(Counter(level).items(), key=lambda item: (-item[1], item[0]))
        if count * 3 >= len(codes) * 2:
            return code
    return None


@cache
def _phrases() -> dict[str, str]:
    """Code by phrase: our own words first, then the titles of ISIC, of NAICS and of SIC."""
    found: dict[str, str] = {}
    for line in (_DATA / "industry_words.txt").read_text(encoding="utf-8").splitlines():
        code, _, phrases = line.partition(" ")
        if code != "#":
            for phrase in phrases.split(","):
                found.setdefault(plain(phrase), code)
    for row in _rows("isic.csv"):
        found.setdefault(plain(row["title"].replace("&", " and ")), row["code"][:2])
    for row in _rows("industry_codes.csv"):
        found.setdefault(plain(row["title"].replace("&", " and ")), row["isic"])
    return found
