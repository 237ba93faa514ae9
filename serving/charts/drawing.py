"""From a Vega-Lite document to SVG, in the colours of the page.

Time rule: none. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["AGAINST", "FOR", "INK", "LINE", "MEDIA_TYPE", "NARROWEST", "QUIET", "WIDEST", "draw"]

MEDIA_TYPE: Final = "image/svg+xml"
NARROWEST, WIDEST = 240, 1_600
"""Pixels that a chart may be wide."""

INK, QUIET, LINE = "#10262d", "#54686f", "#dbe4e6"
FOR, AGAINST = "#0b766c", "#c2413b"

_VEGA_LITE: Final = "5.20"
_FONT: Final = (
    "system-ui, Segoe UI, Roboto, Noto Sans, PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif"
)
_LOOK: Final[Mapping[str, Any]] = {
    "font": _FONT,
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelColor": QUIET,
        "titleColor": QUIET,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
    },
    "legend": {"labelColor": INK, "labelFontSize": 12, "title": None, "orient": "top"},
    "text": {"color": INK, "fontSize": 13},
}


def draw(document: Mapping[str, Any], *, width: int, words: str) -> str:
    """The SVG of a Vega-Lite document.

    width: of the whole picture, in pixels. words: what it shows, for those who do not see it.
    """
    # Loads an engine of a hundred megabytes when the first chart is asked for.
    import vl_convert

    whole = {
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 2,
        "description": words,
        "config": _LOOK,
        **document,
    }
    return str(vl_convert.vegalite_to_svg(whole, vl_version=_VEGA_LITE, allowed_base_urls=[]))
