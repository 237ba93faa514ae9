"""Whether accounts on lists were won more often than comparable ones that were on none.

Turns counts by stratum into the difference that being on a list goes with: coarsened exact matching (Iacus,
King and Porro 2012), as the effect on those that were accepted. Accounts that were on no list are weighted so
that each stratum weighs what it weighs among the accepted; where exact strata find a comparable account for
less than half of these, facts are dropped in a fixed order, by nothing that came after the moment. The
difference tells of the list as a whole, who was chosen and that sales then worked them, not of the choice
alone. Time rule: none of its own. Null rule: a rate of nobody is None, and so is a ratio to no win.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from features.cohorts import FACTS
from models.list_size import LEVEL, Estimate

__all__ = [
    "LADDER",
    "LEAST_ACCOUNTS",
    "Compared",
    "Matched",
    "Matching",
    "Outcome",
    "Verdict",
    "compared",
    "plain",
    "wilson",
]

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

Outcome = Literal["opened", "won"]
OUTCOMES: tuple[Outcome, ...] = ("opened", "won")

Verdict = Literal["higher", "lower", "unclear", "not_enough"]
"""Of an interval of a difference: above 0, below it, around it; not_enough: too few accounts, or no win."""

LEAST_ACCOUNTS = 20
"""With fewer on one side (of the weighted: effectively fewer) numbers are told, and no verdict."""

FIELDS = ("moment", *FACTS)
_ALWAYS = ("moment", "worked")
LADDER: tuple[tuple[str, ...], ...] = (
    FIELDS,
    (*_ALWAYS, "industry", "size", "activity", "deal"),
    (*_ALWAYS, "size", "activity", "deal"),
    (*_ALWAYS, "activity", "deal"),
    _ALWAYS,
)
"""What strata are made of: the first that finds a comparable account for half of the accepted. Always of the
moment, as times differ, and of whether sales works an account at all: it wins none of those that it does not
know of."""

_ENOUGH = 0.5
_Z = float(norm.ppf((1 + LEVEL) / 2))


def wilson(rate: float, count: float) -> Estimate:
    """A share with its interval, after Wilson 1927. count: of accounts, above 0; of weighted ones Kish's
    effective number, which need not be whole.

    >>> round(wilson(0.5, 100).low, 4)
    0.4038
    """
    square = _Z * _Z
    middle = (rate + square / (2 * count)) / (1 + square / count)
    half = _Z / (1 + square / count) * math.sqrt(rate * (1 - rate) / count + square / (4 * count * count))
    # The lower end from the product of both: to subtract leaves nothing but rounding of a small rate.
    low = rate * rate / ((1 + square / count) * (middle + half))
    # At either end rounding must not shut the rate out of its own interval.
    return Estimate(rate, min(rate, low), max(rate, min(1.0, middle + half)))


@dataclass(frozen=True)
class Compared:
    """One outcome on two sides.

    first, second: the rates, with intervals; None of nobody. difference: first - second, after Newcombe 1998
    (hybrid score). ratio: first / second, by the intervals of both on the scale of logarithms (Zou and Donner
    2008); None where one side has no hit, or too few accounts.
    """

    first: Estimate | None
    second: Estimate | None
    difference: Estimate | None
    ratio: Estimate | None
    verdict: Verdict


def compared(first: tuple[float, float], second: tuple[float, float]) -> Compared:
    """Two independent rates. first, second: share and count, effective where weighted."""
    (rate, count), (other, effective) = first, second
    left = wilson(rate, count) if count > 0 else None
    right = wilson(other, effective) if effective > 0 else None
    if left is None or right is None:
        return Compared(left, right, None, None, "not_enough")
    difference = Estimate(
        left.value - right.value,
        left.value - right.value - math.hypot(left.value - left.low, right.high - right.value),
        left.value - right.value + math.hypot(left.high - left.value, right.value - right.low),
    )
    enough = min(count, effective) >= LEAST_ACCOUNTS and max(rate, other) > 0
    ratio = _ratio(left, right) if enough else None
    return Compared(left, right, difference, ratio, _verdict(difference, enough=enough))


def _ratio(left: Estimate, right: Estimate) -> Estimate | None:
    if left.value == 0 or right.value == 0:
        return None
    value = left.value / right.value
    down = math.hypot(math.log(left.value / left.low), math.log(right.high / right.value))
    up = math.hypot(math.log(left.high / left.value), math.log(right.value / right.low))
    return Estimate(value, value * math.exp(-down), value * math.exp(up))


def _verdict(difference: Estimate, *, enough: bool) -> Verdict:
    if not enough:
        return "not_enough"
    if difference.low > 0:
        return "higher"
    return "lower" if difference.high < 0 else "unclear"


def plain(hits: int, of: int, *, other_hits: int, other_of: int) -> Compared:
    """Two groups as they are, unweighted."""
    return compared(_share(hits, of), _share(other_hits, other_of))


def _share(hits: int, of: int) -> tuple[float, float]:
    return (hits / of if of else 0.0), float(of)


@dataclass(frozen=True)
class Matched:
    """The accepted beside accounts like them.

    strata: of `LADDER`, what they were made of. accepted: all that could be compared; matched: those with a
    comparable account. rows: comparable accounts that counted, at each moment again; accounts: each once;
    effective: as Kish (1965) counts weighted ones, an account with all its moments as one.
    """

    strata: tuple[str, ...]
    accepted: int
    matched: int
    rows: int
    accounts: int
    effective: float
    opened: Compared
    won: Compared

    @property
    def alone(self) -> int:
        """Accepted accounts without a comparable one, which the comparison leaves out."""
        return self.accepted - self.matched


@dataclass
class _Moment:
    """Cells: accounts alike in all facts. cells: int (c, facts). accepted, others: by outcome and in all,
    int (c,). number, place: the others one by one, and their cells."""

    cells: NDArray[np.int64]
    accepted: dict[str, Integers]
    others: dict[str, Integers]
    number: NDArray[np.int32]
    place: NDArray[np.int32]


@dataclass
class Matching:
    """Takes accounts moment by moment, and matches them when all are there."""

    _moments: list[_Moment] = field(default_factory=list)

    def add(
        self,
        facts: NDArray[np.int32],
        *,
        number: Integers,
        accepted: Flags,
        opened: Flags,
        won: Flags,
    ) -> None:
        """Accounts of one moment, accepted ones and comparable ones.

        facts: (n, 6), in the order of `features.cohorts.FACTS`, none below 0. number: of the account, the
        same at every moment. opened, won: what became of them.
        """
        code = np.zeros(len(facts), dtype=np.int64)
        for column in facts.T:
            code = code * (int(column.max(initial=0)) + 1) + column
        _, first, place = np.unique(code, return_index=True, return_inverse=True)

        def counts(side: Flags) -> dict[str, Integers]:
            flags = {"all": side, "opened": side & opened, "won": side & won}
            return {name: np.bincount(place[chosen], minlength=len(first)) for name, chosen in flags.items()}

        others = ~accepted
        self._moments.append(
            _Moment(
                facts[first].astype(np.int64),
                counts(accepted),
                counts(others),
                number[others].astype(np.int32),
                place[others].astype(np.int32),
            )
        )

    def matched(self) -> Matched:
        """The comparison, on the first rung of `LADDER` that does, or else the last."""
        found = self._on(LADDER[0])
        for rung in LADDER[1:]:
            if found.matched >= _ENOUGH * found.accepted:
                break
            found = self._on(rung)
        return found

    def _on(self, rung: Sequence[str]) -> Matched:
        kept = [FIELDS.index(name) - 1 for name in rung if name != "moment"]
        strata = [_joined(one.cells[:, kept]) for one in self._moments]
        sides = [
            (_sums(one.accepted, place), _sums(one.others, place))
            for one, place in zip(self._moments, strata, strict=True)
        ]
        accepted = sum(int(mine["all"].sum()) for mine, _ in sides)
        both = [(mine["all"] > 0) & (theirs["all"] > 0) for mine, theirs in sides]
        pairs = list(zip(sides, both, strict=True))
        matched = sum(int(mine["all"][chosen].sum()) for (mine, _), chosen in pairs)
        # What one of the others weighs, by stratum: among the matched it stands for so many of the accepted.
        weights = [
            np.divide(mine["all"], theirs["all"], out=np.zeros(len(chosen)), where=chosen) / max(matched, 1)
            for (mine, theirs), chosen in pairs
        ]
        own = {
            name: sum(int(mine[name][chosen].sum()) for (mine, _), chosen in pairs) / max(matched, 1)
            for name in OUTCOMES
        }
        weighted = {
            name: float(
                sum(each @ theirs[name] for each, ((_, theirs), _) in zip(weights, pairs, strict=True))
            )
            for name in OUTCOMES
        }
        accounts, effective = self._effective(
            [each[place] for each, place in zip(weights, strata, strict=True)]
        )
        told = {
            name: compared((own[name], float(matched)), (min(1.0, weighted[name]), effective))
            for name in OUTCOMES
        }
        rows = sum(int(theirs["all"][chosen].sum()) for (_, theirs), chosen in pairs)
        return Matched(tuple(rung), accepted, matched, rows, accounts, effective, **told)

    def _effective(self, weights: Sequence[Floats]) -> tuple[int, float]:
        """How many of the others count, each once, and Kish's effective number. weights: by cell."""
        count = 1 + max((int(one.number.max(initial=-1)) for one in self._moments), default=-1)
        total = np.zeros(count)
        for one, weight in zip(self._moments, weights, strict=True):
            # An account is there once in a moment.
            total[one.number] += weight[one.place]
        squares = float(total @ total)
        return int(np.count_nonzero(total)), float(total.sum()) ** 2 / squares if squares else 0.0


def _joined(cells: NDArray[np.int64]) -> Integers:
    """Which cells are one stratum: its place, by cell."""
    if not cells.shape[1]:
        return np.zeros(len(cells), dtype=np.int64)
    _, place = np.unique(cells, axis=0, return_inverse=True)
    return np.asarray(place, dtype=np.int64).reshape(-1)


def _sums(counts: dict[str, Integers], place: Integers) -> dict[str, Integers]:
    size = int(place.max(initial=-1)) + 1
    return {
        name: np.bincount(place, weights=each, minlength=size).astype(np.int64)
        for name, each in counts.items()
    }
