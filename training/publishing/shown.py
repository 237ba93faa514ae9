"""How a figure is written: its value, and its 95 % interval behind it.

Turns estimates of result files (value or mean, low, high) into words. Time rule: none. Null rule: a figure
without an interval, as of a single market, stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["interval", "table"]


def interval(estimate: Mapping[str, Any], *, digits: int = 3, sign: bool = False) -> str:
    """`.760 (.750 to .770)`, with as many digits; sign: also of what is above zero."""
    style = f"{'+' if sign else ''}.{digits}f"
    value = estimate["value"] if "value" in estimate else estimate["mean"]
    if estimate["low"] is None or estimate["high"] is None:
        return f"{value:{style}}"
    return f"{value:{style}} ({estimate['low']:{style}} to {estimate['high']:{style}})"


def table(head: Iterable[str], lines: Iterable[Iterable[object]]) -> Iterator[str]:
    """A table in Markdown."""
    titles = list(head)
    yield f"| {' | '.join(titles)} |"
    yield "|" + "---|" * len(titles)
    for line in lines:
        yield f"| {' | '.join(map(str, line))} |"
