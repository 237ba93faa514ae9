"""Labels: canonical tables and a cutoff in, rows of (account_id, as_of, label) out.

Time rule: this is the only module that looks past `as_of`, and it stops at the cutoff: a training label
rests on rows with `known_at < cutoff` alone, and its window `[as_of, as_of + horizon)` has ended by then.
Whether an account is in the population rests on rows with `known_at < as_of`. Null rule: an opportunity
without an outcome is open, never lost; a time to close that is not over yet is censored, not dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import InputError
from features.settings import FitLabelSettings, IntentLabelSettings
from features.tables import Tables

__all__ = [
    "FitLabels",
    "TimeToClose",
    "first_events",
    "fit_followed",
    "fit_labels",
    "fit_outcomes",
    "intent_labels",
    "intent_outcomes",
    "intent_population",
    "intent_snapshots",
    "known_accounts",
    "next_cutoff",
    "require_past",
    "time_to_close",
]

_STATE = """
    SELECT * FROM opportunities
    WHERE ($known_before IS NULL OR known_at < $known_before) AND ($product IS NULL OR product = $product)
      AND (withdrawn_at IS NULL OR withdrawn_at >= $known_before)
    QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY known_at DESC) = 1
"""

_CLOSED = f"""
    WITH first_known AS (SELECT account_id, min(known_at) AS known_at FROM accounts GROUP BY account_id)
    SELECT state.opportunity_id, state.account_id, state.created_at, state.closed_at, state.outcome,
           state.known_at,
           coalesce(first_known.known_at < state.created_at, false) AS account_known
    FROM ({_STATE}) AS state LEFT JOIN first_known USING (account_id)
    ORDER BY state.created_at, state.opportunity_id
"""

# An opportunity's state at a moment is its latest version known before that moment, so a version
# speaks for every `as_of` with known_at < as_of <= known_at of the next version.
_BLOCKED = """
    SELECT DISTINCT version.account_id, snapshot.as_of
    FROM (
        SELECT *, lead(known_at) OVER (PARTITION BY opportunity_id ORDER BY known_at) AS replaced_at
        FROM opportunities WHERE $product IS NULL OR product = $product
    ) AS version
    JOIN snapshots AS snapshot
      ON version.known_at < snapshot.as_of
     AND (version.replaced_at IS NULL OR snapshot.as_of <= version.replaced_at)
     AND (version.withdrawn_at IS NULL OR snapshot.as_of <= version.withdrawn_at)
    WHERE version.outcome IS NULL OR version.outcome = 'won'
"""

_POPULATION = f"""
    SELECT DISTINCT account.account_id, snapshot.as_of, snapshot.until
    FROM (
        SELECT account_id, withdrawn_at, min(known_at) AS known_at
        FROM accounts GROUP BY account_id, withdrawn_at
    ) AS account
    JOIN snapshots AS snapshot
      ON account.known_at < snapshot.as_of
     AND (account.withdrawn_at IS NULL OR snapshot.as_of <= account.withdrawn_at)
    ANTI JOIN ({_BLOCKED}) AS blocked
      ON blocked.account_id = account.account_id AND blocked.as_of = snapshot.as_of
"""

_EVENTS = {
    "opportunity_created": f"SELECT account_id, created_at AS happened_at FROM ({_STATE})",
    "won": f"SELECT account_id, closed_at AS happened_at FROM ({_STATE}) WHERE outcome = 'won'",
}

_HISTORY_STARTS = """
    SELECT min(moment) FROM (
        SELECT min(occurred_at) AS moment FROM activities WHERE known_at < $cutoff
        UNION ALL SELECT min(created_at) FROM opportunities WHERE known_at < $cutoff
    )
