"""From a Vega-Lite document to SVG, in the colours of the page.

Time rule: none. Null rule: none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

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


_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What cannot stand in a document."""


def draw(document: Mapping[str, Any], *, width: int, title: str, words: str) -> str:
    """The SVG of a Vega-Lite document: one image, with its name and its description in it.

    width: of the whole picture, in pixels. title: what it is of, in one line. words: what it shows, for those
    who do not see it.
    """
    # Loads an engine of a hundred megabytes when the first chart is asked for.
    import vl_convert

    whole = {
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 2,
        "config": _LOOK,
        **document,
    }
    drawn = str(vl_convert.vegalite_to_svg(whole, vl_version=_VEGA_LITE, allowed_base_urls=[]))
    # The engine drops a description of the whole. As elements they need no names, which two pictures of one
    # page would share.
    told = f"<title>{_plain(title)}</title><desc>{_plain(words)}</desc>"
    return re.sub(r"<svg\b([^>]*)>", lambda tag: f'<svg role="img"{tag[1]}>{told}', drawn, count=1)


def _plain(text: str) -> str:
    return escape(_NO_XML.sub(" ", text))
