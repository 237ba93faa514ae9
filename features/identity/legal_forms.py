"""What says how a company is constituted, not which one it is: legal forms in many languages.

Turns the words (or the Chinese, Japanese or Korean characters) of a name into the same without its legal
form. Kept by hand, because the lists of packages end names only, know no Chinese, Japanese, Korean, Turkish
or Indonesian forms, and hold words such as "uk" and "da". Time rule: none. Null rule: a name that is nothing
but a legal form keeps its last word.
"""

from __future__ import annotations

import re
from functools import cache

from features.identity.word_lists import word_phrases

__all__ = ["without_form", "without_form_characters"]

_CHARACTERS_AT_THE_END = re.compile(
    "(股份有限责任公司|股份有限公司|有限责任公司|有限责任合伙|集团公司|控股公司|股份公司|总公司|分公司|有限公司|有限合伙"
    "|特殊普通合伙|普通合伙|股份合作公司|合伙企业|公司|有限责任|株式会社|合同会社|有限会社|주식회사|유한회사)+$"
)
_CHARACTERS_AT_THE_START = re.compile("^(株式会社|合同会社|有限会社|주식회사|유한회사)+")


@cache
def _endings() -> tuple[frozenset[tuple[str, ...]], int]:
    forms = word_phrases("legal_forms_at_the_end")
    return forms, max(map(len, forms))


def without_form(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words (lower case, plain letters) without the legal forms around them, long forms first.

    >>> without_form(("acme", "s", "p", "a")), without_form(("pt", "acme", "tbk")), without_form(("co",))
    (('acme',), ('acme',), ('co',))
    """
    rest = words
    while (shorter := _one_less(rest)) != rest:
        rest = shorter
    return rest


def _one_less(words: tuple[str, ...]) -> tuple[str, ...]:
    forms, longest = _endings()
    for length in range(min(longest, len(words) - 1), 0, -1):
        if words[-length:] in forms:
            return words[:-length]
        if words[:length] in word_phrases("legal_forms_at_the_start"):
            return words[length:]
    return words


def without_form_characters(text: str) -> str:
    """Chinese (simplified), Japanese or Korean characters without the legal form.

    >>> without_form_characters("腾讯控股有限公司")
    '腾讯控股'
    """
    bare = _CHARACTERS_AT_THE_START.sub("", text)
    bare = _CHARACTERS_AT_THE_END.sub("", bare)
    return bare or text
