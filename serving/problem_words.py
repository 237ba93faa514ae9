"""What is wrong, in Chinese: for whoever asks in it, where the words are known.

Turns the English of an error, which is what logs and commands hold, into Chinese by a table. An error is told
in one language: where its fault is not in the table all of it stays English. Names, numbers and values stay
as they are. Time rule: none. Null rule: None stays None.
"""

from __future__ import annotations

import re
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
_VALUES = {
    re.compile(r"revision (\d+)"): r"修订 \1",
    re.compile(r"decision (\d+)"): r"决定 \1",
    re.compile(r"up to (\d+)"): r"至多 \1",
    re.compile(r"at least ([\d.,]+)"): r"至少 \1",
    re.compile(r"at most ([\d.,]+)"): r"至多 \1",
    re.compile(r"at most this long: (\d+)"): r"至多 \1 个",
    re.compile(r"at least this long: (\d+)"): r"至少 \1 个",
    re.compile(r"([\d,]+) bytes"): r"\1 字节",
    re.compile(r"([\d,]+) rows"): r"\1 行",
    re.compile(r"([\d,]+) seeds"): r"\1 个种子",
    re.compile(r"([\d,]+) of ([\d,]+)"): r"\2 个中的 \1 个",
}
"""Values that are words around numbers."""


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
    """The clauses with values; the longest first, so that what is more exact is found before."""
    told = [(english, chinese) for english, chinese in CLAUSES.items() if "{" in english]
    told.sort(key=lambda pair: len(re.sub(r"\{\w+\}", "", pair[0])), reverse=True)
    return tuple((_pattern(english), chinese) for english, chinese in told)


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", english)
    some = (f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile("".join(some), re.DOTALL)


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
    for pattern, chinese in _VALUES.items():
        if pattern.fullmatch(text):
            return pattern.sub(chinese, text)
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
