"""The population stability index, and how large it is by chance.

Turns two tables of counts over the same bins into the index, sum of (a - e) * ln(a / e) over their shares,
and the value that it exceeds by chance with a given probability when nothing has changed: for samples of N
and M rows it is about (1/N + 1/M) times a chi-square with one degree of freedom less than there are bins
(Yurdakul 2018, "Statistical properties of population stability index"). So few rows do not alarm. Time rule:
none. Null rule: bins in which fewer than ten of the smaller sample are to be expected are merged with their
neighbours, as the approximation asks: then one alarm in two thousand is never more than two (measured on even
and uneven shares, 30 to 1,000 rows). One bin has no index, and is stable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

__all__ = ["Stability", "stability"]

_FEWEST = 10.0
_NEVER_EMPTY = 0.5


@dataclass(frozen=True)
class Stability:
    """psi: the index; by_chance: what it stays below when nothing changed; rows: of the newer sample."""

    psi: float
    by_chance: float
    bins: int
    rows: int

    def drifted(self, *, least: float) -> bool:
        """Whether the index is at least `least` and beyond chance."""
        return self.psi >= least and self.psi > self.by_chance

    @property
    def sentence(self) -> str:
        return f"{self.psi:.2f} (by chance up to {self.by_chance:.2f}, {self.rows:,} accounts)"

    def to_json(self) -> dict[str, Any]:
        return {"psi": self.psi, "by_chance": self.by_chance, "bins": self.bins, "rows": self.rows}


def stability(
    reference: NDArray[np.float64], actual: NDArray[np.float64], *, chance: float, ordered: int | None = None
) -> Stability:
    """The index of counts (bins,) against the reference's.

    chance: of exceeding `by_chance` when nothing changed. ordered: how many bins from the first one on are in
    an order, so that neighbours are alike; None means all.
    """
    expected, found = _merged(reference, actual, ordered=len(reference) if ordered is None else ordered)
    rows, bins = int(found.sum()), len(expected)
    if bins < 2:
        return Stability(0.0, 0.0, bins, rows)
    shares = [(counts + _NEVER_EMPTY) / (counts + _NEVER_EMPTY).sum() for counts in (expected, found)]
    psi = float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
    spread = 1.0 / expected.sum() + 1.0 / found.sum()
    # `chi2.isf` without the checks of whole arrays of it, which take a hundred times as long.
    return Stability(psi, float(spread * chdtri(bins - 1, chance)), bins, rows)


def _merged(
    reference: NDArray[np.float64], actual: NDArray[np.float64], *, ordered: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both counts over bins in which the smaller sample is to hold ten or more."""
    both = np.stack([reference, actual]).astype(np.float64)
    totals = both.sum(axis=1)
    if totals.min() == 0:
        return both[0, :1], both[1, :1]
    expected = both.sum(axis=0) / both.sum() * totals.min()
    line = np.concatenate([np.arange(ordered), ordered + np.argsort(-expected[ordered:], kind="stable")])
    groups, held = [list[int]()], 0.0
    for position in line.tolist():
        groups[-1].append(position)
        held += float(expected[position])
        if held >= _FEWEST:
            groups.append([])
            held = 0.0
    if len(groups) > 1:
        groups[-2].extend(groups.pop())
    merged = np.stack([both[:, group].sum(axis=1) for group in groups], axis=1)
    return merged[0], merged[1]
