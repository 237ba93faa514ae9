"""Labels of fit against losses: opportunities in, one row per won or lost one that trains out.

Time rule: an opportunity trains at a cutoff when its outcome was known before it (a later edit makes it known
no later) and it is older than the usual time to close, so that fast winners are not favoured; features are
those of its creation. Null rule: an opportunity without an outcome is open, never lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.label_rules import any_rule, counted, left_out, require_known_names
from features.label_settings import FitLabelSettings
from features.listed_accounts import lines_without_account
from features.tables import Tables
from training.labels.population import pursued_accounts
from training.labels.reading import STATE, days, frame
from training.labels.survival import TimeToClose, time_to_close
from training.labels.universe import Universe, against_universe

__all__ = ["FitLabels", "fit_followed", "fit_labels", "pursued_by"]

_CLOSED = f"""
    WITH first_known AS (SELECT account_id, min(known_at) AS known_at FROM accounts GROUP BY account_id)
    SELECT state.opportunity_id, state.account_id, state.created_at, state.closed_at, state.outcome,
           state.outcome_known_at, lower(state.type) AS type,
           coalesce(first_known.known_at < state.created_at, false) AS account_known
    FROM ({STATE}) AS state LEFT JOIN first_known USING (account_id)
    ORDER BY state.created_at, state.opportunity_id
