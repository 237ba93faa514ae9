"""The words of features, each made once.

Turns the cells of one column of the matrix into what people read, as text and as pieces of JSON: thousands of
accounts have the same few cells. Time rule: none. Null rule: NaN is a cell like others: its value is None,
null in JSON, and its sentence says that nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar, get_args

from pydantic_core import to_json

from features.feature import Feature, Language

__all__ = ["SpokenFeature", "as_json"]

_MOST_CELLS = 500
"""Cells of one feature whose words are kept, about a kilobyte each in all."""

Words = TypeVar("Words")


def as_json(text: str | None) -> str:
    """A text, or nothing, as JSON."""
    return to_json(text).decode()


class SpokenFeature:
    """A feature and the words of its cells. Safe to share between threads.

    values: by cell, what people read; None when it is missing. sentences: by language and cell.
    openings: by cell the JSON object of a part before its contribution. tellings: by language and cell the
    members of a reason that its strongest feature gives it: feature, value and sentence.
    """

    __slots__ = ("_feature", "name", "openings", "sentences", "tellings", "values")

    def __init__(self, feature: Feature) -> None:
        self._feature, self.name = feature, feature.name
        self.values, self.openings = _Kept(self._value), _Kept(self._opening)
        self.sentences: dict[Language, _Kept[str]] = {}
        self.tellings: dict[Language, _Kept[str]] = {}
        for language in get_args(Language):
            self.sentences[language] = _Kept(partial(feature.sentence, language=language))
            self.tellings[language] = _Kept(partial(self._telling, language))

    def _value(self, cell: float) -> str | None:
        value = self._feature.readable(cell)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return None if value is None else str(value)

    def _opening(self, cell: float) -> str:
        return f'{{"feature":{as_json(self.name)},"value":{as_json(self._value(cell))},"contribution":'

    def _telling(self, language: Language, cell: float) -> str:
        sentence = as_json(self._feature.sentence(cell, language=language))
        return f'"feature":{as_json(self.name)},"value":{as_json(self._value(cell))},"sentence":{sentence}'


class _Kept(dict[float, Words], Generic[Words]):
    """What is made of a cell, for the cells met before."""

    __slots__ = ("_make", "_unknown")

    def __init__(self, make: Callable[[float], Words]) -> None:
        super().__init__()
        self._make, self._unknown = make, make(math.nan)

    def __missing__(self, cell: float) -> Words:
        # NaN is unlike itself: as a key it would never be found again.
        if math.isnan(cell):
            return self._unknown
        if len(self) >= _MOST_CELLS:
            self.clear()
        self[cell] = made = self._make(cell)
        return made
