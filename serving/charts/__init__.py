"""Charts of the page, drawn here as SVG: nothing has to be loaded or run in a browser for them.

Turns figures into Vega-Lite documents, and those into SVG without scripts, styles or addresses. Time rule:
none. Null rule: what is not known is left out of a chart.
"""

from __future__ import annotations

from serving.charts.drawing import MEDIA_TYPE, WIDEST, draw
from serving.charts.engagement import EngagedWeek, engagement
from serving.charts.waterfall import Step, waterfall
from serving.charts.wins import Expected, wins

__all__ = [
    "MEDIA_TYPE",
    "WIDEST",
    "EngagedWeek",
    "Expected",
    "Step",
    "draw",
    "engagement",
    "waterfall",
    "wins",
]
