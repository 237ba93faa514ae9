"""Engagement and outreach features: counts, minutes, people, recency, decay, trend and rhythm.

Turns channels into features, first over all channels of a side, then channel by channel. Inbound and mutual
activities are engagement; outbound ones are our own outreach, a group of its own. Time rule: windows count
back from `as_of` in seconds; lifetime counts and recency read all that was known. Null rule: counts without
activity are 0, recency is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from features.channels import Channel, merged, rows_of, stem, words_of
from features.feature import ALL, REST, Feature

__all__ = ["HALF_LIVES", "WINDOWS", "Channel", "declare_activities", "merged"]

WINDOWS = (7, 30, 90, 180)
"""Windows of counts, minutes and people, in days."""

WEIGHTED_WINDOWS = (30, 90)
"""Windows of the minutes weighted by seniority, in days; `features.queries.contact_days` sums them."""

HALF_LIVES = (7, 30)
"""Half lives of the decayed sums, in days; the age counts in whole days."""

_LIFETIME = None
_ACTIVE_WEEKS = (4, 12, 25)
_LARGEST_DAYS = (30, 180)
_COUNT_NULL = ("0 without activity in the window", "窗口内无互动时为0")
_LIFETIME_NULL = ("0 before the first activity", "首次互动之前为0")
_RECENCY_NULL = ("missing before the first activity", "首次互动之前为缺失")
_TREND_NULL = ("1 without activity in the last 16 weeks", "近16周无互动时为1")


@dataclass(frozen=True)
class _Quantity:
    """A quantity over windows, in days or over a lifetime: its words are templates over noun and nouns.

    formula: SQL over the activities of the channel. silent: rows that stand for nothing are read as well.
    """

    aggregation: str
    windows: tuple[int | None, ...]
    one_en: str
    many_en: str
    chinese: str
    formula: str
    meaning_en: str
    meaning_zh: str
    wanted: Callable[[Channel], bool]
    silent: bool = False
    unit: str | None = None


def _of_engagement(channel: Channel) -> bool:
    return channel.name == ALL and not channel.outbound


_COUNT = (
    "{value} {noun}",
    "{value} {nouns}",
    "{value}次{zh}",
    "coalesce(sum(quantity), 0)",
    "How many {nouns} there were; a row that stands for many counts as many.",
    "{zh}的次数；一条记录代表多次时按多次计。",
)
_QUANTITIES = (
    _Quantity("count", WINDOWS, *_COUNT, lambda c: True, unit="activities"),
    _Quantity("count", (_LIFETIME,), *_COUNT, _of_engagement, unit="activities"),
    _Quantity(
        "minutes",
        WINDOWS,
        "{value} minute of {nouns}",
        "{value} minutes of {nouns}",
        "{zh}共{value}分钟",
        "coalesce(sum(seconds), 0) / 60",
        "Minutes that people of the account spent on {nouns}; the usual minutes of the kind where a row "
        "carries none.",
        "该客户人员在{zh}上花费的分钟数；记录无时长时按该类互动的常用时长计。",
        lambda c: c.minutes and not c.outbound,
        unit="minutes",
    ),
    _Quantity(
        "weighted_minutes",
        WEIGHTED_WINDOWS,
        "{value} minute of {nouns}, weighted by seniority",
        "{value} minutes of {nouns}, weighted by seniority",
        "按职级加权的{zh}共{value}分钟",
        "coalesce(sum(seconds * weight), 0) / 6000",
        "Minutes that people of the account spent on {nouns}, counted by the weight of the person's latest "
        "known level.",
        "该客户人员在{zh}上花费的分钟数，按各人最近已知职级加权。",
        lambda c: c.weighted and c.minutes and _of_engagement(c),
        unit="minutes",
    ),
    _Quantity(
        "people",
        WINDOWS,
        "at least {value} person behind {nouns}",
        "at least {value} people behind {nouns}",
        "至少{value}人参与{zh}",
        "greatest(count(DISTINCT contact_id), coalesce(max(people), 0))",
        "Different people behind {nouns}: those known one by one, or the most that one row stands for, "
        "whichever is more.",
        "参与{zh}的不同人数：逐一识别的人数与单条记录所代表的最多人数中的较大者。",
        lambda c: c.people and not c.outbound,
        unit="people",
    ),
    _Quantity(
        "senior_people",
        WINDOWS,
        "{value} person of vice president level or higher behind {nouns}",
        "{value} people of vice president level or higher behind {nouns}",
        "{value}位副总裁及以上人员参与{zh}",
        "count(DISTINCT contact_id) FILTER (WHERE senior)",
        "Different people behind {nouns} whose latest known level is vice president or higher.",
        "参与{zh}且最近已知级别为副总裁及以上的不同人数。",
        lambda c: c.senior and not c.outbound,
        unit="people",
    ),
    _Quantity(
        "active_days",
        (30,),
        "active on {value} day",
        "active on {value} days",
        "{value}天有互动",
        "count(DISTINCT day)",
        "Days, counted back from the moment of the score, on which anything happened.",
        "自评分时刻回溯，有互动的天数。",
        _of_engagement,
        unit="days",
    ),
    _Quantity(
        "active_weeks",
        tuple(7 * weeks for weeks in _ACTIVE_WEEKS),
        "active in {value} week",
        "active in {value} weeks",
        "{value}周有互动",
        "count(DISTINCT day // 7)",
        "Weeks, counted back from the moment of the score, in which anything happened.",
        "自评分时刻回溯，有互动的周数。",
        _of_engagement,
        unit="weeks",
    ),
    _Quantity(
        "largest",
        _LARGEST_DAYS,
        "{value} {noun} in the largest record",
        "{value} {nouns} in the largest record",
        "单条记录最多{value}次{zh}",
        "coalesce(max(quantity), 0)",
        "The most {nouns} that one row of the source stands for, such as the busiest week of usage.",
        "单条记录所代表的最多{zh}次数，例如使用最多的一周。",
        lambda c: c.many and not c.outbound,
        unit="activities",
    ),
    _Quantity(
        "records",
        (*WINDOWS, _LIFETIME),
        "{value} activity record, empty ones included",
        "{value} activity records, empty ones included",
        "{value}条互动记录（含空记录）",
        "count(*)",
        "Rows of the source, those included that say that nothing happened.",
        "来源记录条数，含表示“无互动”的记录。",
        lambda c: c.many and _of_engagement(c),
        silent=True,
        unit="records",
    ),
)


@dataclass(frozen=True)
class _Recency:
    """Days since a kind of activity. silent: rows that stand for nothing count as well."""

    aggregation: str
    what_en: str
    what_zh: str
    wanted: Callable[[Channel], bool]
    formula: str = "min(age) / 86400"
    silent: bool = False


_FIRST = "max(age) / 86400"
_RECENCIES = (
    _Recency("days_since", "the last {noun}", "最近一次{zh}", lambda c: True),
    _Recency("days_since_first", "the first {noun}", "首次{zh}", _of_engagement, _FIRST),
    _Recency(
        "days_since_record",
        "the last activity record, empty ones included",
        "最近一条互动记录",
        lambda c: c.many and _of_engagement(c),
        silent=True,
    ),
    _Recency(
        "days_since_first_record",
        "the first activity record, empty ones included",
        "首条互动记录",
        lambda c: c.many and _of_engagement(c),
        _FIRST,
        silent=True,
    ),
)


def declare_activities(channels: Iterable[Channel]) -> Iterator[Feature]:
    """Features of each side over everything and by channel, engagement first."""
    known = list(channels)
    for outbound in (False, True):
        side = [channel for channel in known if channel.outbound is outbound]
        own = tuple(channel.name for channel in side if channel.name != REST)
        if side:
            for channel in (_all(side), *side):
                yield from _channel(replace(channel, besides=own))


def _all(side: Sequence[Channel]) -> Channel:
    """All channels of a side. The usual minutes of several tell more than counts do; those of one do not."""
    everything = merged(side, name=ALL)
    return replace(everything, minutes=everything.minutes or (everything.usual and len(side) > 1))


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
    null_rule: tuple[str, str] = _COUNT_NULL,
    formula: str,
    meaning: tuple[str, str],
    silent: bool = False,
) -> Feature:
    words = words_of(channel)
    return Feature(
        name=f"{stem(channel)}_{aggregation}{suffix}",
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
        idea=f"{stem(channel)}_{idea or aggregation}",
        null_rule=null_rule[0],
        null_rule_zh=null_rule[1],
        formula=formula,
        where=rows_of(channel, silent=silent),
        meaning_en=meaning[0].format(**words),
        meaning_zh=meaning[1].format(**words),
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
        unit=quantity.unit,
        days=days,
        null_rule=_COUNT_NULL if days else _LIFETIME_NULL,
        formula=quantity.formula,
        meaning=(quantity.meaning_en, quantity.meaning_zh),
        silent=quantity.silent,
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
        formula=recency.formula,
        meaning=(f"Days since {recency.what_en}.", f"距{recency.what_zh}的天数。"),
        silent=recency.silent,
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
        unit="activities",
        formula=f"coalesce(sum(quantity * CAST(round(4294967296 * 0.5 ** (day / {half_life})) AS BIGINT)) "
        "FILTER (WHERE day < 180), 0) / 4294967296",
        meaning=(
            f"How many {{nouns}} there were, each counting half as much every {half_life} days, up to "
            "180 days back. Weights are whole multiples of 2^-32, so that no order of rows changes a bit.",
            f"{{zh}}的次数，每过{half_life}天权重减半，最多回溯180天。权重取2^-32的整数倍，结果与记录顺序无关。",
        ),
    )


def _trend(channel: Channel) -> Feature:
    return _feature(
        channel,
        "trend",
        en="{nouns} of the last 4 weeks at {value} times the weekly rate of the 12 weeks before",
        zh="{zh}近4周的周均次数为此前12周的{value}倍",
        unit="ratio",
        null_rule=_TREND_NULL,
        formula="(coalesce(sum(quantity) FILTER (WHERE day < 28), 0) / 4 + 1) / "
        "(coalesce(sum(quantity) FILTER (WHERE day >= 28 AND day < 112), 0) / 12 + 1)",
        meaning=(
            "The weekly rate of {nouns} in the last 4 weeks against that of the 12 weeks before, one added "
            "to both, so that little stays little.",
            "{zh}近4周的周均次数与此前12周周均次数之比（两者各加1，避免小数量失真）。",
        ),
    )
