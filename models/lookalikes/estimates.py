"""How sure a ranking is: what hidden seeds tell of places in it.

Turns the share of accounts before each hidden seed into how much denser seeds are at a place than everywhere
(the lift), which share of them a list of any length would have found, and, where the level can be known, into
the chance that an account is one of those that the seeds stand for. Time rule: none. Null rule: without
hidden seeds nothing is claimed; without a known label rate the chance has an upper end and no estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.positive_unlabelled import HiddenPositives, count_hidden

__all__ = ["Estimate", "Sureness"]

Doubles = NDArray[np.float64]

_TAIL: Final = 0.05
_LEAST_FOR_LEVEL: Final = 100
"""Known positives from which on their share at the top bounds how many are hidden."""


@dataclass(frozen=True)
class Estimate:
    """value: None where the data allow bounds only. low, high: 90 % interval, or the range."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Sureness:
    """What `shares` (s,), the share of the crowd before each hidden seed, tell of a ranking.

    seeds: how many there are; unlabelled: accounts beside them. crowd_shares: of accounts of the crowd.
    label_rate: the share of those that the seeds stand for that is among the seeds, where somebody knows it.
    """

    shares: Doubles
    crowd_shares: Doubles
    seeds: int
    unlabelled: int
    label_rate: float | None = None

    def found(self, length: int) -> Estimate:
        """The share of hidden seeds that the first `length` accounts hold: Wilson 1927."""
        if not len(self.shares):
            return Estimate(None, 0.0, 1.0)
        hits = float((self.shares <= length / max(self.unlabelled, 1)).sum())
        low, high = _wilson(hits, of=len(self.shares))
        return Estimate(hits / len(self.shares), low, high)

    def lift(self, places: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """How many times as dense seeds are as everywhere, with bounds, at shares of the ranking (n,).

        It never rises from better places to worse ones (Grenander 1956), and a seed's worth of doubt is
        spread evenly over the whole ranking, so that few seeds claim little.
        """
        if not len(self.shares):
            nothing = np.full(len(places), np.nan)
            return nothing, np.zeros(len(places)), np.full(len(places), np.inf)
        edges, value, low, high = self._steps
        step = np.clip(np.searchsorted(edges, places, "left") - 1, 0, len(value) - 1)
        return value[step], low[step], high[step]

    @cached_property
    def _steps(self) -> tuple[Doubles, Doubles, Doubles, Doubles]:
        """Edges of the steps (m + 1,), and the lift of each with its bounds."""
        from scipy.stats import gamma

        finest = 1.0 / max(len(self.crowd_shares), 2)
        edges = np.concatenate([[0.0], np.geomspace(finest, 1.0, max(2, int(2 * np.log2(1.0 / finest))))])
        counts = np.histogram(np.minimum(self.shares, 1.0), edges)[0] + np.diff(edges)
        pooled = _falling(counts.astype(np.float64), widths=np.diff(edges))
        total = len(self.shares) + 1.0
        counted, widths = pooled[:, 0], pooled[:, 1]
        low = gamma.ppf(_TAIL, counted) / widths / total
        high = gamma.ppf(1.0 - _TAIL, counted + 0.5) / widths / total
        return edges, counted / widths / total, np.minimum.accumulate(low), np.minimum.accumulate(high)

    @cached_property
    def hidden(self) -> HiddenPositives | None:
        """How many of the others are like the seeds, as far as it can be told; None for too few seeds."""
        if self.label_rate is None and min(self.seeds, len(self.crowd_shares)) < _LEAST_FOR_LEVEL:
            return None
        if not len(self.shares):
            return None
        scores = 1.0 - np.concatenate([self.shares, self.crowd_shares])
        labelled = np.repeat([1, 0], [len(self.shares), len(self.crowd_shares)])
        return count_hidden(
            scores,
            labelled=labelled.astype(np.int64),
            label_rate=self.label_rate,
            known=self.seeds,
            unlabelled=self.unlabelled,
        )

    def chance(self, places: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """The chance that an account at these shares of the ranking is one that the seeds stand for, with its
        bounds; NaN where the level is not known, as only the upper bound is then."""
        if self.hidden is None:
            nothing = np.full(len(places), np.nan)
            return nothing, np.zeros(len(places)), np.ones(len(places))
        value, low, high = self.lift(places)
        rates = [None if n is None else n / max(self.unlabelled, 1) for n in self._counts(self.hidden)]
        told = np.full(len(places), np.nan) if rates[0] is None else np.minimum(value * rates[0], 1.0)
        least, most = low * (rates[1] or 0.0), high * (rates[2] or 0.0)
        return told, np.minimum(least, 1.0), np.minimum(most, 1.0)

    def _counts(self, hidden: HiddenPositives) -> tuple[float | None, float, float]:
        return hidden.estimate, hidden.low, hidden.high


def _falling(counts: Doubles, *, widths: Doubles) -> Doubles:
    """Counts and widths (m, 2) of each step after steps were pooled until densities never rise."""
    pools: list[list[float]] = []
    for count, width in zip(counts, widths, strict=True):
        pools.append([count, width, 1.0])
        while len(pools) > 1 and pools[-1][0] * pools[-2][1] > pools[-2][0] * pools[-1][1]:
            last = pools.pop()
            pools[-1] = [one + other for one, other in zip(pools[-1], last, strict=True)]
    return np.repeat([pool[:2] for pool in pools], [int(pool[2]) for pool in pools], axis=0)


def _wilson(hits: float, *, of: int) -> tuple[float, float]:
    """The 90 % interval of a share."""
    z, share = 1.644854, hits / of
    centre = share + z * z / (2.0 * of)
    half = z * float(np.sqrt(share * (1.0 - share) / of + z * z / (4.0 * of * of)))
    scale = 1.0 + z * z / of
    return max((centre - half) / scale, 0.0), min((centre + half) / scale, 1.0)
