"""Which features tell the same idea.

Turns a catalogue into groups of its columns, each one idea: all that was done on one channel (every window,
minutes, decay, rhythm), how recent it is, who did it, third-party research as a whole, one set of an account
such as its technologies. What a feature computes and of what comes from its declaration. Time and null rules:
none, values are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.feature import FORMULA, Feature

__all__ = ["Idea", "Ideas", "ideas_of"]

Matrix = NDArray[np.float64]

_WHO = frozenset({"people", "senior_people"})
_OF_SETS = frozenset({"member", "size"})
_RECENT = "days_since"


@dataclass(frozen=True)
class Idea:
    """name: the idea of its first feature, as the catalogue calls it. columns: sorted by feature."""

    name: str
    columns: tuple[int, ...]


def ideas_of(catalogue: Catalogue) -> tuple[Idea, ...]:
    """Every column in exactly one idea; ideas by name.

    A declared feature that names the idea of another one belongs to that one's.
    """
    topics = {
        feature.idea or feature.name: _topic(feature)
        for feature in catalogue.features
        if feature.aggregation != FORMULA
    }
    columns: dict[tuple[str, ...], list[int]] = {}
    for column, feature in enumerate(catalogue.features):
        idea = feature.idea or feature.name
        columns.setdefault(topics.get(idea, (idea,)), []).append(column)
    found = (
        Idea(_name(catalogue, places[0]), tuple(sorted(places, key=catalogue.names.__getitem__)))
        for places in columns.values()
    )
    return tuple(sorted(found, key=lambda idea: idea.name))


def _name(catalogue: Catalogue, column: int) -> str:
    feature = catalogue.features[column]
    return feature.idea or feature.name


def _topic(feature: Feature) -> tuple[str, ...]:
    """What two features have in common exactly when they tell one idea."""
    if feature.table == "intent_topics":
        return (feature.group,)
    if feature.table == "accounts" and feature.aggregation in _OF_SETS:
        return feature.group, feature.subject
    if feature.group in ("engagement", "outreach"):
        return feature.group, feature.subject, _aspect(feature)
    if feature.table == "opportunities" and feature.aggregation.startswith(_RECENT):
        return feature.group, _RECENT
    return (feature.idea or feature.name,)


def _aspect(feature: Feature) -> str:
    if feature.aggregation in _WHO:
        return "who"
    return "recent" if feature.aggregation.startswith(_RECENT) else "much"


class Ideas:
    """The ideas of a catalogue, ready to add up their contributions."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.each = ideas_of(catalogue)
        self._rounds = [(np.array(places), np.array(columns)) for places, columns in _rounds(self.each)]

    def sums(self, contributions: Matrix) -> Matrix:
        """float64 (n, ideas): the contributions (n, k) of each idea, added up.

        In the order of the columns, one addition for each: a row gives the same bits alone and among others.
        """
        total = np.zeros((len(contributions), len(self.each)))
        for places, columns in self._rounds:
            total[:, places] += contributions[:, columns]
        return total


def _rounds(ideas: Sequence[Idea]) -> Iterator[tuple[list[int], list[int]]]:
    """The first column of every idea, then the second of those that have one, and so on."""
    for turn in range(max((len(idea.columns) for idea in ideas), default=0)):
        places = [place for place, idea in enumerate(ideas) if len(idea.columns) > turn]
        yield places, [ideas[place].columns[turn] for place in places]
