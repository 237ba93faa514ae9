"""The whole path from seeds to the files of an approved list by keyboard alone, without a pointer."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from list_making import of
from playwright.sync_api import Locator, Page, expect
from site_people import Opened, Person, Site

MOST = 150
"""Steps of the tabulator key within which everything must be reached."""
SIZE = 6
NAME = "By keyboard alone"


def has_focus(page: Page, wanted: Locator | str) -> bool:
    if not isinstance(wanted, str):
        return bool(wanted.evaluate("(one) => one === document.activeElement"))
    told: str = page.evaluate(
        """() => {
            const at = document.activeElement;
            const label = at.labels?.[0]?.textContent ?? at.getAttribute("aria-label") ?? at.textContent;
            return label.trim();
        }"""
    )
    return told == wanted


def reach(page: Page, wanted: Locator | str, *, back: bool = False) -> None:
    """Tab until the element, or that of this name, has the focus, which must be visible."""
    if not isinstance(wanted, str):
        expect(wanted).to_be_visible()
    for _ in range(MOST):
        if has_focus(page, wanted):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{wanted} has the focus and does not show it"
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{wanted} is not reached by keyboard")


def press(page: Page, wanted: Locator | str, *, back: bool = False) -> None:
    reach(page, wanted, back=back)
    page.keyboard.press("Enter")


def write(page: Page, wanted: Locator | str, text: str) -> None:
    reach(page, wanted)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_from_seeds_to_files_by_keyboard_alone(opened: Opened, site: Site, tmp_path: Path) -> None:
    ann, ben = site.person("Ann Marsh", side="marketing"), site.person("Ben Okafor", side="sales")
    page = opened.page(ann)
    search_for_lookalikes(page)
    number = save_as_a_list(page)
    rows = ann.call("GET", f"/v1/lists/{number}/accounts")["accounts"]
    assert len(rows) == SIZE
    expect(page.locator(".grid-table tbody .name")).to_have_count(SIZE)
    drop_one(page, rows[-1])
    pinned = pin_two(page, rows[:-1])
    decisions = ann.call("GET", f"/v1/lists/{number}/decisions")["decisions"]
    told = {kind: {one["account_id"] for one in decisions if one["kind"] == kind} for kind in ("pin", "drop")}
    assert told == {"pin": pinned, "drop": {rows[-1]["account_id"]}}
    approve(page, opened, ann, ben, number)
    # Another one is dropped after the approval: that is of another version.
    drop_one(page, rows[-2])
    press(page, page.get_by_role("navigation", name="Parts of the list").get_by_role("link", name="Versions"))
    expect(page.locator(".changes > li")).to_have_count(1)
    reach(page, page.get_by_label("Show", exact=True))
    page.keyboard.press("ArrowDown")
    expect(page.locator(".changes > li")).to_have_count(0)
    expect(page.locator(".diff")).to_contain_text("Nothing changed")
    for file in downloaded(page, folder=tmp_path):
        content = file.read_bytes()
        if file.suffix == ".xlsx":
            assert content.startswith(b"PK")
        else:
            lines = list(csv.reader(content.decode("utf-8-sig").splitlines()))
            assert len(lines) == SIZE, "a heading, and all but the one that was dropped in time"


def search_for_lookalikes(page: Page) -> None:
    """Paste seeds, choose what one of them means, weigh, search, and look at an account."""
    press(page, page.get_by_role("navigation").get_by_role("link", name="Find lookalikes"))
    reach(page, page.locator(".drop textarea"))
    page.keyboard.type("company13.example\ncompany19.example\ncompany1.example")
    which = page.get_by_role("group", name="Which company does “company1.example” mean?")
    reach(page, which.get_by_role("radio", name="None of them"))
    page.keyboard.press("ArrowUp")
    expect(page.locator(".seeds-total")).to_contain_text("3 seeds")
    reach(page, page.get_by_role("slider", name="Intent"))
    page.keyboard.press("End")
    expect(page.get_by_role("slider", name="Fit")).to_have_attribute("aria-valuetext", "50 %")
    press(page, page.get_by_role("button", name="Find lookalikes"))
    expect(page.get_by_role("heading", name="accounts found").first).to_be_visible(timeout=60_000)
    first = page.locator("table.accounts tbody .name").first
    press(page, first)
    expect(page.get_by_role("dialog").get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Enter")
    expect(first).to_be_focused()


def save_as_a_list(page: Page) -> int:
    """Its number, with the list opened."""
    # Back up to the way on, as the table comes after it.
    press(page, page.get_by_role("link", name="Save as a list"), back=True)
    write(page, page.get_by_label("Name", exact=True), NAME)
    write(page, page.get_by_label("Purpose"), "Nobody needs a mouse")
    reach(page, page.get_by_role("checkbox", name="Start as a pilot"))
    page.keyboard.press("Space")
    write(page, page.get_by_label("Accounts at most", exact=True), str(SIZE))
    press(page, page.get_by_role("button", name="Save the list"))
    expect(page.locator("#saved-title")).to_be_focused()
    press(page, page.get_by_role("link", name="Open the list"))
    expect(page.get_by_role("heading", level=1, name=NAME)).to_be_focused()
    return int(page.url.partition("#/lists/")[2])


def drop_one(page: Page, row: dict[str, Any]) -> None:
    """Look for an account, open it, take it off, and see the others again."""
    rows = page.locator(".grid-table tbody .name")
    count = rows.count()
    write(page, page.get_by_label("Search"), row["account_id"])
    expect(rows).to_have_count(1)
    press(page, row["name"])
    panel = page.get_by_role("dialog")
    expect(panel.locator(".picture svg").first).to_be_visible()
    expect(panel.locator(".seeds")).to_be_visible()
    press(page, "Drop")
    asked = page.get_by_role("dialog", name=f"Drop {row['name']}")
    expect(asked.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("partner of a rival")
    press(page, asked.get_by_role("button", name="Drop"))
    expect(panel.locator(".decisions")).to_contain_text("partner of a rival")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page).not_to_have_url(re.compile("account="))
    # What is looked for is in the address: it is still looked for after a reload.
    page.reload()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    press(page, "Clear the filters")
    expect(rows).to_have_count(count - 1)


def pin_two(page: Page, rows: list[dict[str, Any]]) -> set[str]:
    """Sort by name, choose two rows with the space bar, and pin them."""
    press(page, page.locator("thead").get_by_role("button", name="Account", exact=True))
    expect(page.locator("thead th", has_text="Account").first).to_have_attribute("aria-sort", "ascending")
    for row in rows[:2]:
        reach(page, f"Choose {row['name']}")
        page.keyboard.press("Space")
    expect(page.locator(".bulk")).to_contain_text("2 chosen")
    press(page, page.locator(".bulk").get_by_role("button", name="Pin"), back=True)
    asked = page.get_by_role("dialog", name="Pin 2 accounts")
    write(page, asked.get_by_label("Reason"), "promised to them")
    press(page, asked.get_by_role("button", name="Pin"))
    expect(asked).to_have_count(0)
    return {row["account_id"] for row in rows[:2]}


def approve(page: Page, opened: Opened, ann: Person, ben: Person, number: int) -> None:
    """Marketing submits and approves, then sales approves, each at a keyboard of their own."""
    sales = opened.page(ben, "#/score")
    for where, action in ((page, "Submit for review"), (page, "Approve"), (sales, "Approve")):
        assert of(ann, number)["target_list"]["state"] in ("draft", "review")
        if where is sales:
            press(sales, sales.get_by_role("navigation").get_by_role("link", name="Lists"))
            press(sales, NAME)
        press(where, where.locator(".list-head").get_by_role("button", name=action, exact=True))
        asked = where.get_by_role("dialog")
        press(where, asked.get_by_role("button", name=action, exact=True))
        expect(asked).to_have_count(0)
    assert of(ann, number)["target_list"]["state"] == "approved"
    page.reload()
    expect(page.locator(".reviewer.approved")).to_have_count(2)
    expect(page.locator(".grid-table tbody .name")).to_have_count(SIZE - 1)


def downloaded(page: Page, *, folder: Path) -> list[Path]:
    press(page, page.get_by_role("navigation", name="Parts of the list").get_by_role("link", name="Files"))
    files = []
    for label in ("CSV", "Excel", "Salesforce", "HubSpot"):
        button = page.get_by_role("button", name=f"Download {label}", exact=True)
        reach(page, button)
        with page.expect_download() as saving:
            page.keyboard.press("Enter")
        files.append(folder / saving.value.suggested_filename)
        saving.value.save_as(files[-1])
        expect(button).to_be_enabled()
    return files
