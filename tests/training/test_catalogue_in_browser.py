"""The catalogue's pages in a real browser: they fit a phone and a desk, ask nobody, and can be searched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from features.catalogue import learn_catalogue
from features.point_in_time import build_features
from features.tables import Tables
from training.catalogue.pages import write_catalogue
from training.feature_table import FeatureTable

AS_OF = pd.Timestamp("2024-06-01")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    known = pd.Timestamp("2024-01-01")
    accounts = pd.DataFrame(
        [
            {
                "account_id": f"{number}",
                "known_at": known,
                "industry": "averylongnameofanindustry" * 5 if number % 5 else "SaaS",
                "employees": min(3**number, 5_000_000),
                "technologies": ["x" * 60],
            }
            for number in range(30)
        ]
    )
    tables = Tables.from_frames({"accounts": accounts})
    catalogue = learn_catalogue(tables, cutoff=AS_OF)
    keys = pd.DataFrame({"account_id": accounts["account_id"], "as_of": AS_OF})
    matrix = build_features(tables, keys.astype({"as_of": "datetime64[us]"}), catalogue=catalogue)
    matrix["industry"] = [catalogue.readable("industry", code) for code in matrix["industry"]]
    table = FeatureTable("shown", AS_OF.to_pydatetime(), catalogue, matrix.reset_index())
    place = tmp_path_factory.mktemp("shown") / "catalogue"
    write_catalogue(table, folder=place)
    return place


@pytest.fixture(params=[1440, 390], ids=["wide", "narrow"])
def page(browser: Browser, folder: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Whatever a page does, it may not fail a script or ask for anything beyond its own file."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": request.param, "height": 900}, offline=True)
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    asked: list[str] = []
    opened.on("request", lambda sent: asked.append(sent.url))
    yield opened
    context.close()
    assert not faults
    assert all(url.startswith(folder.as_uri()) for url in asked)


def test_no_page_is_wider_than_the_screen(page: Page, folder: Path) -> None:
    for path in sorted(folder.rglob("*.html")):
        page.goto(path.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path.name


def test_from_the_index_to_a_page_in_the_other_language_and_back(page: Page, folder: Path) -> None:
    page.goto((folder / "index.html").as_uri())
    page.get_by_label("Find a feature").fill("EMPLOY")
    rows = page.locator("tbody tr:visible")
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="Employees").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Employees")
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("员工人数")
    page.get_by_role("link", name="特征目录").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("特征目录")


def test_a_search_without_a_hit_says_so(page: Page, folder: Path) -> None:
    page.goto((folder / "index.html").as_uri())
    page.get_by_role("searchbox").fill("no such feature")
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator("tbody tr:visible")).to_have_count(0)
