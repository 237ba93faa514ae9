"""Every feature once more in plain Python: loops over dictionaries, integers and fractions.

Turns rows (dictionaries by table, times as datetime) into one value per feature, and knows nothing of SQL,
Arrow, numpy or the engine's steps. The tests hold the engine to these values, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from math import nan
from typing import Any

from features.catalogue import Catalogue
from features.counting import SizeLevel
from features.feature import Feature

Row = dict[str, Any]
Rows = dict[str, list[Row]]

DAY = timedelta(days=1)
REACH_DAYS = 180


def features_of(rows: Rows, account_id: str, as_of: datetime, catalogue: Catalogue) -> list[float]:
    """The values of every feature of the catalogue, in its order."""
    known = {
        table: [row for row in found if row["known_at"] < as_of]
        for table, found in ({"contacts": [], "activities": [], "intent_topics": []} | rows).items()
    }
    mine = {
        table: [row for row in found if row["account_id"] == account_id] for table, found in known.items()
    }
    mine["contacts"] = known["contacts"]
    mine["activities"] = [row for row in mine["activities"] if may_be_used(row, known["contacts"], as_of)]
    compute = {
        "accounts": account_feature,
        "activities": activity_feature,
        "intent_topics": topic_feature,
        "opportunities": deal_feature,
    }
    return [float(compute[f.table](mine, as_of, f, catalogue)) for f in catalogue.features]


def may_be_used(activity: Row, contacts: list[Row], as_of: datetime) -> bool:
    """Whether the person, as far as is known by then, has not opted out; nobody known cannot have."""
    told = [
        row
        for row in contacts
        if row["contact_id"] == activity["contact_id"]
        and (row.get("consent_basis") or row.get("opted_out_at"))
    ]
    newest = max((row["known_at"] for row in told), default=None)
    opted_out = [row["opted_out_at"] for row in told if row["known_at"] == newest and row["opted_out_at"]]
    return not opted_out or as_of <= min(opted_out)


def account_feature(rows: Rows, as_of: datetime, feature: Feature, _: Catalogue) -> float:
    value = latest_filled(rows["accounts"], feature.subject)
    if value is None:
        return nan
    if feature.kind == "category":
        return feature.levels.index(value) if value in feature.levels else len(feature.levels)
    if feature.aggregation == "growth":
        earlier = [row for row in rows["accounts"] if row["known_at"] < as_of - 365 * DAY]
        before = latest_filled(earlier, feature.subject)
        return nan if not before else value / before - 1.0
    return {
        "latest": lambda: value,
        "years": lambda: as_of.year - value,
        "days": lambda: (as_of - value) / DAY,
        "length": lambda: len(value),
        "size": lambda: len({member for member in value if member is not None}),
        "member": lambda: feature.member in value,
    }[feature.aggregation]()


def latest_filled(versions: Iterable[Row], column: str) -> Any:
    filled = [row for row in versions if row.get(column) is not None]
    return max(filled, key=lambda row: row["known_at"])[column] if filled else None


def activity_feature(rows: Rows, as_of: datetime, feature: Feature, catalogue: Catalogue) -> float:
    past = [
        with_usual_seconds(row, catalogue)
        for row in rows["activities"]
        if row["occurred_at"] < as_of and counts(row, catalogue)
    ]
    side = [row for row in past if (row["direction"] == "outbound") == (feature.group == "outreach")]
    loud = [row for row in side if row["quantity"] > 0]
    mine = [row for row in loud if of_subject(row, feature, catalogue)]
    window = within(mine, as_of, feature.window_days)
    computed: dict[str, Callable[[], float]] = {
        "count": lambda: total(window, "quantity"),
        "minutes": lambda: total(window, "seconds") / 60,
        "weighted_minutes": lambda: weighted(window, rows["contacts"], catalogue) / 6000,
        "largest": lambda: max((row["quantity"] for row in window), default=0),
        "records": lambda: len(within(side, as_of, feature.window_days)),
        "people": lambda: max([len(contacts(window)), *(row["people"] or 0 for row in window)]),
        "senior_people": lambda: sum(is_senior(rows["contacts"], contact) for contact in contacts(window)),
        "days_since": lambda: ago(mine, as_of, newest=True),
        "days_since_record": lambda: ago(side, as_of, newest=True),
        "days_since_first": lambda: ago(mine, as_of, newest=False),
        "days_since_first_record": lambda: ago(side, as_of, newest=False),
        "days_since_two_way": lambda: ago(
            [row for row in loud if row["direction"] == "mutual"], as_of, newest=True
        ),
        "decayed": lambda: decayed(within(mine, as_of, REACH_DAYS), as_of, int(feature.member)),
        "trend": lambda: trend(mine, as_of),
        "active_days": lambda: len({(as_of - row["occurred_at"] - SECOND) // DAY for row in window}),
        "active_weeks": lambda: len({(as_of - row["occurred_at"] - SECOND) // (7 * DAY) for row in window}),
    }
    return computed[feature.aggregation]()


SECOND = timedelta(seconds=1)


def counts(row: Row, catalogue: Catalogue) -> bool:
    if row.get("traffic") is not None:
        return False
    nobody = row["contact_id"] is None and row["people"] is None
    return catalogue.rules.anonymous or row["direction"] != "inbound" or not nobody


def with_usual_seconds(row: Row, catalogue: Catalogue) -> Row:
    usual = dict(catalogue.rules.default_seconds).get(row["channel"])
    if row["seconds"] is not None or usual is None:
        return row
    return row | {"seconds": row["quantity"] * usual}


def weighted(rows: list[Row], versions: list[Row], catalogue: Catalogue) -> int:
    weights = dict(catalogue.rules.weights)
    result = 0
    for row in rows:
        level = latest_filled([v for v in versions if v["contact_id"] == row["contact_id"]], "seniority")
        result += (row["seconds"] or 0) * weights[level or "unknown"]
    return result


def of_subject(row: Row, feature: Feature, catalogue: Catalogue) -> bool:
    own = catalogue.outreach_channels if feature.group == "outreach" else catalogue.engagement_channels
    if feature.subject == "*":
        return True
    return row["channel"] not in own if feature.subject == "*rest" else row["channel"] == feature.subject


def within(rows: list[Row], as_of: datetime, days: int | None) -> list[Row]:
    return rows if days is None else [row for row in rows if as_of - row["occurred_at"] <= days * DAY]


def total(rows: list[Row], column: str) -> int:
    return sum(row[column] or 0 for row in rows)


def contacts(rows: list[Row]) -> set[str]:
    return {row["contact_id"] for row in rows if row["contact_id"] is not None}


def is_senior(versions: list[Row], contact_id: str) -> bool:
    own = [row for row in versions if row["contact_id"] == contact_id]
    return latest_filled(own, "seniority") in ("c_level", "vice_president")


def ago(rows: list[Row], as_of: datetime, *, newest: bool) -> float:
    ages = [as_of - row["occurred_at"] for row in rows]
    return (min(ages) if newest else max(ages)) / DAY if ages else nan


def decayed(rows: list[Row], as_of: datetime, half_life: int) -> float:
    units = 0
    with localcontext() as context:
        context.prec = 60
        for row in rows:
            days = (as_of - row["occurred_at"] - SECOND) // DAY
            weight = Decimal(2) ** (-Decimal(days) / Decimal(half_life))
            units += row["quantity"] * round(weight * 2**32)
    return float(Fraction(units, 2**32))


def trend(rows: list[Row], as_of: datetime) -> float:
    recent = total(within(rows, as_of, 28), "quantity")
    baseline = total(within(rows, as_of, 112), "quantity") - recent
    return (recent / 4 + 1) / (baseline / 12 + 1)


def topic_feature(rows: Rows, as_of: datetime, feature: Feature, catalogue: Catalogue) -> float:
    weeks: dict[tuple[str, datetime], Row] = {}
    for row in sorted(rows["intent_topics"], key=lambda row: row["known_at"]):
        if as_of - 105 * DAY <= row["occurred_at"] < as_of:
            weeks[row["topic"], row["occurred_at"]] = row
    sums: dict[str, list[int]] = {}
    for (topic, occurred_at), row in weeks.items():
        recent = as_of - occurred_at <= 21 * DAY
        sums.setdefault(topic, [0, 0])[0 if recent else 1] += thousandths(row["score"])
    recent_total, baseline_total = (sum(pair[part] for pair in sums.values()) for part in (0, 1))
    level = usual_level(rows, catalogue)
    usual = level.account / 1000
    surging = sum(
        Fraction(recent, 3) + level.topic > Fraction(3, 2) * (Fraction(baseline, 12) + level.topic)
        for recent, baseline in sums.values()
    )
    computed: dict[str, Callable[[], float]] = {
        "surge_for_size": lambda: (
            (recent_total / 1000 / 3 + usual) / (baseline_total / 1000 / 12 + usual) if sums else nan
        ),
        "surging_share": lambda: surging / len(sums) if sums else nan,
        "surging_broadly": lambda: bool(sums) and 100 * surging >= int(feature.member) * len(sums),
        "score": lambda: recent_total / 1000,
        "researched": lambda: sum(recent > 0 for recent, _ in sums.values()),
        "surging": lambda: sum(
            Fraction(recent, 3) > Fraction(3, 2) * Fraction(baseline, 12)
            for recent, baseline in sums.values()
        ),
        "surge": lambda: surge(recent_total, baseline_total) if sums else nan,
        "strongest_surge": lambda: max((surge(*pair) for pair in sums.values()), default=nan),
        "days_since": lambda: (
            min((as_of - week for _, week in weeks), default=timedelta(0)) / DAY if weeks else nan
        ),
    }
    return computed[feature.aggregation]()


def usual_level(rows: Rows, catalogue: Catalogue) -> SizeLevel:
    employees = latest_filled(rows["accounts"], "employees")
    size = -1 if employees is None else employees
    fitting = [level for level in catalogue.size_levels if level.lower <= size <= level.upper]
    return fitting[0] if fitting else SizeLevel(-1, -1, 1000, 1000)


def thousandths(score: float) -> int:
    """Halves go up; a product of doubles first, as scores are."""
    whole, part = divmod(score * 1000, 1)
    return int(whole) + (part >= 0.5)


def surge(recent: int, baseline: int) -> float:
    return (recent / 1000 / 3 + 1) / (baseline / 1000 / 12 + 1)


def deal_feature(rows: Rows, as_of: datetime, feature: Feature, _: Catalogue) -> float:
    latest: dict[str, Row] = {}
    for row in sorted(rows["opportunities"], key=lambda row: row["known_at"]):
        latest[row["opportunity_id"]] = row
    closed = [row for row in latest.values() if row["outcome"] is not None]
    if feature.aggregation in ("won", "lost"):
        return sum(row["outcome"] == feature.aggregation for row in closed)
    if feature.aggregation == "days_since_opened":
        moments = [row["created_at"] for row in latest.values()]
    else:
        moments = [row["closed_at"] or row["known_at"] for row in closed]
    return (as_of - max(moments)) / DAY if moments else nan
