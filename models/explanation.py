"""Explanations: one row's contributions in, the reasons that people read out.

Turns exact contributions (log-odds) into up to five reasons for and five against, strongest first; what is
not shown is added up in `other`, so that baseline + reasons + other is the logit. An idea that has several
windows is told once per side, by its strongest window. Time rule: none of its own. Null rule: a missing
value is a value: it may speak for or against, and its sentence says that nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

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
    """One feature of the row. contribution: log-odds, calibrated. value: None when missing."""

    feature: str
    value: Value
    sentence: str
    sentence_zh: str
    contribution: float


@dataclass(frozen=True)
class Explained:
    """The answer for one row of one model.

    probability: follows from `logit` by `models.calibration.probability`, bit for bit.
    score: 0-100, place in the reference population. logit = baseline + all contributions + other (1e-9).
    other: the sum of the contributions that are not shown.
    """

    probability: float
    score: float
    grade: Grade
    logit: float
    baseline: float
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    other: float


def reasons(
    row: NDArray[np.float64], *, contributions: NDArray[np.float64], catalogue: Catalogue
) -> tuple[tuple[Reason, ...], tuple[Reason, ...], float]:
    """Reasons for, reasons against and `other` of one row.

    row: float64 (k,) in the catalogue's order. contributions: float64 (k,), log-odds, calibrated.
    Order: strongest first, equal ones by name; a contribution of zero is no reason.
    """
    values = contributions.tolist()
    ranked = sorted(range(len(values)), key=lambda column: (-abs(values[column]), catalogue.names[column]))
    supporting = _told(catalogue, [column for column in ranked if values[column] > 0])
    opposing = _told(catalogue, [column for column in ranked if values[column] < 0])
    shown = {*supporting, *opposing}
    other = math.fsum(value for column, value in enumerate(values) if column not in shown)

    def tell(column: int) -> Reason:
        feature, cell = catalogue.features[column], float(row[column])
        return Reason(
            feature=feature.name,
            value=feature.readable(cell),
            sentence=feature.sentence(cell, language="en"),
            sentence_zh=feature.sentence(cell, language="zh"),
            contribution=values[column],
        )

    return tuple(map(tell, supporting)), tuple(map(tell, opposing)), other


def _told(catalogue: Catalogue, ranked: Sequence[int]) -> list[int]:
    strongest: dict[str, int] = {}
    for column in ranked:
        feature = catalogue.features[column]
        strongest.setdefault(feature.idea or feature.name, column)
    return list(strongest.values())[:MOST_REASONS]
