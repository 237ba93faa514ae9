"""Target account lists on the page, in a real browser: made, looked through, decided of, and said why."""

from __future__ import annotations

import re

import pytest
from list_making import drawn_list, new_list, of, on
from playwright.sync_api import Page, expect
from site_people import LOCALES, VIEWERS, WIDTHS, Opened, Person, Site, grave, grave_at_every_width


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


@pytest.fixture
def ben(site: Site) -> Person:
    return site.person("Ben Okafor", side="sales")


@pytest.fixture
def viewer(site: Site) -> Person:
    return site.person("Vi Lee", role="viewer")


def names(page: Page) -> list[str]:
    return page.locator(".grid-table tbody .name").all_inner_texts()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_new_list_with_a_segment_and_a_goal(opened: Opened, ann: Person, width: int) -> None:
    page = opened.page(ann, "#/lists", width=width)
    page.get_by_role("link", name="New list").first.click()
    page.get_by_role("button", name="Make the list").click()
    expect(page.get_by_label("Name", exact=True).first).to_be_focused()
    name = f"Nordics {width}"
    page.get_by_label("Name", exact=True).first.fill(name)
    expect(page.get_by_label("Owner")).to_have_value("Ann Marsh")
    page.get_by_label("Purpose").fill("Find out what the north needs")
    page.get_by_label("Pilot", exact=True).select_option("false")
    page.get_by_label("Accounts at most").fill("120")
    page.get_by_role("button", name="Add a segment").click()
    page.get_by_role("group", name="Segments").get_by_label("Name").fill("North")
    page.get_by_role("button", name="Add a goal").click()
    goal = page.get_by_role("group", name="Goals")
    goal.get_by_label("Metric").select_option("win_rate")
    goal.get_by_label("Segment (optional)").fill("North")
    goal.get_by_label("Today (if known)").fill("18")
    goal.get_by_label("Target").fill("24,5")
    goal.get_by_label("Told as").select_option("absolute")
    goal.get_by_label("By", exact=True).fill("2027-06-30")
    # A reload takes nothing that was typed.
    page.reload()
    expect(page.get_by_label("Purpose")).to_have_value("Find out what the north needs")
    assert grave(page) == []
    page.get_by_role("button", name="Make the list").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    number = int(page.url.rpartition("/")[2])
    made = of(ann, number)["target_list"]
    assert (made["size"], made["pilot"], made["purpose"]) == (120, False, "Find out what the north needs")
    assert made["segments"] == [{"name": "North", "basis": "industry", "description": None}]
    assert made["goals"] == [
        {
            "metric": "win_rate",
            "segment": "North",
            "baseline": 18.0,
            "target": 24.5,
            "unit": "absolute",
            "date": "2027-06-30",
        }
    ]
    expect(page.get_by_role("heading", name="Nobody is on this list yet")).to_be_visible()
    page.goto(f"{opened.site.server.url}/#/lists/new")
    expect(page.get_by_label("Purpose")).to_have_value("")


def test_what_the_service_refuses_is_told_in_its_words(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/lists/new")
    page.get_by_label("Name", exact=True).first.fill("12345")
    page.get_by_label("Purpose").fill("A name that is a number")
    page.get_by_role("button", name="Make the list").click()
    expect(page.get_by_role("alert").filter(has_text="name is a number")).to_be_visible()
    expect(page.get_by_label("Purpose")).to_have_value("A name that is a number")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_table_is_sorted_filtered_and_paged_by_the_service(
    opened: Opened, ann: Person, width: int
) -> None:
    every = [f"acc-{number:02d}" for number in range(120) if number not in (3, 4)]
    number = drawn_list(ann, every, size=500)
    total = ann.call("GET", f"/v1/lists/{number}/accounts")["total"]
    assert total > 50, "more than a page"
    page = opened.page(ann, f"#/lists/{number}", width=width)
    expect(page.locator(".grid-table tbody .name")).to_have_count(50)
    best = [one["name"] for one in ann.call("GET", f"/v1/lists/{number}/accounts")["accounts"]]
    assert names(page) == best
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.locator(".pages")).to_contain_text(f"51–{min(total, 100)} of {total}")
    second = names(page)
    assert not set(second) & set(best)
    # The page is found again after a reload.
    page.reload()
    expect(page.locator(".pages")).to_contain_text("51–")
    assert names(page) == second
    if width > 1000:
        page.get_by_role("columnheader", name="Account", exact=True).get_by_role("button").click()
    else:
        page.get_by_label("Sort by").select_option("name asc")
    expect(page.locator(".pages")).to_contain_text("1–50")
    expect(page.locator(".grid-table tbody .name").first).to_have_text("Company 0")
    by_name = ann.call("GET", f"/v1/lists/{number}/accounts", sort="name")["accounts"]
    assert names(page) == [one["name"] for one in by_name]
    heading = page.locator("thead th", has_text="Account").first
    expect(heading).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Search").fill("company 5")
    expected = ann.call("GET", f"/v1/lists/{number}/accounts", search="company 5", sort="name")
    matching = expected["total"]
    expect(page.locator(".pages p")).to_have_text(f"1–{matching} of {matching}")
    assert names(page) == [one["name"] for one in expected["accounts"]]
    expect(page).to_have_url(re.compile(r"search=company\+5"))
    page.get_by_label("Search").fill("nobody at all")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.locator(".grid-table tbody .name")).to_have_count(50)


