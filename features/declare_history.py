"""Features of third-party research and of the past relationship.

Turns nothing but constants into declarations. Time rule: scores and deals as they were known before `as_of`.
Null rule: counts are 0 before the first; recency and ratios are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from features.feature import ALL, Feature, Group

__all__ = ["declare_relationship", "declare_topics"]

_NOT_LATELY = ("0 without research in the last 3 weeks", "近3周无研究时为0")
_NEVER = ("missing without research in the last 15 weeks", "近15周无研究时为缺失")
_BEFORE_FIRST = ("0 before the first", "首次之前为0")
_NO_DEAL = ("missing before the first", "首次之前为缺失")


@dataclass(frozen=True)
class _History:
    """A declaration without its name's first part. formula: over one row per topic, or per deal."""

    aggregation: str
    formula: str
    english: str
    chinese: str
    meaning_en: str
    meaning_zh: str
    null_rule: tuple[str, str]
    name: str = ""
    unit: str | None = None


_SURGES = "8 * recent > 3 * baseline + 12 * usual_topic"
"""(recent / 3 + usual) / (baseline / 12 + usual) > 1.5 in whole numbers."""

_TOPICS = (
    _History(
        "score",
        "coalesce(sum(recent), 0) / 1000",
        "research score of {value} in the last 3 weeks",
        "近3周研究得分合计{value}",
        "Points of third-party research on every topic in the last 3 weeks, added up.",
        "近3周各主题第三方研究得分之和。",
        _NOT_LATELY,
        unit="points",
    ),
    _History(
        "researched",
        "count(*) FILTER (WHERE recent > 0)",
        "{value} topics researched in the last 3 weeks",
        "近3周研究了{value}个主题",
        "Topics with any research in the last 3 weeks.",
        "近3周有研究的主题数。",
        _NOT_LATELY,
        unit="topics",
    ),
    _History(
        "surging",
        "count(*) FILTER (WHERE 8 * recent > 3 * baseline)",
        "{value} topics surging against the account's own 12 weeks before",
        "{value}个主题的研究热度明显高于自身前12周",
        "Topics whose weekly points of the last 3 weeks exceed 1.5 times those of the 12 weeks before.",
        "近3周周均得分超过此前12周周均1.5倍的主题数。",
        _NOT_LATELY,
        unit="topics",
    ),
    _History(
        "surge",
        "(sum(recent) / 3000 + 1) / (sum(baseline) / 12000 + 1)",
        "research of the last 3 weeks at {value} times the 12 weeks before",
        "近3周研究热度为此前12周的{value}倍",
        "Weekly points of the last 3 weeks against those of the 12 weeks before, one added to both.",
        "近3周周均得分与此前12周周均得分之比（两者各加1）。",
        _NEVER,
        unit="ratio",
    ),
    _History(
        "strongest_surge",
        "max((recent / 3000 + 1) / (baseline / 12000 + 1))",
        "strongest topic of the last 3 weeks at {value} times its 12 weeks before",
        "升温最快的主题近3周热度为此前12周的{value}倍",
        "The same ratio for the topic where it is largest.",
        "上述比值在各主题中的最大值。",
        _NEVER,
        unit="ratio",
    ),
    _History(
        "surge_for_size",
        "(sum(recent) / 3000 + max(usual) / 1000) / (sum(baseline) / 12000 + max(usual) / 1000)",
        "research of the last 3 weeks at {value} times the 12 weeks before, for a company of this size",
        "按公司规模衡量，近3周研究热度为此前12周的{value}倍",
        "Weekly points of the last 3 weeks against those of the 12 weeks before; what companies with as many "
        "employees research in a usual week is added to both, so that few points make no big one surge.",
        "近3周周均得分与此前12周周均得分之比；两者各加同等规模公司的常见周均得分，以免少量得分使大公司显得升温。",
        _NEVER,
        unit="ratio",
    ),
    _History(
        "surging_share",
        f"count(*) FILTER (WHERE {_SURGES}) / nullif(count(*), 0)",
        "share of the topics surging for a company of this size: {value}",
        "按公司规模衡量，升温主题占比：{value}",
        "The share of the topics of the last 15 weeks that exceed one and a half times their 12 weeks "
        "before, what companies of this size research of one topic in a usual week added to both.",
        "近15周主题中，周均得分超过此前12周1.5倍者的占比（两者各加同等规模公司单个主题的常见周均得分）。",
        _NEVER,
        unit="share",
    ),
    _History(
        "days_since",
        "min(age) / 86400",
        "{value} days since the latest week of research began",
        "距最近一周研究开始已{value}天",
        "Days since the first second of the latest week with third-party research.",
        "距最近一个有第三方研究的周开始的天数。",
        _NEVER,
        unit="days",
    ),
)
_BROADLY = _History(
    "surging_broadly",
    f"count(*) > 0 AND 100 * count(*) FILTER (WHERE {_SURGES}) >= {{share}} * count(*)",
    "at least {share} % of the topics surging for a company of this size",
    "按公司规模衡量，至少{share}%的主题升温",
    "Whether at least {share} % of the topics of the last 15 weeks surge for a company of this size.",
    "按公司规模衡量，近15周主题中是否至少{share}%升温。",
    ("no without research in the last 15 weeks", "近15周无研究时为否"),
)
_DEALS = (
    _History(
        "won",
        "count(*) FILTER (WHERE won = 1)",
        "{value} deals won before",
        "此前赢单{value}次",
        "Opportunities known to be won.",
        "已知赢单的商机数。",
        _BEFORE_FIRST,
        name="earlier_wins",
        unit="deals",
    ),
    _History(
        "lost",
        "count(*) FILTER (WHERE lost = 1)",
        "{value} deals lost before",
        "此前丢单{value}次",
        "Opportunities known to be lost.",
        "已知丢单的商机数。",
        _BEFORE_FIRST,
        name="earlier_losses",
        unit="deals",
    ),
    _History(
        "days_since_closed",
        "min(closed_age) / 86400",
        "{value} days since the last deal closed",
        "距上次商机关闭已{value}天",
        "Days since the latest closing of an opportunity, won or lost.",
        "距最近一次商机关闭（赢单或丢单）的天数。",
        _NO_DEAL,
        unit="days",
    ),
    _History(
        "days_since_opened",
        "min(opened_age) / 86400",
        "{value} days since the last deal was opened",
        "距上次开启商机已{value}天",
        "Days since the latest opportunity was opened.",
        "距最近一次开启商机的天数。",
        _NO_DEAL,
        unit="days",
    ),
)
_TWO_WAY = _History(
    "days_since_two_way",
    "min(age) / 86400",
    "{value} days since the last two-way contact",
    "距最近一次双向沟通已{value}天",
    "Days since the latest activity of both sides, such as a meeting or an answered call.",
    "距最近一次双方参与的活动（如会议、接通的电话）的天数。",
    _NO_DEAL,
    unit="days",
)


