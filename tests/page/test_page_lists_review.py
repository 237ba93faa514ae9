"""A list on the page on its way through review, refreshes and versions to its files."""

from __future__ import annotations

import pytest
from list_making import FREE, approve, draw, drawn_list, of, on, submit
from playwright.sync_api import Page, expect
from site_people import LOCALES, Opened, Person, Site, grave, grave_at_every_width


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


@pytest.fixture
def ben(site: Site) -> Person:
    return site.person("Ben Okafor", side="sales")


def do(page: Page, action: str, comment: str = "", *, optional: bool = True) -> None:
    """A button of the head, and the dialog that it opens."""
    page.get_by_role("button", name=action, exact=True).first.click()
    asked = page.get_by_role("dialog")
    if comment:
        asked.get_by_label("Comment (optional)" if optional else "Comment", exact=True).fill(comment)
    asked.get_by_role("button", name=action, exact=True).click()
    expect(asked).to_have_count(0)


def test_two_sides_review_and_approve(opened: Opened, ann: Person, ben: Person) -> None:
    number = drawn_list(ann)
    marketing = opened.page(ann, f"#/lists/{number}")
    do(marketing, "Submit for review", "Ready for you")
    expect(marketing.locator(".list-title .badges")).to_contain_text("In review")
    expect(marketing.locator(".reviewer")).to_have_count(2)
    sales = opened.page(ben, f"#/lists/{number}")
    sales.get_by_role("button", name="Ask for changes").click()
    asked = sales.get_by_role("dialog")
    asked.get_by_role("button", name="Ask for changes").click()
    expect(asked.get_by_label("Comment", exact=True)).to_have_attribute("aria-invalid", "true")
    asked.get_by_label("Comment", exact=True).fill("Company 8 is a partner")
    asked.get_by_role("button", name="Ask for changes").click()
    expect(sales.locator(".list-title .badges")).to_contain_text("Draft")
    expect(sales.locator(".reviewer.changes")).to_contain_text("Company 8 is a partner")
    submit(ann, number)
    for page in (marketing, sales):
        page.reload()
        do(page, "Approve")
    expect(sales.locator(".list-title .badges")).to_contain_text("Approved")
    expect(sales.locator(".reviewer.approved")).to_have_count(2)
    assert [one["approver"] for one in of(ann, number)["approvals"] if one["counts"]] == [
        "Ann Marsh",
        "Ben Okafor",
    ]
    do(sales, "Archive", "done with it")
    expect(sales.locator(".list-title .badges")).to_contain_text("Archived")
    do(sales, "Restore")
    expect(sales.locator(".list-title .badges")).to_contain_text("Draft")
    sales.get_by_role("navigation", name="Parts of the list").get_by_role("link", name="Log").click()
    expect(sales.locator(".log")).to_contain_text("done with it")
    expect(sales.locator(".log li").first).to_contain_text("restored it")


def test_the_second_of_two_writers_is_told_and_loses_nothing(
    opened: Opened, ann: Person, ben: Person
) -> None:
    number = drawn_list(ann)
    page = opened.page(ann, f"#/lists/{number}/about")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Purpose").fill("What I have typed for an hour")
    revision = of(ben, number)["target_list"]["revision"]
    ben.call("PATCH", f"/v1/lists/{number}", {"revision": revision, "owner": "Ben Okafor"})
    page.get_by_role("button", name="Store the changes").click()
    failure = page.locator(".failure")
    expect(failure).to_contain_text("Somebody else was here meanwhile")
    expect(failure.locator(".since")).to_contain_text("Ben Okafor")
    expect(page.get_by_label("Purpose")).to_have_value("What I have typed for an hour")
    assert of(ben, number)["target_list"]["purpose"] == "Banks of the north"
    page.get_by_role("button", name="Store the changes all the same").click()
    expect(page.locator(".list-about").first).to_contain_text("What I have typed for an hour")
    assert of(ben, number)["target_list"]["purpose"] == "What I have typed for an hour"


def test_whoever_decides_second_sees_what_the_first_one_said(
    opened: Opened, ann: Person, ben: Person
) -> None:
    number = drawn_list(ann)
    page = opened.page(ann, f"#/lists/{number}?account=acc-05")
    page.get_by_role("dialog").get_by_role("button", name="Drop").click()
    asked = page.get_by_role("dialog", name="Drop Company 5")
    asked.get_by_label("Reason").fill("partner of a rival")
    body = {"account_id": "acc-05", "kind": "pin", "reason": "promised by the board"}
    ben.call("POST", f"/v1/lists/{number}/decisions", body)
    asked.get_by_role("button", name="Drop").click()
    expect(asked.locator(".failure")).to_contain_text("promised by the board")
    expect(asked.get_by_label("Reason")).to_have_value("partner of a rival")
    assert "acc-05" in on(ann, number)
    asked.get_by_role("button", name="Drop all the same").click()
    expect(page.locator(".decisions li").first).to_contain_text("partner of a rival")
    expect(page.locator(".decisions li.ended")).to_contain_text("promised by the board")
    assert "acc-05" not in on(ann, number)


