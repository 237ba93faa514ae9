"""How long a target account list should be, from a workspace's own past.

Turns a goal (reps, wins per rep, days) into a number of accounts with an interval, and into the wins that
each further account of the ranking is expected to bring. Time rule: the rates are those of the last `days`
before the moment; nothing known later counts. Null rule: a rate that is given is taken as it is, without an
interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.errors import InputError
from features.funnel import Count, Funnel, count_funnel
from features.tables import Tables
from models.list_size import Estimate, PlannedAccounts, market_size, rate_of, target_accounts

__all__ = ["LEAST_RATE", "Accounts", "Goal", "Market", "Plan", "plan"]

Accounts = Callable[[Estimate, Estimate], PlannedAccounts | None]
"""From the win rate and the account-to-opportunity rate to what the accounts of a workspace bring; None where
no release scores them."""


LEAST_RATE = 1e-9
"""Of a goal: with smaller ones the length of a list is no number any more."""


@dataclass(frozen=True)
class Goal:
    """What is to be reached within `days`. win_rate, account_to_opportunity: None counts them in the data."""

    reps: int
    wins_per_rep: float
    days: int = 365
    product: str | None = None
    win_rate: float | None = None
    account_to_opportunity: float | None = None

    def __post_init__(self) -> None:
        for name in ("win_rate", "account_to_opportunity"):
            rate = getattr(self, name)
            if rate is not None and not LEAST_RATE <= rate <= 1:
                raise InputError(
                    f"{name.replace('_', ' ')} is no share",
                    got=rate,
                    allowed=f"{LEAST_RATE:g} to 1",
                    fix="correct it, or leave it out to have it counted",
                )

    @property
    def wins(self) -> float:
        return self.reps * self.wins_per_rep


@dataclass(frozen=True)
class Market:
    """target users x units that each will buy x unit price."""

    users: float
    units_each: float
    unit_price: float

    @property
    def size(self) -> float:
        return market_size(users=self.users, units_each=self.units_each, unit_price=self.unit_price)


@dataclass(frozen=True)
class Plan:
    """accounts: how many the list should hold. funnel: what the rates were counted from. planned: the
    accounts of the workspace, where a release can score them; enough: how many of the first of these are
    expected to bring the wins, None where all together do not."""

    goal: Goal
    since: datetime
    until: datetime
    funnel: Funnel
    win_rate: Estimate
    account_to_opportunity: Estimate
    accounts: Estimate
    planned: PlannedAccounts | None
    enough: int | None


def plan(
    tables: Tables,
    *,
    goal: Goal,
    now: datetime,
    newest: datetime | None,
    accounts: Accounts,
    until: datetime | None = None,
) -> Plan:
    """The plan of a goal.

    now: naive, UTC. newest: when the newest fact of the tables became known. accounts: what the accounts of
    the workspace bring.
    until: naive, UTC; where the past ends that the rates are counted in. Default: now, or the newest fact
    where the tables are older. Raises NotEnoughDataError where a rate cannot be counted, InputError for a
    goal that is none.
    """
    end = until or (now if newest is None else min(now, newest + timedelta(seconds=1)))
    since = end - timedelta(days=goal.days)
    funnel = count_funnel(tables, since=since, until=end, product=goal.product)
    win_rate = _rate("the win rate", goal.win_rate, counted=funnel.won)
    opening = _rate("the account-to-opportunity rate", goal.account_to_opportunity, counted=funnel.opened)
    wanted = target_accounts(
        reps=goal.reps, wins_per_rep=goal.wins_per_rep, win_rate=win_rate, account_to_opportunity=opening
    )
    planned = accounts(win_rate, opening)
    enough = planned.curve.accounts_for(goal.wins) if planned else None
    return Plan(goal, since, end, funnel, win_rate, opening, wanted, planned, enough)


def _rate(what: str, given: float | None, *, counted: Count) -> Estimate:
    return Estimate.given(given) if given is not None else rate_of(what, hits=counted.hits, of=counted.of)
