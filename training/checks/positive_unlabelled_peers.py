"""Other ways to learn from positives and unlabelled rows, which ours are compared with and which lost.

Turns the same input as `models.positive_unlabelled` into chances, or a label rate. Bagging (Mordelet and Vert
2014), the non-negative risk (Kiryo, Niu, du Plessis and Sugiyama 2017), the propensity-weighted risk (Bekker,
Robberechts and Davis 2019), the quotient of two chances; Elkan and Noto's mean (2008) and best bin
estimation as published (Garg et al. 2021). Time rule: none. Null rule: that of the learner, or LightGBM's.
"""

from __future__ import annotations

from typing import Any, Self

import lightgbm
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import clone

from models.positive_unlabelled.base import Floats, PositiveUnlabelled

__all__ = ["BaggingPeer", "RiskPeer", "best_bin_as_published", "mean_of_known", "risk_scores"]

_TREES = {
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 30,
    "feature_fraction": 0.5,
    "lambda_l2": 5.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


def mean_of_known(scores: Floats, *, labelled: NDArray[np.int64]) -> float:
    """The label rate as the mean chance of the known positives: right where no other row looks like one."""
    return float(scores[labelled == 1].mean())


def best_bin_as_published(scores: Floats, *, labelled: NDArray[np.int64], smallest_top: int = 20) -> float:
    """The label rate by the top that bounds the share of positives best, with its uniform slack."""
    order = np.argsort(-scores, kind="stable")
    rows, known = np.arange(1, len(order) + 1), np.cumsum(labelled[order])
    slack = sum(np.sqrt(np.log(4.0 / 0.1) / 2.0 / size) for size in (len(labelled), labelled.sum()))
    share_known = np.maximum(known, 1e-9) / labelled.sum()
    bound = (rows / len(labelled) + 1.01 * slack) / share_known
    best = smallest_top + int(np.argmin(bound[smallest_top:]))
    return float(known[best] / rows[best])


class BaggingPeer(PositiveUnlabelled):
    """The mean of learners that each set all known positives against as many rows drawn from the others."""

    def __init__(self, estimator: Any = None, *, bags: int = 20, random_state: int = 0) -> None:
        super().__init__(estimator, random_state=random_state)
        self.bags = bags

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        matrix, labelled = self._begin(X, y)
        generator = np.random.default_rng(self.random_state)
        known, others = np.flatnonzero(labelled == 1), np.flatnonzero(labelled == 0)
        self.estimators_ = []
        for _ in range(self.bags):
            rows = np.concatenate([known, generator.choice(others, len(known))])
            self.estimators_.append(clone(self._learner()).fit(matrix[rows], labelled[rows]))
        return self

    def _chances(self, X: Floats) -> Floats:
        chances: Floats = np.mean([model.predict_proba(X)[:, 1] for model in self.estimators_], axis=0)
        return chances


class RiskPeer(PositiveUnlabelled):
    """Trees grown on the unbiased risk, a known positive standing for 1 / label rate; never below zero."""

    def __init__(self, *, label_rate: float = 0.5, rounds: int = 200, random_state: int = 0) -> None:
        super().__init__(None, random_state=random_state)
        self.label_rate = label_rate
        self.rounds = rounds

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        matrix, labelled = self._begin(X, y)
        target = labelled / self.label_rate
        self.booster_, self.base_ = _grown(matrix, target, rounds=self.rounds, seed=self.random_state)
        return self

    def _chances(self, X: Floats) -> Floats:
        chances: Floats = expit(self.base_ + self.booster_.predict(X))
        return chances


def risk_scores(X: Floats, *, won: NDArray[np.int64], propensities: Floats, judged: Floats) -> Floats:
    """Margins of `judged` by the risk in which a win stands for 1 / propensity."""
    booster, _ = _grown(X, won / propensities, rounds=200, seed=0)
    scores: Floats = booster.predict(judged)
    return scores


def _grown(X: Floats, target: Floats, *, rounds: int, seed: int) -> tuple[lightgbm.Booster, float]:
    """Trees on the logistic loss with targets that may exceed 1, and the margin that they start from."""
    mean = float(np.clip(target.mean(), 0.01, 0.99))
    base = float(np.log(mean / (1.0 - mean)))

    def objective(margins: Floats, _: lightgbm.Dataset) -> tuple[Floats, Floats]:
        chance = expit(margins)
        # The part of the risk that unlabelled rows take from the positives; below zero it is overfitted.
        negative = float(np.mean((1.0 - target) * np.logaddexp(0.0, margins)))
        gradient = chance - target if negative >= 0.0 else -(1.0 - target) * chance
        return gradient, np.maximum(chance * (1.0 - chance), 1e-6)

    data = lightgbm.Dataset(X, label=np.clip(target, 0.0, 1.0), init_score=np.full(len(X), base))
    return lightgbm.train({**_TREES, "seed": seed, "objective": objective}, data, rounds), base
