"""What became of accounts on lists, counted the slow way: account by account, in plain Python over frames.

Nothing of the product is called: lists are told version by version, as whoever approved them saw them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd

__all__ = ["Held", "SlowVersion", "slow_outcomes"]

Held = tuple[bool, bool]
"""Of an account in a version: whether it is a target, and whether the machine suggested it."""


@dataclass
class SlowVersion:
    """A version of a list."""

    list_id: int
    number: int
    approved_at: datetime | None
    product: str | None
    held: dict[str, Held] = field(default_factory=dict)


def _known(rows: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    here = rows.known_at < moment
    if "withdrawn_at" in rows:
        here &= rows.withdrawn_at.isna() | (rows.withdrawn_at >= moment)
    return rows[here]


def _latest(rows: pd.DataFrame, column: str) -> Any:
    told = rows[rows[column].notna()].sort_values("known_at")
    return None if told.empty else told[column].iloc[-1]


def _size(employees: float | None) -> int:
    """Ranges end at 10, 50, 200, 1,000, 5,000 and 20,000; 0 where nobody knows."""
    if employees is None:
        return 0
    return 1 + sum(employees > edge for edge in (10, 50, 200, 1_000, 5_000, 20_000))


class _Market:
    def __init__(self, frames: dict[str, pd.DataFrame], *, until: datetime) -> None:
        self.parts = {name: dict(list(frame.groupby("account_id"))) for name, frame in frames.items()}
        self.empty = {name: frame.iloc[:0] for name, frame in frames.items()}
        self.until = until

    def of(self, table: str, account: str) -> pd.DataFrame:
        return self.parts[table].get(account, self.empty[table])

    def was(self, account: str, moment: datetime, product: str | None) -> str:
        if _known(self.of("accounts", account), moment).empty:
            return "unknown"
        deals = self.deals(account, moment)
        mine = [one for one in deals if product is None or one["product"] == product]
        if any(one["outcome"] == "won" for one in mine):
            return "customers"
        if any(pd.isna(one["outcome"]) and one["created_at"] < moment for one in mine):
            return "open_deals"
        return "free"

    def deals(self, account: str, moment: datetime) -> list[Any]:
        """Each deal as it was known last."""
        known = _known(self.of("opportunities", account), moment)
        return [
            rows.sort_values("known_at").iloc[-1].to_dict() for _, rows in known.groupby("opportunity_id")
        ]

    def facts(self, account: str, moment: datetime) -> tuple[Any, ...]:
        known = _known(self.of("accounts", account), moment)
        done = _known(self.of("activities", account), moment)
        done = done[(done.occurred_at < moment) & (done.occurred_at >= moment - timedelta(days=90))]
        active = bool(((done.quantity > 0) & done.traffic.isna()).any())
        dealt = any(one["created_at"] < moment for one in self.deals(account, moment))
        size = _size(_latest(known, "employees"))
        return _latest(known, "industry"), _latest(known, "country"), size, active, dealt

    def became(self, account: str, start: datetime, end: datetime, product: str | None) -> Counter[str]:
        found: Counter[str] = Counter()
        for one in self.deals(account, self.until):
            if not start <= one["created_at"] < end or (product is not None and one["product"] != product):
                continue
            found["opened"] = 1
            if not pd.isna(one["outcome"]) and one["closed_at"] < end:
                found["ended"] += 1
                found["ended_won"] += one["outcome"] == "won"
        found["won"] = int(found["ended_won"] > 0)
        return found


def slow_outcomes(
    frames: dict[str, pd.DataFrame],
    versions: list[SlowVersion],
    *,
    list_id: int | None,
    days: int,
    now: datetime,
    until: datetime,
) -> dict[str, Any]:
    """Counts of every group, and of strata of all facts; rates are fractions. Deals have their dates."""
    market, window = _Market(frames, until=until), timedelta(days=days)
    events = _events(versions, list_id=list_id, now=now)
    reached, taken_up = _touched(versions, now=now)
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    moments: dict[tuple[datetime, str | None], list[str]] = defaultdict(list)
    others: Counter[str] = Counter()
    strata: dict[tuple[Any, ...], dict[str, list[tuple[str, Counter[str]]]]] = defaultdict(
        lambda: {"accepted": [], "others": []}
    )
    for (account, name), (moment, product) in events.items():
        counts, was = groups[name], market.was(account, moment, product)
        counts["accounts"] += 1
        moments[moment, product].append(account)
        if was != "free":
            counts[was] += 1
        elif moment + window > until:
            counts["too_early"] += 1
        else:
            became = market.became(account, moment, moment + window, product)
            counts.update(became)
            counts["ripe"] += 1
            counts["taken_up_later"] += _within(taken_up.get(account), moment, window)
            if name == "accepted":
                strata[(moment, product, *market.facts(account, moment))]["accepted"].append(
                    (account, became)
                )
    everybody = set(frames["accounts"].account_id)
    compared = {at for (_, name), at in events.items() if name == "accepted" and at[0] + window <= until}
    for moment, product in compared:
        for account in everybody:
            was = market.was(account, moment, product)
            if was == "unknown":
                continue
            others["accounts"] += 1
            if account in moments[moment, product] or _by(reached.get(account), moment):
                others["on_lists"] += 1
            elif was != "free":
                others[was] += 1
            else:
                became = market.became(account, moment, moment + window, product)
                others.update(became)
                others["ripe"] += 1
                others["taken_up_later"] += _within(taken_up.get(account), moment, window)
                key = (moment, product, *market.facts(account, moment))
                if key in strata:
                    strata[key]["others"].append((account, became))
    return {"groups": groups, "others": others, "matched": _matched(list(strata.values()))}


def _by(at: datetime | None, moment: datetime) -> bool:
    return at is not None and at <= moment


def _within(at: datetime | None, moment: datetime, window: timedelta) -> bool:
    return at is not None and moment < at < moment + window


def _events(
    versions: list[SlowVersion], *, list_id: int | None, now: datetime
) -> dict[tuple[str, str], tuple[datetime, str | None]]:
    """Account and group, with the moment and the product: the approved versions in the order of time."""
    found: dict[tuple[str, str], tuple[datetime, str | None]] = {}
    ours = [one for one in versions if list_id is None or one.list_id == list_id]
    approved = [one for one in ours if one.approved_at is not None and one.approved_at < now]
    for moment in sorted({one.approved_at for one in approved if one.approved_at is not None}):
        here = [one for one in approved if one.approved_at == moment]
        for name, wanted in (
            ("accepted", (True, True)),
            ("added", (True, False)),
            ("rejected", (False, True)),
        ):
            for one in sorted(here, key=lambda version: version.product or ""):
                for account, held in one.held.items():
                    on_it = {(account, "accepted"), (account, "added")}
                    if held == wanted and not on_it & found.keys():
                        found.setdefault((account, name), (moment, one.product))
    return found


def _touched(
    versions: list[SlowVersion], *, now: datetime
) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """Since when a list in use held an account, rejected ones too; and since when one had it as a target."""
    reached: dict[str, datetime] = {}
    taken_up: dict[str, datetime] = {}

    def told(found: dict[str, datetime], account: str, at: datetime) -> None:
        found[account] = min(at, found.get(account, at))

    for one in versions:
        if one.approved_at is None or one.approved_at >= now:
            continue
        for account, (target, suggested) in one.held.items():
            if target or suggested:
                told(reached, account, one.approved_at)
            if target:
                told(taken_up, account, one.approved_at)
    return reached, taken_up


def _matched(strata: list[dict[str, list[tuple[str, Counter[str]]]]]) -> dict[str, Any]:
    both = [one for one in strata if one["accepted"] and one["others"]]
    count = sum(len(one["accepted"]) for one in both)
    weights: dict[str, Fraction] = defaultdict(Fraction)
    told: dict[str, Any] = {"matched": count, "rows": sum(len(one["others"]) for one in both)}
    sides = {(side, name): Fraction() for side in ("accepted", "others") for name in ("opened", "won")}
    for one in both:
        for account, became in one["others"]:
            weight = Fraction(len(one["accepted"]), count * len(one["others"]))
            weights[account] += weight
            for name in ("opened", "won"):
                sides["others", name] += weight * became[name]
        for _, became in one["accepted"]:
            for name in ("opened", "won"):
                sides["accepted", name] += Fraction(became[name], count)
    squares = sum(weight * weight for weight in weights.values())
    return told | {
        "accepted": sum(len(one["accepted"]) for one in strata),
        "accounts": len(weights),
        "effective": float(1 / squares) if squares else 0.0,
        "rates": {key: float(rate) for key, rate in sides.items()},
    }
