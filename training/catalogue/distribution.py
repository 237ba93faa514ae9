"""How the values of one feature are distributed over accounts, as bars and figures that a page can draw.

Turns a column of values, as people read them, into bars (one per value where there are few, bins otherwise)
and quantiles. Time rule: the values are those of one moment. Null rule: a missing value is in no bar and no
quantile; `known` and `accounts` say how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.feature import OTHER, Kind

__all__ = ["QUANTILES", "Bar", "Distribution", "Tick", "distribution_of", "short_number"]

Floats = NDArray[np.float64]

_FEW = 12
_BINS = 24
_SKEWED = 20.0
"""How far the 99th percentile must lie above the median for bins that widen by a constant factor."""

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Bar:
    """Accounts with a value. low and high are both ends of a bin, or the value twice; a level has neither."""

    label: str
    count: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Tick:
    """A label below the bars; place: 0 at the left end of the axis, 100 at the right one."""

    label: str
    place: float


@dataclass(frozen=True)
class Distribution:
    """bars: in the order of values, or of counts for levels. ticks: for numbers. widening: unequal bins.

    quantiles: of known numbers, at QUANTILES. constant: there is one value and no other.
    """

    accounts: int
    known: int
    distinct: int
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...] = ()
    quantiles: tuple[float, ...] = ()
    mean: float | None = None
    zeros: int = 0
    widening: bool = False

    @property
    def empty(self) -> bool:
        return self.known == 0

    @property
    def constant(self) -> bool:
        return self.distinct == 1

    @property
    def coverage(self) -> float:
        """Share of accounts with a value, 0 to 1."""
        return self.known / self.accounts if self.accounts else 0.0

    @property
    def largest(self) -> int:
        return max((bar.count for bar in self.bars), default=0)


def distribution_of(values: pd.Series, *, kind: Kind) -> Distribution:
    """values: numbers, 1 and 0 of a flag, or the texts of a category; NaN or None where nothing is known."""
    known = values.dropna()
    if known.empty:
        return Distribution(len(values), 0, 0, ())
    if kind == "number":
        return _of_numbers(np.sort(known.to_numpy(dtype=np.float64)), accounts=len(values))
    shown = known.map(lambda value: "yes" if value else "no") if kind == "flag" else known.astype(str)
    counts = shown.value_counts()
    ordered = sorted(counts.items(), key=lambda told: (told[0] == OTHER, -int(told[1]), str(told[0])))
    bars = tuple(Bar(str(level), int(count)) for level, count in ordered)
    return Distribution(len(values), len(known), len(bars), bars)


def _of_numbers(ordered: Floats, *, accounts: int) -> Distribution:
    distinct, counts = np.unique(ordered, return_counts=True)
    quantiles = tuple(float(value) for value in np.quantile(ordered, QUANTILES, method="lower"))
    widening = False
    if len(distinct) <= _FEW:
        pairs = zip(distinct.tolist(), counts.tolist(), strict=True)
        bars = tuple(Bar(short_number(value), count, value, value) for value, count in pairs)
        ticks = _under_bars([bar.label for bar in bars])
    else:
        widening = _is_skewed(ordered)
        bars, ticks = _widening_bins(ordered) if widening else _equal_bins(ordered)
    return Distribution(
        accounts,
        len(ordered),
        len(distinct),
        bars,
        ticks,
        quantiles,
        mean=float(ordered.mean()),
        zeros=int((ordered == 0.0).sum()),
        widening=widening,
    )


def _is_skewed(ordered: Floats) -> bool:
    positive = ordered[ordered > 0.0]
    if ordered[0] < 0.0 or len(positive) < 2:
        return False
    middle, high = np.quantile(positive, (0.5, 0.99))
    return bool(high > _SKEWED * middle)


def _equal_bins(ordered: Floats) -> tuple[tuple[Bar, ...], tuple[Tick, ...]]:
    low, high = float(ordered[0]), float(ordered[-1])
    if not _whole(ordered):
        edges = np.linspace(low, high, _BINS + 1)
        return _binned(ordered, edges), _along(edges, first=0, columns=_BINS)
    width = int(np.ceil((high - low + 1) / _BINS))
    columns = int(np.ceil((high - low + 1) / width))
    edges = low + width * np.arange(columns + 1, dtype=np.float64)
    bars = _binned(ordered, edges)
    if width > 1:
        return bars, _along(edges, first=0, columns=columns)
    # A bar that stands for one value has its label under its middle.
    ticks = _along(edges[:-1], first=0, columns=columns)
    return bars, tuple(Tick(tick.label, tick.place + 50.0 / columns) for tick in ticks)


def _widening_bins(ordered: Floats) -> tuple[tuple[Bar, ...], tuple[Tick, ...]]:
    """Zero has a bar of its own, where there are zeros; above it each bin is the same factor wider."""
    positive = ordered[ordered > 0.0]
    zeros = len(ordered) - len(positive)
    edges = np.geomspace(positive[0], positive[-1], _BINS + 1)
    if _whole(ordered):
        edges = np.unique(np.round(edges))
        edges[-1] += 1.0
    bars = _binned(positive, edges)
    if not zeros:
        return bars, _along(edges, first=0, columns=len(bars))
    columns = len(bars) + 1
    zero = Tick("0", 100 * 0.5 / columns)
    ticks = (tick for tick in _along(edges, first=1, columns=columns) if tick.place > 9)
    return (Bar("0", zeros, 0.0, 0.0), *bars), (zero, *ticks)


def _binned(ordered: Floats, edges: Floats) -> tuple[Bar, ...]:
    counts, _ = np.histogram(ordered, edges)
    ends, whole = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True), _whole(ordered)
    return tuple(
        Bar(_span(low, high, whole=whole), int(count), low, high)
        for (low, high), count in zip(ends, counts, strict=True)
    )


def _whole(values: Floats) -> bool:
    return bool((values == np.round(values)).all())


def _span(low: float, high: float, *, whole: bool) -> str:
    if whole and high - low <= 1.0:
        return short_number(low)
    return f"{short_number(low)} – {short_number(high - 1.0 if whole else high)}"


def _along(edges: Floats, *, first: int, columns: int, wanted: int = 5) -> tuple[Tick, ...]:
    """About `wanted` of the edges as labels."""
    chosen = np.unique(np.linspace(0, len(edges) - 1, wanted).round().astype(int))
    return tuple(
        Tick(short_number(float(edges[edge])), 100.0 * (first + int(edge)) / columns) for edge in chosen
    )


def _under_bars(labels: Sequence[str]) -> tuple[Tick, ...]:
    return tuple(Tick(label, 100.0 * (number + 0.5) / len(labels)) for number, label in enumerate(labels))


_STEPS: tuple[tuple[float, str], ...] = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k"))


def short_number(value: float) -> str:
    """A number as people read it at a glance: 1,250, 12.5k, 3.4M, 0.25.

    >>> [short_number(value) for value in (0.0, 7.0, 1250.0, 12500.0, 3_400_000.0, 0.25, -2.0)]
    ['0', '7', '1,250', '12.5k', '3.4M', '0.25', '-2']
    """
    for size, ending in _STEPS:
        if abs(value) >= size:
            unit = 1e3 if ending == "k" else size
            return f"{value / unit:.3g}{ending}"
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