"""


@dataclass(frozen=True)
class TimeToClose:
    """The percentile of the time from opening to closing. `censored` says whether open ones counted."""

    days: float
    percentile: float
    censored: bool


@dataclass(frozen=True)
class FitLabels:
    """frame: account_id, as_of (creation), label (1 won, 0 lost), opportunity_id, label_known_at (when the
    outcome was known and the opportunity was old enough to train); oldest first.


    counts: what was left out and why; the sum of all but `known` is `known`. lost: all losses known.
    """

    frame: pd.DataFrame
    counts: dict[str, int]
    lost: int
    time_to_close: TimeToClose | None


def next_cutoff(tables: Tables) -> datetime:
    """The first second at which everything in the tables is known: just after the newest fact or deletion.

    Raises InputError when the tables are empty.
    """
    names = ("accounts", "activities", "intent_topics", "opportunities")
    union = " UNION ALL ".join(
        f"SELECT max(greatest(known_at, withdrawn_at)) AS moment FROM {name}" for name in names
    )
    with tables.connect() as connection:
        row = connection.execute(f"SELECT max(moment) FROM ({union})").fetchone()
    if row is None or row[0] is None:
        raise InputError("the workspace holds no facts", fix="ingest tables first")
    newest: datetime = row[0]
    return newest + timedelta(seconds=1)


def require_past(*cutoffs: datetime, tables: Tables, name: str = "cutoff") -> None:
    """InputError for a cutoff after the newest known fact: what follows it is unknown, not negative."""
    end = next_cutoff(tables)
    later = [cutoff for cutoff in cutoffs if cutoff > end]
    if later:
        raise InputError(
            f"{name}: the tables end before it",
            got=f"{later[0].isoformat()}Z",
            allowed=f"up to {end.isoformat()}Z",
            fix="choose an earlier one, or ingest newer tables",
        )


def time_to_close(
    days: NDArray[np.float64], *, closed: NDArray[np.bool_], percentile: float = 0.9
) -> TimeToClose | None:
    """The percentile of the time to close when some opportunities are still open.

    days: float64 (n,), time to close, or time open so far; closed: bool (n,). None when nothing closed.
    Kaplan and Meier 1958: S(t) = prod(1 - closed at t / still open just before t); the percentile is the
    first t with S(t) <= 1 - percentile. Where so many never close that S stays above, the percentile of
    the closed ones alone is taken and `censored` is False.
    """
    if not closed.any():
        return None
    times, events = np.unique(days[closed], return_counts=True)
    at_risk = len(days) - np.searchsorted(np.sort(days), times, side="left")
    survival = np.cumprod(1.0 - events / at_risk)
    reached = np.flatnonzero(survival <= 1.0 - percentile + 1e-12)
    if len(reached):
        return TimeToClose(float(times[reached[0]]), percentile, True)
    among_closed = np.quantile(days[closed], percentile, method="inverted_cdf")
    return TimeToClose(float(among_closed), percentile, False)


def fit_labels(tables: Tables, *, cutoff: datetime, settings: FitLabelSettings) -> FitLabels:
    """One row per opportunity that trains the fit model at `cutoff`.

    An opportunity trains when its outcome is known (`known_at < cutoff`), it is older than the percentile
    of the time to close (otherwise fast winners would be favoured), and its account was known at creation.
    """
    known = _opportunities(tables, known_before=cutoff, product=settings.product)
    closed = (known["outcome"].notna() & known["closed_at"].notna()).to_numpy(dtype=bool)
    ended = known["closed_at"].where(closed, pd.Timestamp(cutoff))
    days = _days(ended - known["created_at"])
    typical = time_to_close(days, closed=closed, percentile=settings.maturity_percentile)
    age = _days(pd.Timestamp(cutoff) - known["created_at"])
    mature = age >= typical.days if typical else np.zeros(len(known), dtype=bool)
    with_account = known["account_known"].to_numpy(dtype=bool)
    used = closed & mature & with_account
    counts = {
        "known": len(known),
        "open": int((~closed).sum()),
        "too_young": int((closed & ~mature).sum()),
        "account_unknown_at_creation": int((closed & mature & ~with_account).sum()),
        "used": int(used.sum()),
    }
    lost = int((known["outcome"] == "lost").sum())
    return FitLabels(_fit_frame(known[used], matures=typical), counts, lost, typical)


def fit_outcomes(
    tables: Tables, *, created_from: datetime | None = None, created_until: datetime | None = None
) -> pd.DataFrame:
    """Every closed opportunity created in [created_from, created_until), by all that is known.

    For evaluation, never for training: account_id, as_of (creation), label, opportunity_id; oldest first.
    """
    known = _opportunities(tables, known_before=None, product=None)
    inside = known["outcome"].notna() & known["account_known"]
    if created_from is not None:
        inside &= known["created_at"] >= created_from
    if created_until is not None:
        inside &= known["created_at"] < created_until
    return _fit_frame(known[inside])


def fit_followed(
    tables: Tables, *, created_from: datetime, created_until: datetime, settings: FitLabelSettings
) -> pd.DataFrame:
    """Every opportunity created in [created_from, created_until), and what is known of it by now.

    For evaluation, never for training: account_id, as_of (creation), opportunity_id and label, float64: 1
    won, 0 lost, NaN still open (censored); oldest first. Its account must have been known at creation.
    """
    known = _opportunities(tables, known_before=None, product=settings.product)
    created = known["created_at"]
    inside = known["account_known"] & (created >= created_from) & (created < created_until)
    followed = known[inside]
    label = followed["outcome"].map({"won": 1.0, "lost": 0.0}).astype("float64")
    return _fit_frame(followed).assign(label=label.to_numpy())


def first_events(
    tables: Tables, *, since: datetime, until: datetime, settings: IntentLabelSettings
) -> pd.DataFrame:
    """When the event first happened to each account in [since, until), by all that is known.

    For evaluation, never for training. Columns: account_id, happened_at; sorted by account_id.
    """
    sql = f"""
        SELECT account_id, min(happened_at) AS happened_at FROM ({_EVENTS[settings.event]})
        WHERE happened_at >= $since AND happened_at < $until
        GROUP BY account_id ORDER BY account_id
    """
    with tables.connect() as connection:
        return _frame(connection, sql, known_before=None, product=settings.product, since=since, until=until)


def _opportunities(tables: Tables, *, known_before: datetime | None, product: str | None) -> pd.DataFrame:
    with tables.connect() as connection:
        return _frame(connection, _CLOSED, known_before=known_before, product=product)


def _fit_frame(opportunities: pd.DataFrame, *, matures: TimeToClose | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "account_id": opportunities["account_id"],
            "as_of": opportunities["created_at"],
            "label": (opportunities["outcome"] == "won").astype("int64"),
            "opportunity_id": opportunities["opportunity_id"],
        }
    )
    if matures is not None:
        mature_at = opportunities["created_at"] + timedelta(days=matures.days)
        frame["label_known_at"] = mature_at.where(
            mature_at > opportunities["known_at"], opportunities["known_at"]
        )
    return frame.reset_index(drop=True)


def known_accounts(tables: Tables, *, as_of: datetime) -> pd.DataFrame:
    """Every account known before `as_of`: account_id, as_of; sorted by account_id."""
    sql = (
        "SELECT DISTINCT account_id FROM accounts WHERE known_at < $as_of"
        " AND (withdrawn_at IS NULL OR withdrawn_at >= $as_of) ORDER BY account_id"
    )
    with tables.connect() as connection:
        return _frame(connection, sql, as_of=as_of).assign(as_of=pd.Timestamp(as_of))


def intent_snapshots(
    tables: Tables, *, cutoff: datetime, settings: IntentLabelSettings
) -> tuple[datetime, ...]:
    """The dates that train a model at `cutoff`: cutoff - horizon - k * step, oldest first.

    They go back `history_days`, and never to before the first activity or opportunity.
    """
    with tables.connect() as connection:
        row = connection.execute(_HISTORY_STARTS, {"cutoff": cutoff}).fetchone()
    if row is None or row[0] is None:
        return ()
    start: datetime = row[0]
    if settings.history_days is not None:
        start = max(start, cutoff - timedelta(days=settings.history_days))
    last = cutoff - timedelta(days=settings.horizon_days)
    steps = (last - start) // timedelta(days=settings.step_days)
    return tuple(last - timedelta(days=settings.step_days * k) for k in range(steps, -1, -1))


def intent_labels(tables: Tables, *, cutoff: datetime, settings: IntentLabelSettings) -> pd.DataFrame:
    """The snapshots that train an intent model at `cutoff`, by date and account.

    Columns: account_id, as_of, label, label_known_at (the end of the window).
    """
    snapshots = intent_snapshots(tables, cutoff=cutoff, settings=settings)
    labels = intent_outcomes(tables, as_of=snapshots, settings=settings, known_before=cutoff)
    return labels.assign(label_known_at=labels["as_of"] + timedelta(days=settings.horizon_days))


def intent_outcomes(
    tables: Tables,
    *,
    as_of: Sequence[datetime],
    settings: IntentLabelSettings,
    known_before: datetime | None = None,
) -> pd.DataFrame:
    """Population and label at the given dates, by rows known before `known_before`.

    Without `known_before` everything counts: for evaluation, never for training.
    Columns: account_id, as_of (datetime64[us]), label (int64, 0 or 1); sorted by as_of, account_id.
    """
    sql = f"""
        WITH population AS ({_POPULATION}), event AS ({_EVENTS[settings.event]})
        SELECT population.account_id, population.as_of,
               CAST(bool_or(event.happened_at IS NOT NULL) AS BIGINT) AS label
        FROM population LEFT JOIN event
          ON event.account_id = population.account_id
         AND event.happened_at >= population.as_of AND event.happened_at < population.until
        GROUP BY population.account_id, population.as_of
        ORDER BY population.as_of, population.account_id
    """
    with tables.connect() as connection:
        _register_snapshots(connection, as_of, horizon=timedelta(days=settings.horizon_days))
        return _frame(connection, sql, known_before=known_before, product=settings.product)


def intent_population(tables: Tables, *, as_of: datetime, settings: IntentLabelSettings) -> pd.DataFrame:
    """The accounts to score at `as_of`: known, without an open opportunity, not owning the product.

    Columns: account_id, as_of; sorted by account_id. Reads rows with `known_at < as_of` only.
    """
    sql = f"SELECT account_id, as_of FROM ({_POPULATION}) ORDER BY account_id"
    with tables.connect() as connection:
        _register_snapshots(connection, [as_of], horizon=timedelta(days=settings.horizon_days))
        return _frame(connection, sql, product=settings.product)


def _register_snapshots(
    connection: duckdb.DuckDBPyConnection, as_of: Sequence[datetime], *, horizon: timedelta
) -> None:
    moments = pa.timestamp("us")
    columns = {
        "as_of": pa.array(list(as_of), type=moments),
        "until": pa.array([moment + horizon for moment in as_of], type=moments),
    }
    connection.register("snapshots", pa.table(columns))


def _frame(connection: duckdb.DuckDBPyConnection, sql: str, **parameters: object) -> pd.DataFrame:
    frame: pd.DataFrame = connection.execute(sql, parameters).to_arrow_table().to_pandas()
    return frame


def _days(durations: pd.Series[pd.Timedelta]) -> NDArray[np.float64]:
    return np.asarray(durations.dt.total_seconds() / 86_400.0, dtype=np.float64)
