"""Explanations: one row's contributions in, the reasons that people read out.

Turns exact contributions (log-odds) into up to five reasons for and five against, strongest first; what is
not shown is added up in `other`, so that baseline + reasons + other is the logit. The windows of one quantity
are one idea and one reason: their contributions are added up, and the strongest speaks for them. Time rule:
none of its own. Null rule: a missing value is a value: it may speak for or against, and its sentence says
that nothing is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.feature import Value
from models.grades import Grade

__all__ = ["MOST_REASONS", "Explained", "Reason", "reasons"]

MOST_REASONS = 5
"""How many reasons are told for, and how many against."""


@dataclass(frozen=True)
class Reason:
    """One idea of the row, told by its strongest feature.

    value: of that feature; None when missing. contribution: log-odds, calibrated, of all the idea's features.
    """

    feature: str
    value: Value
    sentence: str
    sentence_zh: str
    contribution: float


@dataclass(frozen=True)
class Explained:
    """The answer for one row of one model.

    probability: follows from `logit` by `models.calibration.probability`, bit for bit.
    low, high: the interval around the probability; see `models.intervals`.
    score: 0-100, place in the reference population. logit = baseline + all contributions + other (1e-9).
    other: the sum of the contributions that are not shown.
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
    contributions: NDArray[np.float64] = field(compare=False, repr=False)


def reasons(
    row: NDArray[np.float64], *, contributions: NDArray[np.float64], catalogue: Catalogue
) -> tuple[tuple[Reason, ...], tuple[Reason, ...], float]:
    """Reasons for, reasons against and `other` of one row.

    row: float64 (k,) in the catalogue's order. contributions: float64 (k,), log-odds, calibrated.
    Order: strongest first, equal ones by name; an idea whose contributions add up to zero is no reason.
    """
    values, names = contributions.tolist(), catalogue.names
    ideas: dict[str, list[int]] = {}
    for column, feature in enumerate(catalogue.features):
        ideas.setdefault(feature.idea or feature.name, []).append(column)
    sums = {idea: math.fsum(values[column] for column in columns) for idea, columns in ideas.items()}

    def speaker(idea: str) -> int:
        side = math.copysign(1.0, sums[idea])
        return min(ideas[idea], key=lambda column: (-side * values[column], names[column]))

    ranked = sorted(
        ((sums[idea], speaker(idea), idea) for idea in ideas if sums[idea]),
        key=lambda told: (-abs(told[0]), names[told[1]]),
    )
    supporting = [told for told in ranked if told[0] > 0][:MOST_REASONS]
    opposing = [told for told in ranked if told[0] < 0][:MOST_REASONS]
    shown = {idea for _, _, idea in (*supporting, *opposing)}
    other = math.fsum(values[column] for idea in ideas if idea not in shown for column in ideas[idea])
    return (
        tuple(_tell(catalogue, row, column=column, contribution=total) for total, column, _ in supporting),
        tuple(_tell(catalogue, row, column=column, contribution=total) for total, column, _ in opposing),
        other,
    )


def _tell(catalogue: Catalogue, row: NDArray[np.float64], *, column: int, contribution: float) -> Reason:
    feature, cell = catalogue.features[column], float(row[column])
    return Reason(
        feature=feature.name,
        value=feature.readable(cell),
        sentence=feature.sentence(cell, language="en"),
        sentence_zh=feature.sentence(cell, language="zh"),
        contribution=contribution,
    )
