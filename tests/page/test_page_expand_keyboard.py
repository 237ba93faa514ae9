"""From seeds to a saved list by keyboard alone, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect
from site_people import Opened, Site

_MOST = 80


def tab_to(page: Page, wanted: Locator) -> None:
    """The focus, by as many tabs as it takes."""
    expect(wanted).to_be_visible()
    for _ in range(_MOST):
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not reached by {_MOST} tabs: {wanted}")


def test_from_seeds_to_a_saved_list_by_keyboard_alone(opened: Opened, site: Site) -> None:
    ann = site.person("Ann Marsh", side="marketing")
    page = opened.page(ann)
    tab_to(page, page.get_by_role("navigation").get_by_role("link", name="Find lookalikes"))
    page.keyboard.press("Enter")
    tab_to(page, page.locator(".drop textarea"))
    page.keyboard.type("company13.example\ncompany19.example\ncompany1.example")
    which = page.get_by_role("group", name="Which company does “company1.example” mean?")
    tab_to(page, which.get_by_role("radio", name="None of them"))
    page.keyboard.press("ArrowUp")
    expect(page.locator(".seeds-total")).to_contain_text("3 seeds")
    tab_to(page, page.get_by_role("slider", name="Intent"))
    page.keyboard.press("End")
    expect(page.get_by_role("slider", name="Fit")).to_have_attribute("aria-valuetext", "50 %")
    tab_to(page, page.get_by_role("button", name="Find lookalikes"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="accounts found").first).to_be_visible(timeout=60_000)
    first = page.locator("table.accounts tbody .name").first
    tab_to(page, first)
    page.keyboard.press("Enter")
    close = page.get_by_role("dialog").get_by_role("button", name="Close")
    expect(close).to_be_focused()
    page.keyboard.press("Enter")
    expect(first).to_be_focused()
    # Back up to the way on, as the table comes after it.
    save = page.get_by_role("link", name="Save as a list")
    for _ in range(_MOST):
        if save.evaluate("(one) => one === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("By keyboard alone")
    tab_to(page, page.get_by_label("Purpose"))
    page.keyboard.type("Nobody needs a mouse")
    tab_to(page, page.get_by_role("button", name="Save the list"))
    page.keyboard.press("Enter")
    expect(page.locator("#saved-title")).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Open the list"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="By keyboard alone")).to_be_visible()
