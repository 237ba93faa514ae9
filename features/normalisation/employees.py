"""How many people work for a company, from a number or a range in any of the usual spellings.

Time rule: none. Null rule: see `reading`; a count beyond any company (five million) is not read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from features.normalisation.amounts import Amount, read_amount
from features.normalisation.reading import NOTHING, UNREAD, Reading, tidy

__all__ = ["MOST_EMPLOYEES", "read_employees"]

MOST_EMPLOYEES: Final = 5_000_000

_PEOPLE = re.compile(
    r"\b(employees?|people|persons?|staff|headcount|ftes?|mitarbeiter(innen|:innen)?|beschäftigte|personnes"
    r"|salariés|employés|empleados|dipendenti|funcionários)\b\.?|人员|员工|人|名|명",
    re.IGNORECASE,
)
_WORDS: Final = {"self-employed": Amount(1, 1), "self employed": Amount(1, 1), "myself only": Amount(1, 1)}
_MONTH_NAMES: Final = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS: Final = {month: place for place, month in enumerate(_MONTH_NAMES.split(), start=1)}
_DATE = re.compile(
    r"(?P<day>\d{1,2})-(?P<month>[a-z]{3})|(?P<first>[a-z]{3})-(?P<last>\d{2,4})", re.IGNORECASE
)


@lru_cache(maxsize=16_384)
def read_employees(text: str | None) -> Reading[Amount]:
    """The bounds of the number of people; `middle` is what the column of the contract holds.

    A spreadsheet turns "1-10" into "10-Jan" and "11-50" into "Nov-50": they are turned back.

    >>> read_employees("51-200").value, read_employees("约200人").value, read_employees("Nov-50").value
    (Amount(low=51.0, high=200.0), Amount(low=200.0, high=200.0), Amount(low=11, high=50))
    """
    bare = tidy(text)
    if bare is None:
        return NOTHING
    amount = _WORDS.get(bare.lower()) or _unmade_date(bare) or read_amount(_PEOPLE.sub(" ", bare))
    if amount is None or amount.low > MOST_EMPLOYEES or amount.low % 1:
        return UNREAD
    return Reading(amount)


def _unmade_date(text: str) -> Amount | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    month = _MONTHS.get((match["month"] or match["first"]).lower())
    if month is None:
        return None
    other = int(match["day"] or match["last"])
    return Amount(min(month, other), max(month, other))
