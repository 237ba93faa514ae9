"""Opportunities: opened by chance at the rate that the truth fixes, won or lost by chance likewise.

Draws the openings of one step of one block, how they end, and what happens around them. Time rule: draws of
a step change only what happens after the opening; a deal is known from the second it is opened or closed.
Null rule: the expected amount of an open deal is missing now and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np

from training.market.engagement import Activities, with_details
from training.market.firmographics import NEVER, Accounts, Contacts, facts_as_known
from training.market.hazards import second_product, sold_as_second
from training.market.pursuit import winning_log_odds
from training.market.settings import BLOCK_ACCOUNTS, DAY, STEP, MarketSettings
from training.market.truth import Flags, Floats, Integers, chance
from training.market.vocabulary import CHANNELS

__all__ = ["STAGES", "Deals", "Standing", "concatenate_deals", "draw_openings", "draw_reactions"]

_N: Final = BLOCK_ACCOUNTS
STAGES: Final = ("qualification", "discovery", "proposal", "negotiation")
_MEDIAN_DAYS: Final = (66.0, 46.0)  # lost, won: winners are faster
LONGEST_DAYS: Final = 300


@dataclass(frozen=True)
class Deals:
    """Opportunities as columns of equal length (m,): row in the block, chance to win, outcome, times.

    second: whether it is about the second product.
    expected_amount: as estimated at the opening, NaN where nobody estimated it; amount: at the end.
    stage_at: (m, stages), when each stage was entered, NEVER where the deal ended before; stage_known_at.
    """

    account: Integers
    second: Flags
    probability: Floats
    won: Flags
    created_at: Integers
    closed_at: Integers
    expected_amount: Floats
    amount: Floats
    stage_at: Integers
    stage_known_at: Integers


def concatenate_deals(parts: Sequence[Deals]) -> Deals:
    """Several lots of deals as one."""
    return Deals(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Deals)))


@dataclass
class Standing:
    """Where each account of the block stands: when its last deal closes, whether it was won, its losses."""

    closes_at: Integers = field(default_factory=lambda: np.full(_N, -NEVER, dtype=np.int64))
    won: Flags = field(default_factory=lambda: np.zeros(_N, dtype=np.bool_))
    last_loss: Floats = field(default_factory=lambda: np.full(_N, np.nan))
    loss_before_last: Floats = field(default_factory=lambda: np.full(_N, np.nan))

    def may_open(self, *, accounts: Accounts, moment: int) -> Flags:
        """Known accounts without an open deal that do not own the product yet (n,)."""
        return (accounts.first_known < moment) & (self.closes_at < moment) & ~self.won

    def loss_known_before(self, moment: int) -> Floats:
        """When each account last lost a deal before the moment (n,), NaN without such a loss."""
        return np.where(self.last_loss < moment, self.last_loss, self.loss_before_last)

    def record(self, deals: Deals) -> None:
        """Remembers deals just opened."""
        self.closes_at[deals.account] = deals.closed_at
        self.won[deals.account] = deals.won
        lost, closed_at = deals.account[~deals.won], deals.closed_at[~deals.won]
        self.loss_before_last[lost] = self.last_loss[lost]
        self.last_loss[lost] = closed_at


def draw_openings(
    generator: np.random.Generator,
    *,
    accounts: Accounts,
    opening_chance: Floats,
    may_open: Flags,
    start: int,
    settings: MarketSettings,
) -> Deals:
    """The deals opened in the step that begins at `start`, with how and when they end."""
    uniform, second = generator.random(_N), generator.integers(0, STEP, _N)
    account = np.flatnonzero((uniform < opening_chance) & may_open)
    created_at = start + second[account]
    facts = facts_as_known(accounts, rows=account, moments=created_at)
    log_odds = winning_log_odds(facts, settings=settings)
    # From the second of the opening, so that the markets without it keep their random streams.
    about_second = second_product(facts, uniform=(second[account] % 997) / 997.0, settings=settings)
    probability = chance(np.where(about_second, sold_as_second(log_odds), log_odds))
    won = generator.random(_N)[account] < probability
    days = np.where(won, _MEDIAN_DAYS[1], _MEDIAN_DAYS[0]) * np.exp(0.6 * generator.normal(size=_N)[account])
    duration = (np.clip(days, 4.0, LONGEST_DAYS) * DAY).astype(np.int64)
    seats = np.nan_to_num(facts.employees, nan=100.0)
    expected = 2_000.0 * seats**0.5 * np.exp(generator.normal(0.0, 0.5, _N)[account])
    amount = expected * np.exp(generator.normal(0.0, 0.25, _N)[account])
    stage_at, stage_known_at = _draw_stages(
        generator, account=account, won=won, created_at=created_at, duration=duration
    )
    return Deals(
        account=account,
        second=about_second,
        probability=probability,
        won=won,
        created_at=created_at,
        closed_at=created_at + duration,
        expected_amount=np.where(generator.random(_N)[account] < 0.15, np.nan, np.round(expected, -2)),
        amount=np.round(amount, -2),
        stage_at=stage_at,
        stage_known_at=stage_known_at,
    )


def _draw_stages(
    generator: np.random.Generator, *, account: Integers, won: Flags, created_at: Integers, duration: Integers
) -> tuple[Integers, Integers]:
    """When each stage was entered and known; a lost deal may end at any stage, a won one saw them all."""
    share = np.sort(generator.random((_N, len(STAGES)))[account] * 0.9, axis=1)
    share[:, :1] = 0.0
    reached = np.where(won, len(STAGES), generator.integers(1, len(STAGES) + 1, _N)[account])
    entered = created_at[:, None] + (share * duration[:, None]).astype(np.int64)
    entered = np.where(np.arange(len(STAGES)) < reached[:, None], entered, NEVER)
    return entered, entered + generator.integers(0, 2 * DAY, (_N, len(STAGES)))[account]


_REACTIONS: Final = {"meeting": 2.5, "call": 2.0, "email_sent": 4.0, "web_visit": 3.0, "pricing_visit": 0.8}


def draw_reactions(
    generator: np.random.Generator, *, deals: Deals, contacts: Contacts, late: tuple[float, int, int]
) -> Activities:
    """What happens because a deal is open: outreach, meetings, visits, between its opening and its end."""
    counts = generator.poisson(list(_REACTIONS.values()), (_N, len(_REACTIONS)))[deals.account]
    cell = np.repeat(np.arange(counts.size), counts.ravel())
    deal = cell // len(_REACTIONS)
    channels = np.array([CHANNELS.index(name) for name in _REACTIONS])
    duration = deals.closed_at - deals.created_at
    passed = (generator.random(len(cell)) * duration[deal]).astype(np.int64)
    return with_details(
        generator,
        account=deals.account[deal],
        channel=channels[cell % len(_REACTIONS)],
        occurred_at=deals.created_at[deal] + 1 + passed,
        contacts=contacts,
        late=late,
    )
