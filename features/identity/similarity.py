"""How alike two company names are, from 0 to 1.

Pairs the words of two names, each weighing what it tells (rare words much, "group" little: the logarithm of
how few names hold it), and divides what agrees by everything. A typing error, a cut word and a missing blank
cost a little; a number or a telling word that one name lacks costs its whole weight, because that is how
real companies differ. Time rule: none. Null rule: a name without words is like no other.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from features.identity.names import CompanyName, company_name
from features.identity.word_lists import word_pairs, word_phrases

__all__ = ["WordWeights", "name_similarity"]

_NUMBER_WEIGHT = 7.0
_KNOWN_WORD = 0.75
"""What is left of a likeness when both words occur in names: a slip seldom makes a known word."""

_PREFIX = 0.9
_SUBSEQUENCE = 0.75
_JOINED = 0.97
_INITIALS = 0.75
_REORDERED = 0.99
_OTHER_CHARACTERS = 0.8
"""The most that two names may reach whose Chinese characters differ: sounding alike is not being one."""

_CONTAINED = 0.73
"""The least where one Chinese name holds the other whole, as one says where the company is or what it makes:
too little to be one company, enough for a person to look."""

_PATIENCE = 25.0
"""A weight of so much that only one name has divides the likeness by e: a long name forgives no addition."""

_COMMON = 12
"""Words of so many names get cut; a brand that begins like another one is another brand."""

_FEWEST = 1_000
_GENERIC_COUNT = 10
"""A short list of accounts tells little of words: it is taken for a part of a longer one, in which every
known word of business occurs some times."""

_FORM_WEIGHT = 1.0
_LONG_FORM_WORD = 6
_PARTS_OF_FORMS = frozenset(
    {"public", "joint", "stock", "anonyme", "anonima", "anonim", "societe", "sociedad"}
)


class WordWeights:
    """How much each word tells of a company, learned from the names of the accounts."""

    def __init__(self, names: Iterable[CompanyName]) -> None:
        self._count: Counter[str] = Counter()
        total = 0
        for name in names:
            self._count.update(set(name.words))
            total += 1
        for word in _generic_words():
            self._count[word] += _GENERIC_COUNT
        self._most = math.log(max(total, _FEWEST) + 2)
        self._weight: dict[str, float] = {}

    def weight(self, word: str) -> float:
        """From 1 for a legal form or a word in every third name to log(n) for a word in one name of n."""
        if word not in self._weight:
            self._weight[word] = self._weighed(word)
        return self._weight[word]

    def _weighed(self, word: str) -> float:
        if self._is_form(word):
            return _FORM_WEIGHT
        own = self._most - math.log(self._count[word] + 1)
        return max(own, _NUMBER_WEIGHT) if word[0].isdigit() else max(own, 1.0)

    def known(self, word: str) -> bool:
        """Whether an account's name holds the word, or it is a word of business."""
        return word in self._count

    def common(self, word: str) -> bool:
        """Whether people write the word so often that they cut it."""
        return self._count[word] >= _COMMON

    def _is_form(self, word: str) -> bool:
        """Whether the word belongs to a legal form that stands out of place or is misspelled."""
        return word in _form_words() or (not self.known(word) and _near_a_form(word))


@cache
def _generic_words() -> frozenset[str]:
    """Lines of business and places, in the form that names have them."""
    english = {word for _, words in word_pairs("chinese_words") for word in words.split("+")}
    short = {word for _, word in word_pairs("abbreviations")}
    return frozenset(word for name in english | short for word in company_name(name).words)


@cache
def _form_words() -> frozenset[str]:
    """Forms of one word, and what longer ones begin with; not every word in them ("capital" variable)."""
    phrases = word_phrases("legal_forms_at_the_end") | word_phrases("legal_forms_at_the_start")
    alone = {phrase[0] for phrase in phrases if len(phrase) == 1 and len(phrase[0]) > 1}
    return frozenset(alone) | _PARTS_OF_FORMS


@cache
def _long_form_words() -> tuple[str, ...]:
    return tuple(sorted(word for word in _form_words() if len(word) >= _LONG_FORM_WORD))


@lru_cache(maxsize=65_536)
def _near_a_form(word: str) -> bool:
    if len(word) < _LONG_FORM_WORD - 1:
        return False
    return any(OSA.distance(word, form, score_cutoff=1) <= 1 for form in _long_form_words())


@dataclass(frozen=True)
class _Pair:
    likeness: float
    left: int
    right: int


