"""Seeds on the page, in a real browser: pasted, dropped and uploaded, each row told what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook
from playwright.sync_api import Page, Request, expect
from site_people import LOCALES, Opened, Person, Site, grave_at_every_width

PASTED = """company7.example
https://www.company8.example/about?x=1
jane@company11.example
company7.example
company1.example
company99.exmple
someone@gmail.com
nobody-at-all.org
Company 13
"""
"""Three plain ways, a repeat, a domain of two accounts, a typo, a mail provider, a stranger, and a name."""


@pytest.fixture
def ann(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


def counts(page: Page) -> list[int]:
    """Matched, to choose, repeated, not matched."""
    texts = page.locator(".counts strong").all_inner_texts()
    return [int(text) for text in texts]


def paste(page: Page, text: str) -> None:
    page.locator(".drop textarea").fill(text)
    expect(page.locator(".counts")).to_be_visible()


def group(page: Page, name: str) -> list[str]:
    """What each row of a group says, on one line."""
    shown = page.locator(".group").filter(has=page.locator("summary", has_text=name))
    return [" ".join(text.split()) for text in shown.locator("li").all_text_contents()]


def sent(page: Page, path: str) -> list[Request]:
    """Requests to a path, as they are made."""
    found: list[Request] = []
    page.on("request", lambda asked: found.append(asked) if path in asked.url else None)
    return found


def test_each_row_is_told_what_became_of_it(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/expand")
    paste(page, PASTED)
    told = ann.call("POST", "/v1/seeds/match", {"text": PASTED})
    assert counts(page) == [told[kind] for kind in ("matched", "ambiguous", "repeated", "unmatched")]
    assert counts(page) == [4, 2, 1, 2]
    expect(page.locator(".seeds-total")).to_contain_text("4 seeds")
    assert "company1.example" in group(page, "Which company")[0]
    assert any("did you mean company99.example?" in row for row in group(page, "Which company"))
    assert any("mail provider" in row for row in group(page, "Not matched"))
    assert any("no account has the domain nobody-at-all.org" in row for row in group(page, "Not matched"))
    assert "the same account as in row 1" in group(page, "Repeated")[0]
    assert len(group(page, "Matched (4)")) == 4


def test_a_company_is_chosen_among_candidates_and_taken_back(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/expand")
    paste(page, "company7.example\ncompany1.example")
    which = page.get_by_role("group", name="Which company does “company1.example” mean?")
    expect(which.get_by_role("radio", name="None of them")).to_be_checked()
    which.get_by_role("radio", name="Company 2").check()
    expect(page.locator(".seeds-total")).to_contain_text("2 seeds")
    page.reload()
    # What was chosen is still chosen.
    expect(which.get_by_role("radio", name="Company 2")).to_be_checked()
    asked = sent(page, "/v1/jobs/expand")
    with page.expect_response(lambda answer: "/v1/jobs/expand" in answer.url):
        page.get_by_role("button", name="Find lookalikes").click()
    assert (asked[0].post_data_json or {})["account_ids"] == ["acc-07", "acc-02"]
    page.get_by_role("link", name="Change the search").click()
    which.get_by_role("radio", name="None of them").check()
    expect(page.locator(".seeds-total")).to_contain_text("1 seed")


def workbook(folder: Path) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Company", "Website"], ["One", "company7.example"], ["Two", "company8.example"]):
        sheet.append(row)
    book.save(folder / "seeds.xlsx")
    return folder / "seeds.xlsx"


def csv_file(folder: Path) -> Path:
    file = folder / "seeds.csv"
    file.write_text("Company;Website\nOne;company7.example\nTwo;company8.example\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("make", [csv_file, workbook])
def test_a_file_is_read_at_once(
    opened: Opened, ann: Person, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    page = opened.page(ann, "#/expand")
    page.locator(".drop input[type=file]").set_input_files(make(tmp_path))
    expect(page.locator(".seeds-total")).to_contain_text("2 seeds")
    expect(page.locator(".file-name")).to_contain_text(make(tmp_path).name)
    page.reload()
    expect(page.locator(".seeds-total")).to_contain_text("2 seeds")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".counts")).to_have_count(0)
    expect(page.locator(".drop textarea")).to_be_focused()


def test_a_file_is_dropped(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/expand")
    page.locator(".drop").evaluate(
        """(place) => {
          const carried = new DataTransfer();
          carried.items.add(new File(["domain\\ncompany7.example\\n"], "dropped.csv", { type: "text/csv" }));
          const told = { dataTransfer: carried, bubbles: true, cancelable: true };
          for (const type of ["dragover", "drop"]) place.dispatchEvent(new DragEvent(type, told));
        }"""
    )
    expect(page.locator(".file-name")).to_contain_text("dropped.csv")
    expect(page.locator(".seeds-total")).to_contain_text("1 seed")


def test_another_encoding_and_another_column_are_asked_for(
    opened: Opened, ann: Person, tmp_path: Path
) -> None:
    page = opened.page(ann, "#/expand")
    file = tmp_path / "kunden.csv"
    file.write_bytes("备注,网页\n重要,company7.example\n".encode("gb18030"))
    page.locator(".drop input[type=file]").set_input_files(file)
    expect(page.get_by_role("alert")).to_contain_text("kunden.csv is not text in utf-8")
    page.get_by_label("Encoding of the file").select_option("gb18030")
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_role("alert")).to_contain_text("no column says which companies are meant")
    page.get_by_label("Column that names the companies").fill("网页")
    page.get_by_role("button", name="Read again").click()
    expect(page.locator(".seeds-total")).to_contain_text("1 seed")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(
    opened: Opened, ann: Person, tmp_path: Path
) -> None:
    page = opened.page(ann, "#/expand")
    asked = sent(page, "/v1/seeds/upload")
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    page.locator(".drop input[type=file]").set_input_files(large)
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("large.csv has 200 MB; a list of seeds may have 20 MB. It was not sent.")
    other = tmp_path / "seeds.pdf"
    other.write_bytes(b"%PDF")
    page.locator(".drop input[type=file]").set_input_files(other)
    expect(refused).to_contain_text("seeds.pdf is neither CSV nor Excel")
    assert asked == []


@pytest.mark.parametrize("way", ["reloaded", "closed"])
def test_a_page_that_is_left_in_mid_upload_says_so_when_it_is_back(
    opened: Opened, ann: Person, site: Site, tmp_path: Path, way: str
) -> None:
    page = opened.page(ann, "#/expand")
    kept = files_of(site)
    large = tmp_path / "large.csv"
    large.write_text("Website\n" + "company7.example\n" * 100_000, encoding="utf-8")
    # So slow a line that most of the file is still to come when the page is gone.
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000}
    line.send("Network.emulateNetworkConditions", speed)
    with page.expect_request("**/v1/seeds/upload*") as begun:
        page.locator(".drop input[type=file]").set_input_files(large)
    page.get_by_role("button", name="Find lookalikes").click()
    expect(page.get_by_role("alert").last).to_contain_text("still being looked up")
    assert begun.value.existing_response is None
    if way == "closed":
        page = opened.reopened(page, "#/expand")
    else:
        page.reload()
        line.send("Network.emulateNetworkConditions", speed | {"uploadThroughput": -1})
    expect(page.locator(".notice")).to_contain_text("The upload of large.csv was not finished")
    expect(page.locator(".drop textarea")).to_have_value("")
    expect(page.locator(".counts, .file-name")).to_have_count(0)
    assert files_of(site) == kept
    page.locator(".drop input[type=file]").set_input_files(csv_file(tmp_path))
    expect(page.locator(".seeds-total")).to_contain_text("2 seeds")
    expect(page.locator(".notice")).to_have_count(0)


def files_of(site: Site) -> set[Path]:
    """What the service keeps, but for what its store writes beside itself."""
    home = site.server.workspace.home
    return {one for one in home.rglob("*") if not one.name.startswith("store.db")}


def test_a_lost_connection_keeps_what_was_pasted(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/expand")
    page.route("**/v1/seeds/match", lambda route: route.abort())
    page.locator(".drop textarea").fill("company7.example")
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
    page.unroute("**/v1/seeds/match")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".seeds-total")).to_contain_text("1 seed")
    page.route("**/v1/seeds/match", lambda route: route.abort())
    page.locator(".drop textarea").fill("company8.example")
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
    page.unroute("**/v1/seeds/match")
    # What was never looked up is looked up when the page is back.
    page.reload()
    expect(page.locator(".seeds-total")).to_contain_text("1 seed")
    page.locator(".drop textarea").fill("company7.example")
    expect(page.locator(".seeds-total")).to_contain_text("1 seed")
    expect(page.locator(".drop textarea")).to_have_value("company7.example")


def test_nothing_to_start_from_is_said(opened: Opened, ann: Person) -> None:
    page = opened.page(ann, "#/expand")
    start = page.get_by_role("button", name="Find lookalikes")
    start.click()
    expect(page.get_by_role("alert")).to_have_text("Paste companies, or choose a file.")
    expect(page.locator(".drop textarea")).to_be_focused()
    page.get_by_role("radio", name="A filter").check()
    start.click()
    expect(page.get_by_role("alert")).to_contain_text("Say at least one thing")
    page.get_by_role("radio", name="Your own list").check()
    paste(page, "someone@gmail.com")
    start.click()
    expect(page.get_by_role("alert")).to_contain_text("None of these companies")


def test_what_somebody_entered_is_not_shown_to_the_next(opened: Opened, ann: Person, site: Site) -> None:
    page = opened.page(ann, "#/expand")
    paste(page, "company7.example")
    ben = site.person("Ben Okafor", side="sales")
    page.context.clear_cookies()
    page.context.add_cookies(
        [
            {"name": one.name, "value": one.value or "", "url": site.server.url}
            for one in ben.client.cookies.jar
        ]
    )
    page.reload()
    expect(page.locator("#account")).to_contain_text("Ben Okafor")
    expect(page.locator(".drop textarea")).to_have_value("")


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_in_the_way_of_anybody(opened: Opened, ann: Person, locale: str) -> None:
    page = opened.page(ann, "#/expand", locale=locale)
    assert grave_at_every_width(page) == []
    paste(page, PASTED)
    page.locator("main details").evaluate_all("all => all.forEach((one) => (one.open = true))")
    assert grave_at_every_width(page) == []
    chinese = re.compile(r"[\u4e00-\u9fff]")
    text = page.locator("main").inner_text()
    assert bool(chinese.search(text)) == (locale == "zh-CN")
