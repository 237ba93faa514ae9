"""Search: earlier accounts in, some twenty candidates for what sets wins apart out.

Turns conditions and outcomes into conditions and combinations of up to three, ranked by how far their win
rate is from that of the others, beyond what the best of so many would show by chance. A combination stands
only where each of its conditions adds to the others, and a candidate only where it tells something beside
those before it (Cochran 1954, Mantel and Haenszel 1959). Time rule: sees earlier accounts only. Null rule:
conditions are met or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Candidate", "meeting", "search", "standardised"]

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]
Members = tuple[int, ...]

_SMALLEST_SHARE = 0.02
_FEWEST = 15
_FEWEST_EXPECTED = 3.0
_ADDS = 2.75
_LEAVES_OUT = 0.2
_BESIDE = 1.64
_OVERLAP = 0.7
_HELD = 0.85
_LEAST = 2.0
_BEYOND = -1.0
_BEAM = 150
_USES_OF_FEATURE = 3


@dataclass(frozen=True)
class Candidate:
    """Conditions by their place, whether they speak for (1) or against (-1) a win, and how clearly."""

    members: Members
    side: int
    z: float
    beyond: float


def search(subjects: Sequence[str], *, met: Flags, won: NDArray[np.int64], most: int = 14) -> list[Candidate]:
    """The candidates of both sides, the clearest first.

    subjects: what each condition is about; no combination tells of one twice. met: bool (conditions,
    accounts). won: 0 or 1 (accounts,). most: how many candidates at the most.
    """
    if not len(subjects) or won.min() == won.max():
        return []
    names = list(subjects)
    counted = _Counted.of(names, met=met, won=won)
    found = [candidate for side in (1, -1) for candidate in _Side(counted, side).candidates()]
    found.sort(key=lambda each: (-each.beyond, each.members))
    return _apart(found, names=names, met=met, won=won, most=most)


def meeting(met: Flags, members: Sequence[int]) -> Flags:
    """Who meets all of some conditions, bool (accounts,)."""
    return np.asarray(met[list(members)].all(axis=0), dtype=np.bool_)


def standardised(
    won: Vector | float, *, inside: Vector | float, of_won: Vector | float, of: Vector | float
) -> Vector:
    """How far the wins inside are from what chance gives, in standard deviations; 0 where undefined.

    Of `of` accounts, `of_won` of them won, `inside` are selected: a hypergeometric count of wins.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.divide(of_won, of)
        spread = inside * rate * (1 - rate) * (np.asarray(of) - inside) / (np.asarray(of) - 1)
        z = (won - inside * rate) / np.sqrt(spread)
    return np.where(np.isfinite(z), z, 0.0)


@dataclass(frozen=True)
class _Counted:
    """What is counted once for both sides: conditions of their own, and by pairs.

    names: the subject of each condition. told: float (conditions, accounts), those that are usable.
    """

    names: tuple[str, ...]
    places: NDArray[np.int64]
    told: NDArray[np.float32]
    won: NDArray[np.float32]

    @classmethod
    def of(cls, names: Sequence[str], *, met: Flags, won: NDArray[np.int64]) -> _Counted:
        inside = met.sum(axis=1).astype(np.float64)
        places = np.flatnonzero(_usable(inside, accounts=len(won), wins=int(won.sum())))
        told = met[places].astype(np.float32)
        return cls(tuple(names[int(place)] for place in places), places, told, won.astype(np.float32))

    @property
    def accounts(self) -> int:
        return len(self.won)

    @cached_property
    def wins(self) -> int:
        return int(self.won.sum())

    @cached_property
    def pairs(self) -> Vector:
        """Accounts that meet both, (conditions, conditions); on the diagonal those of one condition."""
        return np.asarray(self.told @ self.told.T, dtype=np.float64)

    @cached_property
    def pairs_won(self) -> Vector:
        return np.asarray((self.told * self.won) @ self.told.T, dtype=np.float64)

    @cached_property
    def other_feature(self) -> Flags:
        """Whether two conditions are on different features."""
        codes = np.unique(np.array(self.names), return_inverse=True)[1]
        return np.asarray(codes[:, None] != codes[None, :], dtype=np.bool_)

    def z(self, won: Vector, inside: Vector) -> Vector:
        return standardised(won, inside=inside, of_won=self.wins, of=self.accounts)

    def usable(self, inside: Vector) -> Flags:
        return _usable(inside, accounts=self.accounts, wins=self.wins)


def _usable(inside: Vector, *, accounts: int, wins: int) -> Flags:
    """Whether a selection and the rest are large enough to say something."""
    fewest = max(_FEWEST, _SMALLEST_SHARE * accounts)
    expected = inside * min(wins, accounts - wins) / accounts
    enough = (inside >= fewest) & (accounts - inside >= fewest)
    return np.asarray(enough & (expected >= _FEWEST_EXPECTED), dtype=np.bool_)


