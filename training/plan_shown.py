"""How a plan looks in a terminal, as JSON and as a table.

Turns a plan into what people and programs read. Time rule: none. Null rule: what cannot be told is null, and
people are told why.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from models.list_size import LEVEL, Estimate, PlannedAccounts
from models.planning import Market, Plan
from training.console import Output

__all__ = ["curve_frame", "plan_document", "show_plan"]

_STEPS = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
"""Lengths of lists that are shown."""


def curve_frame(plan: Plan) -> pd.DataFrame | None:
    """An account a row, the most promising first: what it brings, and what all so far do, with bounds."""
    if plan.planned is None:
        return None
    curve = plan.planned.curve
    told = {
        "expected_wins": curve.marginal,
        "wins": curve.wins,
        "wins_low": curve.low,
        "wins_high": curve.high,
    }
    return plan.planned.accounts.assign(**told)


def show_plan(plan: Plan, *, market: Market | None, output: Output) -> None:
    """The size of the list, where it comes from, and the curve."""
    goal = plan.goal
    output.heading(f"{goal.reps:,} x {goal.wins_per_rep:g} = {goal.wins:g} wins in {goal.days:,} days")
    output.table(
        ["", "rate", f"{LEVEL:.0%} interval", "from"],
        [
            ("account to opportunity", *_shares(plan.account_to_opportunity), _counted(plan, "opened")),
            ("opportunity to win", *_shares(plan.win_rate), _counted(plan, "won")),
        ],
    )
    low, high = (f"{bound:,.0f}" for bound in (plan.accounts.low, plan.accounts.high))
    output.note(f"target accounts: {plan.accounts.value:,.0f} ({low} to {high}), if they are like all others")
    if market is not None:
        output.note(f"market size: {market.size:,.0f} in the currency of the price")
    if plan.planned is None:
        output.note(
            "no release scores the accounts yet: train and promote, and each gets a chance of its own"
        )
        return
    curve = plan.planned.curve
    output.table(
        ["accounts", "wins expected", "bounds", "the last one brings"],
        [
            (
                f"{step:,}",
                f"{curve.wins[step - 1]:,.1f}",
                f"{curve.low[step - 1]:,.1f} to {curve.high[step - 1]:,.1f}",
                f"{curve.marginal[step - 1]:.4f}",
            )
            for step in _lengths(plan.planned)
        ],
        title="The most promising accounts of this workspace",
    )
    output.note(_enough(plan))


def _enough(plan: Plan) -> str:
    count = len(plan.planned.accounts) if plan.planned else 0
    if plan.enough is None:
        return f"all {count:,} accounts that can be won are not expected to bring {plan.goal.wins:g} wins"
    return f"the first {plan.enough:,} of {count:,} are expected to bring {plan.goal.wins:g} wins"


def _shares(rate: Estimate) -> tuple[str, str]:
    given = rate.low == rate.high
    return f"{rate.value:.1%}", "as given" if given else f"{rate.low:.1%} to {rate.high:.1%}"


def _counted(plan: Plan, what: str) -> str:
    count = getattr(plan.funnel, what)
    nouns = {"opened": "accounts that could be won", "won": "deals that ended"}
    return f"{count.hits:,} of {count.of:,} {nouns[what]}, {plan.since:%Y-%m-%d} to {plan.until:%Y-%m-%d}"


def plan_document(plan: Plan, *, market: Market | None) -> dict[str, Any]:
    """The plan as one JSON object."""
    return {
        "wins": plan.goal.wins,
        "days": plan.goal.days,
        "product": plan.goal.product,
        "since": f"{plan.since.isoformat()}Z",
        "until": f"{plan.until.isoformat()}Z",
        "account_to_opportunity": vars(plan.account_to_opportunity) | vars(plan.funnel.opened),
        "win_rate": vars(plan.win_rate) | vars(plan.funnel.won),
        "level": LEVEL,
        "target_accounts": vars(plan.accounts),
        "market_size": None if market is None else market.size,
        "expected_wins": (
            [_step(plan.planned, length) for length in _lengths(plan.planned)] if plan.planned else []
        ),
        "accounts_expected_to_be_enough": plan.enough,
    }


def _lengths(planned: PlannedAccounts) -> list[int]:
    count = len(planned.accounts)
    return [step for step in _STEPS if step < count] + ([count] if count else [])


def _step(planned: PlannedAccounts, length: int) -> dict[str, float]:
    columns = {name: getattr(planned.curve, name) for name in ("wins", "low", "high", "marginal")}
    return {"accounts": length} | {name: float(column[length - 1]) for name, column in columns.items()}
