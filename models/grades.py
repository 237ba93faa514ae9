"""Scores and grades: a probability in, its place in a reference population out.

The score is the share of the reference population that has a lower probability, in percent, cut (never
rounded up) to one decimal; the grade cuts the score. The reference is frozen at training, so a score keeps
its meaning until the next release. Equal probabilities get equal scores and grades; ties never push more
accounts into a grade than its share allows. Time rule: none of its own. Null rule: there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import BundleError, ConfigError, NotEnoughDataError
from features.settings import GRADES, Grade, ServingSettings

__all__ = ["GRADES", "Grade", "GradeCuts", "Reference"]

_STEPS = 1000


@dataclass(frozen=True)
class GradeCuts:
    """The shares of the reference population, from the top, at which grades A, B and C end.

    >>> GradeCuts().grade(90.0), GradeCuts().grade(89.9), GradeCuts().grade(12.5)
    ('A', 'B', 'D')
    """

    shares: tuple[float, float, float] = (0.10, 0.30, 0.60)

    def __post_init__(self) -> None:
        rising = len(self.shares) == 3 and 0 < self.shares[0] < self.shares[1] < self.shares[2] < 1
        if not rising or any(abs(share * _STEPS - round(share * _STEPS)) > 1e-9 for share in self.shares):
            raise ConfigError(
                "grade cuts do not divide a population",
                got=list(self.shares),
                allowed="three rising shares between 0 and 1 with at most three decimals",
                fix="for example [0.10, 0.30, 0.60]: A is the top 10 %, B ends at 30 %, C at 60 %",
            )

    @property
    def lowest_scores(self) -> tuple[float, float, float]:
        """The lowest scores that still earn A, B and C."""
        a, b, c = ((_STEPS - round(share * _STEPS)) / 10 for share in self.shares)
        return a, b, c

    def grade(self, score: float) -> Grade:
        """The grade of a score (0-100)."""
        lowest = zip(GRADES, self.lowest_scores, strict=False)
        return next((grade for grade, bound in lowest if score >= bound), "D")

    def grades(self, scores: NDArray[np.float64]) -> NDArray[np.str_]:
        """The grades (n,) of scores (n,)."""
        place = np.searchsorted(self.lowest_scores[::-1], scores, side="right")
        return np.array(GRADES[::-1])[place]

    def to_json(self) -> dict[str, list[float]]:
        return {"shares": list(self.shares)}

    @classmethod
    def of_release(cls, serving: ServingSettings) -> GradeCuts | None:
        """The cuts that a release's [serving] gives; None where it gives none: the models' own then."""
        return cls(serving.grade_cuts) if "grade_cuts" in serving.model_fields_set else None

    @classmethod
    def from_json(cls, data: Mapping[str, Sequence[float]]) -> GradeCuts:
        a, b, c = data["shares"]
        return cls((float(a), float(b), float(c)))


@dataclass(frozen=True)
class Reference:
    """What a reference population looks like: enough of it to give every score exactly.

    thresholds: 1,000 rising probabilities; a probability above the i-th (counted from 1) is above at least
    i tenths of a percent of the population. rows: the size of the population.
    """

    thresholds: tuple[float, ...]
    rows: int

    def __post_init__(self) -> None:
        values = np.asarray(self.thresholds)
        if len(values) != _STEPS or not ((values >= 0) & (values <= 1)).all() or (np.diff(values) < 0).any():
            raise BundleError(
                "reference population is not a distribution of probabilities",
                got=f"{len(values)} thresholds",
                allowed=f"{_STEPS} rising probabilities",
                fix="make the bundle again with Reference.of(probabilities)",
            )

    @classmethod
    def of(cls, probabilities: ArrayLike) -> Reference:
        """The reference of a population, from one probability per account (n,), in any order."""
        population = np.sort(np.asarray(probabilities, dtype=np.float64))
        rows = len(population)
        if rows == 0 or not np.isfinite(population).all():
            raise NotEnoughDataError(
                "reference population needs probabilities",
                got=f"{rows} rows, {int((~np.isfinite(population)).sum())} of them not finite",
                allowed="at least one row, all finite",
                fix="score the accounts that were known at the cutoff",
            )
        # A probability is above at least i thousandths of the population exactly when it is above the
        # ceil(i * rows / 1000)-th smallest one.
        positions = -(-np.arange(1, _STEPS + 1) * rows // _STEPS) - 1
        return cls(tuple(population[positions].tolist()), rows)

    def scores(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores (n,) of probabilities (n,): 0 to 100 in steps of 0.1."""
        return np.searchsorted(self.thresholds, probabilities, side="left") / 10

    def score(self, probability: float) -> float:
        """The percentage of the population with a lower probability, cut to one decimal."""
        return float(self.scores(np.array([probability]))[0])

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "thresholds": list(self.thresholds)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reference:
        return cls(tuple(float(value) for value in data["thresholds"]), int(data["rows"]))
