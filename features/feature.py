"""One feature, declared once: what it counts, over which window, and the sentence that explains it.

Turns a declaration into a name, a position in the matrix and words for people (English and Chinese). Time
rule: every feature reads rows with `known_at < as_of` only. Null rule: each feature says what an empty
value means; in the matrix it is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["ALL", "DAY", "FORMULA", "OTHER", "REST", "Feature", "Group", "Kind", "Language", "Value"]

DAY = 86_400
"""Seconds in a day: windows are counted in seconds, so that no midnight matters."""

ALL = "*"
"""The subject of a feature that reads every channel or topic."""

REST = "*rest"
"""The subject of a feature that reads the channels too rare for features of their own."""

OTHER = "__other__"
"""What a category feature shows for a value outside its levels."""

FORMULA = "formula"
"""The aggregation of a feature that is computed by its formula itself."""

Group = Literal["firmographic", "technographic", "engagement", "outreach", "topics", "relationship"]
Kind = Literal["number", "category", "flag"]
Language = Literal["en", "zh"]
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Feature:
    """A declaration.

    name: unique, generated from quantity and window, such as `pricing_visit_count_30d`.
    table, aggregation, subject, member: what is computed: `count` of the channel `subject` in `activities`,
        or whether the set column `subject` of `accounts` holds `member`.
    levels: of a category; the code in the matrix is the index, `len(levels)` any other value, NaN missing.
    sentence_en, sentence_zh: templates with `{value}`; `one_en` is used when the value reads "1", and the
        `absent_*` ones, which hold no value, when there is none.
    idea: shared by the windows of one quantity, so that an explanation can tell it once.
    formula, where: what is computed, as SQL over the account's rows that were known (`features.formulas` says
        which columns they have), and the rows it reads beside the window. A feature whose aggregation is
        FORMULA is computed by them; the others are computed faster and held to them by test.
    meaning_en, meaning_zh: what it means, for people who read the catalogue; the window is told apart.
    null_rule, null_rule_zh: what stands where nothing is known.
    not_comparable: why it cannot be compared between accounts of different origins; empty when it can.
    """

    name: str
    group: Group
    kind: Kind
    table: str
    aggregation: str
    sentence_en: str
    sentence_zh: str
    idea: str
    null_rule: str
    one_en: str = ""
    absent_en: str = ""
    absent_zh: str = ""
    subject: str = ""
    member: str = ""
    window_days: int | None = None
    unit: str | None = None
    levels: tuple[str, ...] = ()
    current_value_only: bool = False
    formula: str = ""
    where: str = ""
    meaning_en: str = ""
    meaning_zh: str = ""
    null_rule_zh: str = ""
    not_comparable: str = ""

    def readable(self, value: float) -> Value:
        """A cell of the matrix as people read it: level, yes or no, number; None when missing."""
        if math.isnan(value):
            return None
        if self.kind == "category":
            return (*self.levels, OTHER)[int(value)]
        if self.kind == "flag":
            return value == 1.0
        return int(value) if value.is_integer() else float(f"{value:.4g}")

    def sentence(self, value: float, *, language: Language = "en") -> str:
        """The explanation of a cell of the matrix in one sentence, without a full stop."""
        shown = self.readable(value)
        english = language == "en"
        if shown is None or shown is False:
            return self.absent_en if english else self.absent_zh
        text = _words(shown, english=english)
        if not english:
            return self.sentence_zh.format(value=text)
        return (self.one_en if text == "1" and self.one_en else self.sentence_en).format(value=text)


def _words(shown: str | float, *, english: bool) -> str:
    if shown == OTHER:
        return "another one" if english else "其他"
    if isinstance(shown, str):
        return shown
    # Three digits are what people read; whole numbers, such as counts, stay exact.
    return f"{shown:,.0f}" if float(shown).is_integer() or abs(shown) >= 1000 else f"{shown:.3g}"
