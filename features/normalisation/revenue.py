"""Annual revenue in one currency, from amounts in many.

Turns "€1.2M", "CNY 3亿" or "1,5 Mrd. EUR" into a number of one currency. Rates are fixed: the mean of a year
of the European Central Bank's reference rates, shipped in `data/exchange_rates.csv`. One and the same year
is used for every row, so that a growing revenue is growth and not the market for money. Time rule: the year
is declared, never taken from the clock. Null rule: see `reading`; an amount in a currency without a rate,
or under a sign of several currencies, is not read.
"""

from __future__ import annotations

import csv
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import pycountry

from features.normalisation.amounts import Amount, read_amount
from features.normalisation.reading import NOTHING, UNREAD, Reading, tidy

__all__ = ["RATES_YEAR", "exchange_rate", "read_revenue"]

RATES_YEAR: Final = 2025
_RATES = Path(__file__).parent / "data" / "exchange_rates.csv"
_MOST: Final = 1e13

_SIGNS: Final = {
    "HKD": ("hk$", "港元", "港币", "港幣"),
    "AUD": ("a$", "au$", "澳元"),
    "CAD": ("c$", "ca$", "加元"),
    "SGD": ("s$", "新元", "新加坡元"),
    "NZD": ("nz$",),
    "TWD": ("nt$", "新台币", "新臺幣", "台币"),
    "BRL": ("r$", "reais"),
    "MXN": ("mx$",),
    "USD": ("us$", "u.s.$", "$", "dollars", "dollar", "美元", "美金"),
    "EUR": ("€", "euros", "euro", "欧元"),
    "GBP": ("£", "pounds", "pound", "英镑"),
    "CNY": ("cn¥", "人民币", "rmb", "yuan", "元"),
    "JPY": ("jp¥", "日元", "日圆", "円", "yen"),
    "KRW": ("₩", "韩元", "won"),
    "INR": ("₹", "rs.", "rs", "rupees"),
    "CHF": ("fr.", "sfr"),
    "PLN": ("zł",),
    "TRY": ("₺", "tl"),
    "ILS": ("₪",),
    "THB": ("฿",),
}
_SHARED: Final = {"¥": ("CNY", "JPY"), "kr": ("SEK", "NOK", "DKK", "ISK")}
"""Signs of several currencies: read where the declared currency is one of them, or the unit tells."""


@lru_cache(maxsize=65_536)
def read_revenue(
    text: str | None, *, currency: str = "USD", unmarked: str | None = None, year: int = RATES_YEAR
) -> Reading[Amount]:
    """The bounds in `currency`; `middle` is what the column of the contract holds.

    currency: the three letters of ISO 4217 that everything is converted into.
    unmarked: the currency of amounts that name none; by default, `currency`.
    year: whose mean rates are used.

    >>> round(read_revenue("€1,000,000", currency="EUR").value.middle)
    1000000
    >>> read_revenue("12 apples")
    Reading(value=None, unread=True)
    """
    bare = tidy(text)
    if bare is None:
        return NOTHING
    found, rest = _currency(bare, unmarked=unmarked or currency)
    amount = read_amount(rest)
    rate = None if found is None else exchange_rate(found, into=currency, year=year)
    if amount is None or rate is None or amount.low * rate > _MOST:
        return UNREAD
    return Reading(Amount(amount.low * rate, amount.high * rate))


def exchange_rate(currency: str, *, into: str, year: int = RATES_YEAR) -> float | None:
    """Units of `into` for one unit of `currency`, on the mean of the year; None without rates."""
    if currency == into:
        return 1.0
    rates = _rates()
    if (year, currency) not in rates or (year, into) not in rates:
        return None
    return rates[year, into] / rates[year, currency]


def _currency(text: str, *, unmarked: str) -> tuple[str | None, str]:
    """The currency that the text names, and the text without it."""
    lowered = text.lower()
    for sign, meanings in _SHARED.items():
        if re.search(rf"(?<![a-z]){sign}(?![a-z])", lowered) and not re.search("cn¥|jp¥", lowered):
            meant = unmarked if unmarked in meanings else "CNY" if re.search("[万亿]", text) else None
            return meant, re.sub(rf"(?<![a-z]){sign}(?![a-z])", " ", lowered)
    for word in re.findall(r"(?<![a-z])[a-z]{3}(?![a-z])", lowered):
        if word.upper() in _codes():
            # "US$ 5M (USD)" names one currency twice.
            return word.upper(), re.sub(r"\(\s*\)", " ", _without_signs(lowered.replace(word, " ")))
    for currency, signs in _SIGNS.items():
        if any(re.search(_bounded(sign), lowered) for sign in signs):
            return currency, _without_signs(lowered)
    return unmarked, lowered


def _without_signs(text: str) -> str:
    signs = sorted((sign for signs in _SIGNS.values() for sign in signs), key=len, reverse=True)
    for sign in signs:
        text = re.sub(_bounded(sign), " ", text)
    return text


def _bounded(sign: str) -> str:
    """Letters stand alone ("rs", not "cars"), signs anywhere."""
    before = "(?<![a-z])" if sign[0].isascii() and sign[0].isalpha() else ""
    after = "(?![a-z])" if sign[-1].isascii() and sign[-1].isalpha() else ""
    return f"{before}{re.escape(sign)}{after}"


@cache
def _codes() -> frozenset[str]:
    return frozenset(currency.alpha_3 for currency in pycountry.currencies) - {"ALL", "TOP"}


@cache
def _rates() -> dict[tuple[int, str], float]:
    """Units for one euro by year and currency."""
    lines = [line for line in _RATES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = csv.DictReader(lines)
    rates = {(int(row["year"]), row["currency"]): float(row["per_euro"]) for row in rows}
    return rates | {(year, "EUR"): 1.0 for year, _ in rates}
