"""Facts that are filled in around the outcome.

Turns the versions of accounts and the moments of events into findings: a column that was empty and is filled
within a week of the event, far oftener than the same column of other accounts in the same weeks. Sales writes
down what it knows already: such a fact says that the event has come. Time rule: versions and events with
`known_at < cutoff`; a value that an account had from its first version on tells nothing here. Null rule: a
column is filled once it has a value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from features.queries import quoted
from features.tables import Tables
from training.audit.finding import Finding, percent, share
from training.audit.statistics import exact_interval

__all__ = ["event_moments", "near_outcome"]

_WINDOW = pd.Timedelta(days=7)
_LEVEL = 0.001
_MOST = 0.5
_FEWEST = 10
_LARGEST = 20_000

_EVENTS = {
    "opportunity_created": "SELECT account_id, min(created_at) AS moment FROM opportunities "
    "WHERE known_at < $1 GROUP BY account_id ORDER BY account_id",
    "won": "SELECT account_id, min(closed_at) AS moment FROM opportunities "
    "WHERE known_at < $1 AND outcome = 'won' AND closed_at IS NOT NULL "
    "GROUP BY account_id ORDER BY account_id",
}


def event_moments(tables: Tables, *, event: str, cutoff: datetime) -> pd.DataFrame:
    """The first event of each account: account_id, moment. event: `opportunity_created` or `won`."""
    with tables.connect() as connection:
        found: pd.DataFrame = connection.execute(_EVENTS[event], [cutoff]).to_arrow_table().to_pandas()
    return found.sample(min(len(found), _LARGEST), random_state=0).sort_index()


def near_outcome(
    tables: Tables, *, events: pd.DataFrame, columns: Collection[str], cutoff: datetime
) -> Iterator[Finding]:
    """Columns of accounts that are filled in around the events.

    events: of `event_moments`. columns: those that features are made of.
    """
    if not columns or events.empty:
        return
    fills = _fills(tables, columns=columns, cutoff=cutoff)
    cases = _joined(events, fills)
    # The same moments of other accounts that have no event near by: what happens to everybody is no sign.
    others = events.assign(account_id=np.random.default_rng(0).choice(fills.index, size=len(events)))
    controls = _joined(others, fills, without=events)
    for name in columns:
        found = _compared(name, cases=cases, controls=controls, tests=len(columns))
        if found is not None:
            yield found


def _fills(tables: Tables, *, columns: Collection[str], cutoff: datetime) -> pd.DataFrame:
    """Per account: when it was first known, and when each column first had a value."""
    told = ", ".join(
        f"min(known_at) FILTER ({quoted(name)} IS NOT NULL) AS {quoted(name)}" for name in columns
    )
    sql = (
        f"SELECT account_id, min(known_at) AS first_known, {told} FROM accounts WHERE known_at < $1"
        " GROUP BY account_id ORDER BY account_id"
    )
    with tables.connect() as connection:
        found: pd.DataFrame = connection.execute(sql, [cutoff]).to_arrow_table().to_pandas()
    return found.set_index("account_id")


def _joined(
    events: pd.DataFrame, fills: pd.DataFrame, *, without: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The fills of the accounts that were known a week before the moment."""
    joined = events.join(fills, on="account_id", how="inner")
    if without is not None:
        own = joined["account_id"].map(without.set_index("account_id")["moment"])
        joined = joined[~((own - joined["moment"]).abs() <= 2 * _WINDOW)]
    return joined[joined["first_known"] < joined["moment"] - _WINDOW]


def _compared(name: str, *, cases: pd.DataFrame, controls: pd.DataFrame, tests: int) -> Finding | None:
    near, empty = _near(cases, name)
    other_near, other_empty = _near(controls, name)
    later = int((cases[name] > cases["first_known"]).sum())
    if near < max(_FEWEST, _MOST * later):
        return None
    counts = [[near, empty - near], [other_near, other_empty - other_near]]
    probability = float(fisher_exact(counts, alternative="greater").pvalue) * tests
    if probability >= _LEVEL:
        return None
    low, high = exact_interval(near, empty)
    return Finding(
        "near_outcome",
        "blocks",
        name,
        f"of {empty:,} accounts in which it was empty a week before the event, {near:,} were filled in "
        f"within a week of it ({share(near, empty)}, {percent(low)} to {percent(high)}), of {other_empty:,} "
        f"others in the same weeks {other_near:,} ({share(other_near, other_empty)}); of all {later:,} that "
        f"were filled in later than the account itself, {share(near, later)} were so near; "
        f"by chance {probability:.1g}",
        "leave the column out, or bind it to when sales really learned it",
        {
            "filled_near": near,
            "empty_before": empty,
            "low": low,
            "high": high,
            "base_rate": other_near / other_empty if other_empty else None,
            "probability": probability,
        },
    )


def _near(rows: pd.DataFrame, name: str) -> tuple[int, int]:
    """How many were filled within a week of the moment, and how many were empty a week before it."""
    before, after = rows["moment"] - _WINDOW, rows["moment"] + _WINDOW
    empty = ~(rows[name] < before)
    return int((empty & (rows[name] < after)).sum()), int(empty.sum())
