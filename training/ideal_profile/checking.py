"""The check: candidates and later accounts in, those that hold out.

Turns each candidate into the chance that later accounts would differ so much if it told nothing (Fisher's
exact test), adjusted for how many were checked (Benjamini and Hochberg 1995), and into a share with an
interval (Wilson 1927) that is widened for having been picked (Benjamini and Yekutieli 2005). Time rule: sees
later accounts only, each of them once. Null rule: conditions are met or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.profile import Figures
from training.ideal_profile.searching import Candidate, meeting, standardised

__all__ = ["CHANCE", "Held", "adjusted", "check", "figures", "two_sided"]

CHANCE = 0.05
"""How often a table in which nothing sets wins apart may still give a trait."""

_ADDS = 0.5

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Held:
    """A candidate that holds: its adjusted chance and its figures among the later accounts."""

    candidate: Candidate
    chance: float
    later: Figures


def check(
    candidates: Sequence[Candidate], *, met: Flags, won: NDArray[np.int64], stands_for: float = 1.0
) -> list[Held]:
    """Candidates whose difference holds on these accounts, in their order.

    met: bool (conditions, accounts). stands_for: as in `figures`. Each condition of a combination must add to
    the others as well, and the interval that is shown must leave out the rate of all.
    """
    inside = [meeting(met, each.members) for each in candidates]
    chances = adjusted([two_sided(rows, won=won) for rows in inside])
    kept = [
        place
        for place, each in enumerate(candidates)
        if chances[place] <= CHANCE
        and each.side * _share_above(inside[place], won=won) > 0
        and _each_adds(each, met=met, won=won)
    ]
    miss = CHANCE * len(kept) / max(1, len(candidates))
    base = figures(len(won), int(won.sum()), stands_for=stands_for).rate
    held = [
        Held(
            candidates[i],
            chances[i],
            figures(int(inside[i].sum()), int(won[inside[i]].sum()), miss=miss, stands_for=stands_for),
        )
        for i in kept
    ]
    return [one for one in held if not one.later.low <= base <= one.later.high]


def two_sided(inside: Flags, *, won: NDArray[np.int64]) -> float:
    """Chance of a count of wins inside so far from the base to either side, were they drawn at random."""
    from scipy.stats import hypergeom

    law = hypergeom(len(won), int(won.sum()), int(inside.sum()))
    got = int(won[inside].sum())
    return float(min(1.0, 2 * min(law.sf(got - 1), law.cdf(got))))


def adjusted(chances: Sequence[float]) -> list[float]:
    """Chances adjusted for their number (Benjamini and Hochberg 1995), in the order given.

    Of those at or below a bound at most that share is wrong, in the long run; where nothing tells anything,
    any at all is at or below it at most so often.
    """
    from scipy.stats import false_discovery_control

    return [float(chance) for chance in false_discovery_control(chances)] if len(chances) else []


def figures(accounts: int, won: int, *, miss: float = CHANCE, stands_for: float = 1.0) -> Figures:
    """A share with its interval (Wilson 1927), which misses with chance `miss`.

    stands_for: how many accounts each one without a win stands for; the odds of a win are that many times
    lower than among those that were drawn (Prentice and Pyke 1979).
    """
    from scipy.stats import norm

    if accounts == 0:
        return Figures(0, 0, 0.0, 0.0, 1.0)
    z, rate = float(norm.isf(miss / 2)), won / accounts
    centre = (rate + z * z / (2 * accounts)) / (1 + z * z / accounts)
    half = z / (1 + z * z / accounts) * np.sqrt(rate * (1 - rate) / accounts + z * z / (4 * accounts**2))
    shares = (rate, max(0.0, float(centre - half)), min(1.0, float(centre + half)))
    return Figures(accounts, won, *(share / (share + stands_for * (1 - share)) for share in shares))


def _share_above(inside: Flags, *, won: NDArray[np.int64]) -> float:
    return float(won[inside].mean() - won.mean()) if inside.any() else 0.0


def _each_adds(each: Candidate, *, met: Flags, won: NDArray[np.int64]) -> bool:
    """Whether each condition of a combination still adds to the others, by half a standard error or more."""
    if len(each.members) == 1:
        return True
    inside = meeting(met, each.members)
    parents = [meeting(met, [one for one in each.members if one != left]) for left in each.members]
    return all(each.side * _within(inside, parent, won=won) >= _ADDS for parent in parents)


def _within(inside: Flags, parent: Flags, *, won: NDArray[np.int64]) -> float:
    counts = (float(rows.sum()) for rows in (won[inside], inside, won[parent], parent))
    got, size, of_won, of = counts
    return float(standardised(got, inside=size, of_won=of_won, of=of))