"""


@dataclass(frozen=True)
class FitLabels:
    """frame: account_id, as_of (creation), label (1 won, 0 lost), opportunity_id, label_known_at (when the
    outcome was known and the opportunity was old enough to train); oldest first. Against the universe the
    rows with label 0 are accounts that nobody won by `as_of`, and `won_later` says who was won since.

    counts: what was left out and why, adding up to `known`, save against the universe; and lines of lists.
    lost: all losses known. universe: what the drawn accounts stand for; None against losses.
    pursued: where deals are weighed by pursuit, every account at the cutoff: account_id, as_of, pursued.
    pursued_at: the same at other moments. cutoff: of the labels.
    """

    cutoff: datetime
    frame: pd.DataFrame
    counts: dict[str, int]
    lost: int
    time_to_close: TimeToClose | None
    universe: Universe | None = None
    pursued: pd.DataFrame | None = None
    pursued_at: Callable[[datetime], pd.DataFrame] | None = None


def fit_labels(tables: Tables, *, cutoff: datetime, settings: FitLabelSettings, seed: int = 0) -> FitLabels:
    """One row per opportunity that trains the fit model at `cutoff`, or per win and account drawn for it.

    An opportunity trains when its outcome is known (`known_at < cutoff`), it is older than the percentile of
    the time to close, its account was known at creation, and no rule of the settings leaves it out.
    seed: for drawing accounts. Raises ConfigError for a name in the settings that the tables do not hold.
    """
    require_known_names(tables, settings=settings)
    known, counts, typical = _trained_on(tables, cutoff=cutoff, settings=settings)
    used = _fit_frame(known[known["left_out"].isna()], matures=typical)
    if typical is None:
        # Nothing was closed: no row, but the columns that others read.
        used = used.assign(label_known_at=used["as_of"])
    lost = int((known["outcome"] == "lost").sum())
    if settings.weights == "pursuit":
        at = partial(pursued_by, tables, settings=settings)
        return FitLabels(cutoff, used, counts, lost, typical, pursued=at(cutoff), pursued_at=at)
    if settings.against == "lost":
        return FitLabels(cutoff, used, counts, lost, typical)
    drawn, universe, told = against_universe(
        tables, wins=used[used["label"] == 1], cutoff=cutoff, settings=settings, seed=seed
    )
    return FitLabels(cutoff, drawn, counts | told, lost, typical, universe)


def pursued_by(tables: Tables, cutoff: datetime, *, settings: FitLabelSettings) -> pd.DataFrame:
    """Every account that a fit model speaks of at `cutoff`, and whether sales had an opportunity with it.

    Columns: account_id, as_of, pursued (0 or 1). Raises NotEnoughDataError where sales pursued nearly all.
    """
    known = _opportunities(tables, known_before=cutoff, product=settings.product)
    return pursued_accounts(tables, cutoff=cutoff, dealt_with=known["account_id"], settings=settings)


def fit_followed(
    tables: Tables,
    *,
    created_from: datetime | None = None,
    created_until: datetime | None = None,
    settings: FitLabelSettings,
) -> pd.DataFrame:
    """Every opportunity created in [created_from, created_until), and what is known of it by now.

    For evaluation, never for training: account_id, as_of (creation), opportunity_id and label, float64: 1
    won, 0 lost, NaN still open (censored); oldest first. As for training, its account must have been known at
    creation, it must not have been closed at once, and no rule of the settings leave it out.
    """
    known = _opportunities(tables, known_before=None, product=settings.product)
    created = known["created_at"]
    inside = known["account_known"] & ~_at_once(days(known["closed_at"] - created), settings=settings)
    if created_from is not None:
        inside &= created >= created_from
    if created_until is not None:
        inside &= created < created_until
    followed = known[inside].reset_index(drop=True)
    followed = followed[_ruled_out(tables, followed, settings=settings).isna()]
    label = followed["outcome"].map({"won": 1.0, "lost": 0.0}).astype("float64")
    return _fit_frame(followed).assign(label=label.to_numpy())


def _trained_on(
    tables: Tables, *, cutoff: datetime, settings: FitLabelSettings
) -> tuple[pd.DataFrame, dict[str, int], TimeToClose | None]:
    """Every opportunity known at the cutoff with why it is left out, counts, and the time to close."""
    known = _opportunities(tables, known_before=cutoff, product=settings.product)
    closed = (known["outcome"].notna() & known["closed_at"].notna()).to_numpy(dtype=bool)
    ended = known["closed_at"].where(closed, pd.Timestamp(cutoff))
    open_days = days(ended - known["created_at"])
    typical = time_to_close(open_days, closed=closed, percentile=settings.maturity_percentile)
    age = days(pd.Timestamp(cutoff) - known["created_at"])
    mature = age >= typical.days if typical else np.zeros(len(known), dtype=bool)
    reason = pd.Series(None, index=known.index, dtype="object")
    for name, applies in (
        ("open", ~closed),
        ("too_young", ~mature),
        ("account_unknown_at_creation", ~known["account_known"].to_numpy(dtype=bool)),
        ("closed_at_once", _at_once(open_days, settings=settings)),
    ):
        reason[reason.isna() & applies] = name
    ruled_out = _ruled_out(tables, known[reason.isna()], settings=settings)
    reasons = reason.fillna(ruled_out.dropna())
    first = ["open", "too_young", "account_unknown_at_creation"]
    first += ["closed_at_once"] if settings.minimum_deal_days else []
    counts = {"known": len(known)} | {name: int((reasons == name).sum()) for name in first}
    counts |= _counted_rules(ruled_out, settings=settings) | lines_without_account(tables, settings=settings)
    return known.assign(left_out=reasons), counts | {"used": int(reasons.isna().sum())}, typical


def _at_once(open_days: NDArray[np.float64], *, settings: FitLabelSettings) -> NDArray[np.bool_]:
    """Whether each was closed too soon to have been a deal; false where nothing says when it was closed."""
    return open_days < (settings.minimum_deal_days or 0)


def _ruled_out(tables: Tables, deals: pd.DataFrame, *, settings: FitLabelSettings) -> pd.Series[str]:
    """The rule that leaves each deal out, by its type or its account; None for those that stay."""
    keys = deals.rename(columns={"created_at": "as_of"})
    by_account = pd.Series(None, index=deals.index, dtype="object")
    if any_rule(settings):
        with tables.connect() as connection:
            by_account = left_out(connection, keys, settings=settings)
    by_type = deals["type"].map(dict(settings.excluded_deal_types))
    return by_type.astype("object").where(by_type.notna(), by_account)


def _counted_rules(reasons: pd.Series[str], *, settings: FitLabelSettings) -> dict[str, int]:
    by_type = dict.fromkeys(name for _, name in settings.excluded_deal_types)
    found = {f"left_out_{name.replace(' ', '_')}": int((reasons == name).sum()) for name in by_type}
    return found | counted(reasons, settings=settings)


def _opportunities(tables: Tables, *, known_before: datetime | None, product: str | None) -> pd.DataFrame:
    with tables.connect() as connection:
        return frame(connection, _CLOSED, known_before=known_before, product=product)


def _fit_frame(opportunities: pd.DataFrame, *, matures: TimeToClose | None = None) -> pd.DataFrame:
    found = pd.DataFrame(
        {
            "account_id": opportunities["account_id"],
            "as_of": opportunities["created_at"],
            "label": (opportunities["outcome"] == "won").astype("int64"),
            "opportunity_id": opportunities["opportunity_id"],
        }
    )
    if matures is not None:
        mature_at = opportunities["created_at"] + timedelta(days=matures.days)
        told_at = opportunities["outcome_known_at"]
        found["label_known_at"] = mature_at.where(mature_at > told_at, told_at)
    return found.reset_index(drop=True)
