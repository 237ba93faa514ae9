"""The whole path from a list to its export by keyboard alone: no pointer touches the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from list_making import FREE, approve, drawn_list, of, on
from playwright.sync_api import Page, expect
from site_people import Opened, Person, Site

MOST = 150
"""Steps of the tabulator key within which everything must be reached."""


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


@pytest.fixture
def ben(site: Site) -> Person:
    return site.person("Ben Okafor", side="sales")


def focused(page: Page) -> str:
    """What has the focus, by its name."""
    told: str = page.evaluate(
        """() => {
            const at = document.activeElement;
            const label = at.labels?.[0]?.textContent ?? at.getAttribute("aria-label") ?? at.textContent;
            return label.trim();
        }"""
    )
    return told


def reach(page: Page, name: str, *, back: bool = False) -> None:
    """Tab until the element of this name has the focus, which must be visible."""
    for _ in range(MOST):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if focused(page) == name:
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{name} has the focus and does not show it"
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def press(page: Page, name: str) -> None:
    reach(page, name)
    page.keyboard.press("Enter")


def test_from_a_list_to_its_export(opened: Opened, ann: Person, ben: Person, tmp_path: Path) -> None:
    number = drawn_list(ann, name="From a list to its export")
    page = opened.page(ann, "#/score")
    press(page, "Lists")
    expect(page.locator(".list-card").first).to_be_visible()
    press(page, "From a list to its export")
    expect(page.locator("main h1")).to_be_focused()
    expect(page.locator(".grid-table tbody .name")).to_have_count(len(FREE))
    drop_one(page)
    assert on(ann, number) == [one for one in FREE if one != "acc-05"]
    pin_two(page)
    decisions = ann.call("GET", f"/v1/lists/{number}/decisions")["decisions"]
    assert sorted(one["account_id"] for one in decisions if one["kind"] == "pin") == ["acc-00", "acc-01"]
    for action in ("Submit for review", "Approve"):
        press(page, action)
        expect(page.get_by_role("dialog")).to_be_visible()
        press(page, action)
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert of(ann, number)["target_list"]["state"] == "review"
    approve(ben, number, "sales")
    page.reload()
    press(page, "Files")
    expect(page.locator(".format").first).to_be_visible()
    with page.expect_download() as saving:
        press(page, "Download CSV")
    saving.value.save_as(tmp_path / "list.csv")
    lines = (tmp_path / "list.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == len(FREE), "a heading, and all but the one that was dropped"


def drop_one(page: Page) -> None:
    """Look for an account, open it, and take it off."""
    reach(page, "Search")
    page.keyboard.type("company 5")
    expect(page.locator(".grid-table tbody .name")).to_have_count(1)
    press(page, "Company 5")
    panel = page.get_by_role("dialog")
    expect(panel.locator(".seeds")).to_be_visible()
    press(page, "Drop")
    expect(page.get_by_role("dialog", name="Drop Company 5").get_by_label("Reason")).to_be_focused()
    page.keyboard.type("partner of a rival")
    press(page, "Drop")
    expect(panel.locator(".decisions")).to_contain_text("partner of a rival")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def pin_two(page: Page) -> None:
    """Sort by name, choose two rows with the space bar, and pin them."""
    page.reload()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    press(page, "Clear the filters")
    expect(page.locator(".grid-table tbody .name")).to_have_count(len(FREE) - 1)
    press(page, "Account")
    expect(page.locator("thead th", has_text="Account").first).to_have_attribute("aria-sort", "ascending")
    for name in ("Company 0", "Company 1"):
        reach(page, f"Choose {name}")
        page.keyboard.press("Space")
    expect(page.locator(".bulk")).to_contain_text("2 chosen")
    reach(page, "Pin", back=True)
    page.keyboard.press("Enter")
    asked = page.get_by_role("dialog", name="Pin 2 accounts")
    reach(page, "Reason")
    page.keyboard.type("promised to them")
    press(page, "Pin")
    expect(asked).to_have_count(0)
