"""Leaks on purpose, for proving that an audit finds them.

Turns the tables of a market into the same with four more columns of accounts, each of which knows the event.
Time rule: none; that is the fault. Null rule: an account without the event has empty cells where its column
is filled in by the event alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from features.contract import AttributeType
from features.tables import Attribute, Tables
from models.bundle import Kind
from training.audit.near_outcome import event_moments

__all__ = ["MARKED", "PLANTED", "planted"]

PLANTED = {
    "folder": "copies the outcome, and says something of every account",
    "handler": "filled in by the event alone, as if it had always been known",
    "position": "a number in the order of the events, then of all others",
    "verdict": "filled in at the event, with its true time",
}
"""What each planted column does."""

MARKED = ("folder", "handler", "position")
"""Those of which only today's value is known."""

_TYPES: dict[str, AttributeType] = {
    "folder": "category",
    "handler": "category",
    "position": "number",
    "verdict": "category",
}


def planted(tables: Tables, *, kind: Kind, cutoff: datetime, seed: int = 0) -> Tables:
    """The tables with the columns of PLANTED. kind: of the model whose event they know."""
    event = "won" if kind == "fit" else "opportunity_created"
    events = event_moments(tables, event=event, cutoff=cutoff).sort_values(["moment", "account_id"])
    accounts = tables.read("accounts").sort_values(["account_id", "known_at"], ignore_index=True)
    names, generator = accounts["account_id"], np.random.default_rng(seed)
    happened = names.isin(events["account_id"])
    others = generator.permutation(np.setdiff1d(names.unique(), events["account_id"]))
    order = {name: number for number, name in enumerate([*events["account_id"], *others], start=1)}
    handlers = dict(zip(events["account_id"], generator.choice(["east", "west"], len(events)), strict=True))
    told = accounts.assign(
        folder=np.where(happened, "green", "blue"),
        handler=names.map(handlers),
        position=names.map(order).astype(np.float64),
        verdict=pd.Series(None, index=accounts.index, dtype=object),
    )
    attributes = (
        *tables.attributes,
        *(
            Attribute(name, kind_of, name, current_value_only=name in MARKED)
            for name, kind_of in _TYPES.items()
        ),
    )
    later = _verdicts(told, events)
    schema = replace(tables, attributes=attributes).schema("accounts")
    rows = pa.Table.from_pandas(pd.concat([told, later]), schema=schema, preserve_index=False)
    return replace(tables, sources={**tables.sources, "accounts": rows}, attributes=attributes)


def _verdicts(accounts: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """A further version of each account with the event, a day after it."""
    latest = accounts.drop_duplicates("account_id", keep="last").merge(events, on="account_id")
    after = (latest["moment"] + timedelta(days=1)).astype(accounts["known_at"].dtype)
    return latest.assign(known_at=after, verdict="settled").drop(columns="moment")
