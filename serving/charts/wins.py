"""What each further account of a list is expected to bring.

Turns a curve of expected wins with its bounds into a chart, with the length that was chosen marked on it.
Time rule: that of the curve. Null rule: without a chosen length nothing is marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serving.charts.drawing import FOR, INK

__all__ = ["Expected", "wins"]


@dataclass(frozen=True)
class Expected:
    """Wins that so many accounts are expected to bring, and what they bring if every rate is at its bound."""

    accounts: int
    wins: float
    low: float
    high: float


def wins(
    curve: Sequence[Expected], *, chosen: int | None, accounts: str, expected: str, height: int = 220
) -> Mapping[str, Any]:
    """The Vega-Lite document. chosen: a length of the list. accounts, expected: titles of the axes."""
    values = [{"accounts": one.accounts, "wins": one.wins, "low": one.low, "high": one.high} for one in curve]
    x = {
        "field": "accounts",
        "type": "quantitative",
        "title": accounts,
        "axis": {"format": ",d", "tickCount": 5, "grid": False},
        "scale": {"nice": False},
    }
    layers: list[Mapping[str, Any]] = [
        {
            "mark": {"type": "area", "color": FOR, "opacity": 0.16},
            "encoding": {
                "y": {"field": "low", "type": "quantitative", "title": expected},
                "y2": {"field": "high"},
            },
        },
        {
            "mark": {"type": "line", "color": FOR, "strokeWidth": 2.5},
            "encoding": {"y": {"field": "wins", "type": "quantitative"}},
        },
    ]
    if chosen is not None:
        layers.append(
            {
                "data": {"values": [{"accounts": chosen}]},
                "mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]},
            }
        )
    return {"height": height, "data": {"values": values}, "encoding": {"x": x}, "layer": layers}