@dataclass(frozen=True)
class _Side:
    """The search for what raises (1) or lowers (-1) the rate of wins."""

    counted: _Counted
    side: int

    def candidates(self) -> Iterator[Candidate]:
        """Candidates of one, two and three conditions, in no order."""
        size = len(self.counted.places)
        tried = size * (size - 1) // 2
        yield from self._clear(self._singles(), tried=size)
        pairs = self._pairs()
        yield from self._clear(pairs, tried=tried)
        best = sorted(pairs, key=lambda members: (-pairs[members], members))[:_BEAM]
        yield from self._clear(self._triples(best), tried=tried * max(1, size // 3))

    def _clear(self, found: dict[Members, float], *, tried: int) -> Iterator[Candidate]:
        """Those that are clear enough; `beyond` is what is left above the largest of `tried` by chance."""
        largest = float(np.sqrt(2 * np.log(max(tried, 2))))
        for members, z in found.items():
            if z >= max(_LEAST, largest + _BEYOND):
                places = tuple(int(self.counted.places[one]) for one in members)
                yield Candidate(places, self.side, z, z - largest)

    def _singles(self) -> dict[Members, float]:
        counted = self.counted
        z = self.side * counted.z(counted.pairs_won.diagonal(), counted.pairs.diagonal())
        return {(one,): float(value) for one, value in enumerate(z)}

    def _pairs(self) -> dict[Members, float]:
        both, won = self.counted.pairs, self.counted.pairs_won
        adds = self._adds(both, won, parent=both.diagonal()[:, None], parent_won=won.diagonal()[:, None])
        allowed = self.counted.usable(both) & adds & adds.T & self.counted.other_feature
        rows, columns = np.nonzero(np.triu(allowed, 1))
        z = self.side * self.counted.z(won[rows, columns], both[rows, columns])
        return {(int(i), int(j)): float(value) for i, j, value in zip(rows, columns, z, strict=True)}

    def _triples(self, pairs: Sequence[Members]) -> dict[Members, float]:
        """The pairs with one condition more."""
        counted, found = self.counted, dict[Members, float]()
        for a, b in pairs:
            inside = counted.told[a] * counted.told[b]
            three = np.asarray(counted.told @ inside, dtype=np.float64)
            won = np.asarray(counted.told @ (inside * counted.won), dtype=np.float64)
            allowed = counted.usable(three) & counted.other_feature[a] & counted.other_feature[b]
            for pair, pair_won in (
                (counted.pairs[a, b], counted.pairs_won[a, b]),
                (counted.pairs[a], counted.pairs_won[a]),
                (counted.pairs[b], counted.pairs_won[b]),
            ):
                allowed &= self._adds(three, won, parent=pair, parent_won=pair_won)
            z = self.side * counted.z(won, three)
            found |= {tuple(sorted((a, b, int(c)))): float(z[c]) for c in np.flatnonzero(allowed)}
        return found

    def _adds(self, inside: Vector, won: Vector, *, parent: Vector, parent_won: Vector) -> Flags:
        """Whether a selection leaves out a fair part of its parent, and differs from it to the right side."""
        clear = self.side * standardised(won, inside=inside, of_won=parent_won, of=parent) >= _ADDS
        return np.asarray(clear & (inside <= (1 - _LEAVES_OUT) * parent), dtype=np.bool_)


def _apart(
    found: Sequence[Candidate], *, names: Sequence[str], met: Flags, won: NDArray[np.int64], most: int
) -> list[Candidate]:
    """Candidates that tell something beside those before them, none of them on a feature told often."""
    chosen: list[tuple[Candidate, Flags]] = []
    uses: dict[tuple[int, str], int] = {}
    subjects = set[tuple[int, frozenset[str]]]()
    for each in found:
        keys = [(each.side, names[i]) for i in each.members]
        subject = (each.side, frozenset(names[i] for i in each.members))
        if subject in subjects or any(uses.get(key, 0) >= _USES_OF_FEATURE for key in keys):
            continue
        inside = meeting(met, each.members)
        if all(_tells_beside((each, inside), before, won=won) for before in chosen):
            chosen.append((each, inside))
            subjects.add(subject)
            uses |= {key: uses.get(key, 0) + 1 for key in keys}
        if len(chosen) == most:
            break
    return [each for each, _ in chosen]


def _tells_beside(
    told: tuple[Candidate, Flags], before: tuple[Candidate, Flags], *, won: NDArray[np.int64]
) -> bool:
    """Whether a selection is of other accounts than one before it, and tells something beside it."""
    (each, inside), (other, outside) = told, before
    both = int((inside & outside).sum())
    overlap = both / max(1, int((inside | outside).sum()))
    held = both / max(1, min(int(inside.sum()), int(outside.sum())))
    if overlap > _OVERLAP or (held > _HELD and len(each.members) == len(other.members)):
        return False
    return each.side * _beside(inside, outside, won=won) >= _BESIDE


def _beside(inside: Flags, other: Flags, *, won: NDArray[np.int64]) -> float:
    """Standardised difference of `inside` from the rest, added up over those with and without `other`."""
    gap = spread = 0.0
    for stratum in (other, ~other):
        accounts, selected = int(stratum.sum()), int((inside & stratum).sum())
        if accounts < 2:
            continue
        rate = float(won[stratum].mean())
        gap += float(won[inside & stratum].sum()) - selected * rate
        spread += selected * rate * (1 - rate) * (accounts - selected) / (accounts - 1)
    return gap / float(np.sqrt(spread)) if spread > 0 else 0.0
