"""The whole path in one piece, from seeds to the files of an approved list and back, in both languages."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from handed_back import handed_back
from list_making import of, on
from playwright.sync_api import Locator, Page, expect
from site_people import Opened, Person, Site, grave_at_every_width, said_by

SEEDS = [f"acc-{n:02d}" for n in (3, 13, 19, 25, 31, 37, 43, 49, 55, 61, 67, 73)]
"""Customers."""
FOUND, SIZE = 80, 15

LABELS = {"csv": "CSV", "xlsx": "Excel", "salesforce": "Salesforce", "hubspot": "HubSpot"}

WIDTH_OF = {"en-GB": 1440, "zh-CN": 390}

WORDS = {
    "en-GB": {
        "nav": "Find lookalikes",
        "total": "12 seeds",
        "start": "Find lookalikes",
        "steps": r"^Waiting for its turn$|^Working$| · step [1-4] of 4$",
        "found": "80 accounts found",
        "size": "Accounts to find",
        "save": "Save as a list",
        "name": "Name",
        "purpose": "Purpose",
        "pilot": "Start as a pilot",
        "most": "Accounts at most",
        "submit": "Save the list",
        "open": "Open the list",
        "on": "{count} accounts are on {name}",
        "reason": "Reason",
        "score": "Score",
        "pin": "Pin",
        "pinned": "Pinned",
        "drop": "Drop",
        "review": "In review",
        "approved": "Approved",
        "parts": "Parts of the list",
        "versions": "Versions",
        "files": "Files",
        "one dropped": "−1 dropped",
        "unapproved": "Not approved yet",
        "beside": "Version 1 is what is handed over",
        "download": "Download {format}",
        "draft": "Download {format} draft",
    },
    "zh-CN": {
        "nav": "相似客户",
        "total": "12 个种子客户",
        "start": "开始查找",
        "steps": r"^排队中$|^处理中$| · 第 [1-4] / 4 步$",
        "found": "找到 80 个客户",
        "size": "查找数量",
        "save": "保存为名单",
        "name": "名称",
        "purpose": "用途",
        "pilot": "先作为试点",
        "most": "客户数上限",
        "submit": "保存名单",
        "open": "打开名单",
        "on": "{name} 现有 {count} 个客户",
        "reason": "理由",
        "score": "得分",
        "pin": "保留",
        "pinned": "人工保留",
        "drop": "移除",
        "review": "审核中",
        "approved": "已批准",
        "parts": "名单内容",
        "versions": "版本",
        "files": "文件",
        "one dropped": "移除 1",
        "unapproved": "尚未批准",
        "beside": "交付的是第 1 版",
        "download": "下载 {format}",
        "draft": "下载 {format} 草稿",
    },
}


@dataclass
class Walk:
    """One page on its way, and somebody who asks the service what the page shows."""

    page: Page
    reader: Person
    words: dict[str, str]
    name: str
    number: int = 0

    def sound(self) -> None:
        assert grave_at_every_width(self.page) == []

    def domain(self, account_id: str) -> str | None:
        found: str | None = self.reader.call("GET", f"/v1/accounts/{account_id}")["account"].get("domain")
        return found

    def part(self, name: str) -> None:
        """Another part of the list."""
        parts = self.page.get_by_role("navigation", name=self.words["parts"])
        parts.get_by_role("link", name=self.words[name]).click()

    def card(self, file_format: str) -> Locator:
        """Where files of a format are made."""
        return self.page.locator(".format", has=self.page.get_by_role("heading", name=LABELS[file_format]))


@pytest.fixture
def reader(site: Site) -> Person:
    return site.person("Ann Marsh", side="marketing")


@pytest.mark.parametrize("locale", list(WORDS))
def test_from_seeds_to_files_that_are_read_back(
    opened: Opened, site: Site, reader: Person, tmp_path: Path, locale: str
) -> None:
    told: dict[str, Any] = {"width": WIDTH_OF[locale], "locale": locale}
    page = opened.page(None, site.link(f"Mara {locale}", side="marketing"), **told)
    expect(page.locator("#account")).to_contain_text(f"Mara {locale}")
    walk = Walk(page, reader, WORDS[locale], f"Walk {locale}")
    order = found_from_seeds(walk)
    save_as_a_list(walk)
    accounts = on(reader, walk.number)
    # The list has the best of the search that no rule is against, in its order.
    assert [order.index(one) for one in accounts] == sorted(order.index(one) for one in accounts)
    kept, gone_later, gone = accounts[4], accounts[-2], accounts[-1]
    decide(walk, "pin", kept)
    decide(walk, "drop", gone)
    expect(page.locator(".grid-table tbody tr")).to_have_count(SIZE - 1)
    hand_out_a_draft(walk, folder=tmp_path)
    sales = opened.page(None, site.link(f"Sol {locale}", side="sales"), **told)
    expect(sales.locator("#account")).to_contain_text(f"Sol {locale}")
    approve_for_both_sides(walk, sales)
    # What is decided afterwards is of another version, and not of the files.
    decide(walk, "drop", gone_later)
    compare_versions(walk, gone_later)
    targets = [one for one in accounts if one != gone]
    assert sorted(on(reader, walk.number, version=1)) == sorted(targets)
    for file_format, file in downloaded(walk, folder=tmp_path).items():
        wanted = dict.fromkeys(known_as(walk, targets, file_format), (walk.name, True))
        assert handed_back(file, file_format=file_format) == wanted, file_format


def found_from_seeds(walk: Walk) -> list[str]:
    """Paste seeds, follow the search, and look at whom it finds: the accounts in their order."""
    page, words = walk.page, walk.words
    page.get_by_role("navigation").get_by_role("link", name=words["nav"]).click()
    page.locator(".drop textarea").fill("\n".join(f"https://www.{walk.domain(seed)}/" for seed in SEEDS))
    expect(page.locator(".seeds-total")).to_contain_text(words["total"])
    walk.sound()
    page.get_by_role("spinbutton", name=words["size"]).fill(str(FOUND))
    progress = said_by(page, ".now")
    page.get_by_role("button", name=words["start"]).click()
    # The search has an address before it has a result, and a reload in the middle of it loses nothing.
    page.wait_for_url("**/#/expand/*")
    expect(page.locator(".now, .found-head").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=words["found"])).to_be_visible(timeout=60_000)
    assert progress, "nothing was said while it ran"
    assert all(re.search(words["steps"], one) for one in progress), progress
    rows = page.locator("table.accounts tbody tr")
    expect(rows).to_have_count(50)
    found = page.url.rpartition("/")[2]
    told = walk.reader.call("GET", f"/v1/expansions/{found}/accounts", limit=FOUND)["accounts"]
    assert not {one["account_id"] for one in told} & set(SEEDS)
    expect(rows.first.locator(".name")).to_have_text(told[0]["name"])
    walk.sound()
    return [one["account_id"] for one in told]


def save_as_a_list(walk: Walk) -> None:
    """Make a list of the result, and open it."""
    page, words = walk.page, walk.words
    page.get_by_role("link", name=words["save"]).click()
    new = page.get_by_role("radio").first
    expect(page.get_by_label(words["name"], exact=True)).to_be_attached()
    if new.count():
        new.check()
    page.get_by_label(words["name"], exact=True).fill(walk.name)
    page.get_by_label(words["purpose"], exact=True).fill("Walk the whole way")
    page.get_by_role("checkbox", name=words["pilot"]).uncheck()
    page.get_by_label(words["most"], exact=True).fill(str(SIZE))
    walk.sound()
    page.get_by_role("button", name=words["submit"]).click()
    expect(page.locator("#saved-title")).to_have_text(words["on"].format(count=SIZE, name=walk.name))
    walk.sound()
    page.get_by_role("link", name=words["open"]).click()
    expect(page.get_by_role("heading", level=1, name=walk.name)).to_be_visible()
    walk.number = int(page.url.partition("#/lists/")[2])


def decide(walk: Walk, kind: str, account_id: str) -> None:
    """Open an account, read why it is there, and decide of it with a reason."""
    page, words = walk.page, walk.words
    known = walk.reader.call("GET", f"/v1/lists/{walk.number}/accounts/{account_id}")
    called, nearest = known["account"]["name"], known["why"]["nearest"]
    page.locator(".grid-table tbody").get_by_role("button", name=called, exact=True).click()
    panel = page.get_by_role("dialog").first
    expect(panel.get_by_role("img", name=words["score"]).first.locator("svg")).to_be_visible()
    near = panel.locator(".seeds > li")
    expect(near).to_have_count(len(nearest))
    assert {one["account_id"] for one in nearest} <= set(SEEDS)
    expect(near.first).to_contain_text(nearest[0]["name"])
    if kind == "pin":
        walk.sound()
    panel.get_by_role("button", name=words[kind], exact=True).click()
    asked = page.get_by_role("dialog").last
    asked.get_by_label(words["reason"], exact=True).fill(f"because of {called}")
    asked.get_by_role("button", name=words[kind], exact=True).click()
    expect(panel.locator(".decisions")).to_contain_text(f"because of {called}")
    panel.locator(".dialog-head .remove").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    if kind == "pin":
        row = page.locator(f".grid-table tr[data-id='{account_id}']")
        expect(row).to_contain_text(words["pinned"])


def hand_out_a_draft(walk: Walk, *, folder: Path) -> None:
    """Before it is approved a list goes to people alone, as a draft."""
    page, words = walk.page, walk.words
    walk.part("files")
    expect(page.locator(".notice").first).to_contain_text(words["unapproved"])
    walk.sound()
    for file_format in ("salesforce", "hubspot"):
        expect(walk.card(file_format).get_by_role("button")).to_have_count(0)
    with page.expect_download() as saving:
        page.get_by_role("button", name=words["draft"].format(format="CSV")).click()
    saving.value.save_as(folder / "draft.csv")
    with (folder / "draft.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == SIZE - 1


def approve_for_both_sides(walk: Walk, sales: Page) -> None:
    """Marketing submits and approves; sales sees that, and approves too."""
    page, words = walk.page, walk.words
    for action in ("submit", "approve"):
        do(page, action)
        expect(page.locator(".list-title .badges")).to_contain_text(words["review"])
    address = f"{page.url.partition('#')[0]}#/lists/{walk.number}"
    sales.goto(address)
    expect(sales.locator(".reviewer.approved")).to_have_count(1)
    assert grave_at_every_width(sales) == []
    do(sales, "approve")
    page.goto(address)
    for one in (sales, page):
        one.reload()
        expect(one.locator(".list-title .badges")).to_contain_text(words["approved"])
        expect(one.locator(".reviewer.approved")).to_have_count(2)
    approvals = of(walk.reader, walk.number)["approvals"]
    assert [one["side"] for one in approvals if one["counts"]] == ["marketing", "sales"]


def do(page: Page, action: str) -> None:
    """What is done with the whole list: a button of the head, and the dialog that it opens."""
    page.locator(f"[data-action={action}]").click()
    asked = page.get_by_role("dialog")
    asked.locator("button[type=submit]").click()
    expect(asked).to_have_count(0)


def compare_versions(walk: Walk, gone: str) -> None:
    """The version that was approved, and the one that has begun since."""
    page = walk.page
    walk.part("versions")
    expect(page.locator(".proposal-figures .change")).to_have_text([walk.words["one dropped"]])
    called = walk.reader.call("GET", f"/v1/accounts/{gone}")["account"]["name"]
    expect(page.locator(".changes > li")).to_have_count(1)
    expect(page.locator(".changes > li")).to_contain_text(called)
    expect(page.locator(".changes > li")).to_contain_text(f"because of {called}")
    expect(page.locator(".version")).to_have_count(2)
    walk.sound()
    assert of(walk.reader, walk.number)["target_list"]["approved_version"] == 1


def downloaded(walk: Walk, *, folder: Path) -> dict[str, Path]:
    """The file of each format, under the name that the browser gives it."""
    page, words = walk.page, walk.words
    walk.part("files")
    expect(page.locator(".notice").first).to_contain_text(words["beside"])
    files = {}
    for file_format, label in LABELS.items():
        button = walk.card(file_format).get_by_role("button", name=words["download"].format(format=label))
        with page.expect_download() as saving:
            button.first.click()
        ending = "xlsx" if file_format == "xlsx" else "csv"
        name = f"list-{walk.number}-version-1-{file_format}.{ending}"
        assert saving.value.suggested_filename == name
        files[file_format] = folder / name
        saving.value.save_as(files[file_format])
        expect(walk.card(file_format).locator(".made")).to_be_visible()
    expect(page.locator(".files li")).to_have_count(1 + len(LABELS))
    walk.sound()
    return files


def known_as(walk: Walk, accounts: list[str], file_format: str) -> list[str]:
    """What a file calls these accounts: HubSpot knows companies by a domain that no other one has."""
    if file_format != "hubspot":
        return accounts
    domains = Counter(walk.domain(one) for one in accounts)
    return [domain for domain, count in domains.items() if domain is not None and count == 1]
