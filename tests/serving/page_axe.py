"""What axe finds wrong with a page that a browser shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = (1440, 390)


@cache
def _axe() -> Axe:
    return Axe()


def grave(page: Page) -> Sequence[str]:
    """What axe finds of a page that is serious or critical, each with its places."""
    found = _axe().run(page).response["violations"]
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']][:5]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def grave_at_every_width(page: Page) -> Sequence[str]:
    """The same at each width, where the page may not scroll sideways either."""
    before, found = page.viewport_size, list[str]()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"scrolls sideways at {width}")
        found += [f"{width}: {one}" for one in grave(page)]
    if before is not None:
        page.set_viewport_size(before)
    return found
