"""The curve of expected wins of a workspace's accounts.

Turns the ranking of a release into what each further account is expected to bring within some days. Time
rule: that of the ranking. Null rule: an account that no model of both kinds answers (an open deal, an owner)
is none that a list could add; where the release has one kind of model alone, the rate of all stands for the
other chance.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from models.card import Kind
from models.list_size import Estimate, PlannedAccounts, over_days, wins_curve
from serving.desk import Desk
from serving.ranking import known_accounts, scored_parts

__all__ = ["MOST_SCORED", "PlanScale", "planned_accounts", "ranked_some"]

Vector = NDArray[np.float64]
Bounded = tuple[Vector, Vector, Vector]


MOST_SCORED = 20_000
"""Accounts that are scored while somebody waits for a plan; of more, an even part stands for all."""


@dataclass(frozen=True)
class PlanScale:
    """ranked: the accounts that were scored. each: for how many accounts of the workspace one of them
    stands."""

    ranked: pd.DataFrame
    each: int


_lock = threading.Lock()
_kept: weakref.WeakKeyDictionary[Desk, tuple[datetime, PlanScale]] = weakref.WeakKeyDictionary()


def ranked_some(desk: Desk, *, now: datetime, most: int = MOST_SCORED) -> PlanScale:
    """Accounts of a desk with their chances, scored once a day, as a plan needs them.

    Raises NotEnoughDataError when no account was known yet.
    """
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with _lock:
        found = _kept.get(desk)
        if found is None or found[0] != day:
            known = known_accounts(desk, now=now)
            each = -(-len(known.accounts) // most)
            some = replace(known, accounts=known.accounts.iloc[::each].reset_index(drop=True))
            ranked = pd.concat(list(scored_parts(desk, some)), ignore_index=True)
            found = _kept[desk] = day, PlanScale(ranked, each)
        return found[1]


def planned_accounts(
    desk: Desk, ranked: pd.DataFrame, win_rate: Estimate, account_to_opportunity: Estimate, *, days: int
) -> PlannedAccounts:
    """The accounts that a list could hold, with what they bring within `days`.

    ranked: of `serving.ranking.rank_accounts`. win_rate, account_to_opportunity: those of all accounts, for a
    release that has no model of one kind.
    """
    kinds = [kind for kind in ("fit", "intent") if desk.release.of_kind(kind)]
    free = ranked.dropna(subset=[f"{kind}_probability" for kind in kinds]).reset_index(drop=True)
    wins = _chances(desk, free, kind="fit") if "fit" in kinds else _alike(win_rate, count=len(free))
    opens = (
        _within(desk, free, days=days)
        if "intent" in kinds
        else _alike(account_to_opportunity, count=len(free))
    )
    curve = wins_curve(opens, wins)
    return PlannedAccounts(
        free.loc[curve.order, ["account_id", "name", "domain"]].reset_index(drop=True), curve
    )


def _chances(desk: Desk, ranked: pd.DataFrame, *, kind: Kind) -> Bounded:
    """The probabilities of a kind with their intervals, as the models that answered have them."""
    value = ranked[f"{kind}_probability"].to_numpy(dtype=np.float64, copy=True)
    low, high = value.copy(), value.copy()
    for model in desk.release.of_kind(kind):
        own = (ranked[f"{kind}_model"] == model.scorer.bundle.name).to_numpy()
        low[own], high[own] = model.scorer.bundle.intervals.bounds(logit(value[own]))
    return value, low, high


def _within(desk: Desk, ranked: pd.DataFrame, *, days: int) -> Bounded:
    """Chances to open a deal within `days`, each from the horizon of the model that answered."""
    value, low, high = _chances(desk, ranked, kind="intent")
    for model in desk.release.of_kind("intent"):
        own = (ranked["intent_model"] == model.scorer.bundle.name).to_numpy()
        horizon = model.scorer.bundle.card["horizon_days"] or days
        for chances in (value, low, high):
            chances[own] = over_days(chances[own], horizon_days=horizon, days=days)
    return value, low, high


def _alike(rate: Estimate, *, count: int) -> Bounded:
    return np.full(count, rate.value), np.full(count, rate.low), np.full(count, rate.high)
