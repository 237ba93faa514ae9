"""Explanations: contributions in, the reasons that people read out.

Turns exact contributions (log-odds) into up to five reasons for and five against, strongest first; what is
not shown is added up in `other`, so that baseline + reasons + other is the logit. One idea is one reason:
the contributions of its features are added up, listed as its parts, and the strongest speaks for them. Time
rule: none of its own. Null rule: a missing value is a value: it may speak for or against, and its sentence
says that nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.feature import Feature, Language, Value
from models.grades import Grade
from models.ideas import Idea, Ideas
from models.known_inputs import InputsTold

__all__ = ["MOST_REASONS", "Explained", "Part", "Reason", "Reasons", "Told"]

MOST_REASONS = 5
"""How many reasons are told for, and how many against."""


@dataclass(frozen=True, slots=True)
class Part:
    """One feature of an idea. cell: of the matrix, NaN when missing. contribution: log-odds, calibrated."""

    declared: Feature
    cell: float = field(compare=False)
    contribution: float

    @property
    def feature(self) -> str:
        """The name of the feature."""
        return self.declared.name

    @property
    def value(self) -> Value:
        """As people read it; None when missing."""
        return self.declared.readable(self.cell)


@dataclass(frozen=True, slots=True)
class Reason:
    """One idea of the row, told by its strongest feature.

    contribution: log-odds, calibrated, of all the idea's features. parts: those of them that contribute
    anything, the strongest first; their contributions add up to the reason's.
    """

    idea: str
    contribution: float
    parts: tuple[Part, ...]

    @property
    def feature(self) -> str:
        """The name of the feature that speaks."""
        return self.parts[0].feature

    @property
    def value(self) -> Value:
        """Of the feature that speaks, as people read it; None when missing."""
        return self.parts[0].value

    def sentence(self, language: Language = "en") -> str:
        """The reason in one sentence, without a full stop."""
        return self.parts[0].declared.sentence(self.parts[0].cell, language=language)


@dataclass(frozen=True)
class Explained:
    """The answer for one row of one model.

    probability: follows from `logit` by `models.calibration.probability`, bit for bit.
    low, high: the interval around the probability; see `models.intervals`.
    score: 0-100, place in the reference population. logit = baseline + all contributions + other (1e-9).
    other: the sum of the contributions that are not shown. inputs: what was known of the account.
    contributions: float64 (k,), log-odds, calibrated, in the catalogue's order: all of them.
    """

    probability: float
    low: float
    high: float
    score: float
    grade: Grade
    logit: float
    baseline: float
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    other: float
    inputs: InputsTold
    contributions: NDArray[np.float64] = field(compare=False, repr=False)


class Told(NamedTuple):
    """What is told of one row."""

    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    other: float


class Reasons:
    """The reasons of one catalogue's rows. What depends on the catalogue alone is worked out once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._features, self._names = catalogue.features, catalogue.names
        self._ideas = Ideas(catalogue)

    def of(self, X: NDArray[np.float64], *, contributions: NDArray[np.float64]) -> Iterator[Told]:
        """The reasons of each row.

        X: float64 (n, k) in the catalogue's order. contributions: float64 (n, k), log-odds, calibrated.
        Order: strongest first, equal ones by name; an idea whose contributions add up to zero is no reason.
        """
        totals = self._ideas.sums(contributions)
        strongest_first = np.argsort(-np.abs(totals), axis=1, kind="stable")
        rows = zip(X, contributions, totals.tolist(), strongest_first.tolist(), strict=True)
        for row, shares, total, order in rows:
            yield self._told(row, shares.tolist(), total=total, order=order)

    def _told(
        self, row: NDArray[np.float64], shares: list[float], *, total: list[float], order: list[int]
    ) -> Told:
        supporting = [place for place in order if total[place] > 0][:MOST_REASONS]
        opposing = [place for place in order if total[place] < 0][:MOST_REASONS]
        ideas, shown = self._ideas.each, {*supporting, *opposing}
        return Told(
            tuple(self._reason(ideas[place], row, shares, total[place]) for place in supporting),
            tuple(self._reason(ideas[place], row, shares, total[place]) for place in opposing),
            math.fsum(share for place, share in enumerate(total) if place not in shown),
        )

    def _reason(self, idea: Idea, row: NDArray[np.float64], shares: list[float], total: float) -> Reason:
        side, names = math.copysign(1.0, total), self._names
        columns = sorted(
            (column for column in idea.columns if shares[column]),
            key=lambda column: (-side * shares[column], names[column]),
        )
        parts = (Part(self._features[column], float(row[column]), shares[column]) for column in columns)
        return Reason(idea.name, total, tuple(parts))
