"""Countries and regions as ISO 3166 codes.

Turns names in many languages and codes into "DE" or "US-CA". Names come from pycountry, which ships them
with their translations; what people write beside is in `data/country_names.txt`. Time rule: none; borders
are those of the list that is installed. Null rule: see `reading`.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import pycountry

from features.normalisation.reading import NOTHING, UNREAD, Reading, plain, tidy

__all__ = ["read_country", "read_region"]

_LANGUAGES = (
    *(
        "zh_CN",
        "zh_TW",
        "ja",
        "ko",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "pt_BR",
        "nl",
        "pl",
        "cs",
        "sv",
        "nb_NO",
        "da",
    ),
    *("fi", "tr", "ru", "uk", "ar", "vi", "th", "id", "el", "he", "ro", "hu"),
)
_OWN_LANGUAGE = {"CN": "zh_CN", "TW": "zh_TW", "JP": "ja", "KR": "ko", "RU": "ru", "DE": "de", "AT": "de"}
"""Countries whose regions are also known by their translated names."""

_OTHER_NAMES = Path(__file__).parent / "data" / "country_names.txt"
_GENERIC = re.compile(
    r"\b(province|state|region|prefecture|sheng|shi|county|oblast|autonomous|special administrative)\b"
    r"|(省|市|自治区|特别行政区|壮族|回族|维吾尔|都|府|県)"
)
_CHINESE_KIND = re.compile(" (Sheng|Shi|Zizhiqu|Zhuangzu|Huizu|Uygur|SAR)")


@lru_cache(maxsize=16_384)
def read_country(text: str | None) -> Reading[str]:
    """The two letters of ISO 3166-1.

    >>> read_country("Deutschland").value, read_country("中国").value, read_country("U.S.A.").value
    ('DE', 'CN', 'US')
    >>> read_country("Atlantis")
    Reading(value=None, unread=True)
    """
    bare = tidy(text)
    if bare is None:
        return NOTHING
    code = _countries().get(plain(bare)) or _countries().get(plain(bare).replace(" ", ""))
    return Reading(code) if code else UNREAD


@lru_cache(maxsize=65_536)
def read_region(text: str | None, *, country: str | None = None) -> Reading[str]:
    """The code of ISO 3166-2 of a state, province or region.

    country: two letters; without it, only a full code ("US-CA") and names that one country has are read.

    >>> read_region("California", country="US").value, read_region("浙江省", country="CN").value
    ('US-CA', 'CN-ZJ')
    """
    bare = tidy(text)
    if bare is None:
        return NOTHING
    if bare.upper() in _region_codes():
        return Reading(bare.upper())
    key = _region_key(bare)
    codes = _regions().get(key, frozenset())
    if country is not None:
        codes = frozenset(code for code in codes if code.startswith(f"{country}-"))
        short = f"{country}-{bare.upper()}"
        if not codes and short in _region_codes():
            return Reading(short)
    return Reading(min(codes)) if len(codes) == 1 else UNREAD


@cache
def _countries() -> dict[str, str]:
    """Code by every name in plain letters, what is said first wins: codes, own names, other names."""
    found: dict[str, str] = {}
    for name, code in (*_codes_and_names(), *_listed_names(), *_translations()):
        found.setdefault(plain(name), code)
    return found


def _codes_and_names() -> Iterator[tuple[str, str]]:
    for country in pycountry.countries:
        for name in ("alpha_2", "alpha_3", "name", "common_name", "official_name"):
            if getattr(country, name, None):
                yield getattr(country, name), country.alpha_2


def _listed_names() -> Iterator[tuple[str, str]]:
    for line in _OTHER_NAMES.read_text(encoding="utf-8").splitlines():
        code, _, names = line.partition(" ")
        if code != "#":
            yield from ((name.strip(), code) for name in names.split(","))


def _translations() -> Iterator[tuple[str, str]]:
    for language in _LANGUAGES:
        translated = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language]).gettext
        for country in pycountry.countries:
            for name in ("common_name", "name", "official_name"):
                if getattr(country, name, None):
                    yield translated(getattr(country, name)), country.alpha_2


def _region_key(name: str) -> str:
    return " ".join(_GENERIC.sub(" ", plain(name)).split()) or plain(name)


@cache
def _region_codes() -> frozenset[str]:
    return frozenset(region.code for region in pycountry.subdivisions)


@cache
def _regions() -> dict[str, frozenset[str]]:
    """Codes by name, as the standard writes it and in the country's own language."""
    found: dict[str, set[str]] = {"inner mongolia": {"CN-NM"}, "tibet": {"CN-XZ"}, "bavaria": {"DE-BY"}}
    for region in pycountry.subdivisions:
        for name in _region_names(region.name, country=region.code.partition("-")[0]):
            found.setdefault(_region_key(name), set()).add(region.code)
    return {name: frozenset(codes) for name, codes in found.items()}


def _region_names(name: str, *, country: str) -> Iterator[str]:
    yield from (part.strip(" *†") for part in re.split(r"[\[\];/]", name) if part.strip())
    yield _CHINESE_KIND.sub("", name)
    if country in _OWN_LANGUAGE:
        language = [_OWN_LANGUAGE[country]]
        yield gettext.translation("iso3166-2", pycountry.LOCALES_DIR, languages=language).gettext(name)
