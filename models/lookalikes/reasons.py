"""Why an account is where it is in a ranking, in sentences: one idea, one reason.

Turns what each column adds to a score into what each attribute adds, and into sentences like those of the
feature catalogue, in English and Chinese. Time rule: values are those of the universe's moment. Null rule:
what is not known is said to be unknown where that adds something, and is no reason otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.tables import Attribute
from features.wording import english_label
from models.lookalikes.encoding import Block

__all__ = ["Reason", "Words", "phrase"]

_SHOWN: Final = 3
Row = NDArray[np.float64]


@dataclass(frozen=True)
class Words:
    """One sentence in both languages, without a full stop."""

    en: str
    zh: str


@dataclass(frozen=True)
class Reason:
    """attribute: its name. contribution: what it adds to the score, in the ranker's own unit."""

    attribute: str
    contribution: float
    words: Words


@dataclass(frozen=True)
class Seen:
    """What the ranker sees of one attribute: the block, and which of its columns.

    columns: places among those that the ranker looks at. own: the same, among the columns of the block.
    """

    block: Block
    columns: NDArray[np.int64]
    own: NDArray[np.int64]

    def reason(self, value: Any, contributions: Row, *, told: Sequence[str] = ()) -> Reason:
        """value: the raw cell. contributions: (k,) of the account. told: words of a text that say so."""
        each = contributions[self.columns]
        total = float(each.sum())
        attribute = self.block.attribute
        if attribute.type == "set" and value is not None:
            present, absent = self._members(value, each, sign=1.0 if total >= 0 else -1.0)
            words = _set_words(attribute, present, absent)
        elif attribute.type == "text" and value:
            words = _text_words(attribute, told)
        else:
            words = phrase(attribute, value)
        return Reason(attribute.name, total, words)

    def _members(self, value: Sequence[str], each: Row, *, sign: float) -> tuple[list[str], list[str]]:
        """Members that are there, and those that are missing, which add most in the direction of the sum."""
        has = set(value)
        labels = [self.block.labels[place] for place in self.own]
        ranked = sorted(
            (
                (-sign * float(amount), label)
                for amount, label, place in zip(each, labels, self.own, strict=True)
                if self.block.roles[place] == "member" and sign * amount > 0
            ),
        )[:_SHOWN]
        names = [label for _, label in ranked]
        return [name for name in names if name in has], [name for name in names if name not in has]


def phrase(attribute: Attribute, value: Any) -> Words:
    """An attribute and its value.

    >>> phrase(Attribute("employees", "number", "employees", "员工人数"), 1250.0).en
    'employees: 1,250'
    >>> phrase(Attribute("industry", "category", "industry", "行业"), None).zh
    '行业未知'
    """
    english, chinese = attribute.label, attribute.label_zh or attribute.label
    if value is None:
        return Words(f"{english} unknown", f"{chinese}未知")
    if isinstance(value, bool):
        return Words(f"{english}: {'yes' if value else 'no'}", f"{chinese}：{'是' if value else '否'}")
    text = _number(value) if isinstance(value, int | float) else str(value)
    return Words(f"{english}: {text}", f"{chinese}：{text}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3g}"


def _set_words(attribute: Attribute, present: Sequence[str], absent: Sequence[str]) -> Words:
    english, chinese = attribute.label, attribute.label_zh or attribute.label
    if present:
        shown = ", ".join(map(english_label, present))
        return Words(f"{english}: {shown}", f"{chinese}：{shown}")
    if absent:
        shown = ", ".join(map(english_label, absent))
        return Words(f"{english}: no {shown} known", f"{chinese}：未知有{shown}")
    return Words(f"{english}: others", f"{chinese}：其他")


def _text_words(attribute: Attribute, told: Sequence[str]) -> Words:
    english, chinese = attribute.label, attribute.label_zh or attribute.label
    if not told:
        return Words(f"{english}: about something else", f"{chinese}：内容不同")
    shown = ", ".join(told)
    return Words(f"{english} speaks of {shown}", f"{chinese}提到：{shown}")


def by_name(cells: Sequence[Mapping[str, Any]], place: int, name: str) -> Any:
    """A raw cell; an empty set or text tells nothing."""
    value = cells[place][name]
    return None if isinstance(value, str | list) and not value else value
