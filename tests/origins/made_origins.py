"""Accounts of two origins whose columns are drawn at will."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from features.origins import OriginRules
from features.tables import Attribute, Tables

KNOWN, AS_OF = pd.Timestamp("2023-01-01"), pd.Timestamp("2024-01-01").to_pydatetime()
RULES = OriginRules({"a": "crm", "b": "universe"})
ATTRIBUTES = (
    Attribute("rating", "number", "rating"),
    Attribute("segment", "category", "segment"),
    Attribute("listed", "boolean", "listed"),
)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def companies(count: int, *, seed: int) -> pd.DataFrame:
    """Accounts whose facts, and whose emptiness, do not depend on their origin."""
    generator = np.random.default_rng(seed)

    def told(values: object, share: float) -> pd.Series:
        return pd.Series(values, dtype=object).where(generator.random(count) < share, None)

    return pd.DataFrame(
        {
            "account_id": [f"account-{n}" for n in range(count)],
            "known_at": KNOWN,
            "origin": np.where(generator.random(count) < 0.3, "crm", "universe"),
            "employees": told(np.exp(generator.normal(4, 1.5, count)).astype(int) + 1, 0.9),
            "industry": told(generator.choice(["Software", "Retail", "Energy", "Media"], count), 0.8),
            "country": told(generator.choice(["DE", "FR", "US"], count), 1.0),
            "rating": told(generator.normal(size=count), 0.6),
            "segment": told(generator.choice(["one", "two"], count), 0.7),
            "listed": told(generator.random(count) < 0.4, 0.5),
        }
    )


def as_tables(frame: pd.DataFrame, *, rules: OriginRules = RULES) -> Tables:
    """The tables in memory: one row per account, and what its origin tells of it."""
    schema = Tables({}, ATTRIBUTES).schema("accounts")
    accounts = pa.table(
        {
            field.name: pa.array(frame[field.name], field.type, from_pandas=True)
            if field.name in frame
            else pa.nulls(len(frame), field.type)
            for field in schema
        }
    )
    told = accounts.append_column("origin", pa.array(frame["origin"]))
    told = told.append_column("compared", pa.array([True] * len(frame)))
    return Tables({"accounts": accounts}, ATTRIBUTES, origins=rules, told=told)
