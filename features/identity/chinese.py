"""Chinese company names in Latin letters, so that they meet their English names.

Turns characters into words: places and lines of business are translated, everything else is spelled in
pinyin. Traditional characters become simplified ones first. Time rule: none. Null rule: a text without
Chinese characters gives no words.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from opencc import OpenCC

from features.identity.word_lists import word_pairs

__all__ = ["CHARACTERS", "simplified", "translated"]

CHARACTERS = "\u3400-\u4dbf\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af々"
"""For a character class: Chinese characters, Japanese kana and Korean syllables."""

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")


@cache
def _dictionary() -> dict[str, tuple[str, ...]]:
    return {characters: tuple(english.split("+")) for characters, english in word_pairs("chinese_words")}


@cache
def _known() -> re.Pattern[str]:
    return re.compile("|".join(sorted(_dictionary(), key=lambda word: (-len(word), word))))


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


@lru_cache(maxsize=65_536)
def simplified(text: str) -> str:
    """Traditional characters as simplified ones; everything else as it is.

    >>> simplified("騰訊控股")
    '腾讯控股'
    """
    return _converter().convert(text) if _CHINESE.search(text) else text


def translated(characters: str) -> tuple[str, ...]:
    """The words of a Chinese name without its legal form, in Latin letters.

    >>> translated("浙江华美控股")
    ('zhejiang', 'huamei', 'holding')
    """
    found: list[str] = []
    at = 0
    for match in _known().finditer(characters):
        found += _spelled(characters[at : match.start()])
        found += _dictionary()[match[0]]
        at = match.end()
    return (*found, *_spelled(characters[at:]))


def _spelled(characters: str) -> list[str]:
    """One word in pinyin without tones; ü is written as English names write it."""
    if not characters:
        return []
    # Not above: its dictionaries take a third of a second, and most commands meet no Chinese name.
    from pypinyin import Style, lazy_pinyin

    return ["".join(lazy_pinyin(characters, style=Style.NORMAL, v_to_u=False)).lower()]
