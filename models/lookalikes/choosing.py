"""Which ranker serves: seeds are hidden in the crowd, and each ranker has to find them again.

Turns encoded seeds and a crowd into one figure for each hidden seed and ranker: the share of accounts that it
never learned from and that it places before the seed. A less simple ranker serves only where it finds the
seeds by more than a standard error better, so that chance does not change rankers. Time rule: none. Null
rule: fewer than `LEAST_TO_CHOOSE` seeds choose nothing, similarity serves; a single seed measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.lookalikes.rankers import RANKERS, RankerName, Sample, learn_ranker

__all__ = [
    "LEAST_FOR_TREES",
    "LEAST_TO_CHOOSE",
    "Choice",
    "Trial",
    "View",
    "candidates",
    "choose",
    "credit",
    "divisions",
    "hidden_shares",
]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
View = Callable[[RankerName], NDArray[np.int64]]
"""The columns of the encoded accounts that a ranker looks at."""

LEAST_TO_CHOOSE: Final = 10
"""Below, what was found again says too little of any ranker but the simplest."""

LEAST_FOR_TREES: Final = 50
"""Below, trees never won on any market or set of companies, and cost the most time."""


_FOR_TRIALS: Final = 10_000
"""Accounts of the crowd that are enough to learn lines from and to find hidden seeds among."""


@dataclass(frozen=True)
class Trial:
    """shares: (s,), by hidden seed the share of the crowd placed before it, ties by half; never 0."""

    ranker: RankerName
    shares: Doubles

    @property
    def credit(self) -> float:
        return float(credit(self.shares).mean())


@dataclass(frozen=True)
class Choice:
    """ranker: the one that serves. trials: of all that were tried, the simplest first; empty for one seed.

    crowd_shares: (u,), of accounts of the crowd the share placed before them, among their own part.
    """

    ranker: RankerName
    trials: tuple[Trial, ...]
    crowd_shares: Doubles
    lead: float = 0.0

    @property
    def shares(self) -> Doubles:
        """Of the ranker that serves; empty where nothing was hidden."""
        return next((one.shares for one in self.trials if one.ranker == self.ranker), np.zeros(0))


def divisions(seeds: int) -> int:
    """Into how many parts seeds and crowd are divided: where seeds are few, each is hidden alone."""
    if seeds < LEAST_TO_CHOOSE:
        return max(2, seeds)
    return 5 if seeds < 500 else 3


def candidates(seeds: int) -> tuple[RankerName, ...]:
    """Rankers that so many seeds may be served by."""
    if seeds < LEAST_TO_CHOOSE:
        return RANKERS[:1]
    return RANKERS if seeds >= LEAST_FOR_TREES else RANKERS[:-1]


def credit(shares: Doubles) -> Doubles:
    """How well seeds were found (s,): 0 behind everybody, 1 before 99.99 %, even steps for each tenth part.

    >>> credit(np.array([1.0, 0.01, 0.00001])).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.asarray(np.clip(np.log10(1.0 / shares) / 4.0, 0.0, 1.0), dtype=np.float64)


def choose(sample: Sample, *, view: View, rankers: Sequence[RankerName]) -> Choice:
    """Hide each seed once, and choose. rankers: to choose from, the simplest first."""
    if len(sample.seeds) < 2:
        return Choice(rankers[0], (), np.zeros(0))
    tried = [(name, *hidden_shares(name, sample, columns=view(name))) for name in rankers]
    trials = tuple(Trial(name, shares) for name, shares, _ in tried)
    chosen, lead = trials[0], 0.0
    for trial in trials[1:]:
        better = credit(trial.shares) - credit(chosen.shares)
        margin = float(better.std(ddof=1) / np.sqrt(len(better)))
        if better.mean() > margin:
            chosen, lead = trial, float(better.mean())
    crowd = next(crowd for name, _, crowd in tried if name == chosen.ranker)
    return Choice(chosen.ranker, trials, crowd, lead)


def hidden_shares(name: RankerName, sample: Sample, *, columns: NDArray[np.int64]) -> tuple[Doubles, Doubles]:
    """Of each seed and of each account of the crowd, the share of its part of the crowd placed before it by a
    ranker that learned from neither."""
    sample = sample if name == "trees" else _thinned(sample, most=_FOR_TRIALS)
    seeds, crowd = sample.seeds[:, columns], sample.crowd[:, columns]
    order = np.random.default_rng(0).permutation(len(seeds))
    parts = np.empty(len(seeds), dtype=np.int64)
    parts[order] = np.arange(len(seeds)) % sample.divided
    shares, others = np.zeros(len(seeds)), np.zeros(len(crowd))
    for part in range(sample.divided):
        hidden, rest = parts == part, sample.parts == part
        if not hidden.any() or not rest.any():
            shares[hidden] = 0.5
            continue
        learned = replace(sample, seeds=seeds[~hidden], crowd=crowd)
        ranker = learn_ranker(name, learned, only=part)
        told = np.sort(ranker.scores(crowd[rest], part=part))
        shares[hidden] = _before(ranker.scores(seeds[hidden], part=part), among=told)
        others[rest] = _before(ranker.scores(crowd[rest], part=part), among=told)
    return shares, others


def _thinned(sample: Sample, *, most: int) -> Sample:
    step = -(-len(sample.crowd) // most)
    return replace(sample, crowd=sample.crowd[::step], parts=sample.parts[::step])


def _before(scores: Doubles, *, among: Doubles) -> Doubles:
    """The share of `among` (rising) that is larger; of equals, half."""
    larger = len(among) - np.searchsorted(among, scores, "right")
    equal = np.searchsorted(among, scores, "right") - np.searchsorted(among, scores, "left")
    return np.asarray(np.maximum(larger + 0.5 * equal, 0.5) / len(among))
