"""What is answered about plans: how long a list should be, and what each further account brings.

Turns a plan into its answer. Time rule: times are UTC, whole seconds, written with Z. Null rule: what cannot
be told is null.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from features.funnel import Count
from models.list_size import Estimate, WinsCurve
from models.planning import Market, Plan
from serving.answers import Answer, Moment

__all__ = ["PlanAnswer", "plan_answer"]

_POINTS = 200


class RateAnswer(Answer):
    """A rate, its interval, and what it was counted from."""

    value: float
    low: float
    high: float = Field(description="Equal to low where the rate was given.")
    hits: int
    of: int


class EstimateAnswer(Answer):
    """A number and its interval."""

    value: float
    low: float
    high: float


class CurvePoint(Answer):
    """What the most promising accounts together are expected to bring."""

    accounts: int
    wins: float
    low: float
    high: float
    marginal: float = Field(description="What the last of them brings.")


class PlanAnswer(Answer):
    """How long a list should be, from the past of the workspace."""

    wins: float = Field(description="reps x wins per rep.")
    days: int
    product: str | None
    since: Moment
    until: Moment
    win_rate: RateAnswer
    account_to_opportunity: RateAnswer
    target_accounts: EstimateAnswer = Field(description="wins / win rate / account-to-opportunity rate.")
    market_size: float | None = Field(description="users x units each x unit price, where users are given.")
    accounts: int = Field(description="How many could be on a list: neither owners nor in an open deal.")
    scored: int = Field(description="How many of these were scored; an even part stands for very many.")
    curve: list[CurvePoint] = Field(description="Empty while no release scores accounts.")
    enough: int | None = Field(description="How many of the best are expected to bring the wins, if any.")


def plan_answer(plan: Plan, *, market: Market | None, each: int) -> PlanAnswer:
    """A plan as it is answered. each: for how many accounts one that was scored stands."""
    curve = None if plan.planned is None else plan.planned.curve
    scored = 0 if curve is None else len(curve.wins)
    enough = None if curve is None else curve.accounts_for(plan.goal.wins / each)
    return PlanAnswer(
        wins=plan.goal.wins,
        days=plan.goal.days,
        product=plan.goal.product,
        since=plan.since,
        until=plan.until,
        win_rate=_rate(plan.win_rate, plan.funnel.won),
        account_to_opportunity=_rate(plan.account_to_opportunity, plan.funnel.opened),
        target_accounts=EstimateAnswer(**vars(plan.accounts)),
        market_size=None if market is None else market.size,
        accounts=scored * each,
        scored=scored,
        curve=[] if curve is None else _points(curve, each=each),
        enough=None if enough is None else enough * each,
    )


def _rate(rate: Estimate, counted: Count) -> RateAnswer:
    return RateAnswer(**vars(rate), hits=counted.hits, of=counted.of)


def _points(curve: WinsCurve, *, each: int) -> list[CurvePoint]:
    """So many lengths of a list, close together where lists are short."""
    count = len(curve.wins)
    if not count:
        return []
    lengths = np.unique(np.geomspace(1, count, _POINTS).round().astype(int))
    return [
        CurvePoint(
            accounts=length * each,
            wins=float(curve.wins[length - 1]) * each,
            low=float(curve.low[length - 1]) * each,
            high=float(curve.high[length - 1]) * each,
            marginal=float(curve.marginal[length - 1]),
        )
        for length in lengths.tolist()
    ]
