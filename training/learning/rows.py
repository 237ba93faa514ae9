"""Rows to learn from: labels, features, and by how much each row counts.

Turns labelled rows with their features into the same as they stood at an earlier moment. Time rule: where
rows are weighed by what was known at a moment, those of an earlier moment are weighed by what was known then,
so that what comes after it changes nothing that is found as of it. Null rule: NaN is a value of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from training.learning.splits import Fold, Positions

__all__ = ["Parts", "Rows", "Weigh"]

Matrix = NDArray[np.float64]


class Weigh(Protocol):
    """The weights (n,) of mean 1 of rows of these accounts (n,), by what was known at a moment.

    Raises NotEnoughDataError where too little was known then.
    """

    def __call__(self, account_id: pd.Series[str], *, cutoff: datetime) -> Matrix: ...


@dataclass(frozen=True)
class Parts:
    """Rows whose label is not known yet, each as one with and one without the event, by weight.

    X: float64 (n, k). label: int (n,), 0 or 1. weight: float64 (n,); those of a row add up to 1.
    """

    X: Matrix
    label: NDArray[np.int64]
    weight: Matrix


@dataclass(frozen=True)
class Rows:
    """Labelled rows and their features, in the same order.

    frame: account_id, as_of, label, label_known_at. X: float64 (n, k) in catalogue order.
    parts: further rows that the final trees are grown on, and nothing is judged by.
    weight: float64 (n,) of mean 1, by how much each counts for the trees and lines; None for all alike.
    weigh: what `weight` comes from, to be asked for earlier moments; None where it holds at all times.
    """

    frame: pd.DataFrame
    X: Matrix
    catalogue: Catalogue
    parts: Parts | None = None
    weight: Matrix | None = None
    weigh: Weigh | None = None

    @property
    def label(self) -> NDArray[np.int64]:
        return self.frame["label"].to_numpy(dtype=np.int64)

    def weighed(self, weigh: Weigh, *, cutoff: datetime) -> Rows:
        """The same rows weighed by what was known at `cutoff`. Raises what `weigh` raises."""
        return replace(self, weight=weigh(self.frame["account_id"], cutoff=cutoff), weigh=weigh)

    def as_of(self, positions: Positions, *, cutoff: datetime) -> Rows:
        """Some of the rows, without parts, weighed by what was known at `cutoff`.

        Raises what `weigh` raises.
        """
        some = Rows(
            self.frame.iloc[positions].reset_index(drop=True),
            np.ascontiguousarray(self.X[positions]),
            self.catalogue,
            weight=None if self.weight is None else self.weight[positions],
        )
        return some if self.weigh is None else some.weighed(self.weigh, cutoff=cutoff)

    def weight_in(self, fold: Fold) -> Matrix | None:
        """The weights (n,) of all rows for a fold: of its own two sides by what was known when it starts.

        Where too little was known then to weigh by, they count alike.
        """
        if self.weigh is None:
            return self.weight
        weight, account = np.ones(len(self.frame)), self.frame["account_id"]
        try:
            for side in (fold.earlier, fold.later):
                weight[side] = self.weigh(account.iloc[side], cutoff=fold.starts)
        except NotEnoughDataError:
            return np.ones(len(self.frame))
        return weight