@pytest.mark.parametrize(("locale", "width"), VIEWERS)
def test_an_account_says_why_it_is_here(opened: Opened, ann: Person, width: int, locale: str) -> None:
    number = drawn_list(ann)
    chinese = locale == "zh-CN"
    page = opened.page(ann, f"#/lists/{number}", width=width, locale=locale)
    page.get_by_role("button", name="Company 0", exact=True).click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("heading", name="Company 0")).to_be_visible()
    # Before anything is known -1, industry +3, country -0.25, the rest +0.25: 2.
    figure = panel.get_by_role("img", name="得分 2.00" if chinese else "Score 2.00")
    expect(figure.locator("svg")).to_be_visible()
    expect(figure).to_contain_text("行业：banking" if chinese else "industry: banking")
    panel.get_by_text("以表格查看" if chinese else "As a table").first.click()
    rows = panel.get_by_role("table").first.locator("tbody td").all_inner_texts()
    told = [float(text.replace("−", "-")) for text in rows]
    assert told == pytest.approx([-1, 3, -0.25, 0.25, 2])
    expect(panel.locator(".seeds")).to_contain_text("Company 3")
    expect(panel.locator(".seeds .chip")).to_have_text(["country: US"])
    expect(panel.get_by_role("img").nth(1).locator("svg")).to_be_visible()
    expect(panel.get_by_text("尚未评分" if chinese else "It has not been scored yet")).to_be_visible()
    assert grave_at_every_width(page) == []
    # The address names it, and the arrows go on to the one beside it.
    expect(page).to_have_url(re.compile("account=acc-00"))
    panel.get_by_role("button", name="下一个" if chinese else "Next").click()
    expect(panel.get_by_role("heading", name="Company 1", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("dialog").get_by_role("heading", name="Company 1", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("account="))


def test_pin_drop_move_and_end(opened: Opened, ann: Person) -> None:
    number = drawn_list(ann)
    page = opened.page(ann, f"#/lists/{number}")
    page.get_by_role("button", name="Company 5", exact=True).click()
    panel = page.get_by_role("dialog").first
    panel.get_by_role("button", name="Drop").click()
    asked = page.get_by_role("dialog", name="Drop Company 5")
    asked.get_by_role("button", name="Drop").click()
    expect(asked.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    asked.get_by_label("Reason").fill("partner of a rival")
    asked.get_by_label("Counts until (optional)").fill("2099-06-30")
    asked.get_by_role("button", name="Drop").click()
    expect(panel.locator(".decisions")).to_contain_text("partner of a rival")
    expect(panel.locator(".decisions")).to_contain_text("30 Jun 2099")
    assert "acc-05" not in on(ann, number)
    panel.get_by_role("button", name="End the decision").click()
    ending = page.get_by_role("dialog", name="End “Dropped”")
    ending.get_by_label("Reason").fill("it was another company")
    ending.get_by_role("button", name="End the decision").click()
    expect(panel.locator(".decisions")).to_contain_text("it was another company")
    assert "acc-05" in on(ann, number)
    panel.get_by_role("button", name="Move").click()
    moving = page.get_by_role("dialog", name="Move Company 5")
    moving.get_by_label("Segment").select_option("South")
    moving.get_by_label("Reason").fill("it has moved house")
    moving.get_by_role("button", name="Move").click()
    expect(panel.locator(".panel-figures")).to_contain_text("South")
    panel.get_by_role("button", name="Pin").click()
    pinning = page.get_by_role("dialog", name="Pin Company 5")
    pinning.get_by_label("Reason").fill("asked for us")
    pinning.get_by_role("button", name="Pin").click()
    expect(panel.locator(".panel-who .badges")).to_contain_text("Pinned")
    panel.get_by_role("button", name="Close").click()
    row = page.get_by_role("row", name="Company 5")
    expect(row).to_contain_text("Pinned")
    expect(row).to_contain_text("South")
    expect(row.get_by_role("button")).to_be_focused()


def test_several_accounts_at_once_and_those_that_fail_stay_chosen(opened: Opened, ann: Person) -> None:
    number = drawn_list(ann)
    page = opened.page(ann, f"#/lists/{number}")
    for one in ("Company 0", "Company 6", "Company 8"):
        page.get_by_role("checkbox", name=f"Choose {one}", exact=True).check()
    bulk = page.get_by_role("region", name="Chosen accounts")
    expect(bulk).to_contain_text("3 chosen")
    # Meanwhile somebody else decides of one of them.
    body = {"account_id": "acc-06", "kind": "pin", "reason": "promised"}
    ann.call("POST", f"/v1/lists/{number}/decisions", body)
    bulk.get_by_role("button", name="Drop").click()
    asked = page.get_by_role("dialog", name="Drop 3 accounts")
    asked.get_by_label("Reason").fill("not this year")
    asked.get_by_role("button", name="Drop").click()
    expect(asked.locator(".failure")).to_contain_text("1 of 3")
    expect(asked.get_by_label("Reason")).to_have_value("not this year")
    asked.get_by_role("button", name="Cancel").click()
    expect(bulk).to_contain_text("1 chosen")
    assert on(ann, number) == ["acc-01", "acc-02", "acc-05", "acc-06"]
    expect(page.locator(".grid-table tbody .name")).to_have_count(4)


def test_a_viewer_is_offered_nothing_and_told_so(opened: Opened, ann: Person, viewer: Person) -> None:
    number = drawn_list(ann)
    page = opened.page(viewer, f"#/lists/{number}")
    expect(page.locator(".notice.viewer")).to_contain_text("Changing lists is up to approvers")
    expect(page.get_by_role("checkbox")).to_have_count(0)
    assert page.locator(".list-head button").count() == 0
    page.get_by_role("button", name="Company 0", exact=True).click()
    expect(page.get_by_role("dialog").locator(".seeds")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("button", name="Pin")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("navigation", name="Parts of the list").get_by_role("link", name="About").click()
    expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    page.goto(f"{opened.site.server.url}/#/lists/new")
    expect(page.locator("main .notice")).to_contain_text("Changing lists is up to approvers")
    expect(page.locator("main form")).to_have_count(0)


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_grave_is_found_in_any_part(opened: Opened, ann: Person, locale: str) -> None:
    number = drawn_list(ann)
    decision = {"account_id": "acc-05", "kind": "drop", "reason": "partner"}
    ann.call("POST", f"/v1/lists/{number}/decisions", decision)
    page = opened.page(ann, "#/lists", locale=locale)
    expect(page.locator(".list-card").first).to_be_visible()
    assert grave_at_every_width(page) == []
    for part, sign in (
        ("", ".grid-table tbody .name"),
        ("/versions", ".version"),
        ("/log", ".log li"),
        ("/files", ".format"),
        ("/about", ".list-about"),
    ):
        page.goto(f"{opened.site.server.url}/#/lists/{number}{part}")
        expect(page.locator(sign).first).to_be_visible()
        assert grave_at_every_width(page) == [], part
    empty = new_list(ann)["id"]
    page.goto(f"{opened.site.server.url}/#/lists/{empty}")
    expect(page.locator(".nothing .empty")).to_be_visible()
    assert grave_at_every_width(page) == []
    page.goto(f"{opened.site.server.url}/#/lists/999999")
    expect(page.get_by_role("alert")).to_be_visible()
    assert grave_at_every_width(page) == []
