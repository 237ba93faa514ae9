"""Every account of the workspace, scored at one moment and ranked.

Turns a desk into a frame with one row per account. Time rule: one `as_of` for all, so that the rows can be
compared; an account that was not known then is left out. Null rule: an account outside the population of the
intent model (an open opportunity, or an owner) has no intent, as in a single answer; such columns are empty.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import cast

import pandas as pd

from features.errors import NotEnoughDataError
from features.settings import PRIORITIES, Grade
from models.scoring import Scorer
from serving.desk import Desk
from serving.population import Deal, intent_obstacle

__all__ = ["rank_accounts"]

_ACCOUNTS = """
SELECT account_id,
       arg_max(name, known_at) FILTER (name IS NOT NULL) AS name,
       arg_max(domain, known_at) FILTER (domain IS NOT NULL) AS domain
FROM accounts WHERE known_at < $as_of GROUP BY account_id ORDER BY account_id
"""
_DEALS = """
SELECT account_id, opportunity_id, known_at, product, created_at, closed_at, outcome
FROM opportunities WHERE known_at < $as_of
"""
_HALF = ("probability", "score", "grade")


def rank_accounts(desk: Desk, *, as_of: datetime) -> pd.DataFrame:
    """Fit, intent and priority of every account known before `as_of`, the most promising first.

    Returns columns account_id, name, domain, as_of, fit_probability, fit_score, fit_grade,
    intent_probability, intent_score, intent_grade, priority. Sorted by priority, then by intent,
    then by fit.
    """
    with desk.snapshot.tables.connect() as connection:
        accounts = connection.execute(_ACCOUNTS, {"as_of": as_of}).to_arrow_table().to_pandas()
        deals: dict[str, list[Deal]] = defaultdict(list)
        for account_id, *deal in connection.execute(_DEALS, {"as_of": as_of}).fetchall():
            deals[account_id].append(Deal(*deal))
    if accounts.empty:
        raise NotEnoughDataError(
            "no account was known yet", got=f"as_of {as_of.isoformat()}Z", fix="choose a later moment"
        )
    accounts["as_of"] = pd.Series(as_of, index=accounts.index, dtype="datetime64[us]")
    product = desk.release.labels.intent.product
    free = accounts["account_id"].map(
        lambda account_id: intent_obstacle(deals.get(account_id, ()), as_of=as_of, product=product) is None
    )
    ranked: pd.DataFrame = accounts.join(
        _half(desk, desk.release.fit, keys=accounts).add_prefix("fit_")
    ).join(_half(desk, desk.release.intent, keys=accounts[free]).add_prefix("intent_"))
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


def _half(desk: Desk, scorer: Scorer | None, *, keys: pd.DataFrame) -> pd.DataFrame:
    if scorer is None or keys.empty:
        return pd.DataFrame(index=keys.index, columns=list(_HALF), dtype=object)
    matrix = desk.engine(scorer.bundle.catalogue).build(keys[["account_id", "as_of"]])
    half: pd.DataFrame = scorer.score_frame(matrix)[list(_HALF)].set_index(keys.index)
    return half


def _grade(value: object) -> Grade | None:
    return cast("Grade", value) if isinstance(value, str) else None
