"""A probability as the sum that it is: from the baseline over each reason to the end.

Turns steps of log-odds into a chart whose axis is marked in probabilities. Time rule: none. Null rule: none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from serving.charts.drawing import AGAINST, FOR, INK, LINE, QUIET

__all__ = ["Step", "waterfall"]

_ROW: Final = 46
_HALF: Final = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4)
_MARKED: Final = (*_HALF, 0.5, *(1.0 - share for share in reversed(_HALF)))
"""Probabilities that the axis is marked at, where there is room."""

_ROOM: Final = 76
"""Pixels beside a sentence, for its figure."""

_SURE: Final = 0.82
"""Share of the rest that a sentence may take: the browser's letters may be wider than those measured here."""


@dataclass(frozen=True)
class Step:
    """One reason. share: what it adds to the log-odds."""

    label: str
    share: float


def waterfall(
    steps: Sequence[Step], *, baseline: Step, total: str, axis: str, width: int, probabilities: bool = True
) -> Mapping[str, Any]:
    """The Vega-Lite document.

    steps: in the order in which they are added. baseline: where the sum begins. total: the name of its end.
    width: of the picture, in pixels. probabilities: whether the sum is one of log-odds, so that the axis can
    be marked in probabilities.
    """
    rows = list(_rows(steps, baseline=baseline, total=total))
    ends = [row[name] for row in rows for name in ("start", "end")]
    room = 0.08 * (max(ends) - min(ends)) or 1.0
    low, high = min(ends) - room, max(ends) + room
    y = {"field": "place", "type": "ordinal", "axis": None}
    return {
        "height": {"step": _ROW},
        "data": {"values": rows},
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "bar", "size": 14, "yOffset": 9, "cornerRadius": 2},
                "encoding": {
                    "x": {
                        "field": "start",
                        "type": "quantitative",
                        "scale": {"domain": [low, high], "nice": False, "zero": False},
                        "axis": _axis(low, high, title=axis, probabilities=probabilities),
                    },
                    "x2": {"field": "end"},
                    "color": {
                        "field": "kind",
                        "type": "nominal",
                        "scale": {"domain": ["for", "against", "sum"], "range": [FOR, AGAINST, INK]},
                        "legend": None,
                    },
                    "description": {"field": "words"},
                },
            },
            {
                "transform": [{"filter": "datum.place === 0"}],
                "mark": {"type": "tick", "thickness": 3, "size": 16, "yOffset": 9, "color": INK},
                "encoding": {"x": {"field": "start", "type": "quantitative"}},
            },
            {
                "mark": {"type": "text", "align": "left", "yOffset": -9, "limit": _SURE * (width - _ROOM)},
                "encoding": {"x": {"value": 0}, "text": {"field": "label"}},
            },
            {
                "mark": {"type": "text", "align": "right", "yOffset": -9, "fontWeight": 600},
                "encoding": {"x": {"value": "width"}, "text": {"field": "told"}},
            },
        ],
    }


def _rows(steps: Sequence[Step], *, baseline: Step, total: str) -> Iterator[dict[str, Any]]:
    """What is drawn of each step; the first and the last stand as lines where the sum is by then."""
    at = baseline.share
    yield _row(0, baseline.label, start=at, end=at, kind="sum", told=f"{at:+.2f}")
    for place, step in enumerate(steps, start=1):
        kind = "for" if step.share > 0 else "against"
        yield _row(place, step.label, start=at, end=at + step.share, kind=kind, told=f"{step.share:+.2f}")
        at += step.share
    yield _row(len(steps) + 1, total, start=baseline.share, end=at, kind="sum", told=f"{at:+.2f}")


def _row(place: int, label: str, *, start: float, end: float, kind: str, told: str) -> dict[str, Any]:
    words = f"{label}: {told}"
    return {
        "place": place,
        "label": label,
        "start": start,
        "end": end,
        "kind": kind,
        "told": told,
        "words": words,
    }


def _axis(low: float, high: float, *, title: str, probabilities: bool) -> Mapping[str, Any]:
    look: dict[str, Any] = {"title": title, "domain": False, "gridColor": LINE, "labelColor": QUIET}
    if not probabilities:
        return {**look, "tickCount": 5, "format": "+.1f"}
    marks = [mark for p in _MARKED if low <= (mark := math.log(p / (1.0 - p))) <= high]
    return {
        **look,
        "values": marks,
        "labelExpr": "format(1 / (1 + exp(-datum.value)), '.2~%')",
        "labelOverlap": "greedy",
    }
