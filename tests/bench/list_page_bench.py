"""What the first page of a long list costs in a browser: a list of a hundred thousand accounts, opened.

Turns a small company and a made-up list into a served workspace, and measures in a real browser how long it
takes from the click on the list to the first rows on the screen; beside it what the service takes for other
orders and for what people look for. Time rule: none. Null rule: none.

    PYTHONPATH=.:tests/serving:tests/page python tests/bench/list_page_bench.py --out results/list_page.json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx
from playwright.sync_api import Page, sync_playwright
from server_process import running
from small_workspace import build_workspace

from serving.lists.drawing import Suggestion, draw
from serving.lists.facts import Facts
from serving.lists.settings import Rules
from serving.scoring import utc_now
from serving.store import Store, lists
from serving.store.lists import ListDraft
from training.checks.results import ROOT, write_result

CHROMIUM: Final = "/usr/bin/chromium"
INDUSTRIES: Final = ("software", "banking", "retail", "media", "logistics")
COUNTRIES: Final = ("DE", "US", "FR", "GB", "JP", "BR", "SG")
QUERIES: Final[dict[str, dict[str, str]]] = {
    "first page": {},
    "by name": {"sort": "name"},
    "by country": {"sort": "country"},
    "one industry": {"industry": "banking"},
    "a part of a name": {"search": "company 99"},
}

_OPENED: Final = """number => new Promise(done => {
    const started = performance.now();
    const seen = new MutationObserver(() => {
        if (!document.querySelector(".grid-table tbody .name")) return;
        seen.disconnect();
        requestAnimationFrame(() => done(performance.now() - started));
    });
    seen.observe(document.getElementById("main"), { childList: true, subtree: true });
    location.hash = `#/lists/${number}`;
})"""
"""Milliseconds from the click to the frame that shows the first rows."""


def long_list(url: str, *, accounts: int) -> int:
    """A list of made-up accounts in the store; its number."""
    facts = {
        name: Facts(
            name,
            name=f"Company {number}",
            domain=f"company{number}.example",
            industry=INDUSTRIES[number % len(INDUSTRIES)],
            country=COUNTRIES[number % len(COUNTRIES)],
        )
        for number in range(accounts)
        for name in [f"made-up-{number:07d}"]
    }
    draft = ListDraft(
        name="A long list",
        owner="Ann",
        purpose="to be measured",
        pilot=False,
        sub_industry=None,
        size=accounts,
        rules=Rules().model_dump(),
    )
    with Store.open(url) as store, store.writing() as connection:
        made = lists.add(connection, draft, who="Ann", now=utc_now())
        draw(
            connection,
            list_id=made.id,
            suggestions=[Suggestion(name, 1 - place / accounts) for place, name in enumerate(facts)],
            facts=facts,
            kind="first",
            why="to be measured",
            who="Ann",
            now=utc_now(),
        )
    return made.id


def opened(page: Page, url: str, *, number: int, times: int) -> list[float]:
    """Milliseconds of each opening, from the view of all lists."""
    found = []
    for _ in range(times):
        page.goto(f"{url}/#/lists")
        page.reload()
        page.locator(".list-card").first.wait_for()
        found.append(float(page.evaluate(_OPENED, number)))
    return found


def answered(client: httpx.Client, path: str, query: dict[str, str], *, times: int) -> list[float]:
    """Milliseconds of each answer of the service."""

    def one() -> float:
        started = time.perf_counter()
        client.get(path, params=query).raise_for_status()
        return 1000 * (time.perf_counter() - started)

    return [one() for _ in range(times)]


def measured(folder: Path, *, accounts: int, times: int) -> dict[str, Any]:
    """The figures."""
    workspace = build_workspace(folder)
    number = long_list(workspace.store_url, accounts=accounts)
    with running(workspace, log=folder / "log") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = opened(browser.new_page(), server.url, number=number, times=times)
        browser.close()
        with httpx.Client(base_url=server.url, timeout=60) as client:
            path = f"/v1/lists/{number}/accounts"
            service = {
                name: told(answered(client, path, query, times=times)) for name, query in QUERIES.items()
            }
    return {
        "accounts": accounts,
        "in_the_browser": told(shown),
        "of_the_service": service,
        "load": round(os.getloadavg()[0], 1),
    }


def told(milliseconds: list[float]) -> dict[str, Any]:
    """In seconds: the median and the longest."""
    return {
        "times": len(milliseconds),
        "median_seconds": round(median(milliseconds) / 1000, 3),
        "longest_seconds": round(max(milliseconds) / 1000, 3),
    }


def main() -> None:
    """Print the figures, and write them down where that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=11)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measured(Path(name), accounts=given.accounts, times=given.times)
    sys.stdout.write(f"{json.dumps(found, indent=1)}\n")
    if given.out:
        write_result(found, out=given.out, also=(ROOT / "serving" / "pages").glob("*.js"))


if __name__ == "__main__":
    main()
