"""The seeds that an account is nearest to, in the space of the ranker that placed it.

Turns points of accounts and of seeds into the nearest few, exactly. Time rule: none. Null rule: none, every
account has a place; seeds at the same distance come in the order of their identifiers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest_seeds"]

_PART: Final = 1_000
_SPARE: Final = 8


def nearest_seeds(
    accounts: NDArray[np.float32], *, seeds: NDArray[np.float32], count: int = 3
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places of the `count` nearest seeds (n, count), the nearest first, and their distances (n, count).

    accounts: (n, m); seeds: (s, m), by identifier. Fewer columns where there are fewer seeds. Distances are
    Euclidean, found roughly in single precision and then told apart in double precision.
    """
    count = min(count, len(seeds))
    rough = min(count + _SPARE, len(seeds))
    lengths = np.einsum("ij,ij->i", seeds, seeds)
    places, distances = [], []
    for start in range(0, len(accounts), _PART):
        part = accounts[start : start + _PART]
        apart = lengths - 2.0 * (part @ seeds.T)
        likely = np.sort(np.argpartition(apart, rough - 1, axis=1)[:, :rough], axis=1)
        gaps = part[:, None, :].astype(np.float64) - seeds[likely].astype(np.float64)
        exact = np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps))
        order = np.argsort(exact, axis=1, kind="stable")[:, :count]
        places.append(np.take_along_axis(likely, order, axis=1))
        distances.append(np.take_along_axis(exact, order, axis=1))
    if not places:
        return np.zeros((0, count), dtype=np.int64), np.zeros((0, count))
    return np.concatenate(places), np.concatenate(distances)