def name_similarity(left: CompanyName, right: CompanyName, *, weights: WordWeights) -> float:
    """Symmetric in its names but for what `weights` knows; 1 for names with one key."""
    if not left.words or not right.words:
        return 0.0
    if left.characters and right.characters:
        return _with_characters(left, right, weights=weights)
    return _words_alike(left.words, right.words, weights=weights)


def _with_characters(left: CompanyName, right: CompanyName, *, weights: WordWeights) -> float:
    if left.characters == right.characters:
        return 1.0
    short, long = sorted((left.characters, right.characters), key=len)
    least = _CONTAINED if len(short) > 1 and short in long else 0.0
    return max(least, min(_words_alike(left.words, right.words, weights=weights), _OTHER_CHARACTERS))


def _words_alike(left: tuple[str, ...], right: tuple[str, ...], *, weights: WordWeights) -> float:
    if left == right or "".join(left) == "".join(right):
        return 1.0
    if sorted(left) == sorted(right):
        return _REORDERED
    pairs = _pairs(left, right, weights=weights)
    free_left = [word for at, word in enumerate(left) if at not in {pair.left for pair in pairs}]
    free_right = [word for at, word in enumerate(right) if at not in {pair.right for pair in pairs}]
    agreed = 0.0
    total = 0.0
    for pair in pairs:
        # The heavier of the two: a misspelled common word is not a rare one, a misspelled rare one is rare.
        weight = min(weights.weight(left[pair.left]), weights.weight(right[pair.right]))
        agreed += weight * pair.likeness
        total += weight
    likeness, weight = _left_over(free_left, free_right, weights=weights)
    score = (agreed + weight * likeness) / (total + weight) if total + weight else 0.0
    if not likeness:
        score *= math.exp(-weight / _PATIENCE)
    return max(score, _INITIALS if _initials(left, right) or _initials(right, left) else 0.0)


def _pairs(left: tuple[str, ...], right: tuple[str, ...], *, weights: WordWeights) -> list[_Pair]:
    """Each word with its best counterpart, best pairs first."""
    found = [
        _Pair(likeness, i, j)
        for i, one in enumerate(left)
        for j, other in enumerate(right)
        if (likeness := _word_likeness(one, other, weights=weights)) > 0
    ]
    found.sort(key=lambda pair: (-pair.likeness, abs(pair.left - pair.right), pair.left, pair.right))
    kept: list[_Pair] = []
    used_left: set[int] = set()
    used_right: set[int] = set()
    for pair in found:
        if pair.left not in used_left and pair.right not in used_right:
            kept.append(pair)
            used_left.add(pair.left)
            used_right.add(pair.right)
    return kept


def _word_likeness(one: str, other: str, *, weights: WordWeights) -> float:
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if not short.isalpha() or not long.isalpha() or len(short) < 3:
        return 0.0
    cut = weights.common(long) and not weights.common(short)
    if cut and long.startswith(short) and len(long) - len(short) > 1:
        return _PREFIX
    allowed = 0 if len(long) < 4 else 1 if len(long) < 8 else 2
    distance = OSA.distance(one, other, score_cutoff=allowed)
    if distance <= allowed:
        likeness = 1.0 - 0.8 * distance / len(long)
        return likeness * _KNOWN_WORD if weights.known(one) and weights.known(other) else likeness
    return _SUBSEQUENCE if cut and _is_cut(short, long) else 0.0


def _is_cut(short: str, long: str) -> bool:
    """Whether the short word is the long one with letters left out (mfg, manufacturing)."""
    rest = iter(long)
    return short[0] == long[0] and len(long) >= len(short) + 2 and all(letter in rest for letter in short)


def _left_over(left: list[str], right: list[str], *, weights: WordWeights) -> tuple[float, float]:
    """Likeness and weight of the words without a counterpart; they may be one word with another blank."""
    weight = sum(weights.weight(word) for word in (*left, *right))
    one, other = "".join(left), "".join(right)
    if left and right and one.isalpha() and other.isalpha():
        distance = OSA.distance(one, other, score_cutoff=1)
        if distance <= (1 if min(len(one), len(other)) >= 6 else 0):
            return _JOINED - 0.8 * distance / max(len(one), len(other)), weight / 2
    return 0.0, weight


def _initials(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Whether the short name is made of the first letters of the long one."""
    return len(short) == 1 and len(long) >= 3 and short[0] == "".join(word[0] for word in long)
