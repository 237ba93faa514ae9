"""From a result to a list on the page: a new list, another draw, and somebody who was there before."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ended_search import ended_search
from list_making import drawn_list, of, on
from playwright.sync_api import Page, Route, expect
from site_people import LOCALES, Opened, Person, Site, grave_at_every_width

_numbers = count(1)


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


@pytest.fixture(scope="module")
def found(site: Site) -> Any:
    """A search of Ann's that has ended."""
    ann = site.person("Ann Marsh", side="marketing")
    return ended_search(ann, size=60)


def fill(page: Page, *, size: int | None = None) -> str:
    """A new list by its name."""
    name = f"Lookalikes no. {next(_numbers)}"
    new = page.get_by_role("radio", name="A new list")
    expect(page.get_by_label("Name", exact=True)).to_be_attached()
    if new.count():
        new.check()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Purpose").fill("See what comes of it")
    if size is not None:
        page.get_by_role("checkbox", name="Start as a pilot").uncheck()
        page.get_by_label("Accounts at most", exact=True).fill(str(size))
    return name


def submit(page: Page) -> None:
    page.get_by_role("button", name="Save the list").click()


def list_number(page: Page) -> int:
    link = page.get_by_role("link", name="Open the list").get_attribute("href")
    assert link is not None
    return int(link.rpartition("/")[2])


def test_rules_are_applied_and_counted(opened: Opened, ann: Person, found: Any, tmp_path: Path) -> None:
    page = opened.page(ann, f"#/expand/{found['id']}")
    page.get_by_role("link", name="Save as a list").click()
    name = fill(page, size=20)
    expect(page.get_by_label("Owner", exact=True)).to_have_value("Ann Marsh")
    told = ann.call("GET", f"/v1/expansions/{found['id']}/accounts", limit=60)["accounts"]
    page.locator(".rules > summary").click()
    page.get_by_label("Industries").fill("banking, software")
    page.get_by_label("Account ids or domains").fill(f"{told[0]['domain']}, {told[1]['account_id']}")
    page.get_by_label("One country at most (%)").fill("60")
    page.get_by_label("Column that marks partners").fill("partner")
    page.get_by_label("Quotas of owners").fill("Ben Okafor: 4")
    off = tmp_path / "off.csv"
    off.write_text(f"domain\n{told[2]['domain']}\nnobody-at-all.org\n", encoding="utf-8")
    page.locator(".rules input[type=file]").set_input_files(off)
    expect(page.get_by_text("off.csv: accounts kept off: 1 (of 2 rows)").first).to_be_visible()
    expect(page.locator(".rules > summary")).to_contain_text("5 of your own")
    # A reload takes nothing that was typed.
    page.reload()
    expect(page.get_by_label("Name", exact=True)).to_have_value(name)
    submit(page)
    heading = page.locator("#saved-title")
    expect(heading).to_be_focused()
    number = list_number(page)
    made = of(ann, number)["target_list"]
    assert (made["name"], made["owner"], made["size"]) == (name, "Ann Marsh", 20)
    assert made["rules"]["filters"]["industries"] == ["banking", "software"]
    assert made["rules"]["caps"] == [{"fact": "country", "share": 0.6}]
    assert made["rules"]["where"] == [{"name": "partners", "attribute": "partner", "values": ["true"]}]
    assert made["rules"]["owner_quotas"] == [{"name": "Ben Okafor", "most": 4}]
    accounts = on(ann, number)
    expect(heading).to_have_text(f"{len(accounts)} accounts are on {name}")
    assert accounts
    assert not {one["account_id"] for one in told[:3]} & set(accounts)
    version = ann.call("GET", f"/v1/lists/{number}/versions")["versions"][0]
    left_out = {one["rule"]: one["accounts"] for one in version["left_out"]}
    assert {"industry", "listed", "partners"} <= set(left_out)
    shown = page.locator(".tallies dd").all_inner_texts()
    assert shown == [str(accounts) for accounts in left_out.values()]
    listed = page.locator(".tallies > div").filter(has_text="Kept off by name")
    expect(listed.locator("dd")).to_have_text(str(left_out["listed"]))
    page.get_by_role("link", name="Open the list").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def test_what_is_wrong_is_told_beside_its_field(opened: Opened, ann: Person, found: Any) -> None:
    page = opened.page(ann, f"#/expand/{found['id']}/save")
    fill(page, size=20)
    page.get_by_label("Purpose").fill("")
    submit(page)
    purpose = page.get_by_label("Purpose")
    expect(purpose).to_have_attribute("aria-invalid", "true")
    expect(purpose).to_be_focused()
    purpose.fill("Better")
    submit(page)
    expect(page.locator("#saved-title")).to_be_visible()


