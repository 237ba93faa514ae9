"""Which trial is taken: the smallest trees among those that the best one is not surely better than.

Turns the losses of trials on the same rows, summed by groups of accounts, into one trial. Time rule: none.
Null rule: none; a trial that failed is not among them. The standard error of a difference is that of random
groups (Wolter 2007, chapter 2); one standard error is the rule of Breiman et al. 1984, section 3.4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["GROUPS", "Tried", "account_groups", "choose", "difference", "sums_by_group"]

GROUPS = 200
"""So many groups of accounts; few enough to be stored with each trial."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Tried:
    """One trial. parameters: what was tried. losses: log loss summed by group of accounts, (groups,).
    leaves: of all its trees."""

    number: int
    parameters: dict[str, Any]
    losses: tuple[float, ...]
    leaves: int


def choose(tried: Sequence[Tried], *, rows: Vector) -> Tried:
    """The trial with the fewest leaves among those within one standard error of the best; then the better.

    rows: in each group, (groups,).
    """
    best = min(tried, key=lambda one: (sum(one.losses), one.leaves, one.number))
    near = [one for one in tried if _is_noise(one, best, rows=rows)]
    return min(near, key=lambda one: (one.leaves, sum(one.losses), one.number))


def _is_noise(one: Tried, best: Tried, *, rows: Vector) -> bool:
    mean, error = difference(one, best, rows=rows)
    return mean <= error


def difference(one: Tried, other: Tried, *, rows: Vector) -> tuple[float, float]:
    """Mean loss per row of one trial minus that of another, and the standard error of that, paired."""
    gaps = np.asarray(one.losses) - np.asarray(other.losses)
    total, groups = rows.sum(), len(rows)
    mean = gaps.sum() / total
    beyond = gaps - mean * rows
    error = np.sqrt(groups / (groups - 1) * np.square(beyond).sum()) / total if groups > 1 else np.inf
    return float(mean), float(error)


def account_groups(accounts: NDArray[Any], *, seed: int) -> NDArray[np.int64]:
    """A group for each row, (n,): all rows of an account in one, accounts dealt out at random."""
    names, codes = np.unique(accounts.astype(str), return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) % GROUPS
    return np.unique(dealt[codes], return_inverse=True)[1].astype(np.int64)


def sums_by_group(values: Vector, *, groups: NDArray[np.int64]) -> Vector:
    """The sum of the values (n,) in each group, (groups,)."""
    return np.bincount(groups, weights=values).astype(np.float64)
