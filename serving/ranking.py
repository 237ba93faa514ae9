"""Every account of the workspace, scored and ranked.

Turns a desk into a frame with one row per account. Time rule: each account stands at the moment of its single
answer, so that one question has one score: by default the later of today's midnight and just after its newest
fact, otherwise the `as_of` asked for. An account that was not known then is left out. Null rule: an account
outside the population of the intent model (an open opportunity, or an owner) has no intent, and one that the
labels of a model leave out has nothing of it, as in a single answer; such columns are empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import cast

import pandas as pd

from features.errors import NotEnoughDataError
from features.label_rules import any_rule, left_out
from features.label_settings import RowSettings
from features.settings import PRIORITIES, Grade
from models.scoring import Scorer
from serving.desk import Desk
from serving.population import Deal, intent_obstacle
from serving.scoring import default_moments

__all__ = ["rank_accounts"]

_DEALS = """
SELECT account_id, opportunity_id, known_at, product, created_at, closed_at, outcome, withdrawn_at
FROM opportunities WHERE known_at < $before
"""
_HALF = ("probability", "score", "grade")


def rank_accounts(desk: Desk, *, now: datetime, as_of: datetime | None = None) -> pd.DataFrame:
    """Fit, intent and priority of every account known before its `as_of`, the most promising first.

    now: naive UTC, whole seconds. as_of: one moment for all; None takes each account's own default.
    Returns columns account_id, name, domain, as_of, fit_probability, fit_score, fit_grade,
    intent_probability, intent_score, intent_grade, priority. Sorted by priority, then by intent,
    then by fit. Raises NotEnoughDataError when no account was known yet.
    """
    accounts = _accounts(desk, now=now, as_of=as_of)
    deals = _deals(desk, before=accounts["as_of"].max().to_pydatetime())
    labels = desk.release.labels.intent
    unobstructed = [
        intent_obstacle(
            deals.get(account_id, ()), as_of=moment, product=labels.product, population=labels.population
        )
        is None
        for account_id, moment in zip(accounts["account_id"], accounts["as_of"], strict=True)
    ]
    free = pd.Series(unobstructed, index=accounts.index, dtype="bool")
    spoken_of = {
        "fit": accounts[_stays(desk, accounts, settings=desk.release.labels.fit)],
        "intent": accounts[free & _stays(desk, accounts, settings=labels)],
    }
    ranked: pd.DataFrame = accounts.join(
        _half(desk, desk.release.fit, keys=spoken_of["fit"]).add_prefix("fit_")
    ).join(_half(desk, desk.release.intent, keys=spoken_of["intent"]).add_prefix("intent_"))
    ranked["priority"] = [
        desk.release.priorities.priority(fit=_grade(fit), intent=_grade(intent))
        for fit, intent in zip(ranked["fit_grade"], ranked["intent_grade"], strict=True)
    ]
    ranked["urgency"] = [
        -PRIORITIES.index(word) if word in PRIORITIES else None for word in ranked["priority"]
    ]
    best_first: pd.DataFrame = ranked.sort_values(
        ["urgency", "intent_probability", "fit_probability", "account_id"],
        ascending=[False, False, False, True],
        na_position="last",
        ignore_index=True,
    ).drop(columns="urgency")
    return best_first


def _accounts(desk: Desk, *, now: datetime, as_of: datetime | None) -> pd.DataFrame:
    everyone = desk.snapshot.accounts.everyone()
    if as_of is None:
        moments = default_moments(everyone["newest_known_at"], now=now, time_zone=desk.time_zone)
    else:
        moments = pd.Series(as_of, index=everyone.index)
    everyone["as_of"] = moments.astype("datetime64[us]")
    gone = everyone["withdrawn_at"] < everyone["as_of"]
    known = everyone[(everyone["first_known_at"] < everyone["as_of"]) & ~gone].reset_index(drop=True)
    if known.empty:
        got = "no account at all" if as_of is None else f"as_of {as_of.isoformat()}Z"
        raise NotEnoughDataError("no account was known yet", got=got, fix="choose a later moment")
    return known[["account_id", "name", "domain", "as_of"]]


def _stays(desk: Desk, accounts: pd.DataFrame, *, settings: RowSettings) -> pd.Series[bool]:
    """Whether no rule of a model's labels leaves an account out."""
    if not any_rule(settings):
        return pd.Series(True, index=accounts.index)
    with desk.snapshot.tables.connect() as connection:
        return left_out(connection, accounts, settings=settings).isna()


def _deals(desk: Desk, *, before: datetime) -> Mapping[str, list[Deal]]:
    deals: dict[str, list[Deal]] = defaultdict(list)
    with desk.snapshot.tables.connect() as connection:
        for account_id, *deal in connection.execute(_DEALS, {"before": before}).fetchall():
            deals[account_id].append(Deal(*deal))
    return deals


def _half(desk: Desk, scorer: Scorer | None, *, keys: pd.DataFrame) -> pd.DataFrame:
    if scorer is None or keys.empty:
        return pd.DataFrame(index=keys.index, columns=list(_HALF), dtype=object)
    matrix = desk.engine(scorer.bundle.catalogue).build(keys[["account_id", "as_of"]])
    half: pd.DataFrame = scorer.score_frame(matrix)[list(_HALF)].set_index(keys.index)
    return half


def _grade(value: object) -> Grade | None:
    return cast("Grade", value) if isinstance(value, str) else None
