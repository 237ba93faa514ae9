"""Activities and researched topics: waves that build on what can be seen of the waves before.

Draws the events of one block step by step, and sums them up as known at a moment. Time rule: the intensity
of a step depends on the events of the step before, never on opportunities still to come; sums read events
with `known_at < moment` that happened in the window before it. Null rule: anonymous activity has person -1,
time that was not measured is -1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeVar

import numpy as np

from training.market.firmographics import CONTACTS, Accounts, Contacts, senior_as_known
from training.market.settings import BLOCK_ACCOUNTS, DAY, STEP, MarketSettings
from training.market.truth import CORE_TOPICS, EngagementFacts, Floats, Integers
from training.market.vocabulary import DIRECTION_OF_CHANNEL, NUMBER_OF_CHANNELS, NUMBER_OF_TOPICS

__all__ = [
    "ENGAGEMENT_DAYS",
    "Activities",
    "Habits",
    "Topics",
    "Wave",
    "concatenate",
    "draw_activities",
    "draw_habits",
    "draw_topics",
    "engagement_as_known",
    "next_wave",
    "nothing_yet",
    "since",
    "still_wave",
    "with_details",
]

_N: Final = BLOCK_ACCOUNTS
_WEEK: Final = 7 * DAY
_MONDAY: Final = 4 * DAY  # 1970-01-05, the first Monday

ENGAGEMENT_DAYS: Final = 90
TOPIC_DAYS: Final = 30


@dataclass(frozen=True)
class Activities:
    """Events as columns of equal length (m,): row in the block, channel, person slot or -1, times."""

    account: Integers
    channel: Integers
    person: Integers
    occurred_at: Integers
    known_at: Integers
    seconds: Integers


@dataclass(frozen=True)
class Topics:
    """Weekly research as columns of equal length (m,): row in the block, topic, times in seconds, score."""

    account: Integers
    topic: Integers
    occurred_at: Integers
    known_at: Integers
    score: Floats


Events = TypeVar("Events", Activities, Topics)


@dataclass(frozen=True)
class Habits:
    """What stays the same about an account: how much it engages (n,), through which channels (n, C)."""

    activity: Floats
    mix: Floats
    research: Floats


@dataclass(frozen=True)
class Wave:
    """What the coming step builds on: engagements (n,) and core topic weeks (n,) of the step before,
    topics researched in its last week (n, topics)."""

    engagements: Integers
    core_weeks: Integers
    researched: Integers


def still_wave() -> Wave:
    """The state before anything happened."""
    nothing = np.zeros(_N, dtype=np.int64)
    return Wave(nothing, nothing, np.zeros((_N, NUMBER_OF_TOPICS), dtype=np.int64))


def concatenate(parts: Sequence[Events]) -> Events:
    """Several lots of events as one."""
    first = parts[0]
    return type(first)(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(first))
    )


def nothing_yet() -> tuple[Activities, Topics]:
    """No activities and no topics."""
    none, no_score = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Activities(none, none, none, none, none, none), Topics(none, none, none, none, no_score)


def since(events: Events, *, moment: int) -> Events:
    """The events that happened at or after the moment."""
    kept = events.occurred_at >= moment
    return type(events)(*(getattr(events, field.name)[kept] for field in fields(events)))


# Mean per account and 30 days at rest; share without a known person; median seconds spent.
_RATE: Final = np.array((0.36, 0.08, 0.06, 0.11, 0.04, 0.03, 0.13, 0.08, 0.14, 0.06, 0.07, 0.06, 0.17, 0.05))
_ANONYMOUS: Final = np.array((0.45, 0.35, 0.0, 0.05, 0.0, 0.0, 0.0, 0.8, 0.6, 0.9, 0.5, 0.2, 0.0, 0.0))
_MEDIAN_SECONDS: Final = np.array((90, 75, 2700, 240, 900, 1800, 20, 10, 120, 60, 15, 180, 0, 300))
_INBOUND: Final = np.array([direction != "outbound" for direction in DIRECTION_OF_CHANNEL])


def draw_habits(generator: np.random.Generator, *, accounts: Accounts) -> Habits:
    """Lasting differences between accounts; larger ones engage a little more."""
    size = np.log(np.nan_to_num(np.nanmax(accounts.numbers["employees"], axis=1, initial=1.0), nan=50.0))
    activity = np.exp(generator.normal(0.0, 0.55, _N) + 0.12 * (size - 5.2))
    mix = generator.gamma(1.2, 1 / 1.2, (_N, NUMBER_OF_CHANNELS))
    return Habits(activity, mix, np.exp(generator.normal(-0.2, 0.6, _N)))


def _intensity(wave: Wave, *, habits: Habits, lift: Floats) -> Floats:
    """Mean number of activities in the coming step (n, C)."""
    momentum = 0.5 + 2.6 * np.tanh(wave.engagements / 6.0) + 0.7 * (wave.core_weeks >= 2)
    pull = habits.activity * momentum * lift
    # Our own outreach follows what sales sees; it answers engagement and causes none.
    outreach = 0.6 + 1.5 * np.tanh(wave.engagements / 6.0)
    level = np.where(_INBOUND, pull[:, None], outreach[:, None])
    intensity: Floats = level * habits.mix * _RATE
    return intensity


def with_details(
    generator: np.random.Generator,
    *,
    account: Integers,
    channel: Integers,
    occurred_at: Integers,
    contacts: Contacts,
    late: tuple[float, int, int],
) -> Activities:
    """Adds to each event the person, the time spent and when it became known.

    late: the share that becomes known late, and after how many days at least and at most.
    """
    share, least, most = late
    count = len(account)
    slot = (generator.random(count)[:, None] >= contacts.weight[account]).sum(axis=1)
    slot = np.minimum(slot, CONTACTS - 1)
    known = contacts.known_at[account, slot, 0] < occurred_at
    anonymous = generator.random(count) < _ANONYMOUS[channel]
    delay = generator.integers(0, 6 * 3600, count)
    is_late = generator.random(count) < share
    delay = np.where(is_late, generator.integers(least * DAY, most * DAY, count), delay)
    spent = np.round(_MEDIAN_SECONDS[channel] * np.exp(generator.normal(0.0, 0.7, count)))
    measured = (_MEDIAN_SECONDS[channel] > 0) & (generator.random(count) < 0.9)
    return Activities(
        account=account,
        channel=channel,
        person=np.where(known & ~anonymous, slot, -1),
        occurred_at=occurred_at,
        known_at=occurred_at + delay,
        seconds=np.where(measured, spent, -1).astype(np.int64),
    )


def draw_activities(
    generator: np.random.Generator,
    *,
    wave: Wave,
    habits: Habits,
    accounts: Accounts,
    contacts: Contacts,
    lift: Floats,
    start: int,
    late: tuple[float, int, int],
) -> Activities:
    """The activities of the step that begins at `start`; accounts not known by then have none."""
    known = accounts.first_known < start
    counts = generator.poisson(_intensity(wave, habits=habits, lift=lift) * known[:, None])
    cell = np.repeat(np.arange(counts.size), counts.ravel())
    return with_details(
        generator,
        account=cell // NUMBER_OF_CHANNELS,
        channel=cell % NUMBER_OF_CHANNELS,
        occurred_at=start + generator.integers(0, STEP, len(cell)),
        contacts=contacts,
        late=late,
    )


def draw_topics(
    generator: np.random.Generator,
    *,
    wave: Wave,
    habits: Habits,
    accounts: Accounts,
    lift: Floats,
    start: int,
) -> tuple[Topics, Integers]:
    """Research in the weeks that begin in the step, and the topics (n, topics) of the last of them."""
    first = start + (_MONDAY - start) % _WEEK
    beginning = 0.008 * habits.research * (1.0 + 2.5 * np.tanh(wave.engagements / 6.0)) * lift
    beginning = beginning * (accounts.first_known < start)
    researched, lots = wave.researched > 0, []
    for week in range(first, start + STEP, _WEEK):
        uniform = generator.random((_N, NUMBER_OF_TOPICS))
        researched = uniform < np.where(researched, 0.82, beginning[:, None])
        account, topic = np.nonzero(researched)
        score = np.clip(generator.normal(62.0, 15.0, len(account)), 20.0, 100.0).round(1).astype(np.float64)
        delay = generator.integers(6 * 3600, 3 * DAY, len(account))
        delay += np.where(generator.random(len(account)) < 0.03, 10 * DAY, 0)
        occurred_at = np.full(len(account), week)
        lots.append(Topics(account, topic, occurred_at, occurred_at + _WEEK + delay, score))
    return concatenate(lots), researched.astype(np.int64)


def next_wave(activities: Activities, *, topics: Topics, researched: Integers) -> Wave:
    """What the next step builds on."""
    inbound = _INBOUND[activities.channel]
    core = np.isin(topics.topic, CORE_TOPICS)
    return Wave(
        engagements=np.bincount(activities.account[inbound], minlength=_N),
        core_weeks=np.bincount(topics.account[core], minlength=_N),
        researched=researched,
    )


def engagement_as_known(
    activities: Activities,
    *,
    topics: Topics,
    contacts: Contacts,
    last_loss: Floats,
    settings: MarketSettings,
    moment: int,
) -> EngagementFacts:
    """Sums over everything known before the moment, as the truth reads them.

    Events before the start of the history are in no table and do not count.
    """
    begin = max(moment - ENGAGEMENT_DAYS * DAY, settings.start_seconds)
    seen = (activities.known_at < moment) & (activities.occurred_at >= begin) & _INBOUND[activities.channel]
    account, channel, person = activities.account[seen], activities.channel[seen], activities.person[seen]
    counts = np.bincount(account * NUMBER_OF_CHANNELS + channel, minlength=_N * NUMBER_OF_CHANNELS)
    named = person >= 0
    met = np.bincount(account[named] * CONTACTS + person[named], minlength=_N * CONTACTS) > 0
    met = met.reshape(_N, CONTACTS)
    begin = max(moment - TOPIC_DAYS * DAY, settings.start_seconds)
    seen = (topics.known_at < moment) & (topics.occurred_at >= begin)
    scores: Floats = np.bincount(
        topics.account[seen] * NUMBER_OF_TOPICS + topics.topic[seen],
        weights=topics.score[seen],
        minlength=_N * NUMBER_OF_TOPICS,
    ).astype(np.float64)
    return EngagementFacts(
        counts=counts.reshape(_N, NUMBER_OF_CHANNELS),
        people=met.sum(axis=1),
        senior_people=(met & senior_as_known(contacts, moment=moment)).sum(axis=1),
        topic_scores=scores.reshape(_N, NUMBER_OF_TOPICS),
        days_since_loss=(moment - last_loss) / DAY,
    )
