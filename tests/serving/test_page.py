"""The page in a real browser, from the first look to the error beside the field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect
from server_process import Server

PAGES = Path(__file__).parents[2] / "serving" / "pages"
REQUEST = {"account_id": "acc-39", "as_of": "2025-12-01T00:00:00Z"}


@pytest.fixture(params=[1440, 390], ids=["wide", "narrow"])
def page(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page in English, at two widths. Whatever it does, it may not fail a script or ask another host."""
    faults: list[str] = []
    hosts: set[str] = set()

    def asked(sent: Request) -> None:
        hosts.add(httpx.URL(sent.url).netloc.decode())

    context = browser.new_context(viewport={"width": request.param, "height": 900}, locale="en-GB")
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console", lambda message: faults.append(message.text) if "Content Security" in message.text else None
    )
    opened.on("request", asked)
    opened.goto(server.url)
    expect(opened.locator("#facts")).to_contain_text("release 1", timeout=60_000)
    yield opened
    width = opened.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert faults == []
    assert hosts == {f"127.0.0.1:{server.port}"}
    assert width <= request.param, "the page must not scroll sideways"


def ask(page: Page, who: str, as_of: str = "2025-12-01") -> None:
    page.get_by_label("Account id or web domain").fill(who)
    page.get_by_label("As of").fill(as_of)
    page.get_by_role("button", name="Score").click()


def test_it_invites_before_anything_was_asked(page: Page) -> None:
    expect(page.get_by_role("heading", name="Whom are you wondering about?")).to_be_visible()
    current = page.get_by_role("navigation").locator("[aria-current=page]")
    expect(current).to_have_text("Score an account")


@pytest.mark.parametrize("who", ["acc-39", "company39.example"])
def test_a_known_account_shows_what_the_service_says(page: Page, client: httpx.Client, who: str) -> None:
    answer = client.post("/v1/score", json=REQUEST).json()
    ask(page, who)
    output = page.get_by_label("Score an account", exact=True)
    expect(output.get_by_role("heading", name="Company 39")).to_be_visible()
    for kind, title in (("fit", "ICP fit"), ("intent", "Buying intent")):
        half = output.locator(".half").filter(has=page.get_by_role("heading", name=title))
        said = answer[kind]
        expect(half.locator(".grade")).to_contain_text(f"Grade {said['grade']}")
        expect(half).to_contain_text(said["meaning"])
        expect(half.get_by_role("img", name=f"Score {said['score']:.1f} of 100")).to_be_visible()
        reasons = said["reasons_for"] + said["reasons_against"]
        expect(half.locator(".bars .sentence")).to_have_text([reason["sentence"] for reason in reasons])
    expect(page.locator("#announcer")).to_contain_text("Company 39")


def test_the_sum_line_adds_up(page: Page, client: httpx.Client) -> None:
    said = client.post("/v1/score", json=REQUEST).json()["fit"]
    ask(page, "acc-39")
    expect(page.locator(".sum")).to_have_count(2)
    texts = page.locator(".sum").first.locator("dd").all_inner_texts()
    shown = [text.replace("−", "-").replace("=", "").strip() for text in texts]
    parts = sum(reason["contribution"] for reason in said["reasons_for"] + said["reasons_against"])
    for text, value in zip(shown[:4], (said["baseline"], parts, said["other"], said["logit"]), strict=True):
        assert float(text) == pytest.approx(value, abs=0.0051)


def test_the_bars_grow_with_the_contribution(page: Page, client: httpx.Client) -> None:
    said = client.post("/v1/score", json=REQUEST).json()["intent"]
    ask(page, "acc-39")
    half = page.locator(".half").nth(1)
    expect(half).to_be_visible()
    reasons = said["reasons_for"] + said["reasons_against"]
    largest = max(abs(reason["contribution"]) for reason in reasons)
    for reason, bar in zip(reasons, half.locator(".bars li").all(), strict=True):
        assert bar.locator(".sentence").text_content() == reason["sentence"]
        track, fill = (bar.locator(part).bounding_box() for part in (".track", ".fill"))
        assert track is not None
        assert fill is not None
        expected = track["width"] / 2 * abs(reason["contribution"]) / largest
        assert fill["width"] == pytest.approx(max(expected, 2), abs=1)
        centre = track["x"] + track["width"] / 2
        assert (
            (fill["x"] >= centre - 1)
            if reason["contribution"] > 0
            else (fill["x"] + fill["width"] <= centre + 1)
        )


def test_why_there_is_no_intent_is_said(page: Page) -> None:
    ask(page, "acc-03")
    expect(page.locator(".half.absent")).to_contain_text("is a customer since")


