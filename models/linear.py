"""The linear part of a margin: one straight line per feature, beside the trees.

Turns a float64 matrix in contract order into one contribution per feature, which adds to what the trees say
of it; so the sum stays exact. Few events bear a line more surely than trees, and a line goes on where the
trees have seen nothing yet. Numbers are read in doublings, sign(x) * log2(1 + |x|), with straight lines
between the powers of two: only exact arithmetic, and so the same bits on every machine. Time rule: none.
Null rule: a missing value contributes what it was worth in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.errors import BundleError

__all__ = ["Line", "LinearPart", "doublings"]

Matrix = NDArray[np.float64]


def doublings(X: Matrix) -> Matrix:
    """How often 1 must be doubled to reach 1 + |x|, with the sign of x; straight between powers of two.

    >>> doublings(np.array([0.0, 1.0, 2.0, 3.0, -7.0])).tolist()
    [0.0, 1.0, 1.5, 2.0, -3.0]
    """
    mantissa, exponent = np.frexp(1.0 + np.abs(X))
    scale: Matrix = np.sign(X) * ((exponent - 1) + (2.0 * mantissa - 1.0))
    return scale


@dataclass(frozen=True)
class Line:
    """What one feature contributes, in log-odds before calibration.

    A number: weight * (doublings(x) - centre) + slope * (x - middle), where the second x is kept between
    `low` and `high`. A category: levels[code], the last for any other value. missing: where the value is not
    known.
    """

    weight: float = 0.0
    centre: float = 0.0
    missing: float = 0.0
    levels: tuple[float, ...] = ()
    slope: float = 0.0
    middle: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class LinearPart:
    """intercept: log-odds of a row whose contributions are all 0. lines: one per column, in order."""

    intercept: float
    lines: tuple[Line, ...]

    def margins(self, X: Matrix) -> Matrix:
        """float64 (n,), log-odds before calibration."""
        total = np.full(len(X), self.intercept)
        # Column by column: the sum of a row must not depend on how many rows there are.
        for column in self.contributions(X).T:
            total += column
        return total

    def contributions(self, X: Matrix) -> Matrix:
        """float64 (n, k): what each feature adds to the intercept."""
        weight, centre, missing = self._coefficients
        told: Matrix = weight * (doublings(X) - centre)
        for column, line in self._straight.items():
            told[:, column] += line.slope * (np.clip(X[:, column], line.low, line.high) - line.middle)
        for column, levels in self._levels.items():
            codes = np.nan_to_num(X[:, column]).astype(np.int64)
            told[:, column] = levels[codes]
        return np.where(np.isnan(X), missing, told)

    @cached_property
    def _coefficients(self) -> tuple[Matrix, Matrix, Matrix]:
        names = ("weight", "centre", "missing")
        weight, centre, missing = (np.array([getattr(line, name) for line in self.lines]) for name in names)
        return weight, centre, missing

    @cached_property
    def _levels(self) -> dict[int, Matrix]:
        return {column: np.array(line.levels) for column, line in enumerate(self.lines) if line.levels}

    @cached_property
    def _straight(self) -> dict[int, Line]:
        return {column: line for column, line in enumerate(self.lines) if line.slope}

    def scaled(self, weight: float) -> LinearPart:
        """The part of which every contribution is `weight` times as large, the intercept too."""
        lines = (
            replace(
                line,
                weight=weight * line.weight,
                missing=weight * line.missing,
                levels=tuple(weight * level for level in line.levels),
                slope=weight * line.slope,
            )
            for line in self.lines
        )
        return LinearPart(weight * self.intercept, tuple(lines))

    def require_fitting(self, catalogue: Catalogue) -> None:
        """BundleError unless there is one line per feature, with a value for each level and for any other."""
        wanted = [len(one.levels) + 1 if one.kind == "category" else 0 for one in catalogue.features]
        if [len(line.levels) for line in self.lines] != wanted:
            raise BundleError(
                "linear part and catalogue name different columns",
                got=f"{len(self.lines)} lines",
                allowed=f"one for each of the {len(wanted)} features, with a value for every level",
                fix="restore the bundle from its release, or train again",
            )

    def to_json(self) -> dict[str, Any]:
        """Numbers and lists only; `from_json` gives the same part back, bit for bit."""
        lines = [
            {"levels": list(line.levels), "missing": line.missing}
            if line.levels
            else {"weight": line.weight, "centre": line.centre, "missing": line.missing} | _straight(line)
            for line in self.lines
        ]
        return {"intercept": self.intercept, "lines": lines}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> LinearPart:
        lines = (
            Line(**{**line, "levels": tuple(line["levels"])} if "levels" in line else line)
            for line in stored["lines"]
        )
        return cls(stored["intercept"], tuple(lines))


def _straight(line: Line) -> dict[str, float]:
    """What a line says of the number itself, if anything."""
    return {name: getattr(line, name) for name in ("slope", "middle", "low", "high")} if line.slope else {}
