"""Job titles to level and department: words that state them, a lexicon of Chinese, learned models.

Turns titles in any language into levels and departments of the contract. What a title states in so many
words (vice president or higher, and who assists one) stands above the model; Chinese goes by the lexicon, and
what is in Latin letters beside it by the rest. Time rule: none. Null rule: a title that says nothing about
its level, or its department, has none; that is an abstention, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from features.titles.chinese import chinese_department, chinese_level, is_chinese, without_chinese
from features.titles.departments import LEARNED_DEPARTMENTS, stated_department
from features.titles.encoding import presence
from features.titles.levels import explicit_level, says_manager, stated_level
from features.titles.model import ABSTAIN, shipped
from features.titles.normalising import fold

__all__ = ["TitleReading", "read_titles"]

_AT_ONCE: Final = 20_000
_LEVELS: Final = {"Director": "director", "Lead": "manager", "Senior": "staff", "Junior": "staff"}
"""By learned label. Management without a word that states the level is mostly a product owner: no level."""


@dataclass(frozen=True)
class TitleReading:
    """What a title says. seniority, department: values of the contract, or None."""

    seniority: str | None
    department: str | None


def read_titles(titles: Sequence[str]) -> list[TitleReading]:
    """One reading per title, in their order; 100,000 different titles take a few seconds.

    >>> for reading in read_titles(["SVP Sales EMEA", "采购经理", "?"]):
    ...     print(reading.seniority, reading.department)
    vice_president sales
    manager purchasing
    None None
    """
    # Few people of a request have titles, and loading the models takes a second.
    if not any(titles):
        return [TitleReading(None, None)] * len(titles)
    parts = (titles[start : start + _AT_ONCE] for start in range(0, len(titles), _AT_ONCE))
    return [reading for part in parts for reading in _read_part(part)]


def _read_part(titles: Sequence[str]) -> Iterator[TitleReading]:
    folded = [fold(title) for title in titles]
    latin = [without_chinese(title) for title in folded]
    groups = presence(latin)
    levels, departments = shipped("seniority").label(groups), shipped("department").label(groups)
    for title, words, level, name in zip(folded, latin, levels.tolist(), departments.tolist(), strict=True):
        yield _read(title, words, level=level, department=name)


def _read(title: str, latin: str, *, level: str, department: str) -> TitleReading:
    seniority = explicit_level(latin) or _learned_level(latin, label=level)
    name = LEARNED_DEPARTMENTS.get(department) or stated_department(latin)
    if not is_chinese(title):
        return TitleReading(seniority, name)
    return TitleReading(chinese_level(title) or seniority, chinese_department(title) or name)


def _learned_level(latin: str, *, label: str) -> str | None:
    # In the labelled titles a "marketing manager" and an engineer are both called Senior.
    if label == "Senior" and says_manager(latin):
        return "manager"
    return stated_level(latin) if label == ABSTAIN else _LEVELS.get(label)