def declare_topics(*, minimum_share: int) -> Iterator[Feature]:
    """Third-party research: the last 3 weeks against the 12 before.

    minimum_share: hundredths of an account's topics that must surge for the account to surge broadly.
    """
    for topic in _TOPICS:
        feature = _feature(topic, group="topics", table="intent_topics")
        yield replace(
            feature,
            absent_en="no third-party research in the last 15 weeks",
            absent_zh="过去15周没有第三方研究",
        )
    yield _surging_broadly(minimum_share)


def _surging_broadly(share: int) -> Feature:
    feature = _feature(_BROADLY, group="topics", table="intent_topics")
    return replace(
        feature,
        kind="flag",
        member=str(share),
        sentence_en=feature.sentence_en.format(share=share),
        sentence_zh=feature.sentence_zh.format(share=share),
        absent_en=f"fewer than {share} % of the topics surging for a company of this size",
        absent_zh=f"按公司规模衡量，升温主题不足{share}%",
        formula=feature.formula.format(share=share),
        meaning_en=feature.meaning_en.format(share=share),
        meaning_zh=feature.meaning_zh.format(share=share),
    )


def _one(english: str) -> str:
    """The template for a value of 1, where the value counts its noun."""
    if not english.startswith("{value} "):
        return ""
    noun, _, rest = english.removeprefix("{value} ").partition(" ")
    return f"{{value}} {noun.removesuffix('s')} {rest}"


def declare_relationship(*, opportunities: bool, meetings: bool) -> Iterator[Feature]:
    """Earlier deals and two-way contact."""
    if opportunities:
        for deal in _DEALS:
            yield _feature(deal, group="relationship", table="opportunities")
    if meetings:
        yield replace(
            _feature(_TWO_WAY, group="relationship", table="activities"),
            where="quantity > 0 AND direction = 'mutual'",
            absent_en="no two-way contact so far",
            absent_zh="至今没有双向沟通",
        )


def _feature(declared: _History, *, group: Group, table: str) -> Feature:
    name = f"{group}_{declared.name or declared.aggregation}"
    return Feature(
        name=name,
        group=group,
        kind="number",
        table=table,
        aggregation=declared.aggregation,
        subject=ALL,
        sentence_en=declared.english,
        sentence_zh=declared.chinese,
        one_en=_one(declared.english),
        absent_en="no earlier deal",
        absent_zh="此前没有商机",
        unit=declared.unit,
        idea=name,
        null_rule=declared.null_rule[0],
        null_rule_zh=declared.null_rule[1],
        formula=declared.formula,
        meaning_en=declared.meaning_en,
        meaning_zh=declared.meaning_zh,
    )
