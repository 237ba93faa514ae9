"""Whether a model's probabilities are true: slope and level on its newest held-out slice.

Turns held-out rows into the calibration slope (Cox 1958; 1 is right) and the level (observed by expected
events; 1 is right), with 95 % intervals over resampled accounts. A limit is broken when the whole interval is
beyond it, so that few rows do not fail by chance. Time rule: a model's line was fitted on all its slices, on
which its slope is therefore 1; what is judged is the same line fitted on the earlier slices alone, on the
newest one. One slice is cut at its middle date, one date into two halves of its accounts. Null rule: too few
events on either side is an answer of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.calibration import fit_calibration, probabilities
from training.backtesting.evaluate import Estimate, evaluate, resampled

__all__ = ["Calibrated", "TooFew", "calibration_on", "forward_calibration", "rates_of", "smaller_class"]

_SMALLEST = 1e-12
_SEED = 0


@dataclass(frozen=True)
class TooFew:
    """Rows that bear no figure. sentence: how many there are."""

    sentence: str


@dataclass(frozen=True)
class Calibrated:
    """Calibration figures of rows. level: observed by expected events. error: mean gap over ten bins."""

    slope: Estimate
    level: Estimate
    error: Estimate
    rows: int
    events: int

    @property
    def base_rate(self) -> float:
        return self.events / self.rows

    def broken(self, *, slope: tuple[float, float], level: tuple[float, float]) -> bool:
        """Whether a whole interval is beyond its limits."""
        return beyond(self.slope, slope) or beyond(self.level, level)

    @property
    def surely_off(self) -> tuple[str, ...]:
        """What is surely not right, though it may be within its limits, in words."""
        told = {
            "probabilities too high": self.level.high < 1,
            "probabilities too low": self.level.low > 1,
            "probabilities too bold": self.slope.high < 1,
            "probabilities too timid": self.slope.low > 1,
        }
        return tuple(words for words, surely in told.items() if surely)

    @property
    def sentence(self) -> str:
        return (
            f"calibration slope {_told(self.slope)}, observed by expected events {_told(self.level)}, "
            f"error {_told(self.error)}, on {self.rows:,} rows with {self.events:,} events "
            f"({100 * self.base_rate:.1f} %)"
        )


def forward_calibration(rows: pd.DataFrame, *, smallest: int, replicates: int) -> Calibrated | TooFew:
    """The calibration of the newest slice with the line of the earlier ones.

    rows: account_id or key, as_of, label, slice, probability. smallest: rows of each class on both sides.
    """
    newest = _newest(rows)
    sides = [rows[~newest], rows[newest]]
    for name, side in zip(("earlier", "newest"), sides, strict=True):
        if smaller_class(side) < smallest:
            return TooFew(
                f"the {name} held-out rows are too few: {rates_of(side)}, {smallest} needed of each"
            )
    earlier, later = sides
    line = fit_calibration(_logits(earlier), labels=earlier["label"].to_numpy())
    again = later.assign(probability=probabilities(line.logits(_logits(later))))
    return calibration_on(again, smallest=smallest, replicates=replicates)


def calibration_on(rows: pd.DataFrame, *, smallest: int, replicates: int) -> Calibrated | TooFew:
    """The calibration of the column `probability` on rows (account_id, label) that it was not fitted on."""
    if smaller_class(rows) < smallest:
        return TooFew(f"too few rows: {rates_of(rows)}, {smallest} needed of each")
    found = evaluate(rows, replicates=replicates, seed=_SEED)
    return Calibrated(
        slope=found["calibration_slope"],
        level=_level(rows, replicates=replicates),
        error=found["calibration_error"],
        rows=len(rows),
        events=int(rows["label"].sum()),
    )


def beyond(estimate: Estimate, limits: tuple[float, float]) -> bool:
    """Whether the whole interval lies outside of the limits."""
    return bool(estimate.high < limits[0] or estimate.low > limits[1])


def rates_of(rows: pd.DataFrame) -> str:
    """How many rows with and without the event, in words."""
    events = int(rows["label"].sum())
    return f"{events:,} with the event and {len(rows) - events:,} without"


def smaller_class(rows: pd.DataFrame) -> int:
    """How many rows there are of the class that has fewer."""
    events = int(rows["label"].sum())
    return min(events, len(rows) - events)


def _logits(rows: pd.DataFrame) -> NDArray[np.float64]:
    chance = np.clip(rows["probability"].to_numpy(dtype=np.float64), _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(chance) - np.log1p(-chance))


def _told(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "undefined"
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _newest(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows are the newest slice."""
    slices = rows["slice"].to_numpy()
    if len(np.unique(slices)) > 1:
        return np.asarray(slices == slices.max())
    moments = rows["as_of"].to_numpy()
    if len(np.unique(moments)) > 1:
        middle = np.sort(moments)[len(moments) // 2]
        # The first of two dates may hold more than half of the rows.
        return np.asarray(moments >= middle if moments.min() < middle else moments > middle)
    codes = pd.factorize(rows["account_id"], sort=True)[0]
    half = np.random.default_rng(_SEED).permutation(int(codes.max(initial=0)) + 1) % 2
    return np.asarray(half[codes] == 1)


def _level(rows: pd.DataFrame, *, replicates: int) -> Estimate:
    label = rows["label"].to_numpy(dtype=np.float64)
    expected = rows["probability"].to_numpy(dtype=np.float64)
    drawn = np.concatenate(
        [
            (weights @ label) / (weights @ expected)
            for weights in resampled(rows["account_id"], replicates=replicates, seed=_SEED)
        ]
    )
    low, high = np.quantile(drawn[1:], [0.025, 0.975])
    return Estimate(float(drawn[0]), float(low), float(high), base=1.0)
