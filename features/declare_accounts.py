"""Firmographic and technographic features: the latest known value of each account column.

Turns columns of `accounts`, the contract's and those that a mapping declares, into features. Time rule: the
latest non-empty value with `known_at < as_of`. Null rule: missing until a value is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from features.feature import Feature
from features.queries import quoted
from features.tables import Attribute
from features.wording import english_label

__all__ = ["STANDARD", "declare_accounts"]

STANDARD = (
    Attribute("employees", "number", "employees", "员工人数", "people"),
    Attribute("annual_revenue", "number", "annual revenue", "年营业额", "one currency"),
    Attribute("founded_year", "number", "year of foundation", "成立年份", "year"),
    Attribute("industry", "category", "industry", "行业"),
    Attribute("country", "category", "country", "国家"),
    Attribute("region", "category", "region", "地区"),
    Attribute("technologies", "set", "technologies", "技术"),
)
"""Account columns of the contract that are features. City is too wide to be one; name and domain identify."""


def declare_accounts(
    attributes: Iterable[Attribute],
    *,
    filled: Collection[str],
    levels: Mapping[str, tuple[str, ...]],
    growth: bool,
) -> Iterator[Feature]:
    """Features of every filled column; `growth` declares the growth of employees as well."""
    for column in (*STANDARD, *attributes):
        if column.name in filled:
            yield from _column(column, levels.get(column.name, ()))
    if growth:
        yield _growth()


def _column(column: Attribute, levels: tuple[str, ...]) -> Iterator[Feature]:
    latest = _latest(column)
    if column.type == "record":
        return
    if column.name == "founded_year":
        yield _age()
    elif column.type == "category":
        if levels:
            yield replace(latest, kind="category", levels=levels)
    elif column.type == "boolean":
        yield _flag(latest, column.label, _chinese(column))
    elif column.type == "set":
        yield from _set(column, levels)
    elif column.type == "date":
        yield _date(column)
    elif column.type == "text":
        yield _text(column)
    else:
        yield latest


def _chinese(column: Attribute) -> str:
    return column.label_zh or column.label


def _sql(column: Attribute) -> str:
    """The column as formulas read it."""
    return column.name if column in STANDARD else quoted(column.name)


def _latest(column: Attribute) -> Feature:
    return _fact(
        column.name,
        "latest",
        column.label,
        _chinese(column),
        unit=column.unit,
        formula=_sql(column),
        meaning=(f"The latest known value: {column.label}.", f"最近已知的{_chinese(column)}。"),
    )


def _age() -> Feature:
    return _fact(
        "founded_year",
        "years",
        "company age",
        "公司年龄",
        name="company_age",
        unit="years",
        formula="year(as_of) - founded_year",
        meaning=("Calendar years since the year of foundation.", "自成立年份起的年数。"),
    )


def _fact(
    column: str,
    aggregation: str,
    english: str,
    chinese: str,
    *,
    formula: str,
    meaning: tuple[str, str],
    name: str = "",
    unit: str | None = None,
) -> Feature:
    return Feature(
        name=name or column,
        group="firmographic",
        kind="number",
        table="accounts",
        aggregation=aggregation,
        subject=column,
        unit=unit,
        sentence_en=_plain(english) + ": {value}",
        sentence_zh=_plain(chinese) + "：{value}",
        absent_en=f"{english} unknown",
        absent_zh=f"{chinese}未知",
        idea=name or column,
        null_rule="missing until a value is known",
        null_rule_zh="在已知数值之前为缺失",
        formula=formula,
        meaning_en=meaning[0],
        meaning_zh=meaning[1],
    )


def _plain(text: str) -> str:
    """Text that `str.format` leaves as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def _flag(feature: Feature, english: str, chinese: str) -> Feature:
    return replace(
        feature,
        kind="flag",
        sentence_en=f"{_plain(english)}: yes",
        sentence_zh=f"{_plain(chinese)}：是",
        absent_en=f"{english}: no or unknown",
        absent_zh=f"{chinese}：否或未知",
        meaning_en=f"Whether this holds, as last known: {english}.",
        meaning_zh=f"最近已知信息是否为：{chinese}。",
    )


def _date(column: Attribute) -> Feature:
    name, english, chinese = f"days_since_{column.name}", f"days since {column.label}", _chinese(column)
    return _fact(
        column.name,
        "days",
        english,
        f"距{chinese}的天数",
        name=name,
        unit="days",
        formula=f"(epoch(as_of) - epoch({_sql(column)})) / 86400",
        meaning=(
            f"Days between {column.label} and the moment of the score; below 0 when it lies ahead.",
            f"{chinese}至评分时刻的天数；尚未发生时为负数。",
        ),
    )


def _text(column: Attribute) -> Feature:
    name, english, chinese = f"{column.name}_length", f"length of {column.label}", _chinese(column)
    return _fact(
        column.name,
        "length",
        english,
        f"{chinese}的字数",
        name=name,
        unit="characters",
        formula=f"length({_sql(column)})",
        meaning=(f"How many characters this text has: {column.label}.", f"{chinese}的字符数。"),
    )


def _growth() -> Feature:
    growth = _fact(
        "employees",
        "growth",
        "growth of employees over the last year",
        "过去一年员工人数增长率",
        name="employees_growth_365d",
        unit="ratio",
        formula="employees / nullif(employees_year_before, 0) - 1",
        meaning=(
            "The latest known number of employees against the one known 365 days before; 0.5 is half as many "
            "more.",
            "最近已知员工人数相对365天前已知人数的变化；0.5表示增加一半。",
        ),
    )
    return replace(
        growth,
        null_rule="missing unless employees were known a year before, and not 0",
        null_rule_zh="一年前人数未知或为0时为缺失",
    )


def _set(column: Attribute, members: tuple[str, ...]) -> Iterator[Feature]:
    """How many members the set has, and whether each common one is in it."""
    english, chinese = column.label, _chinese(column)
    size = _fact(
        column.name,
        "size",
        f"number of {english}",
        f"{chinese}数量",
        name=f"{column.name}_count",
        formula=f"len(list_distinct({_sql(column)}))",
        meaning=(f"How many different {english} the latest list holds.", f"最近名单中不同{chinese}的数量。"),
    )
    yield replace(size, group="technographic", unit="members")
    for member in members:
        shown, text = english_label(member), member.replace("'", "''")
        flag = _fact(
            column.name,
            "member",
            english,
            chinese,
            name=f"{column.name}_{_slug(member)}",
            formula=f"list_contains({_sql(column)}, '{text}')",
            meaning=(
                f"Whether the latest list of {english} holds {shown}.",
                f"最近的{chinese}名单是否包含{shown}。",
            ),
        )
        yield replace(
            flag,
            group="technographic",
            kind="flag",
            member=member,
            sentence_en=f"{_plain(english)}: {_plain(shown)}",
            sentence_zh=f"{_plain(chinese)}：{_plain(shown)}",
            absent_en=f"{english}: no {shown} known",
            absent_zh=f"{chinese}：未知有{shown}",
        )


def _slug(member: str) -> str:
    """`Node.js` -> `node_js`; letters of every script stay."""
    return "_".join("".join(sign if sign.isalnum() else " " for sign in member.lower()).split()) or "member"
