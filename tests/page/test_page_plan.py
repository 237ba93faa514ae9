"""The plan on the page, in a real browser: its sliders, what follows from them, and the curve."""

from __future__ import annotations

import math
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from site_people import LOCALES, Opened, Person, Site, grave_at_every_width

GOAL = {"reps": 2, "wins_per_rep": 3, "days": 180}
"""The facts of the small company are of less than a year."""


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


@pytest.fixture
def told(ann: Person) -> Any:
    return ann.call("GET", "/v1/plan", **GOAL)


def plan(opened: Opened, ann: Person, query: str = "?reps=2&wins_per_rep=3&days=180", **told: Any) -> Page:
    page = opened.page(ann, f"#/plan{query}", **told)
    expect(page.locator("figure.curve svg")).to_be_visible()
    return page


def test_the_figures_are_those_of_the_service(opened: Opened, ann: Person, told: Any) -> None:
    page = plan(opened, ann)
    wanted = told["target_accounts"]
    expect(page.locator(".needed .big-figure")).to_have_text(f"{math.ceil(wanted['value']):,}")
    interval = f"95 % interval {math.ceil(wanted['low']):,} to {math.ceil(wanted['high']):,}"
    expect(page.locator(".needed")).to_contain_text(interval)
    expect(page.locator(".needed")).to_contain_text("For 6 wins within 180 days")
    rates = page.locator(".rates").last.locator("tbody tr")
    expect(rates).to_have_count(2)
    for row, name in ((0, "account_to_opportunity"), (1, "win_rate")):
        rate = told[name]
        expect(rates.nth(row)).to_contain_text(f"{rate['hits']} of {rate['of']}")


def test_a_slider_changes_the_plan_and_the_address(opened: Opened, ann: Person, told: Any) -> None:
    page = plan(opened, ann)
    reps = page.get_by_role("slider", name="Sales reps")
    reps.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("spinbutton", name="Sales reps")).to_have_value("3")
    expect(page.locator(".needed")).to_contain_text("For 9 wins within 180 days")
    # Another reader, and a reload, see the same plan.
    page.reload()
    expect(page.locator(".needed")).to_contain_text("For 9 wins within 180 days")
    assert "reps=3" in page.url
    expect(reps).to_have_value("3")


def test_a_length_of_the_list_tells_what_it_brings(opened: Opened, ann: Person, told: Any) -> None:
    page = plan(opened, ann)
    point = told["curve"][len(told["curve"]) // 2]
    with page.expect_response(lambda answer: f"chosen={point['accounts']}" in answer.url):
        page.get_by_role("spinbutton", name="Length of the list").fill(str(point["accounts"]))
    said = page.locator(".length-told")
    expect(said).to_contain_text(f"{point['accounts']} accounts: {point['wins']:.1f} wins expected")
    expect(said).to_contain_text(f"({point['low']:.1f} to {point['high']:.1f})")
    expect(page.get_by_role("img", name=f"marked at {point['accounts']} accounts")).to_be_visible()
    page.get_by_role("button", name=f"Find {point['accounts']} lookalikes").click()
    expect(page.get_by_role("spinbutton", name="Accounts to find")).to_have_value(str(point["accounts"]))


def test_the_curve_has_a_table(opened: Opened, ann: Person, told: Any) -> None:
    page = plan(opened, ann)
    page.locator("summary", has_text="The curve as a table").click()
    last = page.get_by_role("table", name="The curve as a table").locator("tbody tr").last
    end = told["curve"][-1]
    expect(last).to_contain_text(f"{end['accounts']}")
    expect(last).to_contain_text(f"{end['wins']:.1f}")


def test_rates_of_ones_own_and_the_market(opened: Opened, ann: Person) -> None:
    page = plan(opened, ann)
    page.locator("summary", has_text="Rates of your own").click()
    page.get_by_label("Opportunity to win (%)").fill("50")
    page.get_by_label("Account to opportunity (%)").fill("20")
    # 6 wins / .5 / .2, and nothing that was counted.
    expect(page.locator(".needed .big-figure")).to_have_text("60")
    expect(page.locator(".needed")).to_contain_text("Exact, as both rates were given")
    page.locator("summary", has_text="Market size").click()
    page.get_by_label("Target users").fill("1000")
    page.get_by_label("Units each").fill("2")
    page.get_by_label("Unit price").fill("30")
    expect(page.locator(".card").filter(has=page.get_by_role("heading", name="Market size"))).to_contain_text(
        "60,000"
    )


def test_what_cannot_be_planned_is_told_beside_its_field(opened: Opened, ann: Person) -> None:
    page = plan(opened, ann)
    page.locator("summary", has_text="Rates of your own").click()
    rate = page.get_by_label("Opportunity to win (%)")
    rate.fill("500")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("win rate is no share")
    expect(rate).to_have_value("500")
    rate.fill("50")
    expect(page.locator(".needed")).to_be_visible()


def test_a_plan_that_was_lost_is_asked_for_again(opened: Opened, ann: Person) -> None:
    page = opened.page(ann)
    page.route("**/v1/plan?*", lambda route: route.abort())
    page.evaluate("location.hash = '#/plan?days=180'")
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
    page.unroute("**/v1/plan?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".needed")).to_be_visible()


def test_a_viewer_may_plan(opened: Opened, site: Site) -> None:
    plan(opened, site.person("Vi Lee", role="viewer"))


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_in_the_way_of_anybody(opened: Opened, ann: Person, locale: str) -> None:
    page = plan(opened, ann, locale=locale)
    page.locator("main details").evaluate_all("all => all.forEach((one) => (one.open = true))")
    assert grave_at_every_width(page) == []
