"""Rankers: how much an account is like the seeds, what of it says so, and in which space it is near them.

Turns encoded seeds and encoded accounts without a label into a score that is the sum of a baseline and one
contribution for each column. An account without a label is never a "no": it stands for the crowd that seeds
are told from, the crowd as a whole weighs so many times as the seeds, and no account is scored by trees
that were grown against it. Time rule: none. Null rule: a cell that is not known is 0 and contributes
nothing of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

__all__ = ["CROWD", "RANKERS", "Learned", "RankerName", "Sample", "learn_ranker"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
RankerName = Literal["similarity", "steady linear", "linear", "trees"]

RANKERS: Final[tuple[RankerName, ...]] = ("similarity", "steady linear", "linear", "trees")
"""The simplest first."""

CROWD: Final = 10.0
"""How many times as much as the seeds all other accounts weigh together."""

_PENALTY: Final[dict[RankerName, float]] = {"steady linear": 1.0, "linear": 100.0}
"""Inverse strength of the ridge penalty; chosen, as CROWD, on clusters of companies that are not reported."""

_FOR_LINES: Final = 15_000
"""Accounts of the crowd that a linear model learns from; more tell it nothing new."""

_DOUBT: Final = 1.0
"""By how many standard errors a column of the seeds must differ from the crowd to count at all."""

_PART: Final = 50_000

_TREES: Final = {
    "objective": "binary",
    "num_leaves": 7,
    "learning_rate": 0.03,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "seed": 0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
_ROUNDS: Final = 300


@dataclass(frozen=True)
class Sample:
    """What to learn from. seeds: float32 (s, k); crowd: (u, k), drawn evenly; parts: (u,), the part of all
    accounts that each of the crowd is in, 0 to `divided` - 1."""

    seeds: Floats
    crowd: Floats
    parts: Integers
    divided: int


class Learned(Protocol):
    """A ranker that has learned. part: of the rows; only trees look at it."""

    def scores(self, X: Floats, *, part: int) -> Doubles:
        """float64 (n,): the higher the more like the seeds."""
        ...

    def contributions(self, X: Floats, *, part: int) -> Doubles:
        """float64 (n, k + 1): of each column, and the baseline last; they add up to the score."""
        ...

    def space(self, X: Floats, *, part: int) -> Floats:
        """float32 (n, m): points whose distances are those that count for the ranker."""
        ...


def learn_ranker(name: RankerName, sample: Sample, *, only: int | None = None) -> Learned:
    """A ranker of this name. only: the part that alone will be asked for; None for all."""
    if name == "similarity":
        return _Similarity.learn(sample)
    if name == "trees":
        return _Trees.learn(sample, only=only)
    return _Lines.learn(sample, strength=_PENALTY[name], only=only)


def _lengths(X: Floats) -> Doubles:
    lengths = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
    return np.where(lengths > 0, lengths, 1.0)


@dataclass(frozen=True)
class _Similarity:
    """Cosine with the middle of the seeds, of which columns that differ by chance are left out.

    Shrunken centroids: Tibshirani, Hastie, Narasimhan and Chu 2002.
    """

    direction: Doubles

    @classmethod
    def learn(cls, sample: Sample) -> _Similarity:
        seeds = sample.seeds.astype(np.float64) / _lengths(sample.seeds)[:, None]
        middle = seeds.mean(axis=0)
        doubt = _DOUBT * (seeds.std(axis=0) / np.sqrt(len(seeds))) if len(seeds) > 1 else 0.0
        shrunk = np.sign(middle) * np.maximum(np.abs(middle) - doubt, 0.0)
        length = float(np.linalg.norm(shrunk))
        return cls(shrunk / length if length else shrunk)

    def scores(self, X: Floats, *, part: int = 0) -> Doubles:
        return np.asarray(X @ self.direction) / _lengths(X)

    def contributions(self, X: Floats, *, part: int = 0) -> Doubles:
        each = X * self.direction / _lengths(X)[:, None]
        return np.column_stack([each, np.zeros(len(X))])

    def space(self, X: Floats, *, part: int = 0) -> Floats:
        return np.asarray(X / _lengths(X)[:, None], dtype=np.float32)


@dataclass(frozen=True)
class _Lines:
    """A ridge-penalised logistic regression of the seeds against the weighted crowd."""

    weights: Doubles
    baseline: float

    @classmethod
    def learn(cls, sample: Sample, *, strength: float, only: int | None) -> _Lines:
        crowd = sample.crowd if only is None else sample.crowd[sample.parts != only]
        crowd = crowd[:: -(-len(crowd) // _FOR_LINES)]
        X = np.vstack([sample.seeds, crowd])
        label = np.repeat([1, 0], [len(sample.seeds), len(crowd)])
        weight = np.where(label == 1, 1.0, CROWD * len(sample.seeds) / len(crowd))
        model = LogisticRegression(C=strength, max_iter=300, tol=1e-3)
        model.fit(X, label, sample_weight=weight)
        return cls(model.coef_[0].astype(np.float64), float(model.intercept_[0]))

    def scores(self, X: Floats, *, part: int = 0) -> Doubles:
        return np.asarray(X @ self.weights) + self.baseline

    def contributions(self, X: Floats, *, part: int = 0) -> Doubles:
        return np.column_stack([X * self.weights, np.full(len(X), self.baseline)])

    def space(self, X: Floats, *, part: int = 0) -> Floats:
        """What counts much for the score counts much for the distance."""
        return np.asarray(X * np.sqrt(np.abs(self.weights)), dtype=np.float32)


@dataclass(frozen=True)
class _Trees:
    """Boosted trees of the seeds against the crowd, one booster for each part, grown without that part."""

    boosters: dict[int, lightgbm.Booster]

    @classmethod
    def learn(cls, sample: Sample, *, only: int | None) -> _Trees:
        asked = range(sample.divided) if only is None else (only,)
        return cls({part: _grown(sample, without=part) for part in asked})

    def scores(self, X: Floats, *, part: int) -> Doubles:
        found = [
            self.boosters[part].predict(X[start : start + _PART], raw_score=True, num_threads=1)
            for start in range(0, len(X), _PART)
        ]
        return np.concatenate([*found, np.zeros(0)]).astype(np.float64)

    def contributions(self, X: Floats, *, part: int) -> Doubles:
        if not len(X):
            return np.zeros((0, X.shape[1] + 1))
        told = self.boosters[part].predict(X, pred_contrib=True, num_threads=1)
        return np.asarray(told, dtype=np.float64)

    def space(self, X: Floats, *, part: int) -> Floats:
        return self.contributions(X, part=part)[:, :-1].astype(np.float32)


def _grown(sample: Sample, *, without: int) -> lightgbm.Booster:
    crowd = sample.crowd[sample.parts != without]
    X = np.vstack([sample.seeds, crowd])
    label = np.repeat([1.0, 0.0], [len(sample.seeds), len(crowd)])
    weight = np.where(label == 1, 1.0, CROWD * len(sample.seeds) / len(crowd))
    rows = lightgbm.Dataset(X, label=label, weight=weight, free_raw_data=True)
    return lightgbm.train(_TREES, rows, num_boost_round=_ROUNDS)
