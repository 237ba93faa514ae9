"""Who may be on a list, on the page: its rules and whom people keep off by name, read and changed later."""

from __future__ import annotations

from typing import Any

import pytest
from list_making import new_list, of
from playwright.sync_api import Page, expect
from site_people import LOCALES, Opened, Person, Site, grave, grave_at_every_width

RULES: dict[str, Any] = {
    "territory_column": "segment",
    "where": [{"name": "friends", "attribute": "partner", "values": ["true"]}],
    "filters": {"industries": ["banking, retail", "software"], "employees_from": 20},
    "owner_quotas": [{"name": "Ben Okafor", "most": 4}],
    "caps": [{"fact": "segment", "share": 0.5}, {"fact": "country", "share": 0.25}],
}


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


def about(opened: Opened, person: Person, number: int, **told: Any) -> Page:
    page = opened.page(person, f"#/lists/{number}/about", **told)
    expect(
        page.get_by_role("heading", name="Rules").or_(page.get_by_role("heading", name="规则"))
    ).to_be_visible()
    return page


def excluded(person: Person, number: int) -> list[str]:
    entries: list[str] = person.call("GET", f"/v1/lists/{number}/excluded")["entries"]
    return entries


def keep_off(person: Person, number: int, *entries: str) -> None:
    revision = of(person, number)["target_list"]["revision"]
    person.call("PUT", f"/v1/lists/{number}/excluded", {"revision": revision, "entries": entries})


def test_rules_and_names_are_changed_after_the_list_was_made(opened: Opened, ann: Person) -> None:
    number = new_list(ann, rules=RULES)["id"]
    keep_off(ann, number, "acc-07", "rival.example")
    page = about(opened, ann, number)
    card = page.locator(".list-about").filter(has=page.get_by_role("heading", name="Rules"))
    expect(card).to_contain_text("No friends (partner: true)")
    card.get_by_text("Account ids and domains: 2").click()
    expect(card.locator(".kept-off li")).to_have_text(["acc-07", "rival.example"])
    page.get_by_role("button", name="Edit the rules").click()
    # What the fields show is what the list has; a name with a comma is one name.
    expect(page.get_by_label("Industries")).to_have_value('"banking, retail", software')
    expect(page.get_by_label("Employees, from")).to_have_value("20")
    expect(page.get_by_label("One country at most (%)")).to_have_value("25")
    expect(page.get_by_label("Quotas of owners")).to_have_value("Ben Okafor: 4")
    expect(page.get_by_label("Account ids or domains")).to_have_value("acc-07\nrival.example")
    page.get_by_role("checkbox", name="Customers", exact=True).uncheck()
    page.get_by_label("Employees, up to").fill("900")
    page.get_by_label("Account ids or domains").fill("rival.example\nacc-08")
    # A reload takes nothing that was typed.
    page.reload()
    page.get_by_role("button", name="Edit the rules").click()
    expect(page.get_by_label("Employees, up to")).to_have_value("900")
    assert grave(page) == []
    page.get_by_role("button", name="Store the changes").click()
    expect(card).to_contain_text("Up to 900 employees")
    expect(card).not_to_contain_text("No customers")
    assert excluded(ann, number) == ["acc-08", "rival.example"]
    rules = of(ann, number)["target_list"]["rules"]
    assert rules["customers"] is False
    assert rules["open_opportunities"] is True
    assert rules["filters"] == {
        **dict.fromkeys(("countries", "territories", "owners", "technologies")),
        "industries": ["banking, retail", "software"],
        "employees_from": 20,
        "employees_to": 900,
    }
    # What has no field here is as it was.
    for name in ("territory_column", "where", "owner_quotas"):
        assert rules[name] == RULES[name], name
    assert {one["fact"]: one["share"] for one in rules["caps"]} == {"segment": 0.5, "country": 0.25}


def test_a_fault_is_told_beside_its_field_and_nothing_is_stored(opened: Opened, ann: Person) -> None:
    number = new_list(ann, rules=RULES)["id"]
    page = about(opened, ann, number)
    page.get_by_role("button", name="Edit the rules").click()
    page.get_by_label("Employees, from").fill("-5")
    page.get_by_role("button", name="Store the changes").click()
    expect(page.get_by_label("Employees, from")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Employees, from")).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Edit the rules")).to_be_enabled()
    assert of(ann, number)["target_list"]["rules"]["filters"]["employees_from"] == 20


def test_who_changes_rules_second_is_told_and_loses_nothing(opened: Opened, ann: Person, site: Site) -> None:
    ben = site.person("Ben Okafor", side="sales")
    number = new_list(ann, rules=RULES)["id"]
    page = about(opened, ann, number)
    page.get_by_role("button", name="Edit the rules").click()
    page.get_by_label("Account ids or domains").fill("rival.example")
    keep_off(ben, number, "acc-09")
    page.get_by_role("button", name="Store the changes").click()
    failure = page.locator(".failure")
    expect(failure).to_contain_text("Somebody else was here meanwhile")
    expect(failure.locator(".since")).to_contain_text("Ben Okafor")
    expect(page.get_by_label("Account ids or domains")).to_have_value("rival.example")
    assert excluded(ann, number) == ["acc-09"]
    page.get_by_role("button", name="Store the changes all the same").click()
    expect(page.get_by_role("button", name="Edit the rules")).to_be_enabled()
    assert excluded(ann, number) == ["rival.example"]


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_grave_is_found_in_rules(opened: Opened, ann: Person, locale: str) -> None:
    number = new_list(ann, rules=RULES)["id"]
    keep_off(ann, number, "acc-07")
    page = about(opened, ann, number, locale=locale)
    page.locator(".list-about details summary").click()
    assert grave_at_every_width(page) == []
    page.locator(".list-about").last.get_by_role("button").click()
    expect(page.locator(".rules-form")).to_be_visible()
    assert grave_at_every_width(page) == []


def test_a_viewer_reads_who_is_kept_off_and_changes_nothing(opened: Opened, ann: Person, site: Site) -> None:
    number = new_list(ann, rules=RULES)["id"]
    keep_off(ann, number, "acc-07")
    page = about(opened, site.person("Vi Lee", role="viewer"), number)
    expect(page.get_by_text("Account ids and domains: 1")).to_be_visible()
    expect(page.get_by_role("button", name="Edit the rules")).to_have_count(0)
