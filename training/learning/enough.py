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
from training.learning.learn import Rows

__all__ = [
    "SMALLEST_CLASS",
    "empty_attributes",
    "idle_features",
    "require_enough",
    "require_snapshots",
]

SMALLEST_CLASS = 40
"""Of each class: with fewer, whatever a model says is chance."""


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
            fix='bind the account\'s creation to known_at, or say known = "start_of_time" in its source',
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
    _require_telling(rows, empty=empty)


def require_snapshots(
    snapshots: int, *, start: datetime | None, cutoff: datetime, settings: IntentLabelSettings
) -> None:
    """NotEnoughDataError where no horizon ends between the start of the history and the cutoff."""
    if snapshots:
        return
    days = 0 if start is None else max((cutoff - start) // timedelta(days=1), 0)
    raise NotEnoughDataError(
        "the horizon is longer than the history before the cutoff",
        got=f"a horizon of {settings.horizon_days:,} days, {days:,} days of history; 0 rows with the event",
        allowed=f"a horizon of up to {days:,} days"
        if days
        else "activities or opportunities before the cutoff",
        fix="choose a shorter [labels.intent] horizon_days or a later cutoff, or load a longer history",
    )


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


def _require_telling(rows: Rows, *, empty: Sequence[str]) -> None:
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
