"""Reasons as short texts, for systems that have one field for each.

Turns the reasons of both halves into a few sentences, the strongest first, each with the half that it is
about. Time rule: none. Null rule: where there are fewer reasons than fields, the rest stay empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from features.feature import Language
from serving.phrases import phrase

__all__ = ["LONGEST_TEXT", "Half", "Reasoned", "flat_reasons", "shortened", "two_grades"]

LONGEST_TEXT = 255
"""Characters of a text field of Salesforce."""

Half = Literal["fit", "intent"]
Reasoned = tuple[Half, float, str]
"""The half, the contribution in log-odds, and the sentence."""


def flat_reasons(reasons: Iterable[Reasoned], *, most: int, language: Language) -> list[str | None]:
    """`most` texts: the strongest reasons of both halves; of equal strength fit before intent.

    >>> flat_reasons([("fit", 0.2, "101 employees"), ("intent", 0.9, "3 demos")], most=3, language="en")
    ['Intent: 3 demos', 'Fit: 101 employees', None]
    """
    strongest = sorted(reasons, key=lambda reason: -abs(reason[1]))[:most]
    told: list[str | None] = [_text(half, sentence, language) for half, _, sentence in strongest]
    return told + [None] * (most - len(told))


def _text(half: Half, sentence: str, language: Language) -> str:
    name = phrase(half, language=language)
    mark = "：" if language == "zh" else ": "
    return shortened(f"{name[0].upper()}{name[1:]}{mark}{sentence}")


def shortened(text: str) -> str:
    """The text, cut where it is longer than a field.

    >>> len(shortened("x" * 300)), shortened("x" * 300)[-3:]
    (255, 'xx…')
    """
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def two_grades(fit: str | None, intent: str | None) -> str:
    """The grades of both halves as one word.

    >>> two_grades("A", "B"), two_grades("A", None)
    ('A/B', 'A/none')
    """
    return f"{fit or 'none'}/{intent or 'none'}"
