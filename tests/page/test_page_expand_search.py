"""A search on the page, in a real browser: asked for, followed, cancelled, found again, and its result."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ended_search import ended_search
from playwright.sync_api import Page, Request, Route, expect
from site_people import VIEWERS, Opened, Person, Site, grave, grave_at_every_width, said_by

SEARCH = "0" * 32
JSON = "application/json"
SEEDS = [f"acc-{n}" for n in range(13, 80, 6)]
"""Some of the customers."""


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


@pytest.fixture(scope="module")
def found(site: Site) -> Any:
    """A search of Ann's that has ended."""
    ann = site.person("Ann Marsh", side="marketing")
    weights = {"fit": 0.5, "intent": 0.5}
    return ended_search(ann, account_ids=SEEDS, size=60, weights=weights)


def running(**told: Any) -> dict[str, Any]:
    """A search as it is told of while it is worked on."""
    return {
        "id": SEARCH,
        "state": "running",
        "mode": "vertical",
        "size": 500,
        "product": None,
        "weights": [],
        "list_id": None,
        "seeds": 40,
        "steps": 4,
        "steps_done": 1,
        "step": "learning",
        "created_at": "2026-11-23T12:00:00Z",
        "started_at": "2026-11-23T12:00:01Z",
        "finished_at": None,
        "expires_at": None,
        "problem": None,
        "result": None,
    } | told


def tell(page: Page, answer: Callable[[Request], dict[str, Any] | None]) -> None:
    """Answers of a search that only the page knows of; None for a service that is not there."""

    def handle(route: Route) -> None:
        told = answer(route.request)
        if told is None:
            route.abort()
        else:
            route.fulfill(status=told.pop("status_code", 200), content_type=JSON, body=json.dumps(told))

    page.route(f"**/v1/expansions/{SEARCH}*", handle)
    page.route(f"**/v1/expansions/{SEARCH}/cancel", handle)


