"""Every account of the workspace, scored: part by part for those who write files, or all of them ranked.

Turns a desk into frames with one row per account, each with the numbers of its single answer: activities that
came since the tables were made count, and so does what sales said. Time rule: each account stands at the
moment of its single answer, so that one question has one score: by default the later of today's midnight and
just after its newest fact, otherwise the `as_of` asked for. An account that was not known then is left out.
Null rule: an account outside the population of every intent model (an open opportunity, or an owner) has no
intent, and one that every model of a kind leaves out has nothing of it, as in a single answer; such columns
are empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from features.errors import NotEnoughDataError
from features.feature import Language
from features.settings import PRIORITIES
from serving.desk import Desk
from serving.population import Deal
from serving.ranked_rows import Newer, Telling, scored_rows
from serving.subjects import SECOND, default_moments

__all__ = ["Known", "known_accounts", "rank_accounts", "scored_parts"]

_DEALS = """
SELECT account_id, opportunity_id, known_at, product, created_at, closed_at, outcome, withdrawn_at
FROM opportunities WHERE known_at < $before
"""
_PART = 50_000
"""Accounts that are scored at once; bounds the memory."""


@dataclass(frozen=True)
class Known:
    """The accounts that can be scored.

    accounts: account_id, name, domain and as_of, by account_id. newer: by account, the activities that came
    after the tables. before: feedback given earlier counts. deals: by account, all versions of its deals.
    """

    accounts: pd.DataFrame
    newer: Newer
    before: datetime
    deals: Mapping[str, list[Deal]]


def known_accounts(desk: Desk, *, now: datetime, as_of: datetime | None = None) -> Known:
    """Every account known before its `as_of`, with what scoring it takes beside the tables.

    now: naive UTC, whole seconds. as_of: one moment for all; None takes each account's own default. Raises
    NotEnoughDataError when no account was known yet.
    """
    everyone = desk.snapshot.accounts.everyone()
    newer = desk.newer_of(everyone["account_id"])
    if as_of is None:
        newest = _with_newer(everyone, newer=newer)
        moments = default_moments(newest, now=now, time_zone=desk.time_zone)
    else:
        moments = pd.Series(as_of, index=everyone.index)
    everyone["as_of"] = moments.astype("datetime64[us]")
    gone = everyone["withdrawn_at"] < everyone["as_of"]
    known = everyone[(everyone["first_known_at"] < everyone["as_of"]) & ~gone].reset_index(drop=True)
    if known.empty:
        got = "no account at all" if as_of is None else f"as_of {as_of.isoformat()}Z"
        raise NotEnoughDataError("no account was known yet", got=got, fix="choose a later moment")
    deals = _deals(desk, before=known["as_of"].max().to_pydatetime())
    columns = ["account_id", "name", "domain", "as_of"]
    return Known(known[columns], newer, as_of or now + SECOND, deals)


def _with_newer(everyone: pd.DataFrame, *, newer: Newer) -> pd.Series[pd.Timestamp]:
    """When the newest fact of each account became known, in the tables or beside them."""
    latest = {name: max(row.known_at for row in rows) for name, rows in newer.items()}
    beside = everyone["account_id"].map(latest).astype("datetime64[us]")
    told: pd.Series[pd.Timestamp] = everyone["newest_known_at"]
    return told.where(beside.isna() | (beside < told), beside)


def _deals(desk: Desk, *, before: datetime) -> Mapping[str, list[Deal]]:
    deals: dict[str, list[Deal]] = defaultdict(list)
    with desk.snapshot.tables.connect() as connection:
        for account_id, *deal in connection.execute(_DEALS, {"before": before}).fetchall():
            deals[account_id].append(Deal(*deal))
    return deals


def scored_parts(
    desk: Desk,
    known: Known,
    *,
    reasons: int = 0,
    language: Language = "en",
    rows: int = _PART,
) -> Iterator[pd.DataFrame]:
    """Every account by account_id, so many rows at a time: what one part takes is let go before the next.

    Columns as of `rank_accounts`, and with reasons=n the texts reason_1 to reason_n and against_1 to
    against_n of `serving.flat_reasons`. The order of the rows is that of the accounts.
    """
    telling = Telling(before=known.before, reasons=reasons, language=language)
    for start in range(0, len(known.accounts), rows):
        part = known.accounts.iloc[start : start + rows]
        yield scored_rows(desk, part, newer=known.newer, deals=known.deals, telling=telling)


def rank_accounts(desk: Desk, *, now: datetime, as_of: datetime | None = None) -> pd.DataFrame:
    """Fit, intent and priority of every account known before its `as_of`, the most promising first.

    now: naive UTC, whole seconds. as_of: one moment for all; None takes each account's own default.
    Returns columns account_id, name, domain, as_of, fit_probability, fit_score, fit_grade, fit_model,
    intent_probability, intent_score, intent_grade, intent_model, priority, machine_score, adjustment,
    working_score, working_priority; *_model is the name of the model that answers, working_* what is left
    after feedback of sales. Sorted by working_priority, those held back last, then by intent, then by fit.
    Raises NotEnoughDataError when no account was known yet.
    """
    known = known_accounts(desk, now=now, as_of=as_of)
    ranked = pd.concat(list(scored_parts(desk, known)), ignore_index=True)
    urgency = {word: -place for place, word in enumerate(PRIORITIES)}
    best_first: pd.DataFrame = ranked.assign(
        urgency=ranked["working_priority"].map(urgency), held=ranked["adjustment"] < 0
    ).sort_values(
        ["urgency", "held", "intent_probability", "fit_probability", "account_id"],
        ascending=[False, True, False, False, True],
        na_position="last",
        ignore_index=True,
    )
    return best_first.drop(columns=["urgency", "held"])
