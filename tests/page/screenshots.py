"""Pictures of the page for the README: `make screenshots` keeps them up to date.

Turns a simulated market into a workspace, serves it, makes lists as people do, and looks at the views in a
real browser, 1,440 and 390 pixels wide. Time rule: the market ends today. Null rule: none.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ended_search import ended_search
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from server_process import running
from site_people import Opened, Person, Site

from features.workspace import Workspace

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "serving" / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
ACCOUNTS = 2_000
COLOURS = 256
"""As many as such a file takes: a third of the size."""


def main() -> None:
    """Make every picture anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="of a demo that was made before; made anew without")
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = given.workspace or _market(Path(folder) / "workspace")
        with _opened(home, folder=Path(folder)) as (browser, site):
            ann, ben = site.person("Ann Marsh", side="marketing"), site.person("Ben Okafor", side="sales")
            numbers = _lists(ann, ben)
            given.out.mkdir(parents=True, exist_ok=True)
            for width in (1440, 390):
                for name, address, ready in _views(numbers):
                    _look(
                        browser,
                        site,
                        ann,
                        address,
                        ready,
                        width=width,
                        file=given.out / f"{name}-{width}.png",
                    )


def _market(home: Path) -> Path:
    command = [sys.executable, "-c", "from training.cli import main; main()", "demo", "--no-serve"]
    subprocess.run([*command, "--accounts", str(ACCOUNTS), "--workspace", str(home)], check=True)
    return home


@contextmanager
def _opened(home: Path, *, folder: Path) -> Iterator[tuple[Browser, Site]]:
    with running(Workspace(home), log=folder / "log") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        site = Site(server)
        yield browser, site
        site.close()
        browser.close()


def _lists(ann: Person, ben: Person) -> dict[str, Any]:
    """Lists in every state that is worth a picture."""
    expansion = str(ended_search(ann, size=900)["id"])
    by = (datetime.now(UTC) + timedelta(days=120)).date().isoformat()
    growth = _list(
        ann,
        expansion,
        name="EMEA growth accounts",
        owner="Ann Marsh",
        purpose="Companies like our best customers, worked by field sales from next quarter on.",
        pilot=False,
        size=800,
        segments=[
            {"name": "Finance", "basis": "industry"},
            {"name": "Displacement", "basis": "competitive_situation"},
        ],
        goals=[{"metric": "funnel_velocity", "target": 15, "unit": "percent_change", "date": by}],
    )
    rows = ann.call("GET", f"/v1/lists/{growth}/accounts")["accounts"]
    for place, decision in enumerate(
        (
            {"kind": "pin", "reason": "Asked for a meeting at the trade fair", "segment": "Finance"},
            {"kind": "move", "reason": "Uses a rival's product", "segment": "Displacement"},
            {"kind": "drop", "reason": "Partner of a competitor"},
        )
    ):
        told = {"account_id": rows[3 * place]["account_id"], **decision}
        (ann if place else ben).call("POST", f"/v1/lists/{growth}/decisions", told)
    pilot = _list(
        ben,
        str(ended_search(ben, size=900)["id"]),
        name="Fintech pilot",
        owner="Ben Okafor",
        purpose="Try the fintech message on fifty accounts before it goes wide.",
    )
    ben.call("POST", f"/v1/lists/{pilot}/state", {"action": "submit", "revision": _revision(ben, pilot)})
    approval = {
        "side": "sales",
        "decision": "approved",
        "comment": "A good mix of sizes.",
        "revision": _revision(ben, pilot),
    }
    ben.call("POST", f"/v1/lists/{pilot}/approvals", approval)
    refreshed = _list(
        ann, expansion, name="Mid-market", owner="Ann Marsh", purpose="Every region.", size=400, pilot=False
    )
    intent = str(ended_search(ann, size=400, mode="intent")["id"])
    _draw(ann, refreshed, intent, kind="refresh", why="Quarterly refresh")
    return {
        "expansion": expansion,
        "growth": growth,
        "pilot": pilot,
        "refreshed": refreshed,
        "account": rows[0]["account_id"],
    }


def _list(person: Person, expansion: str, **told: Any) -> int:
    number = int(person.call("POST", "/v1/lists", told)["id"])
    _draw(person, number, expansion, kind="first", why="First draw, from all customers")
    return number


def _draw(person: Person, number: int, expansion: str, *, kind: str, why: str) -> None:
    told = {"kind": kind, "why": why, "revision": _revision(person, number), "expansion": expansion}
    person.call("POST", f"/v1/lists/{number}/draws", told)


def _revision(person: Person, number: int) -> int:
    return int(person.call("GET", f"/v1/lists/{number}")["target_list"]["revision"])


Ready = Callable[[Page], None]


def _views(told: dict[str, Any]) -> list[tuple[str, str, Ready]]:
    """What there is to see: the name of the picture, the address, and what shows that it is there."""

    def sees(*places: str) -> Ready:
        def ready(page: Page) -> None:
            for place in places:
                expect(page.locator(place).first).to_be_visible()

        return ready

    def scored(page: Page) -> None:
        page.get_by_label("Account id or web domain").fill(told["account"])
        page.keyboard.press("Enter")
        sees(".answer")(page)

    growth = f"#/lists/{told['growth']}"
    return [
        ("score", "#/score", scored),
        ("profile", "#/profile", sees(".traits")),
        ("expand", f"#/expand/{told['expansion']}", sees("table tbody tr")),
        ("plan", "#/plan", sees("main svg")),
        ("lists", "#/lists", sees(".list-card")),
        ("list", growth, sees(".grid-table tbody .name")),
        ("account", f"{growth}?account={told['account']}", sees("dialog .picture svg", "dialog .seeds")),
        ("review", f"#/lists/{told['pilot']}", sees(".reviewer.approved", ".grid-table tbody .name")),
        ("refresh", f"#/lists/{told['refreshed']}/versions", sees(".changes li", ".proposal .change")),
        ("files", f"{growth}/files", sees(".format")),
    ]


def _look(
    browser: Browser, site: Site, person: Person, address: str, ready: Ready, *, width: int, file: Path
) -> None:
    opened = Opened(browser, site)
    try:
        page = opened.page(person, address, width=width)
        ready(page)
        page.wait_for_load_state("networkidle")
        page.evaluate("scrollTo(0, 0)")
        picture = Image.open(io.BytesIO(page.screenshot()))
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
        opened.check()
    finally:
        opened.close()
    sys.stdout.write(f"{file.name}: {file.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
