"""Lists of leads whose every column is known to be honest or late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

ROWS = 3_000


def leads(seed: int = 0, *, rows: int = ROWS) -> pd.DataFrame:
    """Honest columns and the outcome `won`; `size` and `source` drive it, half of what can be known.

    segment: empty by source alone. region: empty at random. employees: whole numbers that repeat.
    """
    generator = np.random.default_rng(seed)
    source = generator.choice(["web", "fair", "referral"], rows, p=[0.5, 0.3, 0.2])
    size = generator.normal(size=rows)
    margin = -1.0 + 0.9 * size + np.select([source == "fair", source == "referral"], [0.4, 1.5], 0.0)
    won = generator.random(rows) < 1 / (1 + np.exp(-margin))
    segment = generator.choice(["a", "b", "c"], rows).astype(object)
    segment[(source == "web") & (generator.random(rows) < 0.8)] = ""
    region = generator.choice(["north", "south"], rows).astype(object)
    region[generator.random(rows) < 0.4] = ""
    return pd.DataFrame(
        {
            "source": source,
            "size": np.round(size, 3),
            "segment": segment,
            "region": region,
            "employees": generator.lognormal(4, 1.5, rows).astype(int),
            "revenue": (generator.lognormal(14, 1, rows)).astype(int),
            "won": won.astype(int),
        }
    )


def filled(frame: pd.DataFrame, *, won: float, lost: float, seed: int = 1) -> Any:
    """A column of words without meaning, filled for a share of the won and of the lost rows."""
    generator = np.random.default_rng(seed)
    chance = np.where(frame["won"] == 1, won, lost)
    words = generator.choice(["x", "y"], len(frame)).astype(object)
    return np.where(generator.random(len(frame)) < chance, words, "")
