"""Labelled rows with dates, of which the first feature tells something and the others nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.catalogue import Catalogue
from features.feature import Feature
from features.settings import LearningSettings
from training.learning.learn import Rows

QUICK = LearningSettings(max_rounds=10, learning_rate=0.3, num_leaves=4, folds=1, min_data_in_leaf=5)
HORIZON = pd.Timedelta(days=45)


def dated_rows(*, accounts: int = 40, months: int = 12, seed: int = 1) -> Rows:
    generator = np.random.default_rng(seed)
    as_of = pd.date_range("2023-01-01", periods=months, freq="30D").astype("datetime64[us]").repeat(accounts)
    X = generator.normal(size=(accounts * months, 3))
    label = (generator.random(len(X)) < 1 / (1 + np.exp(1 - 2 * X[:, 0]))).astype(np.int64)
    frame = pd.DataFrame(
        {
            "account_id": np.tile([f"a{number}" for number in range(accounts)], months),
            "as_of": as_of,
            "label": label,
            "label_known_at": as_of + HORIZON,
        }
    )
    return Rows(frame, X, Catalogue(tuple(map(_feature, ("tells", "noise", "more noise")))))


def _feature(name: str) -> Feature:
    return Feature(name, "firmographic", "number", "accounts", "latest", "", "", name, "")
