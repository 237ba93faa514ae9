"""Intervals: a logit in, the bounds of what accounts scored like it truly have on average out.

Turns log-odds into two rising curves around them, read from a small table. An interval speaks of the mean
true probability of all accounts with such a score, never of one account alone. Time rule: the table was found
on rows later than those that the judged boosters learned from. Null rule: none, every logit has an interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import BundleError
from models.calibration import Calibration, probabilities

__all__ = ["LEVEL", "Intervals", "interval_meaning"]

Vector = NDArray[np.float64]

LEVEL = 0.9
"""Nine in ten intervals should hold what they speak of."""

_ANYTHING = 700.0
"""Log-odds whose probability is 0 in all but name."""

_WORDS = {
    "en": "with {level:.0%} confidence, accounts that are scored like this one have a mean true probability"
    " between the two; the interval speaks of all of them together, not of this account alone",
    "zh": "有{level:.0%}的把握认为：与该客户评分相近的所有客户，其真实概率的平均值介于两者之间；"
    "该区间针对这些客户整体，而非该客户本身",
}


def interval_meaning(level: float) -> dict[str, str]:
    """What an interval means, one sentence per language.

    >>> interval_meaning(0.9)["en"][:20], "90%" in interval_meaning(0.9)["zh"]
    ('with 90% confidence,', True)
    """
    return {language: words.format(level=level) for language, words in _WORDS.items()}


@dataclass(frozen=True)
class Intervals:
    """Bounds by logit: straight lines between the points of a table, parallel to the logit beyond its ends.

    level: the share of such intervals that hold the mean true probability, such as 0.9.
    logits: rising. lows, highs: log-odds that never fall, with lows <= logits <= highs.
    rows, accounts: what they were found on. Raises BundleError for a table that is none of this.
    """

    level: float
    logits: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    rows: int
    accounts: int

    def __post_init__(self) -> None:
        table = np.array([self.logits, self.lows, self.highs])
        rising = table.ndim == 2 and table.shape[1] > 0 and (np.diff(self.logits) > 0).all()
        if not (rising and np.isfinite(table).all() and (np.diff(table) >= 0).all() and _inside(table)):
            raise BundleError(
                "interval table does not hold the logits that it speaks of",
                got=f"{len(self.logits)} logits, {len(self.lows)} lower and {len(self.highs)} upper bounds",
                allowed="finite rising logits, bounds that never fall, each logit between its bounds",
                fix="train again",
            )
        if not 0 < self.level < 1:
            raise BundleError("interval level is no share", got=self.level, allowed="between 0 and 1")

    def bounds(self, logits: Vector) -> tuple[Vector, Vector]:
        """Lower and upper probabilities, float64 (n,) each; they hold the probabilities of the logits."""
        nearest = np.clip(logits, self.logits[0], self.logits[-1])
        beyond = logits - nearest
        low = np.interp(nearest, self.logits, self.lows) + beyond
        high = np.interp(nearest, self.logits, self.highs) + beyond
        # The last bit of an interpolation must not put the probability outside.
        return probabilities(np.minimum(low, logits)), probabilities(np.maximum(high, logits))

    def along(self, line: Calibration) -> Intervals:
        """The same bounds where `line` stands behind the calibration: slope * logit + intercept."""
        logits, lows, highs = (
            _numbers(line.logits(np.array(own)).tolist()) for own in (self.logits, self.lows, self.highs)
        )
        return replace(self, logits=logits, lows=lows, highs=highs)

    @classmethod
    def nothing_known(cls, *, level: float = LEVEL) -> Intervals:
        """From (almost) 0 to 1 around every probability: no row was there to find bounds on."""
        return cls(level, (0.0,), (-_ANYTHING,), (_ANYTHING,), rows=0, accounts=0)

    def to_json(self) -> dict[str, Any]:
        table = {name: list(getattr(self, name)) for name in ("logits", "lows", "highs")}
        return table | {"level": self.level, "rows": self.rows, "accounts": self.accounts}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Intervals:
        return cls(
            level=float(data["level"]),
            logits=_numbers(data["logits"]),
            lows=_numbers(data["lows"]),
            highs=_numbers(data["highs"]),
            rows=int(data["rows"]),
            accounts=int(data["accounts"]),
        )


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(map(float, values))


def _inside(table: NDArray[np.float64]) -> bool:
    logits, lows, highs = table
    return bool((lows <= logits).all() and (logits <= highs).all())
