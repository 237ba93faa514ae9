"""Fitting the linear part: a ridge logistic regression on doublings, written down as one line per feature.

Turns rows and labels into a `LinearPart`. Time rule: the rows are those that the trees learn from. Null
rule: a missing number is the mean with a flag of its own; a missing category is a level of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from features.catalogue import Catalogue
from features.feature import Feature
from models.linear import Line, LinearPart, doublings

__all__ = ["fit_linear_part"]

Matrix = NDArray[np.float64]

_STRAIGHT = -3
_NUMBER = -2
_MISSING = -1
_HIGHEST = 0.99
"""Share of the values that a straight line follows; beyond them it stays where it is."""


@dataclass(frozen=True)
class _Column:
    """One column of the design. code: of a category's level, or _NUMBER, _STRAIGHT, or _MISSING for the flag.

    scale: what the penalty measures in. low, high: where a straight line ends.
    """

    position: int
    code: int
    values: Matrix
    mean: float
    scale: float
    low: float = 0.0
    high: float = 0.0

    @property
    def is_number(self) -> bool:
        return self.code in (_NUMBER, _STRAIGHT)


def fit_linear_part(
    X: Matrix,
    *,
    label: NDArray[np.int64],
    catalogue: Catalogue,
    strength: float,
    directions: Sequence[int],
    small: bool = False,
    weight: Matrix | None = None,
) -> LinearPart:
    """A logistic regression with ridge penalty (C = `strength`) as a linear part.

    X: float64 (n, k) in catalogue order. label: int (n,), both classes. directions: per feature 1 where the
    line may only rise, -1 where it may only fall, else 0; numbers whose lines go the other way are left out
    and the rest is fitted again. small: for a table of few rows: a number is read in doublings and as it is,
    and a level's weight is drawn to zero the more, the fewer rows it has. weight: of rows, float64 (n,).
    """
    design = [
        column
        for position, feature in enumerate(catalogue.features)
        for column in _columns(X[:, position], position=position, feature=feature, small=small)
    ]
    while True:
        weights, intercept = _fitted(design, label=label, strength=strength, weight=weight)
        kept = [
            column
            for column, weight in zip(design, weights, strict=True)
            if not column.is_number or directions[column.position] * weight >= 0
        ]
        if len(kept) == len(design):
            return _written_down(
                design, weights, intercept=intercept, columns=X.shape[1], catalogue=catalogue
            )
        design = kept


def _columns(values: Matrix, *, position: int, feature: Feature, small: bool) -> list[_Column]:
    """The design of one feature; what is the same in every row has nothing to say."""
    unknown = np.isnan(values)
    found = [_indicator(unknown, position=position, code=_MISSING)]
    if feature.kind == "category":
        codes = range(len(feature.levels) + 1)
        found += [_indicator(values == code, position=position, code=code) for code in codes]
    elif not unknown.all():
        found.append(_number(doublings(values), unknown, position=position))
        found += [_straight(values, unknown, position=position)] if small else []
    kept = (column for column in found if column.scale > 1e-9)
    return [replace(column, scale=1.0) if small and not column.is_number else column for column in kept]


def _indicator(rows: NDArray[np.bool_], *, position: int, code: int) -> _Column:
    values = rows.astype(np.float64)
    return _Column(position, code, values, float(values.mean()), float(values.std()))


def _number(values: Matrix, unknown: NDArray[np.bool_], *, position: int) -> _Column:
    mean = float(values[~unknown].mean())
    filled = np.where(unknown, mean, values)
    return _Column(position, _NUMBER, filled, mean, float(filled.std()))


def _straight(values: Matrix, unknown: NDArray[np.bool_], *, position: int) -> _Column:
    low, high = (_short(float(end)) for end in np.quantile(values[~unknown], [0.0, _HIGHEST]))
    column = _number(np.clip(values, low, high), unknown, position=position)
    return replace(column, code=_STRAIGHT, low=low, high=high)


def _fitted(
    design: Sequence[_Column], *, label: NDArray[np.int64], strength: float, weight: Matrix | None
) -> tuple[Matrix, float]:
    """The weight of each column, in units of its values, and the log-odds where all are at their mean."""
    if not design:
        rate = float(np.average(label, weights=weight))
        return np.empty(0), float(np.log(rate / (1.0 - rate)))
    standard = np.column_stack([(column.values - column.mean) / column.scale for column in design])
    # One thread: the same bits on any machine.
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=strength, solver="lbfgs", max_iter=2000)
        model.fit(standard, label, sample_weight=weight)
    return model.coef_[0] / [column.scale for column in design], float(model.intercept_[0])


def _written_down(
    design: Sequence[_Column], weights: Matrix, *, intercept: float, columns: int, catalogue: Catalogue
) -> LinearPart:
    """The indicators' means go into the intercept: then each line says what its value adds."""
    told: list[dict[int, float]] = [{} for _ in range(columns)]
    numbers: list[dict[int, _Column]] = [{} for _ in range(columns)]
    for column, weight in zip(design, weights.tolist(), strict=True):
        told[column.position][column.code] = weight
        if column.is_number:
            numbers[column.position][column.code] = column
        else:
            intercept -= weight * column.mean
    lines = [
        _line(feature, weights=own, numbers=read)
        for feature, own, read in zip(catalogue.features, told, numbers, strict=True)
    ]
    return LinearPart(_short(intercept), tuple(lines))


def _line(feature: Feature, *, weights: dict[int, float], numbers: dict[int, _Column]) -> Line:
    missing = _short(weights.get(_MISSING, 0.0))
    if feature.kind == "category":
        codes = range(len(feature.levels) + 1)
        return Line(missing=missing, levels=tuple(_short(weights.get(code, 0.0)) for code in codes))
    centre = _short(numbers[_NUMBER].mean) if _NUMBER in numbers else 0.0
    line = Line(weight=_short(weights.get(_NUMBER, 0.0)), centre=centre, missing=missing)
    straight = numbers.get(_STRAIGHT)
    if straight is None:
        return line
    slope, middle = _short(weights[_STRAIGHT]), _short(straight.mean)
    return replace(line, slope=slope, middle=middle, low=straight.low, high=straight.high)


def _short(number: float) -> float:
    """Nine digits: what the last bits of a machine's arithmetic are does not make another model."""
    return float(f"{number:.9g}")
