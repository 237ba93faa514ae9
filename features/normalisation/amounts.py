"""Numbers as people write them: "1,234.5", "1.234,5", "2k", "3 Mio.", "1.2万", "5亿", "10-50", "500+".

Turns the text of an amount into a lower and an upper bound. Time rule: none. Null rule: what is no amount
gives None; whether that is a fault is for the caller to say.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Amount", "read_amount", "read_number"]

_UNITS: Final = {
    "": 1.0,
    **dict.fromkeys(("k", "thousand", "tsd", "千"), 1e3),
    **dict.fromkeys(("万", "萬", "w"), 1e4),
    **dict.fromkeys(("lakh", "lakhs", "lac"), 1e5),
    **dict.fromkeys(("m", "mm", "mn", "mln", "mio", "million", "millions", "millionen", "百万", "百萬"), 1e6),
    **dict.fromkeys(("crore", "crores", "cr", "千万", "千萬"), 1e7),
    **dict.fromkeys(("亿", "億"), 1e8),
    **dict.fromkeys(("b", "bn", "bln", "billion", "billions", "mrd", "milliard", "milliards", "十亿"), 1e9),
    **dict.fromkeys(("百亿",), 1e10),
    **dict.fromkeys(("t", "tn", "trillion", "trillions", "万亿"), 1e12),
}

_DIGITS = r"\d[\d.,' \u00a0\u202f]*"
_NUMBER = re.compile(
    rf"(?P<digits>{_DIGITS}(?:e\+?\d+)?)\s*(?P<unit>[a-z]+|[千万萬百亿億十]+)?\.?", re.IGNORECASE
)
_RANGE = re.compile(r"\s*(?:-|–|—|―|~|～|to|bis|à|a|y|至|到)\s*", re.IGNORECASE)
_AT_LEAST = re.compile(
    r"(\+|>=?|≥|more than|or more|and more|and above|or above|and over|over|above|at least|plus de|mehr als"
    r"|mindestens|más de|以上|超过|大于|不少于)",
    re.IGNORECASE,
)
_AT_MOST = re.compile(
    r"(<=?|≤|less than|fewer than|or less|or fewer|under|below|up to|at most|bis zu|weniger als|moins de"
    r"|menos de|以下|以内|少于|不足|小于|不超过)",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"^(about|around|approximately|approx\.?|circa|ca\.?|c\.|roughly|some|etwa|rund|environ|~|≈|约|約|大约|近)\s*"
    r"|\s*(左右|上下|\(?estimated\)?|\(?est\.?\)?)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Amount:
    """low, high: inclusive bounds; equal for one number; high is infinite for "or more"."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """One number that stands for the range: the geometric mean, as sizes spread over powers of ten.

        Without an upper bound the lower one stands, without a lower one a tenth of the upper is taken for it.
        """
        if math.isinf(self.high) or self.low == self.high:
            return self.low
        return math.sqrt((self.low or self.high / 10) * self.high)


def read_amount(text: str) -> Amount | None:
    """The bounds of an amount without its currency or kind.

    >>> read_amount("1k-5k"), read_amount("10,001 or more"), read_amount("under 50")
    (Amount(low=1000.0, high=5000.0), Amount(low=10001.0, high=inf), Amount(low=0.0, high=50.0))
    """
    bare = _ABOUT.sub("", text.strip())
    for bound in (_AT_MOST, _AT_LEAST):
        if bound.search(bare) and (number := read_number(bound.sub(" ", bare))) is not None:
            return Amount(0.0, number) if bound is _AT_MOST else Amount(number, math.inf)
    number = read_number(bare)
    return Amount(number, number) if number is not None else _read_range(bare)


def _read_range(text: str) -> Amount | None:
    parts = _RANGE.split(text)
    if len(parts) != 2:
        return None
    low, high = (_NUMBER.fullmatch(part.strip()) for part in parts)
    if low is None or high is None:
        return None
    # "1-5M" means one to five million.
    unit = low["unit"] or high["unit"] or ""
    first, last = _value(low["digits"], unit=unit), _value(high["digits"], unit=high["unit"] or "")
    return Amount(first, last) if first is not None and last is not None and first <= last else None


def read_number(text: str) -> float | None:
    """One number with its unit.

    >>> read_number("1.234,5"), read_number("1.2万"), read_number("3 Mio."), read_number("x")
    (1234.5, 12000.0, 3000000.0, None)
    """
    match = _NUMBER.fullmatch(text.strip())
    return _value(match["digits"], unit=match["unit"] or "") if match else None


def _value(digits: str, *, unit: str) -> float | None:
    factor = _UNITS.get(unit.lower())
    number = _decimal(digits.strip(), scaled=bool(unit))
    return None if factor is None or number is None else round(number * factor, 6)


def _decimal(digits: str, *, scaled: bool) -> float | None:
    """The number; of points and commas the last one parts decimals, unless three digits follow it.

    "1.234" is read as 1,234: an amount of people or money is seldom given to three decimals, save before
    a unit ("1.234 Mio").
    """
    bare = re.sub(r"[' \u00a0\u202f]", "", digits)
    if "e" in bare.lower():
        return float(bare.replace(",", ""))
    marks = [mark for mark in bare if mark in ".,"]
    if not marks:
        return float(bare)
    whole, _, decimals = bare.rpartition(marks[-1])
    thousands = len(decimals) == 3 and not (scaled and len(marks) == 1 and marks[-1] == ".")
    if len(set(marks)) == 1 and (thousands or len(marks) > 1):
        groups = re.split("[.,]", bare)
        # Indian grouping puts two digits between commas.
        right = len(groups[-1]) == 3 and all(2 <= len(group) <= 3 for group in groups[1:])
        return float("".join(groups)) if right and 1 <= len(groups[0]) <= 3 else None
    return float(f"{re.sub('[.,]', '', whole) or '0'}.{decimals}") if decimals else None
