"""Whether there is enough to learn from: refusals that say which and what to change.

Turns labelled rows into nothing, or into an error that names what is missing; and into the features that
tell no row from another. Time rule: none of its own. Null rule: a feature without any value is empty, and
said to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from features.errors import NotEnoughDataError
from features.label_settings import IntentLabelSettings
from features.tables import Tables
from training.labels import history_starts
from training.learning.learn import Rows

__all__ = [
    "SMALLEST_CLASS",
    "empty_attributes",
    "idle_features",
    "require_enough",
    "require_snapshots",
    "require_telling",
]

SMALLEST_CLASS = 40
"""Of each class: with fewer, whatever a model says is chance."""

_BIND_CREATION = 'bind the account\'s creation to known_at, or say known = "start_of_time" in its source'


def require_enough(
    rows: Rows,
    *,
    counts: Mapping[str, int],
    names: tuple[str, str],
    accounts: bool = False,
    empty: Sequence[str] = (),
) -> None:
    """NotEnoughDataError unless there are 40 of each class, and a feature that tells rows apart.

    counts: of what was left out, for the sentence. names: what rows with and without the event are called.
    accounts: whether accounts count instead of rows, of which snapshots have many. empty: of
    `empty_attributes`, for the sentence.
    """
    if counts.get("used", 1) == 0 and counts.get("account_unknown_at_creation", 0) > 0:
        raise NotEnoughDataError(
            "no opportunity is younger than its account: the labels lie before the accounts exist",
            got=f"0 rows with the event; {_told(counts)}",
            allowed="accounts that were known before their opportunities were opened",
            fix=_BIND_CREATION,
        )
    found = [_count(rows, label=label, accounts=accounts) for label in (1, 0)]
    if min(found) < SMALLEST_CLASS:
        missing = [
            f"{SMALLEST_CLASS - count:,} more {name}"
            for count, name in zip(found, names, strict=True)
            if count < SMALLEST_CLASS
        ]
        what = "accounts" if accounts else "rows"
        raise NotEnoughDataError(
            "one class only" if 0 in found else "too few rows of one class to learn from",
            got=f"{found[0]:,} {what} with the event, {found[1]:,} without; {_told(counts)}",
            allowed=f"at least {SMALLEST_CLASS} of each",
            fix=f"{' and '.join(missing)} are missing: load a longer history, or choose a later cutoff, "
            "another event, a longer horizon or a wider segment",
        )
    require_telling(rows, empty=empty)


def require_snapshots(
    tables: Tables, *, counts: Mapping[str, int], cutoff: datetime, settings: IntentLabelSettings
) -> None:
    """NotEnoughDataError where nobody was scored a horizon before the cutoff, or earlier: with the reason.

    counts: "snapshots", and of what rules left out, for the sentence.
    """
    if counts["snapshots"]:
        return
    start = history_starts(tables, cutoff=cutoff)
    days, horizon = _days(cutoff, start), settings.horizon_days
    if days < horizon:
        raise _too_long(days, settings=settings)
    if settings.history_days is not None and settings.history_days < horizon:
        raise NotEnoughDataError(
            "[labels.intent] history_days is shorter than the horizon",
            got=f"{settings.history_days:,} days of history, a horizon of {horizon:,} days",
            fix="raise history_days, or remove it",
        )
    known, last = _accounts_start(tables, cutoff=cutoff), cutoff - timedelta(days=horizon)
    if known is None or known >= last:
        raise NotEnoughDataError(
            "no account is known one horizon before the cutoff: the labels lie before the accounts exist",
            got=f"a history from {_date(start)} on, accounts from {_date(known)} on",
            allowed=f"accounts known before {_date(last)}, {horizon:,} days before the cutoff",
            fix=_BIND_CREATION,
        )
    raise NotEnoughDataError(
        "no account is left that an intent model could learn from",
        got=f"0 rows; {_told(counts)}",
        allowed="accounts that are no customers, have no opportunity open, and that no rule leaves out",
        fix='set customers = "keep" or open_opportunities = "keep" in [labels.intent.population], or drop a '
        "rule of [labels]",
    )


def _too_long(days: int, *, settings: IntentLabelSettings) -> NotEnoughDataError:
    told = f"a horizon of up to {days:,} days" if days else "activities or opportunities before the cutoff"
    return NotEnoughDataError(
        "the horizon is longer than the history before the cutoff",
        got=f"a horizon of {settings.horizon_days:,} days, {days:,} days of history; 0 rows with the event",
        allowed=told,
        fix="choose a shorter [labels.intent] horizon_days or a later cutoff, or load a longer history",
    )


def _accounts_start(tables: Tables, *, cutoff: datetime) -> datetime | None:
    """When the first account was known; None where none is before the cutoff."""
    with tables.connect() as connection:
        sql = "SELECT min(known_at) FROM accounts WHERE known_at < $1"
        row = connection.execute(sql, [cutoff]).fetchone()
    start: datetime | None = None if row is None else row[0]
    return start


def _days(cutoff: datetime, start: datetime | None) -> int:
    return 0 if start is None else max((cutoff - start) // timedelta(days=1), 0)


def _date(moment: datetime | None) -> str:
    return "never" if moment is None else moment.date().isoformat()


def idle_features(rows: Rows) -> dict[str, list[str]]:
    """Features that tell no row from another: "empty" ones and those with "one value"."""
    missing = np.isnan(rows.X)
    empty = missing.all(axis=0)
    filled = np.where(missing, np.inf, rows.X)
    same = ~missing.any(axis=0) & (filled.min(axis=0) == filled.max(axis=0))
    names = np.array(rows.catalogue.names)
    found = {"empty": names[empty].tolist(), "one value": names[same].tolist()}
    return {why: listed for why, listed in found.items() if listed}


def empty_attributes(tables: Tables, *, cutoff: datetime) -> list[str]:
    """Declared account columns without a single value known before the cutoff; no feature is made of them."""
    names = [attribute.name for attribute in tables.attributes]
    if not names:
        return []
    counts = ", ".join(f'count("{name}")' for name in names)
    with tables.connect() as connection:
        row = connection.execute(f"SELECT {counts} FROM accounts WHERE known_at < $1", [cutoff]).fetchone()
    return [name for name, count in zip(names, row or (), strict=False) if count == 0]


def require_telling(rows: Rows, *, empty: Sequence[str] = ()) -> None:
    """NotEnoughDataError unless some feature has two different values. empty: as of `require_enough`."""
    idle = idle_features(rows)
    if sum(map(len, idle.values())) < len(rows.catalogue.names):
        return
    told = ", ".join(f"{len(listed):,} {why}" for why, listed in idle.items()) or "none at all"
    told += f"; columns without any value: {', '.join(empty)}" if empty else ""
    raise NotEnoughDataError(
        "no feature tells one row from another",
        got=f"{len(rows.catalogue.names):,} features of {len(rows.frame):,} rows: {told}",
        allowed="at least one feature with two different values",
        fix="bind columns of accounts or activities in the mapping, or widen [model] groups and leave_out",
    )


def _count(rows: Rows, *, label: int, accounts: bool) -> int:
    found = rows.frame.loc[rows.frame["label"] == label, "account_id"]
    return int(found.nunique() if accounts else len(found))


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