def test_what_is_submitted_rests_on_what_was_seen(opened: Opened, ann: Person, ben: Person) -> None:
    number = drawn_list(ann)
    page = opened.page(ann, f"#/lists/{number}")
    page.get_by_role("button", name="Submit for review").click()
    asked = page.get_by_role("dialog")
    asked.get_by_label("Comment (optional)").fill("As agreed on Monday")
    page.keyboard.press("Escape")
    page.reload()
    page.get_by_role("button", name="Submit for review").click()
    expect(asked.get_by_label("Comment (optional)")).to_have_value("As agreed on Monday")
    body = {"account_id": "acc-05", "kind": "drop", "reason": "insolvent"}
    ben.call("POST", f"/v1/lists/{number}/decisions", body)
    asked.get_by_role("button", name="Submit for review").click()
    expect(asked.locator(".failure")).to_contain_text("Somebody else was here meanwhile")
    expect(asked.locator(".since")).to_contain_text("acc-05")
    expect(asked.get_by_label("Comment (optional)")).to_have_value("As agreed on Monday")
    assert grave(page) == []
    assert of(ann, number)["target_list"]["state"] == "draft"
    asked.get_by_role("button", name="Submit for review all the same").click()
    expect(page.locator(".list-title .badges")).to_contain_text("In review")


@pytest.mark.parametrize("action", ["Accept", "Discard"])
def test_a_refresh_is_shown_before_it_counts(opened: Opened, ann: Person, action: str) -> None:
    number = drawn_list(ann, [*FREE[:4], "acc-08"])
    decision = {"account_id": "acc-00", "kind": "pin", "reason": "promised"}
    ann.call("POST", f"/v1/lists/{number}/decisions", decision)
    draw(ann, number, ["acc-01", "acc-02", "acc-05", "acc-06", "acc-09"], kind="refresh")
    page = opened.page(ann, f"#/lists/{number}")
    banner = page.get_by_role("region", name="Proposal")
    told = ann.call("GET", f"/v1/lists/{number}/diff")
    assert (told["added"], told["dropped"]) == (2, 1), "acc-06 and acc-09 for acc-08; acc-00 is pinned"
    expect(banner).to_contain_text("+2 added")
    expect(banner).to_contain_text("−1 dropped")
    expect(page.get_by_role("button", name="Submit for review")).to_have_count(0)
    banner.get_by_role("link", name="See what changes").click()
    expect(page.locator(".changes li")).to_have_count(3)
    expect(page.locator(".changes")).to_contain_text("Company 8 dropped")
    expect(page.locator(".changes")).to_contain_text("No longer suggested")
    page.get_by_label("Show", exact=True).select_option("dropped")
    expect(page.locator(".changes li")).to_have_count(1)
    assert grave(page) == []
    do(page, action)
    expect(banner).to_have_count(0)
    stays, newcomers = {"acc-00", "acc-01", "acc-02", "acc-05"}, {"acc-06", "acc-09"}
    expected = stays | newcomers if action == "Accept" else stays | {"acc-08"}
    assert set(on(ann, number)) == expected


@pytest.mark.parametrize("locale", LOCALES)
def test_dialogs_and_reviews_hold_nothing_grave(
    opened: Opened, ann: Person, ben: Person, locale: str
) -> None:
    number = drawn_list(ann)
    submit(ann, number)
    approve(ben, number, "sales")
    page = opened.page(ann, f"#/lists/{number}", locale=locale)
    expect(page.locator(".grid-table tbody .name").first).to_be_visible()
    assert grave_at_every_width(page) == []
    page.locator("[data-action=changes]").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert grave_at_every_width(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("[data-action=changes]")).to_be_focused()
    page.locator(".grid-table .pick input").nth(1).check()
    expect(page.locator(".bulk")).to_be_visible()
    assert grave_at_every_width(page) == []


def test_a_service_that_is_gone_is_said_and_asked_again(opened: Opened, ann: Person) -> None:
    number = drawn_list(ann)
    page = opened.page(ann, "#/lists")
    page.route(f"**/v1/lists/{number}/accounts*", lambda route: route.abort())
    page.goto(f"{opened.site.server.url}/#/lists/{number}")
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
    page.unroute(f"**/v1/lists/{number}/accounts*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".grid-table tbody .name")).to_have_count(len(FREE))
