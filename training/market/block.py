"""One block of accounts from the first step to the end of the market.

Turns settings and a block number into events, facts and true chances. Time rule: at each step date the
chance of opening in the step two steps later is fixed from what is known before that date, so the chances
of the three steps of the horizon are all fixed; every step and purpose has a random stream of its own.
Null rule: that of the modules it calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from training.market.engagement import (
    ENGAGEMENT_DAYS,
    Activities,
    Topics,
    concatenate,
    draw_activities,
    draw_habits,
    draw_topics,
    engagement_as_known,
    next_wave,
    nothing_yet,
    since,
    still_wave,
)
from training.market.firmographics import (
    Accounts,
    Contacts,
    draw_accounts,
    draw_contacts,
    facts_as_known,
)
from training.market.hazards import lateness, opening_shift
from training.market.opportunities import Deals, Standing, concatenate_deals, draw_openings, draw_reactions
from training.market.pursuit import pursuit_log_odds, winning_log_odds
from training.market.settings import BLOCK_ACCOUNTS, DAY, LAG_STEPS, STEPS, WARM_UP_STEPS, MarketSettings
from training.market.truth import (
    FirmographicFacts,
    Flags,
    Floats,
    Integers,
    any_opening,
    chance,
    opening_log_odds,
)

__all__ = ["Block", "simulate_block"]

_N: Final = BLOCK_ACCOUNTS
_HIDDEN_BEGIN, _HIDDEN_END = 0.015, 0.2
_HIDDEN_LOG_ODDS, _HIDDEN_LIFT = 2.0, 2.0


@dataclass(frozen=True)
class Block:
    """All that happened to one block of accounts, and the truth about it.

    step_dates: (S,) seconds. opening_chance: (S, n), within the horizon after each step date;
    in_population: (S, n). win_chance_at_end: (n,).
    """

    accounts: Accounts
    contacts: Contacts
    activities: Activities
    topics: Topics
    deals: Deals
    step_dates: Integers
    opening_chance: Floats
    in_population: Flags
    win_chance_at_end: Floats


class _Purpose(IntEnum):
    ACCOUNTS = 0
    CONTACTS = 1
    HABITS = 2
    ENGAGEMENT = 3
    OPENINGS = 4
    REACTIONS = 5
    HIDDEN = 6


@dataclass(frozen=True)
class _Streams:
    """Random streams that depend on nothing but the seed, the block, the purpose and the step."""

    seed: int
    block: int
    redraw_from: int | None

    def __call__(self, purpose: _Purpose, *, step: int = 0) -> np.random.Generator:
        redrawn = (
            self.redraw_from is not None
            and step >= self.redraw_from
            and purpose in (_Purpose.OPENINGS, _Purpose.REACTIONS)
        )
        key = (self.block, purpose, step + WARM_UP_STEPS, int(redrawn))
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))


class _Course:
    """The block while it is being simulated, step by step."""

    def __init__(self, *, settings: MarketSettings, streams: _Streams) -> None:
        self.settings, self.streams = settings, streams
        self.accounts = draw_accounts(streams(_Purpose.ACCOUNTS), settings=settings)
        self.contacts = draw_contacts(streams(_Purpose.CONTACTS), accounts=self.accounts, settings=settings)
        self.habits = draw_habits(streams(_Purpose.HABITS), accounts=self.accounts)
        self.standing, self.wave = Standing(), still_wave()
        self.hidden = np.zeros(_N, dtype=np.bool_)
        self.recent_activities, self.recent_topics = nothing_yet()
        self.activities, self.topics = [self.recent_activities], [self.recent_topics]
        self.deals: list[Deals] = []
        self.opening_chance: dict[int, Floats] = {}

    def facts(self, moment: int) -> FirmographicFacts:
        """What is known of every account before the moment."""
        return facts_as_known(self.accounts, rows=np.arange(_N), moments=np.full(_N, moment))

    def win_log_odds(self, facts: FirmographicFacts) -> Floats:
        """Log-odds of winning by the facts."""
        return winning_log_odds(facts, settings=self.settings)

    def fix_chance(self, step: int) -> None:
        """Fixes the chance of opening in the step LAG_STEPS later by what is known before this step."""
        moment = self.settings.step_start(step)
        horizon = moment - ENGAGEMENT_DAYS * DAY
        self.recent_activities = since(self.recent_activities, moment=horizon)
        self.recent_topics = since(self.recent_topics, moment=horizon)
        engagement = engagement_as_known(
            self.recent_activities,
            topics=self.recent_topics,
            contacts=self.contacts,
            last_loss=self.standing.loss_known_before(moment),
            settings=self.settings,
            moment=moment,
        )
        facts = self.facts(moment)
        log_odds = (
            pursuit_log_odds(facts)
            if self.settings.pursued_by_kind
            else opening_log_odds(
                engagement, win_log_odds=self.win_log_odds(facts), employees=facts.employees
            )
        )
        log_odds = log_odds + opening_shift(moment, settings=self.settings)
        self.opening_chance[step + LAG_STEPS] = chance(log_odds + _HIDDEN_LOG_ODDS * self.hidden)

    def move_hidden(self, step: int) -> None:
        """Lets hidden buying states begin and end; they stay off unless the settings ask for them."""
        uniform = self.streams(_Purpose.HIDDEN, step=step).random(_N)
        stays = uniform < np.where(self.hidden, 1.0 - _HIDDEN_END, _HIDDEN_BEGIN)
        self.hidden = stays & self.settings.hidden_states

    def open_deals(self, step: int, *, may_open: Flags) -> None:
        """Draws who opens a deal in the step, and all that follows from it later."""
        deals = draw_openings(
            self.streams(_Purpose.OPENINGS, step=step),
            accounts=self.accounts,
            opening_chance=self.opening_chance[step],
            may_open=may_open,
            start=self.settings.step_start(step),
            settings=self.settings,
        )
        self.standing.record(deals)
        self.deals.append(deals)
        generator = self.streams(_Purpose.REACTIONS, step=step)
        late = lateness(self.settings)
        self._add(draw_reactions(generator, deals=deals, contacts=self.contacts, late=late))

    def _add(self, activities: Activities) -> None:
        self.activities.append(activities)
        self.recent_activities = concatenate([self.recent_activities, activities])

    def engage(self, step: int) -> None:
        """Draws the activities and topics of the step; those before the history only start the waves."""
        generator = self.streams(_Purpose.ENGAGEMENT, step=step)
        lift = np.where(self.hidden, _HIDDEN_LIFT, 1.0).astype(np.float64)
        start = self.settings.step_start(step)
        activities = draw_activities(
            generator,
            wave=self.wave,
            habits=self.habits,
            accounts=self.accounts,
            contacts=self.contacts,
            lift=lift,
            start=start,
            late=lateness(self.settings),
        )
        topics, researched = draw_topics(
            generator, wave=self.wave, habits=self.habits, accounts=self.accounts, lift=lift, start=start
        )
        self.wave = next_wave(activities, topics=topics, researched=researched)
        if step >= 0:
            self._add(activities)
            self.topics.append(topics)
            self.recent_topics = concatenate([self.recent_topics, topics])


def simulate_block(settings: MarketSettings, *, block: int, redraw_from: int | None = None) -> Block:
    """Simulates one block of BLOCK_ACCOUNTS accounts.

    redraw_from: draws the openings of this step and later ones anew while everything else keeps its random
    stream; tests use it to show that nothing known before depends on them.
    """
    course = _Course(settings=settings, streams=_Streams(settings.seed, block, redraw_from))
    in_population: list[Flags] = []
    for step in range(-WARM_UP_STEPS, STEPS + 1):
        course.move_hidden(step)
        course.fix_chance(step)
        if step >= 0:
            may_open = course.standing.may_open(accounts=course.accounts, moment=settings.step_start(step))
            in_population.append(may_open)
            if step < STEPS:
                course.open_deals(step, may_open=may_open)
        if step < STEPS:
            course.engage(step)
    return _finish(course, in_population=in_population)


def _finish(course: _Course, *, in_population: list[Flags]) -> Block:
    coming = [course.opening_chance[step] for step in range(STEPS + 1 + LAG_STEPS)]
    chances = [any_opening(*coming[step : step + LAG_STEPS + 1]) for step in range(STEPS + 1)]
    settings = course.settings
    return Block(
        accounts=course.accounts,
        contacts=course.contacts,
        activities=concatenate(course.activities),
        topics=concatenate(course.topics),
        deals=concatenate_deals(course.deals),
        step_dates=np.array([settings.step_start(step) for step in range(STEPS + 1)]),
        opening_chance=np.stack(chances),
        in_population=np.stack(in_population),
        win_chance_at_end=chance(course.win_log_odds(course.facts(settings.end_seconds))),
    )
