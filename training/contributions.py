"""What each feature contributes, on a sample of the rows that a model was judged on.

Turns a training into exact contributions (log-odds, calibrated), which its plots and tables draw. Time rule:
the rows are of the later slices. Null rule: a missing value is a value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.feature import Feature
from models.scoring import Scorer
from training.fit import Training

__all__ = ["Contributions"]

_SAMPLE = 1_000


@dataclass(frozen=True)
class Contributions:
    """rows: float64 (n, k), the features. values: float64 (n, k), log-odds. In the catalogue's order."""

    rows: NDArray[np.float64]
    values: NDArray[np.float64]
    catalogue: Catalogue

    @classmethod
    def of(cls, training: Training) -> Contributions:
        """Of a sample of the later rows."""
        later = training.learned.later
        chosen = later.sample(min(_SAMPLE, len(later)), random_state=0)["position"].to_numpy()
        rows = training.rows.X[chosen]
        found = Scorer(training.bundle).score(rows).contributions
        assert found is not None
        return cls(rows, found, training.bundle.catalogue)

    @property
    def importance(self) -> pd.Series[float]:
        """Mean absolute contribution of each feature, in log-odds, the strongest first."""
        means = pd.Series(np.abs(self.values).mean(axis=0), index=list(self.catalogue.names))
        return means.sort_values(ascending=False, kind="stable")

    def feature(self, name: str) -> tuple[Feature, NDArray[np.float64], NDArray[np.float64]]:
        """A feature, its values and its contributions, (n,) each."""
        column = self.catalogue.index(name)
        return self.catalogue.features[column], self.rows[:, column], self.values[:, column]
