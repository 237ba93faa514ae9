"""A small universe with a planted cluster: companies of one kind among others that share single traits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.tables import Attribute
from features.universe import Universe

ATTRIBUTES = (
    Attribute("industry", "category", "industry", "行业"),
    Attribute("employees", "number", "employees", "员工人数", "people"),
    Attribute("technologies", "set", "technologies", "技术"),
    Attribute("is_public", "boolean", "is listed", "已上市"),
    Attribute("customer_tier", "category", "customer tier", "客户等级"),
)
INDUSTRIES = ("retail", "software", "steel", "energy")
TECHNOLOGIES = ("crm", "warehouse", "chat", "shop")


def planted_frame(*, accounts: int = 600, members: int = 90, seed: int = 0) -> pd.DataFrame:
    """account_id, name, domain, the attributes and `planted`: software companies of 150 to 600 people that
    run
    a CRM and a warehouse. The customer tier is not known of anybody yet."""
    random = np.random.default_rng(seed)
    planted = np.zeros(accounts, dtype=bool)
    planted[random.choice(accounts, members, replace=False)] = True
    industry = np.where(planted, "software", random.choice(INDUSTRIES, accounts))
    employees = np.where(
        planted, random.integers(150, 600, accounts), np.exp(random.normal(5, 2, accounts)).round() + 1
    )
    technologies = [
        ["crm", "warehouse"]
        if inside
        else sorted(random.choice(TECHNOLOGIES, random.integers(1, 4), replace=False))
        for inside in planted
    ]
    frame = pd.DataFrame(
        {
            "account_id": [f"a{number:04}" for number in range(accounts)],
            "name": [f"Company {number}" for number in range(accounts)],
            "domain": [f"c{number}.example" for number in range(accounts)],
            "industry": industry,
            "employees": employees,
            "technologies": technologies,
            "is_public": random.random(accounts) < 0.3,
            "customer_tier": None,
            "planted": planted,
        }
    )
    frame.loc[random.random(accounts) < 0.1, "industry"] = None
    frame.loc[random.random(accounts) < 0.1, "employees"] = np.nan
    return frame


def planted_universe(frame: pd.DataFrame) -> Universe:
    return Universe.from_frame(frame, attributes=ATTRIBUTES)


def members(frame: pd.DataFrame) -> list[str]:
    return frame.loc[frame["planted"], "account_id"].tolist()