def test_an_unknown_account_says_what_to_do(page: Page) -> None:
    ask(page, "nobody.example")
    expect(page.get_by_role("alert")).to_contain_text("No such account")
    expect(page.get_by_role("alert")).to_contain_text("describe the account by hand")


def test_an_ambiguous_domain_offers_the_accounts(page: Page) -> None:
    ask(page, "company1.example")
    page.get_by_role("alert").get_by_role("button", name="acc-02").click()
    expect(page.get_by_role("heading", name="Company 2")).to_be_visible()


def test_nothing_entered_is_said_beside_the_field(page: Page) -> None:
    page.get_by_role("button", name="Score").click()
    field = page.get_by_label("Account id or web domain")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(page.locator(".fault")).to_have_text("Enter an account id or a domain.")


def test_an_account_described_by_hand(page: Page) -> None:
    page.get_by_role("radio", name="By hand").check()
    page.get_by_label("Name", exact=True).fill("Northwind")
    page.get_by_label("Industry").fill("software")
    page.get_by_label("Employees").fill("many")
    page.get_by_role("button", name="Add an activity").click()
    first = page.get_by_role("group", name="Activity 1")
    first.get_by_label("Channel").fill("web_visit")
    first.get_by_label("Minutes").fill("12")
    page.get_by_role("button", name="Score").click()
    employees = page.get_by_label("Employees")
    expect(employees).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".fault")).to_contain_text("send a number")
    employees.fill("420")
    page.get_by_text("More fields").click()
    page.get_by_label("web rank").fill("1200")
    page.get_by_role("button", name="Score").click()
    expect(page.locator(".answer").get_by_role("heading", name="Northwind")).to_be_visible()
    expect(page.locator(".fire")).to_contain_text("12 minutes in 90 days")
    page.get_by_role("button", name="Remove activity 1").click()
    page.get_by_role("button", name="Score").click()
    expect(page.locator(".fire")).to_contain_text("0 minutes in 90 days")


def test_chinese_is_one_click_away_and_stays(page: Page) -> None:
    ask(page, "acc-39")
    expect(page.locator(".answer")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="购买意向")).to_be_visible()
    expect(page.locator(".answer")).to_contain_text("若跟进，赢得该客户的概率。")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    page.reload()
    expect(page.get_by_role("heading", name="客户评分")).to_be_visible()


def test_the_keyboard_is_enough(page: Page) -> None:
    page.get_by_label("Account id or web domain").focus()
    page.keyboard.type("acc-39")
    page.keyboard.press("Enter")
    expect(page.locator(".answer")).to_be_visible()
    assert page.evaluate("document.activeElement.className") == "output"


def test_a_server_that_is_gone_is_said(page: Page) -> None:
    page.route("**/v1/score", lambda route: route.abort())
    ask(page, "acc-39")
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
    page.unroute("**/v1/score")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".answer")).to_be_visible()


def test_a_reason_opens_into_the_features_that_it_is_made_of(page: Page, client: httpx.Client) -> None:
    said = client.post("/v1/score", json=REQUEST).json()["intent"]
    told = [reason for reason in said["reasons_for"] + said["reasons_against"] if len(reason["parts"]) > 1]
    ask(page, "acc-39")
    opened = page.locator(".half").nth(1).locator(".parts").first
    opened.get_by_text(f"Made of {len(told[0]['parts'])} features").click()
    expect(opened.locator("tbody th")).to_have_text([part["feature"] for part in told[0]["parts"]])
    texts = [text.replace("−", "-") for text in opened.locator("tbody td:last-child").all_inner_texts()]
    shares = [part["contribution"] for part in told[0]["parts"]]
    assert [float(text) for text in texts] == pytest.approx(shares, abs=0.0006)


def test_what_was_not_known_is_said_in_the_half(page: Page) -> None:
    ask(page, "acc-05")
    expect(page.locator(".half").first.locator(".notice")).to_contain_text("unknown: fit rests on")


def test_a_browser_keeps_the_files_of_a_version_for_good(client: httpx.Client) -> None:
    shell = client.get("/").text
    files = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', shell))
    folders = {file.rpartition("/")[0] for file in files}
    names = {file.rpartition("/")[2] for file in files}
    (folder,) = folders
    # Scripts are asked for at once: none is found only when another one has come.
    assert {one.name for one in PAGES.glob("*.js")} <= names
    for file in files:
        kept = client.get(file).raise_for_status()
        assert "immutable" in kept.headers["cache-control"]
        # By another name it is the same file, of which a browser asks each time whether it still is.
        for other in (file.replace(folder, "/assets/of-an-earlier-version"), file.replace(folder, "/assets")):
            asked = client.get(other).raise_for_status()
            assert (asked.content, asked.headers["cache-control"]) == (kept.content, "no-cache")
