"""Who is scored: accounts in, those that an intent model speaks of at some moments out.

Time rule: whether an account is in the population rests on rows with `known_at < as_of` alone. Null rule: an
opportunity without an outcome is open.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from features.label_rules import any_rule, left_out
from features.label_settings import FitLabelSettings, IntentLabelSettings, RowSettings
from features.tables import Tables
from training.labels.reading import frame, register_moments

__all__ = [
    "POPULATION",
    "blocking",
    "fit_population",
    "intent_population",
    "known_accounts",
    "pursued_accounts",
    "spoken_of",
]

_LEAST_PASSED_OVER = 40
"""Accounts without an opportunity: fewer tell next to nothing of whom sales pursues."""

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
    WHERE list_contains($blocking, coalesce(version.outcome, 'open'))
"""

POPULATION = f"""
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
"""account_id, as_of and until of everybody in the population at the registered moments, before rules."""


def blocking(settings: IntentLabelSettings) -> list[str]:
    """The states of a deal that keep its account out of the population."""
    kept = settings.population
    states = {"won": kept.customers, "open": kept.open_opportunities}
    return [state for state, choice in states.items() if choice == "leave_out"]


def known_accounts(tables: Tables, *, as_of: datetime) -> pd.DataFrame:
    """Every account known before `as_of`: account_id, as_of; sorted by account_id."""
    sql = (
        "SELECT DISTINCT account_id FROM accounts WHERE known_at < $as_of"
        " AND (withdrawn_at IS NULL OR withdrawn_at >= $as_of) ORDER BY account_id"
    )
    with tables.connect() as connection:
        return frame(connection, sql, as_of=as_of).assign(as_of=pd.Timestamp(as_of))


def fit_population(tables: Tables, *, as_of: datetime, settings: FitLabelSettings) -> pd.DataFrame:
    """The accounts that a fit model speaks of at `as_of`: known, and not left out by a rule.

    Columns: account_id, as_of; sorted by account_id.
    """
    found = known_accounts(tables, as_of=as_of)
    if not any_rule(settings):
        return found
    with tables.connect() as connection:
        return found[left_out(connection, found, settings=settings).isna()].reset_index(drop=True)


def pursued_accounts(
    tables: Tables, *, cutoff: datetime, dealt_with: pd.Series[str], settings: FitLabelSettings
) -> pd.DataFrame:
    """The accounts that a fit model speaks of at `cutoff`, and whether sales pursued them by then.

    dealt_with: accounts of the opportunities known by then. Columns: account_id, as_of, pursued (0 or 1).
    Raises NotEnoughDataError where sales pursued everybody, or nearly so: then there is nothing to weigh.
    """
    found = fit_population(tables, as_of=cutoff, settings=settings)
    pursued = found["account_id"].isin(dealt_with).astype("int64")
    others = len(found) - int(pursued.sum())
    if others < _LEAST_PASSED_OVER:
        raise NotEnoughDataError(
            'weights = "pursuit" needs accounts that sales did not pursue',
            got=f"{others:,} of {len(found):,} accounts known without an opportunity",
            allowed=f"at least {_LEAST_PASSED_OVER}",
            fix='ingest the accounts that nobody has worked with, or set weights = "none" in [labels.fit]',
        )
    return found.assign(pursued=pursued)


def intent_population(tables: Tables, *, as_of: datetime, settings: IntentLabelSettings) -> pd.DataFrame:
    """The accounts to score at `as_of`: known, in the population, and not left out by a rule.

    Columns: account_id, as_of; sorted by account_id. Reads rows with `known_at < as_of` only.
    """
    sql = f"SELECT account_id, as_of FROM ({POPULATION}) ORDER BY account_id"
    with tables.connect() as connection:
        register_moments(connection, [as_of], horizon=timedelta(days=settings.horizon_days))
        found = frame(connection, sql, product=settings.product, blocking=blocking(settings))
        return found[left_out(connection, found, settings=settings).isna()].reset_index(drop=True)


def spoken_of(tables: Tables, rows: pd.DataFrame, *, settings: RowSettings) -> NDArray[np.bool_]:
    """Whether a model of these labels speaks of each row's account at its moment, (n,).

    rows: account_id, as_of, of accounts that were known then.
    """
    keys = rows[["account_id", "as_of"]].astype({"as_of": "datetime64[us]"})
    with tables.connect() as connection:
        stays = left_out(connection, keys, settings=settings).isna().to_numpy(dtype=bool)
        if isinstance(settings, IntentLabelSettings):
            moments = [moment.to_pydatetime() for moment in sorted(keys["as_of"].unique())]
            register_moments(connection, moments, horizon=timedelta(days=settings.horizon_days))
            sql = f"SELECT account_id, as_of FROM ({POPULATION})"
            found = frame(connection, sql, product=settings.product, blocking=blocking(settings))
            inside = pd.MultiIndex.from_frame(found.astype({"as_of": "datetime64[us]"}))
            stays = stays & pd.MultiIndex.from_frame(keys).isin(inside)
    return stays
