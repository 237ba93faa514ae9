"""Engagement and outreach features: counts, minutes, people, recency, decay, trend and rhythm.

Turns channels into features, first over all channels of a side, then channel by channel. Inbound and mutual
activities are engagement; outbound ones are our own outreach, a group of its own. Time rule: windows count
back from `as_of` in seconds; lifetime counts and recency read all that was known. Null rule: counts without
activity are 0, recency is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from features.feature import ALL, REST, Feature
from features.wording import channel_noun, channel_noun_zh

__all__ = ["HALF_LIVES", "WINDOWS", "Channel", "declare_activities", "merged"]

WINDOWS = (7, 30, 90, 180)
"""Windows of counts, minutes and people, in days."""

HALF_LIVES = (7, 30)
"""Half lives of the decayed sums, in days; the age counts in whole days."""

_LIFETIME = None
_ACTIVE_WEEKS = (4, 12, 25)
_LARGEST_DAYS = (30, 180)
_COUNT_NULL = "0 without activity in the window"
_RECENCY_NULL = "missing before the first activity"


@dataclass(frozen=True)
class Channel:
    """A channel of one side and what its rows carry; `name` may be ALL or REST.

    many: a row may stand for several activities, or for none.
    """

    name: str
    outbound: bool = False
    minutes: bool = False
    people: bool = False
    senior: bool = False
    many: bool = False


def merged(channels: Sequence[Channel], *, name: str) -> Channel:
    """Channels of one side as one that carries whatever any of them carries."""
    return Channel(
        name,
        channels[0].outbound,
        minutes=any(channel.minutes for channel in channels),
        people=any(channel.people for channel in channels),
        senior=any(channel.senior for channel in channels),
        many=any(channel.many for channel in channels),
    )


@dataclass(frozen=True)
class _Quantity:
    """A quantity over windows, in days or over a lifetime: its words are templates over noun and nouns."""

    aggregation: str
    windows: tuple[int | None, ...]
    one_en: str
    many_en: str
    chinese: str
    wanted: Callable[[Channel], bool]


def _of_engagement(channel: Channel) -> bool:
    return channel.name == ALL and not channel.outbound


_QUANTITIES = (
    _Quantity("count", WINDOWS, "{value} {noun}", "{value} {nouns}", "{value}次{zh}", lambda c: True),
    _Quantity("count", (_LIFETIME,), "{value} {noun}", "{value} {nouns}", "{value}次{zh}", _of_engagement),
    _Quantity(
        "minutes",
        WINDOWS,
        "{value} minute of {nouns}",
        "{value} minutes of {nouns}",
        "{zh}共{value}分钟",
        lambda c: c.minutes and not c.outbound,
    ),
    _Quantity(
        "people",
        WINDOWS,
        "at least {value} person behind {nouns}",
        "at least {value} people behind {nouns}",
        "至少{value}人参与{zh}",
        lambda c: c.people and not c.outbound,
    ),
    _Quantity(
        "senior_people",
        WINDOWS,
        "{value} person of vice president level or higher behind {nouns}",
        "{value} people of vice president level or higher behind {nouns}",
        "{value}位副总裁及以上人员参与{zh}",
        lambda c: c.senior and not c.outbound,
    ),
    _Quantity(
        "active_days",
        (30,),
        "active on {value} day",
        "active on {value} days",
        "{value}天有互动",
        _of_engagement,
    ),
    _Quantity(
        "active_weeks",
        tuple(7 * weeks for weeks in _ACTIVE_WEEKS),
        "active in {value} week",
        "active in {value} weeks",
        "{value}周有互动",
        _of_engagement,
    ),
    _Quantity(
        "largest",
        _LARGEST_DAYS,
        "{value} {noun} in the largest record",
        "{value} {nouns} in the largest record",
        "单条记录最多{value}次{zh}",
        lambda c: c.many and not c.outbound,
    ),
    _Quantity(
        "records",
        (*WINDOWS, _LIFETIME),
        "{value} activity record, empty ones included",
        "{value} activity records, empty ones included",
        "{value}条互动记录（含空记录）",
        lambda c: c.many and _of_engagement(c),
    ),
)


@dataclass(frozen=True)
class _Recency:
    """Days since a kind of activity."""

    aggregation: str
    what_en: str
    what_zh: str
    wanted: Callable[[Channel], bool]


_RECENCIES = (
    _Recency("days_since", "the last {noun}", "最近一次{zh}", lambda c: True),
    _Recency("days_since_first", "the first {noun}", "首次{zh}", _of_engagement),
    _Recency(
        "days_since_record",
        "the last activity record, empty ones included",
        "最近一条互动记录",
        lambda c: c.many and _of_engagement(c),
    ),
    _Recency(
        "days_since_first_record",
        "the first activity record, empty ones included",
        "首条互动记录",
        lambda c: c.many and _of_engagement(c),
    ),
)


def declare_activities(channels: Iterable[Channel]) -> Iterator[Feature]:
    """Features of each side over everything and by channel, engagement first."""
    known = list(channels)
    for outbound in (False, True):
        side = [channel for channel in known if channel.outbound is outbound]
        if side:
            for channel in (merged(side, name=ALL), *side):
                yield from _channel(channel)


def _channel(channel: Channel) -> Iterator[Feature]:
    for quantity in _QUANTITIES:
        if quantity.wanted(channel):
            for days in quantity.windows:
                yield _windowed(channel, quantity, days)
    for recency in _RECENCIES:
        if recency.wanted(channel):
            yield _recency(channel, recency)
    if not channel.outbound:
        for half_life in HALF_LIVES:
            yield _decayed(channel, half_life)
        yield _trend(channel)


def _stem(channel: Channel) -> str:
    """The first part of a name: `web_visit`, `engagement`, `outreach_email`, `engagement_other`."""
    side = "outreach" if channel.outbound else "engagement"
    if channel.name == ALL:
        return side
    if channel.name == REST:
        return f"{side}_other"
    return f"{side}_{channel.name}" if channel.outbound else channel.name


def _words(channel: Channel) -> dict[str, str]:
    """What the templates of a channel's sentences are filled with; `value` stays open."""
    if channel.name == ALL:
        noun, nouns, chinese = (
            ("outreach", "outreach", "外联") if channel.outbound else ("activity", "activities", "互动")
        )
    elif channel.name == REST:
        noun, nouns, chinese = "activity in other channels", "activities in other channels", "其他渠道互动"
    else:
        (noun, nouns), chinese = channel_noun(channel.name), channel_noun_zh(channel.name)
    if channel.outbound:
        noun, nouns, chinese = f"{noun} of ours", f"{nouns} of ours", f"我方{chinese}"
    return {"noun": noun, "nouns": nouns, "zh": chinese, "value": "{value}"}


