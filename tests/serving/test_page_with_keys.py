"""The page of a service that asks for keys: it says so, takes one, and keeps it nowhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, expect
from server_process import free_port, until

from serving.access.access import Access
from serving.access.managing import create_key
from serving.scoring import utc_now
from serving.store.door import StoreDoor
from serving.web.application import application
from serving.web.services import Services

FACTS = {"accounts": 3, "data_through": None, "release": 7, "examples": [], "channels": [], "levels": {}}


class Overview:
    """Enough for the page to open."""

    executor = ThreadPoolExecutor(1)

    def overview(self) -> Any:
        return FACTS

    def attributes(self) -> tuple[()]:
        return ()

    def count_problem(self, slug: str) -> None:
        pass


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a service with a key, and the key."""
    door, port = StoreDoor(f"sqlite:///{tmp_path}/store.db"), free_port()
    key = create_key(door.open(), owner="page", scopes=["score"], who="test", now=utc_now()).text
    access = Access(door, limits=None)
    access.look()
    answers: Any = Overview()
    app = application(Services(answers=answers, access=access, door=door))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{port}", key
    server.should_exit = True
    thread.join(20)
    door.close()


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_it_asks_for_a_key_and_opens_with_it(browser: Browser, keyed: tuple[str, str], locale: str) -> None:
    address, key = keyed
    context = browser.new_context(viewport={"width": 390, "height": 900}, locale=locale)
    page = context.new_page()
    page.goto(address)
    label, use = ("API 密钥", "打开") if locale == "zh-CN" else ("API key", "Open")
    expect(page.locator("main")).to_contain_text("spearfish keys create")
    for given in ("nonsense", "密钥", key):
        expect(page.locator("main [role=alert]")).to_be_visible()
        page.get_by_label(label, exact=True).fill(given)
        # What is shown anew after an answer must not take what is typed for the next one.
        with page.expect_response("**/overview.json"):
            page.get_by_role("button", name=use, exact=True).click()
    expect(page.locator("#facts")).to_contain_text("7")
    assert page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})").count(key) == 0
    page.reload()
    expect(page.locator("main [role=alert]")).to_be_visible()
    context.close()
