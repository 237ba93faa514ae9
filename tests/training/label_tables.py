"""Tables of a few rows, from which labels can be worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from features.tables import Attribute, Tables

ATTRIBUTES = (Attribute("kind", "category", "kind of account"), Attribute("labels", "set", "labels"))
_TIMES = ("known_at", "created_at", "closed_at", "occurred_at")
Row = Mapping[str, object]


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


START, CUTOFF = day("2022-01-01"), day("2024-01-01")
"""The years of `deals`."""


def tables(**rows: Sequence[Row]) -> Tables:
    """Tables by name, from rows; times as texts."""
    frames = {}
    for name, given in rows.items():
        frame = pd.DataFrame(list(given))
        for column in set(_TIMES) & set(frame.columns):
            frame[column] = pd.to_datetime(frame[column], format="ISO8601")
        frames[name] = frame
    return Tables.from_frames(frames, attributes=ATTRIBUTES)


def account(name: str, known_at: str = "2020-01-01", **facts: object) -> Row:
    return {"account_id": name, "known_at": known_at, **facts}


def deal(name: str, account_id: str, created_at: str, **facts: object) -> Row:
    """A deal that is open, or was closed where `closed_at` is given: won unless `outcome` says else."""
    closed = facts.get("closed_at")
    outcome = {"outcome": facts.get("outcome", "won")} if closed else {}
    known = {"known_at": closed or created_at}
    return (
        {"opportunity_id": name, "account_id": account_id, "created_at": created_at} | known | facts | outcome
    )


def visit(account_id: str, occurred_at: str, channel: str = "web_visit", **facts: object) -> Row:
    identifier = f"{account_id} {occurred_at} {channel}"
    own = {
        "activity_id": identifier,
        "account_id": account_id,
        "occurred_at": occurred_at,
        "channel": channel,
    }
    return own | {"known_at": occurred_at, "direction": "inbound", **facts}


def deals(
    *,
    won: int,
    lost: int,
    wins_until: datetime = CUTOFF,
    known: datetime = START,
    facts: bool = True,
    twice: bool = False,
    countries: Sequence[str] = ("DE",),
) -> Tables:
    """So many deals of as many accounts, opened day by day and closed within a day."""
    generator = np.random.default_rng(1)
    outcomes = ["won"] * won + ["lost"] * lost
    accounts: list[Row] = []
    opened: list[Row] = []
    for number, outcome in enumerate(outcomes):
        until = wins_until if outcome == "won" else CUTOFF
        moment = START + (until - START) * float(generator.uniform(0.02, 0.9))
        moment = moment.replace(microsecond=0)
        told = {
            "employees": int(generator.integers(1, 500)) + 300 * (outcome == "won"),
            "country": countries[number % len(countries)],
        }
        accounts.append(account(f"a{number}", str(known), **(told if facts else {})))
        closed = str(moment + timedelta(days=1))
        opened.append(deal(f"d{number}", f"a{number}", str(moment), closed_at=closed, outcome=outcome))
    return tables(accounts=[*accounts, *(accounts if twice else [])], opportunities=opened)


class OnlyTables:
    """A workspace of tables that are not on disk."""

    def __init__(self, found: Tables) -> None:
        self.tables = lambda _: found

    @contextmanager
    def lease(self) -> Iterator[Any]:
        yield SimpleNamespace(require_dated=lambda _: None, fingerprint="", current_value_only={})