def _feature(
    channel: Channel,
    aggregation: str,
    *,
    suffix: str = "",
    en: str,
    zh: str,
    one: str = "",
    absent_en: str = "",
    absent_zh: str = "",
    unit: str | None = None,
    days: int | None = None,
    member: str = "",
    idea: str = "",
    null_rule: str = _COUNT_NULL,
) -> Feature:
    words = _words(channel)
    return Feature(
        name=f"{_stem(channel)}_{aggregation}{suffix}",
        group="outreach" if channel.outbound else "engagement",
        kind="number",
        table="activities",
        aggregation=aggregation,
        subject=channel.name,
        member=member,
        window_days=days,
        unit=unit,
        sentence_en=en.format(**words),
        sentence_zh=zh.format(**words),
        one_en=one.format(**words),
        absent_en=absent_en.format(**words),
        absent_zh=absent_zh.format(**words),
        idea=f"{_stem(channel)}_{idea or aggregation}",
        null_rule=null_rule,
    )


def _windowed(channel: Channel, quantity: _Quantity, days: int | None) -> Feature:
    span = " so far" if days is None else f" in the last {days} days"
    return _feature(
        channel,
        quantity.aggregation,
        suffix="_lifetime" if days is None else f"_{days}d",
        en=quantity.many_en + span,
        zh=("迄今共" if days is None else f"过去{days}天内") + quantity.chinese,
        one=quantity.one_en + span,
        unit={"minutes": "minutes", "people": "people", "senior_people": "people"}.get(quantity.aggregation),
        days=days,
        null_rule=_COUNT_NULL if days else "0 before the first activity",
    )


def _recency(channel: Channel, recency: _Recency) -> Feature:
    return _feature(
        channel,
        recency.aggregation,
        en=f"{{value}} days since {recency.what_en}",
        zh=f"距{recency.what_zh}已{{value}}天",
        one=f"{{value}} day since {recency.what_en}",
        absent_en="no {noun} so far",
        absent_zh="至今没有{zh}",
        unit="days",
        null_rule=_RECENCY_NULL,
    )


def _decayed(channel: Channel, half_life: int) -> Feature:
    """Belongs to the idea of the counts: a window with a soft end."""
    return _feature(
        channel,
        "decayed",
        suffix=f"_{half_life}d",
        en=f"{{value}} {{nouns}}, each counting half as much every {half_life} days",
        zh=f"{{zh}}{{value}}次（每{half_life}天减半）",
        member=str(half_life),
        idea="count",
    )


def _trend(channel: Channel) -> Feature:
    return _feature(
        channel,
        "trend",
        en="{nouns} of the last 4 weeks at {value} times the weekly rate of the 12 weeks before",
        zh="{zh}近4周的周均次数为此前12周的{value}倍",
        unit="ratio",
        null_rule="1 without activity in the last 16 weeks",
    )
