"""The language of an answer, chosen by the caller's Accept-Language.

Time rule: none. Null rule: without a language that we speak, English.
"""

from __future__ import annotations

from features.feature import Language

__all__ = ["language_of"]


def language_of(accept_language: str) -> Language:
    """The first language of the header that we speak; English otherwise.

    >>> language_of("fr, zh-CN;q=0.8, en;q=0.5"), language_of("")
    ('zh', 'en')
    """
    ranked = sorted((_ranked(part) for part in accept_language.split(",")), key=lambda pair: -pair[0])
    spoken = (tag.split("-")[0] for quality, tag in ranked if quality > 0)
    first = next((tag for tag in spoken if tag in ("en", "zh")), "en")
    return "zh" if first == "zh" else "en"


def _ranked(part: str) -> tuple[float, str]:
    tag, _, quality = part.strip().lower().partition(";q=")
    try:
        return float(quality or 1), tag
    except ValueError:
        return 0.0, tag
