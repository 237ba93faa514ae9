"""What is wrong, in Chinese: for whoever asks in it, where the words are known.

Turns the English of an error, which is what logs and commands hold, into Chinese by a table. An error is told
in one language: where its fault is not in the table all of it stays English. Names, numbers and values stay
as they are. Time rule: none. Null rule: None stays None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from features.feature import Language
from serving.problem_sentences import CLAUSES, TITLES

__all__ = ["clause_in", "sentence_in", "title_in", "values_in"]

_WORDS: Final[dict[str, str]] = {
    "draft": "草稿",
    "review": "审核中",
    "approved": "已批准",
    "archived": "已归档",
    "proposed": "建议",
    "accepted": "已接受",
    "submit": "提交审核",
    "withdraw": "撤回",
    "request_changes": "要求修改",
    "request changes": "要求修改",
    "approve": "批准",
    "revise": "修改",
    "archive": "归档",
    "restore": "恢复",
    "queued": "排队中",
    "running": "进行中",
    "done": "已完成",
    "failed": "失败",
    "cancelled": "已取消",
    "marketing": "市场",
    "sales": "销售",
    "viewer": "查看者",
    "approver": "审批者",
    "first": "首次抽取",
    "refresh": "更新",
    "rebuild": "重建",
    "redraw": "重新抽取",
    "create": "创建",
    "edit": "编辑",
    "exclude": "排除",
    "export": "导出",
    "pin": "保留",
    "drop": "移除",
    "move": "移动",
    "end pin": "结束保留",
    "end drop": "结束移除",
    "end move": "结束移动",
    "accept proposal": "接受建议",
    "discard proposal": "放弃建议",
    "name": "名称",
    "owner": "负责人",
    "purpose": "目的",
    "pilot": "试点",
    "size": "规模",
    "segments": "分组",
    "goals": "目标",
    "rules": "规则",
    "sub_industry": "细分行业",
    "no decision": "无决定",
}
"""Words that stand for themselves among values: states, actions, sides and what is said of a list."""

_ACTIONS = "|".join(sorted((re.escape(one) for one in _WORDS), key=len, reverse=True))
_CHANGE = re.compile(rf"(?P<who>[^;]+?) at (?P<at>\d{{4}}-\d\d-\d\dT[\d:]+Z): (?P<action>{_ACTIONS})\b")
_FIELDS = re.compile(r" \((?P<fields>[a-z_]+(?:, [a-z_]+)*)\)")
_MORE = re.compile(r", and (\d+) more changes")
_ENDED = re.compile(r"(?P<who>[^;]+?) ended decision (?P<number>\d+)(?: at (?P<at>\S+Z))?")
_VALUES: Final[dict[str, str]] = {
    "revision {n}": "修订 {n}",
    "decision {n}": "决定 {n}",
    "decision {n}, a {kind}": "决定 {n}（{kind}）",
    "up to {n}": "至多 {n}",
    "at least {n}": "至少 {n}",
    "at most {n}": "至多 {n}",
    "at most this long: {n}": "至多 {n} 个",
    "at least this long: {n}": "至少 {n} 个",
    "{n} to {n2}": "{n} 至 {n2}",
    "{n} of {n2}": "{n2} 个中的 {n} 个",
    "{n} bytes": "{n} 字节",
    "{n} bytes or more": "{n} 字节以上",
    "{n} rows": "{n} 行",
    "{n} seeds": "{n} 个种子",
    "{n} seeds of {n2} accounts": "{n2} 个客户中的 {n} 个种子",
    "{n} seconds": "{n} 秒",
    "{n} characters": "{n} 个字符",
    "{n} to {n2} characters": "{n} 至 {n2} 个字符",
    "{n} requests a minute, {n2} at once": "每分钟 {n} 次，同时 {n2} 次",
    "{n} wrong links a minute, {n2} at once": "每分钟 {n} 个错误链接，同时 {n2} 个",
    "a number from 1 on": "从 1 起的数字",
    "a finite number": "有限的数字",
    "one at least": "至少一个",
    "0 or more each, not all 0": "均不小于 0，且不全为 0",
    "none: the list has no segments": "无：名单没有分组",
    "none: the file is for people": "无：该文件供人查看",
    "what next_page said": "next_page 给出的内容",
    "no Content-Type": "没有 Content-Type",
    "one company per row": "每行一家公司",
    "one file, named {name}": "一个名为 {name} 的文件",
    "text in UTF-8": "UTF-8 编码的文本",
    "UTF-8, or the declared encoding": "UTF-8 或所指定的编码",
    "utf-8, utf-16, windows-1252, gb18030 and others": "utf-8、utf-16、windows-1252、gb18030 等",
    "a byte-order mark of {encoding}": "{encoding} 的字节顺序标记",
    "a closing quote": "右引号",
    "no header line": "没有标题行",
    "line {n}: {text}": "第 {n} 行：{text}",
    "after line {n}: {text}": "第 {n} 行之后：{text}",
    "the row that begins in line {n}": "从第 {n} 行开始的行",
    "account_id, domain, website, email, company or name": (
        "account_id、domain、website、email、company 或 name"
    ),
    "industry, country, employees, technologies, a description or other attributes": (
        "行业、国家、员工数、技术、描述或其他属性"
    ),
    "{n} accounts without an attribute that tells two of them apart": "{n} 个客户没有可区分的属性",
    "a released model of buying intent": "已发布的意向模型",
    "a key with {scopes}": "权限为 {scopes} 的密钥",
    "a request from {address} to {host}": "从 {address} 到 {host} 的请求",
    "{method} where the scope {scope} is needed": "{method}，需要权限 {scope}",
}
"""Values that are words around others; n and n2 are numbers."""


def title_in(slug: str, title: str, *, language: Language) -> str:
    """What a kind of problem is called. title: in English."""
    return TITLES.get(slug, title) if language == "zh" else title


def clause_in(text: str, *, language: Language) -> str | None:
    """One clause in a language; None where its Chinese is not known.

    >>> clause_in("the account is not on the list", language="zh")
    '该客户不在名单上'
    >>> clause_in("the refresh of version 3 is a proposal", language="zh")
    '版本 3 的更新仍是建议'
    >>> clause_in("something else", language="zh") is None
    True
    """
    if language != "zh":
        return text
    if text in CLAUSES:
        return CLAUSES[text]
    for pattern, chinese in _patterns():
        if found := pattern.fullmatch(text):
            return chinese.format(**{name: values_in(value) for name, value in found.groupdict().items()})
    return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return _compiled(CLAUSES)


@cache
def _patterns_of_values() -> tuple[tuple[re.Pattern[str], str], ...]:
    return _compiled(_VALUES)


def _compiled(told: Mapping[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The longest first, so that what is more exact is found before."""
    ordered = sorted(told, key=lambda english: len(re.sub(r"\{\w+\}", "", english)), reverse=True)
    return tuple((_pattern(english), told[english]) for english in ordered)


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", english)
    some = (_named(part) if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile("".join(some), re.DOTALL)


def _named(value: str) -> str:
    return f"(?P<{value}>{'[0-9.,-]+' if value in ('n', 'n2') else '.+?'})"


def values_in(text: str) -> str:
    """A value with its words in Chinese: states, actions, and who did what and when.

    >>> values_in("draft, approved"), values_in("revision 7"), values_in("acc-07")
    ('草稿、已批准', '修订 7', 'acc-07')
    >>> values_in("Ann at 2026-05-01T12:00:00Z: edit (name, owner)")
    'Ann 于 2026-05-01T12:00:00Z：编辑（名称、负责人）'
    """
    words = text.split(", ")
    if all(word in _WORDS for word in words):
        return "、".join(_WORDS[word] for word in words)
    for pattern, chinese in _patterns_of_values():
        if found := pattern.fullmatch(text):
            return chinese.format(
                **{name: _WORDS.get(value, value) for name, value in found.groupdict().items()}
            )
    told = _CHANGE.sub(lambda one: f"{one['who']} 于 {one['at']}：{_WORDS[one['action']]}", text)
    told = _ENDED.sub(_ended, told)
    if told != text:
        told = _FIELDS.sub(_fields, _MORE.sub(r"，另有 \1 处更改", told))
        return re.sub(r"; (?=\S.* 于 )", "；", told)
    return text


def _ended(found: re.Match[str]) -> str:
    moment = f" 于 {found['at']}" if found["at"] else ""
    return f"{found['who']}{moment} 结束了决定 {found['number']}"


def _fields(found: re.Match[str]) -> str:
    words = found["fields"].split(", ")
    known = all(word in _WORDS for word in words)
    return f"（{'、'.join(_WORDS[word] for word in words)}）" if known else found[0]


def sentence_in(
    what: str,
    *,
    got: object | None,
    allowed: object | None,
    fix: str | None,
    language: Language,
    field: str | None = None,
) -> str | None:
    """A whole error in a language; None where the Chinese of its fault is not known. field: what is wrong.

    >>> sentence_in("is missing", got=None, allowed=None, fix="add it", language="zh", field="owner")
    'owner：缺失；请补充'
    """
    told = clause_in(what, language=language)
    if told is None or language != "zh":
        return None
    details = [
        f"{label} {values_in(str(value))}"
        for label, value in (("实际为", got), ("允许", allowed))
        if value is not None
    ]
    named = f"{field}：{told}" if field else told
    mend = "" if fix is None else f"；{clause_in(fix, language=language) or fix}"
    return f"{named}{f'（{chr(0xFF1B).join(details)}）' if details else ''}{mend}"
