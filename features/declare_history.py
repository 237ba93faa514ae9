"""Features of third-party research and of the past relationship.

Turns nothing but constants into declarations. Time rule: scores and deals as they were known before `as_of`.
Null rule: counts are 0 before the first; recency and ratios are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from features.feature import ALL, Feature

__all__ = ["declare_relationship", "declare_topics"]

_NOT_LATELY = "0 without research in the last 3 weeks"
_NEVER = "missing without research in the last 15 weeks"
_TOPICS = (
    ("score", "research score of {value} in the last 3 weeks", "近3周研究得分合计{value}", _NOT_LATELY),
    ("researched", "{value} topics researched in the last 3 weeks", "近3周研究了{value}个主题", _NOT_LATELY),
    (
        "surging",
        "{value} topics surging against the account's own 12 weeks before",
        "{value}个主题的研究热度明显高于自身前12周",
        _NOT_LATELY,
    ),
    (
        "surge",
        "research of the last 3 weeks at {value} times the 12 weeks before",
        "近3周研究热度为此前12周的{value}倍",
        _NEVER,
    ),
    (
        "strongest_surge",
        "strongest topic of the last 3 weeks at {value} times its 12 weeks before",
        "升温最快的主题近3周热度为此前12周的{value}倍",
        _NEVER,
    ),
    (
        "days_since",
        "{value} days since the latest week of research began",
        "距最近一周研究开始已{value}天",
        _NEVER,
    ),
)
_DEALS = (
    ("won", "earlier_wins", "{value} deals won before", "此前赢单{value}次", "0 before the first"),
    ("lost", "earlier_losses", "{value} deals lost before", "此前丢单{value}次", "0 before the first"),
    (
        "days_since_closed",
        "days_since_closed",
        "{value} days since the last deal closed",
        "距上次商机关闭已{value}天",
        "missing before the first",
    ),
    (
        "days_since_opened",
        "days_since_opened",
        "{value} days since the last deal was opened",
        "距上次开启商机已{value}天",
        "missing before the first",
    ),
)


def declare_topics() -> Iterator[Feature]:
    """Third-party research: the last 3 weeks against the 12 before."""
    for aggregation, english, chinese, null_rule in _TOPICS:
        yield Feature(
            name=f"topics_{aggregation}",
            group="topics",
            kind="number",
            table="intent_topics",
            aggregation=aggregation,
            subject=ALL,
            sentence_en=english,
            sentence_zh=chinese,
            one_en=_one(english),
            absent_en="no third-party research in the last 15 weeks",
            absent_zh="过去15周没有第三方研究",
            idea=f"topics_{aggregation}",
            null_rule=null_rule,
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
            yield _relationship(*deal)
    if meetings:
        name = "days_since_two_way"
        english, chinese = "{value} days since the last two-way contact", "距最近一次双向沟通已{value}天"
        yield replace(
            _relationship(name, name, english, chinese, "missing before the first"),
            table="activities",
            absent_en="no two-way contact so far",
            absent_zh="至今没有双向沟通",
        )


def _relationship(aggregation: str, name: str, english: str, chinese: str, null_rule: str) -> Feature:
    return Feature(
        name=f"relationship_{name}",
        group="relationship",
        kind="number",
        table="opportunities",
        aggregation=aggregation,
        subject=ALL,
        sentence_en=english,
        sentence_zh=chinese,
        one_en=_one(english),
        absent_en="no earlier deal",
        absent_zh="此前没有商机",
        unit="days" if aggregation.startswith("days") else "deals",
        idea=f"relationship_{name}",
        null_rule=null_rule,
    )
