"""Random canonical tables as rows of dictionaries: late facts, our own outreach, versions, edges and ties."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from features.catalogue import Catalogue
from features.counting import CountingRules, SizeLevel
from features.declarations import Learned, declare
from features.declare_activities import Channel
from features.tables import Attribute, Tables

Rows = dict[str, list[dict[str, Any]]]

START = pd.Timestamp("2023-01-01").to_pydatetime()
ACCOUNTS = ("a", "b", "it's")
CONTACTS = ("ann", "bob", "cem", None)
ATTRIBUTES = (
    Attribute("score", "number", "score", "评分", "points"),
    Attribute("tier", "category", "tier {1}", None),
    Attribute("is key", "boolean", "key account"),
    Attribute("signed", "date", "signature", "签约"),
    Attribute("tools", "set", "tools"),
    Attribute("about", "text", "description"),
)
AS_OF = [START + timedelta(days=days, seconds=second) for days, second in ((200, 0), (260, 1), (400, 43_200))]

_CHANNELS = (
    Channel("web_visit", minutes=True, people=True, senior=True, many=True, usual=True, weighted=True),
    Channel("meeting", minutes=True, people=True, senior=True, many=True),
    Channel("*rest", minutes=True, people=True, senior=True, many=True),
    Channel("email", outbound=True),
    Channel("*rest", outbound=True),
)

RULES = CountingRules(
    default_seconds=(("chat", 90), ("meeting", 1800)),
    weights=(
        ("c_level", 200),
        ("vice_president", 175),
        ("director", 150),
        ("manager", 100),
        ("staff", 0),
        ("unknown", 50),
    ),
    minimum_share=50,
)
SIZE_LEVELS = (
    SizeLevel(0, 1, 2_500, 1_000),
    SizeLevel(2, 2**62, 30_000, 12_001),
    SizeLevel(-1, -1, 7_000, 3_000),
)

CATALOGUE = Catalogue(
    declare(
        Learned(
            channels=_CHANNELS,
            levels={
                "industry": ("Bank", "SaaS"),
                "country": ("DE",),
                "region": ("north",),
                "technologies": ("Node.js", "sql"),
                "tier": ("gold",),
                "tools": ("x",),
            },
            filled=frozenset(
                (
                    "employees",
                    "annual_revenue",
                    "founded_year",
                    "industry",
                    "country",
                    "region",
                    "technologies",
                )
            )
            | {attribute.name for attribute in ATTRIBUTES},
            employees_change=True,
            attributes=ATTRIBUTES,
            topics=True,
            opportunities=True,
            meetings=True,
            rules=RULES,
            size_levels=SIZE_LEVELS,
        )
    ),
    ("web_visit", "meeting"),
    ("email",),
    ATTRIBUTES,
    RULES,
    SIZE_LEVELS,
)
"""Every kind of feature there is."""

_edges = st.builds(
    lambda as_of, days, second: as_of - timedelta(days=days) + timedelta(seconds=second),
    st.sampled_from(AS_OF),
    st.sampled_from((0, 1, 7, 21, 28, 30, 90, 105, 112, 175, 180, 365)),
    st.sampled_from((-1, 0, 1)),
)
_anywhen = st.builds(lambda second: START + timedelta(seconds=second), st.integers(0, 430 * 86_400))
_moments = _edges | _anywhen
_accounts = st.sampled_from(ACCOUNTS)


def _late(occurred_at: datetime, hours: int) -> datetime:
    return occurred_at + timedelta(hours=hours)


def _optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


_account_rows = st.fixed_dictionaries(
    {
        "account_id": _accounts,
        "known_at": _moments,
        "industry": st.sampled_from((None, "Bank", "bank", "SaaS")),
        "country": st.sampled_from((None, "DE", "FR")),
        "region": st.sampled_from((None, "north")),
        "employees": _optional(st.integers(0, 3)),
        "annual_revenue": _optional(st.floats(0, 1e12)),
        "founded_year": _optional(st.integers(1000, 2100)),
        "technologies": _optional(st.lists(st.sampled_from(("Node.js", "sql", "x")), max_size=4)),
        "score": _optional(st.floats(-1e6, 1e6)),
        "tier": st.sampled_from((None, "gold", "Gold")),
        "is key": st.sampled_from((None, True, False)),
        "signed": _optional(_moments),
        "tools": _optional(st.lists(st.sampled_from(("x", "y")), max_size=3)),
        "about": _optional(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
        ),
    }
)
_contact_rows = st.fixed_dictionaries(
    {
        "contact_id": st.sampled_from(CONTACTS[:3]),
        "account_id": _accounts,
        "known_at": _moments,
        "seniority": st.sampled_from((None, "c_level", "vice_president", "manager", "staff")),
        "consent_basis": st.sampled_from((None, None, "consent")),
        "opted_out_at": st.none() | st.none() | _moments,
    }
)
_activity_rows = st.builds(
    lambda occurred_at, hours, row: row | {"occurred_at": occurred_at, "known_at": _late(occurred_at, hours)},
    _moments,
    st.sampled_from((-24, 0, 0, 1, 24 * 7, 24 * 60)),
    st.fixed_dictionaries(
        {
            "account_id": _accounts,
            "contact_id": st.sampled_from(CONTACTS),
            "channel": st.sampled_from(("web_visit", "meeting", "email", "chat")),
            "direction": st.sampled_from(("inbound", "inbound", "mutual", "outbound")),
            "quantity": st.sampled_from((1, 1, 1, 0, 7, 10_000_000)),
            "seconds": _optional(st.integers(0, 100_000_000)),
            "people": _optional(st.integers(0, 5)),
            "traffic": st.sampled_from((None, None, None, None, "internal", "bot")),
        }
    ),
)
_topic_rows = st.fixed_dictionaries(
    {
        "account_id": _accounts,
        "topic": st.sampled_from(("crm", "abm")),
        "occurred_at": _moments,
        "known_at": _moments,
        "score": st.sampled_from((0.0, 0.0005, 0.0015, 50.0, 100.0)) | st.floats(0, 100),
    }
)
_deal_rows = st.fixed_dictionaries(
    {
        "opportunity_id": st.sampled_from(("o1", "o2", "o3", "o4")),
        "known_at": _moments,
        "created_at": _moments,
        "closed_at": _optional(_moments),
        "outcome": st.sampled_from((None, "won", "lost")),
    }
)
_KEYS = {
    "accounts": ("account_id", "known_at"),
    "contacts": ("contact_id", "known_at"),
    "activities": ("activity_id",),
    "intent_topics": ("account_id", "topic", "occurred_at", "known_at"),
    "opportunities": ("opportunity_id", "known_at"),
}


def _valid(rows: Rows) -> Rows:
    """Keys made unique as in the contract; a deal stays with one account."""
    for number, row in enumerate(rows["activities"]):
        row["activity_id"] = f"{number}"
    for row in rows["opportunities"]:
        row["account_id"] = ACCOUNTS[int(row["opportunity_id"][1]) % len(ACCOUNTS)]
    return {
        table: list({tuple(row[name] for name in _KEYS[table]): row for row in found}.values())
        for table, found in rows.items()
    }


tables_of_rows: st.SearchStrategy[Rows] = st.fixed_dictionaries(
    {
        "accounts": st.lists(_account_rows, max_size=8),
        "contacts": st.lists(_contact_rows, max_size=6),
        "activities": st.lists(_activity_rows, max_size=20),
        "intent_topics": st.lists(_topic_rows, max_size=10),
        "opportunities": st.lists(_deal_rows, max_size=6),
    }
).map(_valid)


def as_tables(rows: Rows) -> Tables:
    """The rows as Arrow tables of the contract."""
    integers = ("employees", "founded_year", "quantity", "seconds", "people")
    frames = {}
    for table, found in rows.items():
        frame = pd.DataFrame(found, dtype=object) if found else pd.DataFrame({"account_id": []}, dtype=object)
        frames[table] = frame.astype({name: "Int64" for name in integers if name in frame})
    return Tables.from_frames(frames, attributes=ATTRIBUTES)


def all_keys() -> pd.DataFrame:
    """Every account at every moment, and an account nobody knows."""
    return pd.DataFrame(
        [(account, as_of) for account in (*ACCOUNTS, "nobody") for as_of in AS_OF],
        columns=["account_id", "as_of"],
    ).astype({"as_of": "datetime64[us]"})


def shuffled(rows: Rows, *, seed: int) -> Rows:
    """The same rows in another order."""
    return {table: Random(seed).sample(found, len(found)) for table, found in rows.items()}
