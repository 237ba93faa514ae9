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
from pydantic_core import to_json

from features.catalogue import Catalogue
from features.feature import Language
from models.grades import Grade
from models.ideas import Ideas
from models.known_inputs import InputsTold
from models.spoken import SpokenFeature, as_json

__all__ = ["MOST_REASONS", "Explained", "Part", "Reason", "Reasons", "Told"]

MOST_REASONS = 5
"""How many reasons are told for, and how many against."""


class Part(TypedDict):
    """One feature of an idea: its value as people read it, None when missing, and its share in log-odds."""

    feature: str
    value: str | None
    contribution: float


class Reason:
    """One idea of the row, told by its strongest feature.

    contribution: log-odds, calibrated, of all the idea's features: the sum of its parts. Words are made when
    they are asked for.
    """

    __slots__ = ("_cells", "_features", "_shares", "_total", "contribution", "idea")

    def __init__(
        self,
        idea: str,
        total: str,
        *,
        features: Sequence[SpokenFeature],
        cells: Sequence[float],
        shares: Sequence[str],
    ) -> None:
        """features: all of the idea that contribute anything, the strongest first. cells, shares: of each its
        cell of the row, and what it contributes in log-odds as the shortest JSON number of the same bits.
        total: of all, written the same."""
        self.idea, self.contribution, self._total = idea, float(total), total
        self._features, self._cells, self._shares = features, cells, shares

    @property
    def feature(self) -> str:
        """The name of the feature that speaks."""
        return self._features[0].name

    @property
    def value(self) -> str | None:
        """Of the feature that speaks, as people read it; None when missing."""
        return self._features[0].values[self._cells[0]]

    @property
    def parts(self) -> list[Part]:
        """Every feature of the idea that contributes anything, the strongest first."""
        told = zip(self._features, self._cells, self._shares, strict=True)
        return [
            {"feature": one.name, "value": one.values[cell], "contribution": float(share)}
            for one, cell, share in told
        ]

    def sentence(self, language: Language = "en") -> str:
        """The reason in one sentence, without a full stop."""
        return self._features[0].sentences[language][self._cells[0]]

    def as_json(self, language: Language) -> str:
        """A JSON object: idea, feature, value, sentence, contribution and parts.

        An answer has a hundred parts: without an object for each they are written in half the time.
        """
        told = zip(self._features, self._cells, self._shares, strict=True)
        parts = "},".join([one.openings[cell] + share for one, cell, share in told])
        first = self._features[0].tellings[language][self._cells[0]]
        total = f'"contribution":{self._total},"parts":[{parts}}}]'
        return f'{{"idea":{as_json(self.idea)},{first},{total}}}'

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
        self._features = [SpokenFeature(one) for one in catalogue.features]
        self._ideas = Ideas(catalogue)
        self._idea_of = np.empty(len(catalogue.names), dtype=np.intp)
        for place, idea in enumerate(self._ideas.each):
            self._idea_of[list(idea.columns)] = place
        self._by_name = np.argsort(np.argsort(np.array(catalogue.names)))

    def of(self, X: NDArray[np.float64], *, contributions: NDArray[np.float64]) -> Iterator[Told]:
        """The reasons of each row.

        X: float64 (n, k) in the catalogue's order. contributions: float64 (n, k), log-odds, calibrated.
        Order: strongest first, equal ones by name; an idea whose contributions add up to zero is no reason.
        """
        totals = self._ideas.sums(contributions)
        strongest_first = np.argsort(-np.abs(totals), axis=1, kind="stable")
        shown = _shown(totals, strongest_first=strongest_first)
        rest = np.where(shown, 0.0, totals).tolist()
        sides: list[tuple[list[Reason], list[Reason]]] = [([], []) for _ in rest]
        for row, reason in self._reasons(
            X, contributions, totals=totals, shown=shown, strength=np.argsort(strongest_first, axis=1)
        ):
            sides[row][reason.contribution < 0].append(reason)
        for (supporting, opposing), others in zip(sides, rest, strict=True):
            yield Told(tuple(supporting), tuple(opposing), math.fsum(others))

    def _reasons(
        self,
        X: NDArray[np.float64],
        contributions: NDArray[np.float64],
        *,
        totals: NDArray[np.float64],
        shown: NDArray[np.bool_],
        strength: NDArray[np.intp],
    ) -> Iterator[tuple[int, Reason]]:
        """Each reason that is shown, with its row; of a row, the strongest first.

        totals, shown, strength: (n, ideas), of each idea its sum, whether it is told, and how many are
        stronger.
        """
        rows, columns = np.nonzero(contributions)
        ideas = self._idea_of[columns]
        told = np.flatnonzero(shown[rows, ideas])
        rows, columns, ideas = rows[told], columns[told], ideas[told]
        shares, sums = contributions[rows, columns], totals[rows, ideas]
        order = np.lexsort((self._by_name[columns], -np.sign(sums) * shares, strength[rows, ideas], rows))
        rows, columns, ideas = rows[order], columns[order], ideas[order]
        features = [self._features[column] for column in columns.tolist()]
        cells = X[rows, columns].tolist()
        texts = _as_texts(shares[order])
        begins = np.flatnonzero((np.diff(rows, prepend=-1) != 0) | (np.diff(ideas, prepend=-1) != 0))
        ends = np.append(begins, len(rows))[1:].tolist()
        names = [idea.name for idea in self._ideas.each]
        for row, idea, total, begin, end in zip(
            rows[begins].tolist(),
            ideas[begins].tolist(),
            _as_texts(sums[order][begins]),
            begins.tolist(),
            ends,
            strict=True,
        ):
            own = slice(begin, end)
            yield row, Reason(names[idea], total, features=features[own], cells=cells[own], shares=texts[own])


def _as_texts(numbers: NDArray[np.float64]) -> list[str]:
    """Each as JSON writes it: the shortest text of the same bits."""
    return to_json(numbers.tolist()).decode()[1:-1].split(",") if len(numbers) else []


def _shown(totals: NDArray[np.float64], *, strongest_first: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which ideas are told, bool (n, ideas): of each sign the strongest."""
    ranked = np.take_along_axis(totals, strongest_first, axis=1)
    chosen = np.zeros(ranked.shape, dtype=bool)
    for side in (ranked > 0, ranked < 0):
        chosen |= side & (np.cumsum(side, axis=1) <= MOST_REASONS)
    shown = np.empty_like(chosen)
    np.put_along_axis(shown, strongest_first, chosen, axis=1)
    return shown
