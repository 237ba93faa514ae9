"""Every account of the workspace, scored and ranked.

Turns a desk into a frame with one row per account. Time rule: each account stands at the moment of its single
answer, so that one question has one score: by default the later of today's midnight and just after its newest
fact, otherwise the `as_of` asked for. An account that was not known then is left out. Null rule: an account
outside the population of every intent model (an open opportunity, or an owner) has no intent, and one that
every model of a kind leaves out has nothing of it, as in a single answer; such columns are empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from features.label_rules import any_rule, left_out
from features.settings import PRIORITIES, Grade
from models.card import kind_of
from models.choice import speakers
from models.scoring import Scorer
from serving.desk import Desk
from serving.population import Deal, intent_obstacle
from serving.releases import ServedModel
from serving.scoring import default_moments

__all__ = ["rank_accounts"]

_DEALS = """
SELECT account_id, opportunity_id, known_at, product, created_at, closed_at, outcome, withdrawn_at
FROM opportunities WHERE known_at < $before
"""
_HALF = ("probability", "score", "grade")
_COLUMNS = [*_HALF, "model"]


def rank_accounts(desk: Desk, *, now: datetime, as_of: datetime | None = None) -> pd.DataFrame:
    """Fit, intent and priority of every account known before its `as_of`, the most promising first.

    now: naive UTC, whole seconds. as_of: one moment for all; None takes each account's own default.
    Returns columns account_id, name, domain, as_of, fit_probability, fit_score, fit_grade, fit_model,
    intent_probability, intent_score, intent_grade, intent_model, priority; *_model is the name of the
    model that answers. Sorted by priority, then by intent, then by fit. Raises NotEnoughDataError when no
    account was known yet.
    """
    accounts = _accounts(desk, now=now, as_of=as_of)
    deals = _deals(desk, before=accounts["as_of"].max().to_pydatetime())
    fit = _half(desk, accounts, models=desk.release.of_kind("fit"), deals=deals)
    intent = _half(desk, accounts, models=desk.release.of_kind("intent"), deals=deals)
    ranked: pd.DataFrame = accounts.join(fit.add_prefix("fit_")).join(intent.add_prefix("intent_"))
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


def _spoken_of(
    desk: Desk, accounts: pd.DataFrame, *, model: ServedModel, deals: Mapping[str, list[Deal]]
) -> NDArray[np.bool_]:
    """Whether a model speaks of each account: no rule of its labels, and no deal, keeps it out."""
    stays = np.ones(len(accounts), dtype=bool)
    if any_rule(model.rows):
        with desk.snapshot.tables.connect() as connection:
            stays = left_out(connection, accounts, settings=model.rows).isna().to_numpy()
    return stays if kind_of(model.key) == "fit" else stays & _free(accounts, model=model, deals=deals)


def _free(
    accounts: pd.DataFrame, *, model: ServedModel, deals: Mapping[str, list[Deal]]
) -> NDArray[np.bool_]:
    """Whether an account has no deal that keeps it out of the population of an intent model."""
    labels = model.labels.intent
    found = [
        intent_obstacle(
            deals.get(account_id, ()), as_of=moment, product=labels.product, population=labels.population
        )
        for account_id, moment in zip(accounts["account_id"], accounts["as_of"], strict=True)
    ]
    return np.array([deal is None for deal in found], dtype=bool)


def _deals(desk: Desk, *, before: datetime) -> Mapping[str, list[Deal]]:
    deals: dict[str, list[Deal]] = defaultdict(list)
    with desk.snapshot.tables.connect() as connection:
        for account_id, *deal in connection.execute(_DEALS, {"before": before}).fetchall():
            deals[account_id].append(Deal(*deal))
    return deals


def _half(
    desk: Desk,
    accounts: pd.DataFrame,
    *,
    models: Sequence[ServedModel],
    deals: Mapping[str, list[Deal]],
) -> pd.DataFrame:
    """Each account scored by the model that answers for it; a row for each that has one."""
    if not models:
        return pd.DataFrame(index=accounts.index[:0], columns=_COLUMNS, dtype=object)
    places = speakers([_spoken_of(desk, accounts, model=model, deals=deals) for model in models])
    found = [
        _scored(desk, model.scorer, keys=accounts[places == place])
        for place, model in enumerate(models)
        if (places == place).any()
    ]
    return pd.concat(found) if found else _half(desk, accounts, models=(), deals={})


def _scored(desk: Desk, scorer: Scorer, *, keys: pd.DataFrame) -> pd.DataFrame:
    matrix = desk.engine(scorer.bundle.catalogue).build(keys[["account_id", "as_of"]])
    half: pd.DataFrame = scorer.score_frame(matrix)[list(_HALF)].set_index(keys.index)
    return half.assign(model=scorer.bundle.name)


def _grade(value: object) -> Grade | None:
    return cast("Grade", value) if isinstance(value, str) else None
