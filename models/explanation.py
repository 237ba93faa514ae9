"""Explanations: contributions in, the reasons that people read out.

Turns exact contributions (log-odds) into up to five reasons for and five against, strongest first; what is
not shown is added up in `other`, so that baseline + reasons + other is the logit. One idea is one reason:
the contributions of its features are added up, listed as its parts, and the strongest speaks for them. Time
rule: none of its own. Null rule: a missing value is a value: it may speak for or against, and its sentence
says that nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

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


class Part(TypedDict):
    """One feature of an idea: its value as people read it, None when missing, and its share in log-odds."""

    # A thousand answers hold a hundred thousand of these: as dictionaries they go into answers as they are.
    feature: str
    value: str | None
    contribution: float


class Reason:
    """One idea of the row, told by its strongest feature.

    contribution: log-odds, calibrated, of all the idea's features: the sum of its parts. Words are made when
    they are asked for.
    """

    __slots__ = ("_told", "contribution", "idea")

    def __init__(
        self, idea: str, contribution: float, *, told: Sequence[tuple[Feature, float, float]]
    ) -> None:
        """told: every feature of the idea that contributes anything, its cell of the row and its share in
        log-odds, the strongest first."""
        self.idea, self.contribution = idea, contribution
        self._told = told

    @property
    def feature(self) -> str:
        """The name of the feature that speaks."""
        return self._told[0][0].name

    @property
    def value(self) -> str | None:
        """Of the feature that speaks, as people read it; None when missing."""
        feature, cell, _ = self._told[0]
        return _as_text(feature.readable(cell))

    @property
    def parts(self) -> list[Part]:
        """Every feature of the idea that contributes anything, the strongest first."""
        return [
            {"feature": feature.name, "value": _as_text(feature.readable(cell)), "contribution": share}
            for feature, cell, share in self._told
        ]

    def sentence(self, language: Language = "en") -> str:
        """The reason in one sentence, without a full stop."""
        feature, cell, _ = self._told[0]
        return feature.sentence(cell, language=language)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and (self.idea, self.contribution, self.parts) == (
            (other.idea, other.contribution, other.parts)
        )

    def __hash__(self) -> int:
        return hash((self.idea, self.contribution))


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
        self._features = catalogue.features
        self._ideas = Ideas(catalogue)

    def of(self, X: NDArray[np.float64], *, contributions: NDArray[np.float64]) -> Iterator[Told]:
        """The reasons of each row.

        X: float64 (n, k) in the catalogue's order. contributions: float64 (n, k), log-odds, calibrated.
        Order: strongest first, equal ones by name; an idea whose contributions add up to zero is no reason.
        """
        totals = self._ideas.sums(contributions)
        strongest_first = np.argsort(-np.abs(totals), axis=1, kind="stable")
        rows = zip(X.tolist(), contributions.tolist(), totals.tolist(), strongest_first.tolist(), strict=True)
        for cells, shares, total, order in rows:
            yield self._told(cells, shares, total=total, order=order)

    def _told(self, cells: list[float], shares: list[float], *, total: list[float], order: list[int]) -> Told:
        ideas = self._ideas.each
        supporting = [place for place in order if total[place] > 0][:MOST_REASONS]
        opposing = [place for place in order if total[place] < 0][:MOST_REASONS]
        shown = {*supporting, *opposing}
        return Told(
            tuple(self._reason(ideas[place], cells, shares, total[place]) for place in supporting),
            tuple(self._reason(ideas[place], cells, shares, total[place]) for place in opposing),
            math.fsum(share for place, share in enumerate(total) if place not in shown),
        )

    def _reason(self, idea: Idea, cells: list[float], shares: list[float], total: float) -> Reason:
        columns = [column for column in idea.columns if shares[column]]
        if len(columns) > 1:
            # Columns stand by name, so that a stable order breaks ties by name.
            columns.sort(key=shares.__getitem__, reverse=total > 0)
        features = self._features
        told = [(features[column], cells[column], shares[column]) for column in columns]
        return Reason(idea.name, total, told=told)


def _as_text(value: Value) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)
