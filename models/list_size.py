"""How many accounts a target account list should hold, and what each further one is expected to bring.

Turns counts of a funnel into rates with intervals, rates and a goal into a number of accounts, and chances of
single accounts into a curve of expected wins. Time rule: none of its own; chances speak of the days that the
caller gives. Null rule: a rate of nothing is refused, as no number of accounts would do; an account without a
chance of its own takes the rate of all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from features.errors import InputError, NotEnoughDataError

__all__ = [
    "LEVEL",
    "Estimate",
    "PlannedAccounts",
    "WinsCurve",
    "market_size",
    "over_days",
    "rate_of",
    "target_accounts",
    "wins_curve",
]

Vector = NDArray[np.float64]

LEVEL = 0.95
"""Share of such intervals that hold what they speak of."""


@dataclass(frozen=True)
class Estimate:
    """A number and the interval around it; low = value = high where it was given, not counted."""

    value: float
    low: float
    high: float

    @classmethod
    def given(cls, value: float) -> Estimate:
        return cls(value, value, value)


def rate_of(what: str, *, hits: int, of: int) -> Estimate:
    """A share with its interval, after Wilson 1927.

    what: for the error. Raises NotEnoughDataError without a single hit: whatever is divided by such a rate is
    endless.
    """
    if hits == 0:
        raise NotEnoughDataError(
            f"{what} cannot be told from the data",
            got=f"{hits:,} of {of:,}",
            allowed="one at least",
            fix="look at a longer span, or give the rate",
        )
    told = binomtest(hits, of).proportion_ci(LEVEL, method="wilson")
    return Estimate(hits / of, float(told.low), float(told.high))


def target_accounts(
    *, reps: int, wins_per_rep: float, win_rate: Estimate, account_to_opportunity: Estimate
) -> Estimate:
    """reps x wins per rep / win rate / account-to-opportunity rate.

    The interval is that of a product of independent rates on the scale of logarithms, made of the intervals
    of both (Zou and Donner 2008, "variance estimates recovered"). Raises InputError for a goal of nothing.
    """
    for name, value in (("reps", reps), ("wins per rep", wins_per_rep)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} must be above zero", got=value, fix="give the goal of the span")
    rates = (win_rate, account_to_opportunity)
    value = reps * wins_per_rep / math.prod(rate.value for rate in rates)
    up = math.hypot(*(math.log(rate.value / rate.low) for rate in rates))
    down = math.hypot(*(math.log(rate.high / rate.value) for rate in rates))
    return Estimate(value, value * math.exp(-down), value * math.exp(up))


def market_size(*, users: float, units_each: float, unit_price: float) -> float:
    """target users x units that each will buy x unit price, in the currency of the price."""
    return users * units_each * unit_price


def over_days(chances: Vector, *, horizon_days: int, days: int) -> Vector:
    """Chances within `horizon_days` as chances within `days`, if the hazard stays what it is."""
    return np.asarray(-np.expm1(np.log1p(-np.minimum(chances, 1.0 - 1e-15)) * (days / horizon_days)))


@dataclass(frozen=True)
class WinsCurve:
    """What accounts bring, the most promising first.

    order: int (n,), the places of the accounts as they were given. marginal: float64 (n,), wins expected of
    each. wins, low, high: float64 (n,), wins expected of all so far, with the bounds that follow if every
    account is as little, or as much, as its interval allows: wider than chance alone, as accounts that are
    scored alike are wrong alike.
    """

    order: NDArray[np.intp]
    marginal: Vector
    wins: Vector
    low: Vector
    high: Vector

    def accounts_for(self, goal: float) -> int | None:
        """How many of the first accounts bring so many wins; None where all of them do not."""
        place = int(np.searchsorted(self.wins, goal))
        return place + 1 if place < len(self.wins) else None


@dataclass(frozen=True)
class PlannedAccounts:
    """accounts: account_id, name and domain, the most promising first, beside `curve`."""

    accounts: pd.DataFrame
    curve: WinsCurve


def wins_curve(opens: tuple[Vector, Vector, Vector], wins: tuple[Vector, Vector, Vector]) -> WinsCurve:
    """The curve of accounts, each expected to bring its chance to open a deal x its chance to win one.

    opens, wins: value, low and high, float64 (n,) each. Equal accounts stay in the order given.
    """
    marginal, low, high = (one * other for one, other in zip(opens, wins, strict=True))
    order = np.argsort(-marginal, kind="stable")
    return WinsCurve(order, marginal[order], *(np.cumsum(each[order]) for each in (marginal, low, high)))
