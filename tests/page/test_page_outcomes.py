"""What became of a list on the page, in a real browser: told, too early, not approved yet, out of reach."""

from __future__ import annotations

from typing import Any

import pytest
from followed_lists import approved_at, new_list
from list_making import new_list as new_draft
from playwright.sync_api import Page, expect
from site_people import VIEWERS, Opened, Person, Site, grave_at_every_width

from features.workspace import Workspace
from serving.store import Store

SUGGESTED = [f"acc-{number:02d}" for number in range(10, 80)]
WORDS = {
    "en-GB": ("Outcomes", "Followed for", "Accepted suggestions beside others", "Too early to tell"),
    "zh-CN": ("成效", "跟踪时长", "被采纳的建议与其他客户对照", "为时尚早"),
}


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


@pytest.fixture(scope="module")
def followed(company: Workspace) -> int:
    """A list of the past with accepted, added and rejected accounts, most of whose deals came after it."""
    with Store.open(company.store_url) as store:
        number = new_list(store, "Followed", now="2025-03-01")
        approved_at(
            store,
            number,
            "2025-03-10T12:00:00",
            suggested=SUGGESTED,
            dropped=SUGGESTED[45:],
            pinned=["acc-00"],
        )
    return number


def told(ann: Person, number: int, days: int) -> Any:
    return ann.call("GET", f"/v1/lists/{number}/outcomes", days=days)


def cells(page: Page, table: str, row: int) -> list[str]:
    return (
        page.get_by_role("table", name=table).locator("tbody tr").nth(row).locator("th, td").all_inner_texts()
    )


@pytest.mark.parametrize(("locale", "width"), VIEWERS)
def test_the_tab_tells_what_the_service_counted(
    opened: Opened, ann: Person, followed: int, locale: str, width: int
) -> None:
    tab, label, compared, _ = WORDS[locale]
    page = opened.page(ann, f"#/lists/{followed}", width=width, locale=locale)
    page.get_by_role("link", name=tab, exact=True).click()
    page.get_by_label(label).select_option("90")
    found = told(ann, followed, 90)
    accepted, matched = found["accepted"], found["against_comparable"]
    assert accepted["won"] > 0
    assert matched["matched"] >= 20
    expect(page.locator(".needed .big-figure")).to_contain_text(
        f"{100 * accepted['win_rate']['value']:.0f}"[:1]
    )
    group = page.locator(".outcomes table").first
    expect(group.locator("tbody tr")).to_have_count(3)
    first = group.locator("tbody tr").first.locator("th, td").all_inner_texts()
    assert first[1:4] == [str(accepted[name]) for name in ("accounts", "too_early", "ripe")]
    assert first[4].startswith(f"{accepted['opened']} · ")
    assert first[5].startswith(f"{accepted['won']} · ")
    won = cells(page, compared, 0)
    assert won[3].startswith(f"{100 * matched['won']['difference']['value']:+.1f}".replace("-", "−"))
    # Each difference has a picture, which says nothing that the numbers do not.
    expect(page.locator("svg.interval")).to_have_count(4)
    expect(page.locator("svg.interval[aria-hidden='true']")).to_have_count(4)
    for summary in page.locator(".outcomes summary").all():
        summary.click()
    expect(page.locator(".outcomes .facts-list li")).to_have_count(7)
    assert grave_at_every_width(page) == []
    # A reload, or somebody who is sent the address, sees the same.
    assert "days=90" in page.url
    page.reload()
    expect(page.get_by_label(label)).to_have_value("90")
    expect(page.locator(".needed .big-figure")).to_be_visible()


@pytest.mark.parametrize(("locale", "width"), VIEWERS)
def test_what_is_too_early_names_its_day(
    opened: Opened, ann: Person, followed: int, locale: str, width: int
) -> None:
    """A year is not over in the data, and by keyboard one looks after fewer days."""
    _, label, _, early = WORDS[locale]
    page = opened.page(ann, f"#/lists/{followed}/outcomes", width=width, locale=locale)
    expect(page.get_by_role("heading", name=early)).to_be_visible()
    expect(page.locator(".outcomes .empty")).to_contain_text(
        "10 Mar 2026" if locale == "en-GB" else "2026年3月10日"
    )
    expect(page.locator(".needed")).to_have_count(0)
    assert grave_at_every_width(page) == []
    page.get_by_label(label).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".needed .big-figure")).to_be_visible()
    expect(page.get_by_label(label)).to_be_focused()


def test_a_list_that_nobody_approved_says_so_and_asks_for_nothing(opened: Opened, ann: Person) -> None:
    number = new_draft(ann)["id"]
    page = opened.page(ann, f"#/lists/{number}")
    asked = []
    page.on("request", lambda sent: asked.append(sent.url) if "/outcomes" in sent.url else None)
    page.get_by_role("link", name="Outcomes", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing to follow yet")).to_be_visible()
    assert [url for url in asked if "/v1/" in url] == []
    assert grave_at_every_width(page) == []


def test_a_failure_is_told_and_can_be_tried_again(opened: Opened, ann: Person, followed: int) -> None:
    page = opened.page(ann, f"#/lists/{followed}")
    page.route("**/outcomes?*", lambda route: route.abort())
    page.get_by_role("link", name="Outcomes", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.unroute("**/outcomes?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Too early to tell")).to_be_visible()