def test_what_is_set_is_what_is_asked(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/expand")
    asked: list[Any] = []

    def handle(route: Route) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(status=202, content_type=JSON, body=json.dumps(running(state="queued", step=None)))

    page.route("**/v1/jobs/expand", handle)
    tell(page, lambda _: running())
    page.get_by_role("radio", name="All customers").check()
    page.get_by_role("spinbutton", name="Accounts to find").fill("750")
    for part, keys in (("Fit", 10), ("Intent", 0), ("Value", 0)):
        slider = page.get_by_role("slider", name=part)
        slider.focus()
        for _ in range(keys):
            page.keyboard.press("ArrowLeft")
    page.get_by_role("slider", name="Intent").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    # 50 and 50 of 100.
    expect(page.get_by_role("slider", name="Fit")).to_have_attribute("aria-valuetext", "50 %")
    expect(page.get_by_role("slider", name="Value")).to_have_attribute("aria-valuetext", "0 %")
    page.get_by_role("checkbox", name="Leave customers out").uncheck()
    page.get_by_text("More settings").click()
    page.get_by_label("Share of all such accounts").fill("20")
    page.get_by_role("button", name="Find lookalikes").click()
    expect(page.get_by_role("heading", name="Looking for lookalikes")).to_be_visible()
    assert asked == [
        {
            "mode": "vertical",
            "product": None,
            "size": 750,
            "weights": {"fit": 0.5, "intent": 0.5, "value": 0},
            "leave_customers_out": False,
            "label_rate": 0.2,
        }
    ]
    assert page.url.endswith(f"#/expand/{SEARCH}")


def test_a_filter_a_saved_list_and_another_product_are_asked_for(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/expand")
    page.get_by_role("radio", name="A filter").check()
    page.get_by_label("Industries").first.fill("banking, retail")
    page.get_by_label("Employees, from").first.fill("100")
    page.get_by_role("radio", name="Another product line").check()
    page.get_by_label("Product line", exact=True).fill("crm")
    with page.expect_request("**/v1/jobs/expand") as told:
        page.get_by_role("button", name="Find lookalikes").click()
    body = told.value.post_data_json or {}
    assert body["filters"] == {"industries": ["banking", "retail"], "employees_from": 100}
    assert (body["mode"], body["product"], body["weights"]) == ("horizontal", "crm", None)
    # What the service refuses is told in its words, and stays as it was typed.
    expect(page.get_by_role("alert")).to_contain_text("opportunities carry no product")
    expect(page.get_by_label("Product line", exact=True)).to_have_value("crm")


def test_the_products_that_deals_name_are_offered(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/expand")
    page.get_by_role("radio", name="Another product line").check()
    # The small company's deals name none, which is said.
    expect(page.get_by_text("Opportunities name no product line here")).to_be_visible()
    known = [{"name": "crm", "customers": 1200, "opportunities": 3000}]
    page.route("**/v1/products", lambda route: route.fulfill(json={"products": known}))
    page.reload()
    page.get_by_role("radio", name="All customers").check()
    lines = page.get_by_role("combobox", name="Product line")
    expect(lines.locator("option")).to_have_text(["Choose a line…", "crm · customers: 1,200"])
    page.get_by_role("button", name="Find lookalikes").click()
    expect(lines).to_have_attribute("aria-invalid", "true")
    expect(lines).to_be_focused()
    lines.select_option("crm")
    with page.expect_request("**/v1/jobs/expand") as told:
        page.get_by_role("button", name="Find lookalikes").click()
    assert (told.value.post_data_json or {})["product"] == "crm"


def test_a_search_is_followed_step_by_step(opened: Opened, ann: Person, found: Any) -> None:
    page = opened.page(ann)
    steps = iter(
        [running(state="queued", step=None, steps_done=0), running(), running(step="ranking", steps_done=2)]
    )
    last = found | {"id": SEARCH}
    tell(page, lambda _: next(steps, last))
    seen = said_by(page, ".now")
    page.evaluate(f"location.hash = '#/expand/{SEARCH}'")
    expect(page.get_by_role("heading", name="60 accounts found")).to_be_visible()
    told = list(dict.fromkeys(seen))
    assert told == [
        "Waiting for its turn",
        "Learning what sets the seeds apart · step 2 of 4",
        "Ranking every account · step 3 of 4",
    ]
    expect(page.locator("#announcer")).to_have_text("60 accounts found")
    expect(page.locator(".output.expansion")).to_be_focused()


def test_a_service_that_is_away_for_a_while_loses_nothing(opened: Opened, ann: Person, found: Any) -> None:
    page = opened.page(ann)
    answers = iter([running(), None, {"status_code": 503, "detail": "busy", "errors": []}, running(), None])
    tell(page, lambda _: next(answers, found | {"id": SEARCH}))
    page.evaluate(f"location.hash = '#/expand/{SEARCH}'")
    expect(page.locator(".running .notice")).to_contain_text("The search is not lost")
    expect(page.locator(".running .notice")).to_contain_text("busy")
    expect(page.get_by_role("heading", name="60 accounts found")).to_be_visible()


def test_a_worker_that_is_gone_for_long_is_explained(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, alone=True)
    page.clock.install()
    tell(page, lambda _: running())
    page.evaluate(f"location.hash = '#/expand/{SEARCH}'")
    expect(page.get_by_role("progressbar", name="Looking for lookalikes")).to_be_visible()
    expect(page.locator(".running .notice")).to_be_hidden()
    page.clock.run_for(90_000)
    expect(page.locator(".running .notice")).to_contain_text("taken up again by itself")


def test_a_search_is_cancelled_and_what_was_entered_stays(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/expand")
    page.get_by_role("radio", name="All customers").check()
    page.get_by_role("spinbutton", name="Accounts to find").fill("77")
    over: list[str] = []

    def answer(asked: Request) -> dict[str, Any]:
        if asked.url.endswith("/cancel"):
            over.append(asked.headers["idempotency-key"])
        return running(state="cancelled" if over else "running")

    tell(page, answer)
    page.evaluate(f"location.hash = '#/expand/{SEARCH}'")
    page.get_by_role("button", name="Cancel the search").click()
    expect(page.get_by_role("heading", name="The search was cancelled")).to_be_visible()
    page.locator(".empty").get_by_role("link", name="Change the search").click()
    expect(page.get_by_role("spinbutton", name="Accounts to find")).to_have_value("77")
    expect(page.get_by_role("radio", name="All customers")).to_be_checked()
    assert len(over) == 1


def test_a_search_that_failed_says_why(opened: Opened, ann: Person) -> None:
    page = opened.page(ann)
    problem = {"title": "no", "status": 422, "detail": "no seed is an account of the workspace", "errors": []}
    tell(page, lambda _: running(state="failed", problem=problem))
    page.evaluate(f"location.hash = '#/expand/{SEARCH}'")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The search could not be finished")
    expect(alert).to_contain_text("no seed is an account of the workspace")
    alert.get_by_role("button", name="Change the search").click()
    expect(page.get_by_role("heading", name="Whom to start from")).to_be_visible()


def test_a_colleague_sees_a_search_that_is_done(opened: Opened, site: Site, found: Any) -> None:
    ben = site.person("Ben Okafor", side="sales")
    page = opened.page(ben, f"#/expand/{found['id']}")
    expect(page.get_by_role("heading", name="60 accounts found")).to_be_visible()


def test_a_search_that_is_not_there_is_told(opened: Opened, ann: Person, found: Any) -> None:
    gone = f"{found['id'][:-1]}{'0' if found['id'][-1] != '0' else '1'}"
    page = opened.page(ann, f"#/expand/{gone}")
    expect(page.get_by_role("alert")).to_contain_text("This search is not here")


def test_a_viewer_is_told_what_they_may_not(opened: Opened, site: Site) -> None:
    viewer = site.person("Vi Lee", role="viewer")
    page = opened.page(viewer, "#/expand")
    expect(page.locator(".notice")).to_contain_text("make you an approver")
    expect(page.get_by_role("button", name="Find lookalikes")).to_have_count(0)
    assert grave(page) == []
    page.locator("main").get_by_role("link", name="Plan").click()
    expect(page.get_by_role("heading", name="How long should the list be?")).to_be_visible()


def test_the_result_is_what_the_service_says(opened: Opened, ann: Person, found: Any) -> None:
    page = opened.page(ann, f"#/expand/{found['id']}")
    result = found["result"]
    expect(page.get_by_role("heading", name="60 accounts found")).to_be_visible()
    expect(page.locator(".found-head")).to_contain_text(
        f"Among {result['universe']} accounts, from {result['seeds']} seeds"
    )
    for note in result["notes"]:
        expect(page.locator(".fact").first).to_contain_text(note)
    left_out = [one for one in result["left_out"] if one["accounts"]]
    assert [one["reason"] for one in left_out] == ["customers that are no seeds"]
    row = page.locator(".tallies > div").filter(has_text="Customers that are no seeds")
    expect(row.locator("dd")).to_have_text(str(left_out[0]["accounts"]))
    for one in result["not_used"]:
        expect(page.locator(".fact").nth(2)).to_contain_text(one["sentence"])
    told = ann.call("GET", f"/v1/expansions/{found['id']}/accounts", limit=25)["accounts"]
    names = page.locator("table.accounts tbody .name")
    page.get_by_label("Rows per page").select_option("25")
    expect(names).to_have_count(25)
    assert names.all_inner_texts() == [one["name"] for one in told]
    first = page.locator("table.accounts tbody tr").first
    expect(first.locator(".nearest")).to_contain_text(told[0]["why"]["nearest"][0]["name"])
    expect(first.locator(".why .reason").first).to_have_text(told[0]["why"]["reasons_for"][0]["sentence"])


def test_pages_are_turned_on_the_server(opened: Opened, ann: Person, found: Any) -> None:
    page = opened.page(ann, f"#/expand/{found['id']}")
    page.get_by_label("Rows per page").select_option("25")
    where = page.locator(".where")
    expect(where).to_have_text("1 to 25 of 60")
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    page.get_by_role("button", name="Next").click()
    expect(where).to_have_text("26 to 50 of 60")
    page.get_by_role("button", name="Next").click()
    expect(where).to_have_text("51 to 60 of 60")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    expect(page.locator("table.accounts tbody tr")).to_have_count(10)
    page.get_by_role("button", name="Previous").click()
    expect(where).to_have_text("26 to 50 of 60")
    page.get_by_role("button", name="First").click()
    expect(where).to_have_text("1 to 25 of 60")


@pytest.mark.parametrize(("locale", "width"), VIEWERS)
def test_an_account_opens_with_its_sum_and_gives_the_focus_back(
    opened: Opened, ann: Person, found: Any, width: int, locale: str
) -> None:
    page = opened.page(ann, f"#/expand/{found['id']}", width=width, locale=locale)
    told = ann.call("GET", f"/v1/expansions/{found['id']}/accounts", limit=2)["accounts"][1]
    name = page.locator("table.accounts tbody .name").nth(1)
    expect(name).to_have_text(told["name"])
    assert grave_at_every_width(page) == []
    name.press("Enter")
    dialog = page.get_by_role("dialog", name=told["name"])
    expect(dialog.locator("figure svg")).to_be_visible()
    expect(dialog.locator("section .near > li")).to_have_count(len(told["why"]["nearest"]))
    dialog.locator("summary").first.click()
    shares = dialog.locator(".sum-table tbody td").all_inner_texts()
    *parts, total = [float(text.replace("−", "-").replace("+", "")) for text in shares]
    assert total == pytest.approx(told["score"], abs=0.006)
    assert sum(parts) == pytest.approx(total, abs=0.006 * len(parts))
    alike = ann.call("GET", f"/v1/accounts/{told['account_id']}/similar", limit=5)["accounts"]
    dialog.locator("summary").last.click()
    expect(dialog.locator("details .near strong")).to_have_text([one["name"] for one in alike])
    assert grave_at_every_width(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(name).to_be_focused()


def test_the_result_is_downloaded(opened: Opened, ann: Person, found: Any) -> None:
    page = opened.page(ann, f"#/expand/{found['id']}")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()
    text = saved.value.path().read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == 61
    assert saved.value.suggested_filename == f"lookalikes-{found['id']}.csv"


def test_a_search_under_way_is_in_nobodys_way(opened: Opened, ann: Person) -> None:
    page = opened.page(ann)
    tell(page, lambda _: running())
    page.evaluate(f"location.hash = '#/expand/{SEARCH}'")
    expect(page.locator(".run-steps .current")).to_have_text("Learning what sets the seeds apart")
    assert grave_at_every_width(page) == []
