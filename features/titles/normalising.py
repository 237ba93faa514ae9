"""One plain spelling for a job title.

Turns a title as people write it into lower-case words of letters and digits, parted by single blanks:
"Geschäftsführer:in (m/w/d)" becomes "geschaeftsfuehrer in". Time rule: none. Null rule: an empty title, or
one without letters and digits, becomes "".
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fold"]

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_WORD = re.compile(r"[^\W_]+")
_ANY_GENDER = re.compile(r"[(\[]?\b(?:m|w|f|d|x|h|v|div)(?:\s*[/|]\s*(?:m|w|f|d|x|h|v|div))+\b[)\]]?")


def fold(title: str) -> str:
    """The title in lower case, without accents, punctuation and notes such as (m/w/d).

    Umlauts become two letters, as people without them on the keyboard write them, and full-width letters
    plain ones: "ＶＰ Vertrieb" becomes "vp vertrieb". Chinese characters stay as they are.
    """
    if title.isascii():
        return " ".join(_WORD.findall(_without_gender(title.lower())))
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", title).casefold())
    plain = unicodedata.normalize("NFKD", _without_gender(plain).translate(_UMLAUTS))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(_WORD.findall(unicodedata.normalize("NFC", letters)))


def _without_gender(plain: str) -> str:
    return _ANY_GENDER.sub(" ", plain) if "/" in plain or "|" in plain else plain
