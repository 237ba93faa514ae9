"""Company names in a form in which two spellings of one name are alike.

Turns a name into the words that tell companies apart: lower case, plain letters, without the legal form,
usual abbreviations written out, Chinese names translated and spelled. The Chinese characters are kept
beside the words, as they tell apart what sounds the same. Time rule: none. Null rule: a name without a
letter or digit has no words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from anyascii import anyascii

from features.identity.chinese import CHARACTERS, simplified, translated
from features.identity.legal_forms import without_form, without_form_characters
from features.identity.word_lists import word_pairs

__all__ = ["CompanyName", "company_name"]

_RUN = re.compile(f"[{CHARACTERS}]+")
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_NOT_CHINESE = re.compile("[\u3040-\u30ff\uac00-\ud7af]")

_APART = re.compile(rf"[a-zA-Z.)][\s(/|-]+[{CHARACTERS}]|[{CHARACTERS}]\)?[\s(/|-]+[a-zA-Z]")
_FILLERS = frozenset({"and", "und", "et", "och", "ve", "the", "of", "for"})


@dataclass(frozen=True)
class CompanyName:
    """words: what tells companies apart, in order. characters: Chinese, Japanese or Korean; may be empty.

    spelled: the words come from the characters; a Latin name was not given.
    """

    words: tuple[str, ...]
    characters: str = ""
    spelled: bool = False

    @property
    def key(self) -> str:
        """Equal for names that differ in nothing but legal form, order, accents and abbreviations."""
        return " ".join(sorted(self.words))


@lru_cache(maxsize=262_144)
def company_name(text: str) -> CompanyName:
    """The name as words and characters.

    >>> company_name("Acme Intl. Technologies, S.p.A.").words
    ('acme', 'international', 'technology')
    >>> company_name("騰訊控股有限公司")
    CompanyName(words=('tengxun', 'holding'), characters='腾讯控股', spelled=True)
    """
    folded = unicodedata.normalize("NFKC", text)
    runs = _RUN.findall(folded)
    latin = _latin(_RUN.sub(" ", folded))
    if not runs:
        return CompanyName(latin)
    characters = without_form_characters(simplified("".join(runs)))
    if _bilingual(folded, latin=latin):
        return CompanyName(latin, characters)
    return CompanyName((*latin, *_read(characters)), characters, spelled=True)


def _bilingual(text: str, *, latin: tuple[str, ...]) -> bool:
    """Whether Latin letters are a name of their own, and not a part of the Chinese one (TCL科技)."""
    apart = re.search(
        f"[a-zA-Z.)）][\\s(（/|-]+[{CHARACTERS}]|[{CHARACTERS}][)）]?[\\s(（/|-]+[a-zA-Z]", text
    )
    return bool(latin) and (len(latin) > 1 or apart is not None) and any(len(word) > 1 for word in latin)


def _read(characters: str) -> tuple[str, ...]:
    """Chinese as translated words; Japanese and Korean as they sound, without blanks."""
    if _CHINESE.search(characters) and not _NOT_CHINESE.search(characters):
        return tuple(map(_canonical, translated(characters)))
    return (anyascii(characters).lower(),)


def _latin(text: str) -> tuple[str, ...]:
    plain = anyascii(text.casefold()).lower().replace("'", "")
    plain = re.sub(r"\b([a-z])[./](?=[a-z]\b)", r"\1", plain)
    words = tuple(_letters_together(re.findall(r"[a-z0-9]+", plain.replace("&", " and "))))
    kept = tuple(_canonical(word) for word in without_form(words) if word not in _FILLERS)
    return kept or words


def _letters_together(words: list[str]) -> list[str]:
    """Single letters that follow each other as one word: "k w metal" is "kw metal"."""
    joined: list[str] = []
    alone = False
    for word in words:
        if len(word) == 1 and alone:
            joined[-1] += word
        else:
            joined.append(word)
        alone = len(word) == 1
    return joined


@cache
def _canonical_words() -> dict[str, str]:
    return dict(word_pairs("abbreviations"))


def _canonical(word: str) -> str:
    """The singular, with usual abbreviations written out (or, what is longer, cut)."""
    singular = _singular(word)
    return _canonical_words().get(word) or _canonical_words().get(singular) or singular


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 5 else word[:-1]
