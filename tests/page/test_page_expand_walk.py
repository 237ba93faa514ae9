"""The whole way from seeds to a saved list, in a real browser and both languages, at two widths."""

from __future__ import annotations

import pytest
from list_making import of, on
from playwright.sync_api import expect
from site_people import WIDTHS, Opened, Site, grave

SEEDS = [f"acc-{n:02d}" for n in (3, 13, 19, 25, 31, 37, 43, 49, 55, 61, 67, 73)]
"""Customers."""

WORDS = {
    "en-GB": {
        "nav": "Find lookalikes",
        "total": "12 seeds",
        "start": "Find lookalikes",
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
    },
    "zh-CN": {
        "nav": "相似客户",
        "total": "12 个种子客户",
        "start": "开始查找",
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
    },
}


@pytest.mark.parametrize("locale", list(WORDS))
@pytest.mark.parametrize("width", WIDTHS)
def test_from_seeds_to_a_saved_list(opened: Opened, site: Site, width: int, locale: str) -> None:
    ann = site.person("Ann Marsh", side="marketing")
    words = WORDS[locale]
    page = opened.page(ann, width=width, locale=locale)
    page.get_by_role("navigation").get_by_role("link", name=words["nav"]).click()
    domains = [
        one["domain"] for one in (ann.call("GET", f"/v1/accounts/{seed}")["account"] for seed in SEEDS)
    ]
    page.locator(".drop textarea").fill("\n".join(f"https://www.{domain}/" for domain in domains))
    expect(page.locator(".seeds-total")).to_contain_text(words["total"])
    page.get_by_role("spinbutton", name=words["size"]).fill("80")
    page.get_by_role("button", name=words["start"]).click()
    # The search has an address before it has a result, and a reload in the middle of it loses nothing.
    page.wait_for_url("**/#/expand/*")
    page.reload()
    expect(page.get_by_role("heading", name=words["found"])).to_be_visible(timeout=60_000)
    rows = page.locator("table.accounts tbody tr")
    expect(rows).to_have_count(50)
    found = page.url.rpartition("/")[2]
    told = ann.call("GET", f"/v1/expansions/{found}/accounts", limit=80)["accounts"]
    assert not {one["account_id"] for one in told} & set(SEEDS)
    expect(rows.first.locator(".name")).to_have_text(told[0]["name"])
    assert grave(page) == []
    page.get_by_role("link", name=words["save"]).click()
    new = page.get_by_role("radio").first
    expect(page.get_by_label(words["name"], exact=True)).to_be_attached()
    if new.count():
        new.check()
    name = f"Walk {width} {locale}"
    page.get_by_label(words["name"], exact=True).fill(name)
    page.get_by_label(words["purpose"], exact=True).fill("Walk the whole way")
    page.get_by_role("checkbox", name=words["pilot"]).uncheck()
    page.get_by_label(words["most"], exact=True).fill("15")
    assert grave(page) == []
    page.get_by_role("button", name=words["submit"]).click()
    expect(page.locator("#saved-title")).to_have_text(words["on"].format(count=15, name=name))
    assert grave(page) == []
    page.get_by_role("link", name=words["open"]).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    number = int(page.url.partition("#/lists/")[2])
    assert of(ann, number)["target_list"]["name"] == name
    accounts = on(ann, number)
    assert len(accounts) == 15
    # The list has the best of the search that no rule is against, in its order.
    order = [one["account_id"] for one in told]
    assert [order.index(one) for one in accounts] == sorted(order.index(one) for one in accounts)
