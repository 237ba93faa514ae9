"""Weights by pursuit: deals in, the same deals with weights for all accounts out.

Turns won and lost deals, and which accounts were pursued at all, into weights by the estimated chance of
being pursued: where that depends on what is known of an account, as winning does, deals of kinds that sales
rarely pursued speak for the many that it passed over (`models.positive_unlabelled.pursuit`). Time rule: an
account counts as pursued when its opportunity was known at the cutoff, and is looked at as known then. Null
rule: a deal whose account is no longer among the accounts has the weight of a usual one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from models.booster import Matrix
from models.card import PursuitFacts
from models.positive_unlabelled import out_of_fold, pursuit_weights
from models.positive_unlabelled.base import default_learner
from training.learning.learn import Rows

__all__ = ["pursuit_facts", "weighed_by_pursuit"]


def weighed_by_pursuit(rows: Rows, *, accounts: pd.DataFrame, X: Matrix, seed: int = 0) -> Rows:
    """`rows` with weights of mean 1.

    accounts: account_id, pursued (0 or 1, both of them). X: float64 (m, k), their features. The chance of
    being pursued is that of models that did not see the account.
    """
    pursued = accounts["pursued"].to_numpy(dtype=np.int64)
    chance = pd.Series(
        out_of_fold(default_learner(seed=seed), X, pursued, seed=seed), index=accounts["account_id"]
    )
    known = rows.frame["account_id"].map(chance)
    usual = float(known.median()) if known.notna().any() else 1.0
    chances = np.asarray(known.fillna(usual), dtype=np.float64)
    return replace(rows, weight=pursuit_weights(chances))


def pursuit_facts(rows: Rows, *, accounts: pd.DataFrame) -> PursuitFacts:
    """What a card tells of the weights."""
    weight = np.ones(len(rows.frame)) if rows.weight is None else rows.weight
    return PursuitFacts(
        accounts=len(accounts),
        pursued=int(accounts["pursued"].sum()),
        smallest=float(weight.min()),
        largest=float(weight.max()),
        counts_as=float(weight.sum() ** 2 / (weight**2).sum()),
    )