def test_a_list_that_was_made_but_not_drawn_is_not_made_twice(
    opened: Opened, ann: Person, found: Any
) -> None:
    page = opened.page(ann, f"#/expand/{found['id']}/save")
    name = fill(page, size=10)
    page.route("**/v1/lists/*/draws", lambda route: route.abort())
    submit(page)
    expect(page.locator(".notice")).to_contain_text("The list was made, and is empty still")
    page.unroute("**/v1/lists/*/draws")
    page.reload()
    submit(page)
    expect(page.locator("#saved-title")).to_have_text(f"10 accounts are on {name}")
    lists = ann.call("GET", "/v1/lists", limit=50)["lists"]
    assert [one["name"] for one in lists].count(name) == 1


def test_an_answer_that_was_lost_makes_one_list(opened: Opened, ann: Person, found: Any) -> None:
    page = opened.page(ann, f"#/expand/{found['id']}/save")
    name = fill(page, size=10)
    lost: list[int] = []

    def handle(route: Route) -> None:
        if route.request.method != "POST" or lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/v1/lists", handle)
    submit(page)
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    submit(page)
    expect(page.locator("#saved-title")).to_have_text(f"10 accounts are on {name}")
    lists = ann.call("GET", "/v1/lists", limit=50)["lists"]
    assert (lost, [one["name"] for one in lists].count(name)) == ([201], 1)


def test_another_draw_of_a_list_is_a_proposal(opened: Opened, ann: Person, found: Any) -> None:
    number = drawn_list(ann, ["acc-00", "acc-01"])
    page = opened.page(ann, f"#/expand/{found['id']}/save")
    page.get_by_role("radio", name="An existing list").check()
    page.get_by_label("List", exact=True).select_option(str(number))
    page.get_by_role("radio", name="Rebuild").check()
    submit(page)
    expect(page.locator("#saved-title")).to_contain_text("A proposal for")
    told = of(ann, number)
    assert told["proposal"]["kind"] == "rebuild"
    expect(page.get_by_role("link", name="Open the list")).to_have_attribute("href", f"#/lists/{number}")


def test_whoever_was_there_before_is_told_and_nothing_is_lost(
    opened: Opened, ann: Person, found: Any
) -> None:
    number = drawn_list(ann, ["acc-00", "acc-01"])
    page = opened.page(ann, f"#/expand/{found['id']}/save")
    page.get_by_role("radio", name="An existing list").check()
    page.get_by_label("List", exact=True).select_option(str(number))

    faster: list[int] = []

    def first(route: Route) -> None:
        """Somebody is a moment faster, once."""
        if faster:
            route.continue_()
            return
        revision = of(ann, number)["target_list"]["revision"]
        ann.call("PATCH", f"/v1/lists/{number}", {"revision": revision, "purpose": "Another one"})
        faster.append(revision)
        route.continue_()

    page.route("**/v1/lists/*/draws", first)
    submit(page)
    expect(page.get_by_role("alert")).to_contain_text("Somebody else was there")
    expect(page.get_by_role("alert")).to_contain_text("Ann Marsh")
    expect(page.locator(".notice")).to_contain_text("What you entered is still here")
    submit(page)
    expect(page.locator("#saved-title")).to_contain_text("A proposal for")


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_in_the_way_of_anybody(opened: Opened, ann: Person, found: Any, locale: str) -> None:
    page = opened.page(ann, f"#/expand/{found['id']}/save", locale=locale)
    page.locator(".rules > summary").click()
    assert grave_at_every_width(page) == []
