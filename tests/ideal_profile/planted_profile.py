"""Rows of a fit model made by hand: who wins is known, because it was planted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from features.catalogue import Catalogue
from features.declare_accounts import declare_accounts
from features.tables import Attribute
from training.learning.learn import Rows

COPIES = tuple(Attribute(f"staff_{n}", "number", f"staff, list {n}") for n in range(9))
ATTRIBUTES = (
    Attribute("remote_share", "number", "share of remote staff", "远程占比"),
    Attribute("partner", "boolean", "is a partner", "是合作伙伴"),
)
LEVELS = {
    "industry": ("banking", "retail", "software"),
    "country": ("DE", "FR", "US"),
    "technologies": ("hubspot", "salesforce", "snowflake"),
}


def catalogue(*, copies: bool = False) -> Catalogue:
    attributes = (*ATTRIBUTES, *(COPIES if copies else ()))
    filled = {"employees", "industry", "country", "technologies", *(each.name for each in attributes)}
    features = declare_accounts(attributes, filled=filled, levels=LEVELS, growth=False)
    return Catalogue(tuple(features), attributes=attributes)


def planted(
    chance: Callable[[pd.DataFrame], pd.Series[float]],
    *,
    accounts: int = 1_500,
    seed: int = 1,
    copies: bool = False,
) -> Rows:
    """One deal each, over two years; won with the chance that follows from the facts."""
    random, columns = np.random.default_rng(seed), catalogue(copies=copies)
    known = {}
    for feature in columns.features:
        if feature.kind == "category":
            known[feature.name] = random.integers(0, len(feature.levels), accounts).astype(float)
        elif feature.kind == "flag":
            known[feature.name] = (random.random(accounts) < 0.4).astype(float)
        else:
            known[feature.name] = random.random(accounts).round(3)
    known["employees"] = np.exp(random.normal(5.0, 1.3, accounts)).round().clip(1)
    known |= {
        each.name: (known["employees"] * random.lognormal(0, 0.1, accounts)).round()
        for each in COPIES
        if copies
    }
    facts = pd.DataFrame(known)[list(columns.names)]
    label = (random.random(accounts) < chance(facts).to_numpy()).astype("int64")
    opened = datetime.fromisoformat("2023-01-01") + pd.to_timedelta(
        np.sort(random.integers(0, 730, accounts)), "D"
    )
    frame = pd.DataFrame(
        {
            "account_id": [f"acc-{n:05d}" for n in range(accounts)],
            "as_of": opened,
            "label": label,
            "label_known_at": opened + timedelta(days=60),
        }
    )
    return Rows(frame, facts.to_numpy(dtype=np.float64), columns)


def same_for_all(facts: pd.DataFrame) -> pd.Series[float]:
    return pd.Series(0.2, index=facts.index)


def mid_sized_with_salesforce(facts: pd.DataFrame) -> pd.Series[float]:
    good = facts["employees"].between(51, 200) & (facts["technologies_salesforce"] == 1)
    return good.map({True: 0.5, False: 0.06})


def mid_sized(facts: pd.DataFrame) -> pd.Series[float]:
    return facts["employees"].between(51, 200).map({True: 0.4, False: 0.1})
