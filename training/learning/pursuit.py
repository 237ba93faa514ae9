"""Weights by pursuit: deals in, the same deals with weights for all accounts out.

Turns won and lost deals, and which accounts were pursued at all, into weights by the estimated chance of
being pursued: where that depends on what is known of an account, as winning does, deals of kinds that sales
rarely pursued speak for the many that it passed over (`models.positive_unlabelled.pursuit`). Time rule: at
any moment an account counts as pursued when its opportunity was known then, and is looked at as known then.
Null rule: a deal whose account is not among the accounts has the weight of a usual one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from models.booster import Matrix
from models.card import PursuitFacts
from models.positive_unlabelled import out_of_fold, pursuit_weights
from models.positive_unlabelled.base import default_learner
from training.learning.rows import Rows

__all__ = ["Pursuit", "pursuit_facts"]


@dataclass(frozen=True)
class Pursuit:
    """Whom sales had pursued at any moment, and the weights that follow.

    accounts: from a moment to account_id, as_of and pursued (0 or 1) of every account known then. features:
    from these to float64 (m, k). The chance of being pursued is that of models that did not see the account,
    and is found once for each moment.
    """

    accounts: Callable[[datetime], pd.DataFrame]
    features: Callable[[pd.DataFrame], Matrix]
    seed: int = 0
    _found: dict[datetime, pd.Series[float]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __call__(self, account_id: pd.Series[str], *, cutoff: datetime) -> Matrix:
        """Weights (n,) of mean 1. Raises NotEnoughDataError where too few accounts had been pursued by
        `cutoff`, or too few passed over."""
        known = account_id.map(self._chances(cutoff))
        usual = float(known.median()) if known.notna().any() else 1.0
        return pursuit_weights(np.asarray(known.fillna(usual), dtype=np.float64))

    def _chances(self, cutoff: datetime) -> pd.Series[float]:
        """By account_id."""
        if cutoff not in self._found:
            accounts = self.accounts(cutoff)
            pursued = accounts["pursued"].to_numpy(dtype=np.int64)
            X, learner = self.features(accounts), default_learner(seed=self.seed)
            chances = out_of_fold(learner, X, pursued, seed=self.seed)
            self._found[cutoff] = pd.Series(chances, index=accounts["account_id"])
        return self._found[cutoff]


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
