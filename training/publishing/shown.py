"""How a figure is written: its value, its 95 % interval behind it, and what it misses of what was asked.

Turns estimates of result files (value or mean, low, high) into words. Time rule: none. Null rule: a figure
without an interval, as of a single market, stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["counted", "interval", "least", "most", "table", "value_of"]


def interval(estimate: Mapping[str, Any], *, digits: int = 3, sign: bool = False) -> str:
    """`.760 (.750 to .770)`, with as many digits; sign: also of what is above zero."""
    style = f"{'+' if sign else ''}.{digits}f"
    value = value_of(estimate)
    if estimate["low"] is None or estimate["high"] is None:
        return f"{value:{style}}"
    return f"{value:{style}} ({estimate['low']:{style}} to {estimate['high']:{style}})"


def value_of(estimate: Mapping[str, Any]) -> float:
    """The figure itself."""
    return float(estimate["value"] if "value" in estimate else estimate["mean"])


def counted(count: int, among: int) -> dict[str, float]:
    """The share of what was counted, with its exact interval."""
    from training.audit.statistics import exact_interval

    low, high = exact_interval(count, among)
    return {"value": count / among, "low": low, "high": high}


def least(value: float, *, floor: float, aim: float | None = None) -> str:
    """What a figure misses that should be large: floor, aim or nothing.

    >>> least(0.5, floor=0.4, aim=0.6)
    'aim'
    """
    if value < floor:
        return "floor"
    return "aim" if aim is not None and value < aim else ""


def most(value: float, *, floor: float, aim: float | None = None) -> str:
    """What a figure misses that should be small: floor, aim or nothing."""
    return least(-value, floor=-floor, aim=None if aim is None else -aim)


def table(head: Iterable[str], lines: Iterable[Iterable[object]]) -> Iterator[str]:
    """A table in Markdown."""
    titles = list(head)
    yield f"| {' | '.join(titles)} |"
    yield "|" + "---|" * len(titles)
    for line in lines:
        yield f"| {' | '.join(map(str, line))} |"
