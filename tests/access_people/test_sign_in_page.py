"""Signing in on the page, in a real browser: by a link, once; then as whoever was invited, until the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from page_axe import grave_at_every_width
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect
from server_process import free_port, until

from serving.access.access import Access
from serving.access.inviting import NewLink, invite_person, link_address, renew_link
from serving.access.managing import create_key
from serving.scoring import utc_now
from serving.store import people
from serving.store.door import StoreDoor
from serving.store.people import Role, Side
from serving.web.application import application
from serving.web.services import Services

FACTS: dict[str, Any] = {
    "accounts": 3,
    "data_through": None,
    "release": 7,
    "examples": [],
    "channels": [],
    "levels": {},
}


class Overview:
    """Enough for the page to open."""

    executor = ThreadPoolExecutor(1)

    def overview(self) -> Any:
        return FACTS

    def attributes(self) -> tuple[()]:
        return ()

    def count_problem(self, slug: str) -> None:
        pass


@dataclass
class Service:
    """A service that somebody runs."""

    url: str
    door: StoreDoor

    def invite(self, name: str = "Ann Example", role: Role = "approver", side: Side | None = None) -> str:
        made = invite_person(self.door.open(), name=name, role=role, side=side, who="root", now=utc_now())
        return self.address(made)

    def address(self, made: NewLink) -> str:
        return link_address(made, address=self.url)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    door, port = StoreDoor(f"sqlite:///{tmp_path}/store.db"), free_port()
    access = Access(door, limits=None)
    access.start()
    answers: Any = Overview()
    app = application(Services(answers=answers, access=access, door=door))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield Service(f"http://127.0.0.1:{port}", door)
    server.should_exit = True
    thread.join(20)
    access.stop()
    door.close()


@pytest.fixture(params=[("en-GB", 1440), ("zh-CN", 390)], ids=["en", "zh"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    locale, width = request.param
    made = browser.new_context(viewport={"width": width, "height": 900}, locale=locale)
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def words(context: BrowserContext, request: pytest.FixtureRequest) -> dict[str, str]:
    """What the page says in the language of the browser."""
    chinese = "zh" in request.node.callspec.id
    told = {
        "out": ("Sign out", "退出"),
        "ended": ("Your session has ended", "您的会话已结束"),
        "none": ("Nobody is signed in", "尚未登录"),
        "approver": ("approver, sales", "审批者（销售）"),
        "refused": ("This link does not sign you in", "此链接无法登录"),
        "used": ("It was used before", "该链接已被使用"),
        "expired": ("It has expired", "该链接已过期"),
        "withdrawn": ("It was withdrawn", "该链接已撤回"),
        "unknown": ("There is no such link", "此处没有该链接"),
        "continue": ("Go on to the page", "继续"),
        "back": ("Other ways to sign in", "其他登录方式"),
        "key": ("API key", "API 密钥"),
        "use": ("Open", "打开"),
    }
    return {name: both[chinese] for name, both in told.items()}


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    return page


def test_a_link_signs_in_and_a_button_signs_out(
    context: BrowserContext, service: Service, words: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    link = service.invite(side="sales")
    token = link.rpartition("/")[2]
    sent: list[Request] = []

    def asked(one: Request) -> None:
        sent.append(one)

    page = context.new_page()
    page.on("request", asked)
    page.goto(link)
    expect(page.locator("#account")).to_contain_text("Ann Example")
    expect(page.locator("#account")).to_contain_text(words["approver"])
    expect(page.locator("#facts")).to_contain_text("7")
    assert token not in page.url
    (cookie,) = context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("spearfish_session", True, "Strict")
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (False, "/", "127.0.0.1")
    assert page.evaluate("document.cookie") == ""
    # The link and the session are in no address, no header of another request, no storage, and no log.
    assert not [one.url for one in sent if token in one.url or token in one.headers.get("referer", "")]
    kept = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage, ...history.state})")
    for secret in (token, cookie["value"]):
        assert secret not in kept + caplog.text
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    page.reload()
    expect(page.locator("#account")).to_contain_text("Ann Example")
    page.get_by_role("button", name=words["out"], exact=True).click()
    expect(page.locator("main [role=alert]")).to_be_visible()
    assert grave_at_every_width(page) == []
    expect(page.locator("#facts")).to_contain_text(words["none"])
    expect(page.locator("#account")).to_be_hidden()
    assert context.cookies() == []


def test_a_link_that_lets_nobody_in_says_why(
    context: BrowserContext, service: Service, words: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    link = service.invite()
    opened(context, link).locator("#account .person").wait_for()
    page = opened(context, link)
    expect(page.get_by_role("heading", name=words["refused"])).to_be_focused()
    expect(page.locator("main [role=alert]")).to_contain_text(words["used"])
    expect(page.locator("main")).to_contain_text("spearfish users link")
    expect(page.locator("main")).to_contain_text("Ann Example")
    assert grave_at_every_width(page) == []
    page.get_by_role("button", name=words["continue"], exact=True).click()
    expect(page.locator("#who, main form").first).to_be_visible()
    context.clear_cookies()
    store, now = service.door.open(), utc_now()
    first = renew_link(store, name="Ann Example", who="root", now=now)
    second = renew_link(store, name="Ann Example", who="root", now=now, hours=1)
    monkeypatch.setattr("serving.web.routes.sessions.utc_now", lambda: second.expires_at)
    ends = {
        service.address(first): "withdrawn",
        service.address(second): "expired",
        f"{service.url}/#/sign-in/{'x' * 43}": "unknown",
        f"{service.url}/#/sign-in/cut": "unknown",
    }
    for address, why in ends.items():
        # In a tab that is open already only the part behind # changes.
        page.goto(address)
        expect(page.locator("main [role=alert]")).to_contain_text(words[why])
        page.get_by_role("button", name=words["back"], exact=True).click()
        expect(page.get_by_label(words["key"], exact=True)).to_be_visible()
    assert context.cookies() == []


def test_who_is_disabled_is_out_with_the_next_click(
    context: BrowserContext, service: Service, words: dict[str, str]
) -> None:
    page = opened(context, service.invite())
    expect(page.locator("#account")).to_contain_text("Ann Example")
    with service.door.open().writing() as connection:
        people.remove(connection, name="Ann Example", who="root", now=utc_now())
    page.locator("#nav a[href='#/profile']").click()
    expect(page.locator("main [role=alert]")).to_contain_text(words["ended"])
    assert grave_at_every_width(page) == []
    expect(page.locator("#account")).to_be_hidden()


def test_another_tab_that_signed_in_anew_does_not_break_this_one(
    context: BrowserContext, service: Service, words: dict[str, str]
) -> None:
    page = opened(context, service.invite())
    page.locator("#account .person").wait_for()
    again = renew_link(service.door.open(), name="Ann Example", who="root", now=utc_now())
    opened(context, service.address(again)).locator("#account .person").wait_for()
    # With the token of the session before; what the page does then is to ask for that of the new one.
    page.get_by_role("button", name=words["out"], exact=True).click()
    expect(page.locator("#facts")).to_contain_text(words["none"])


def test_a_key_opens_the_page_beside_people(
    context: BrowserContext, service: Service, words: dict[str, str]
) -> None:
    store = service.door.open()
    key = create_key(store, owner="page", scopes=["score"], who="root", now=utc_now()).text
    service.invite()
    until(lambda: httpx.get(f"{service.url}/v1/session").status_code == 401)
    page = opened(context, service.url)
    expect(page.get_by_label(words["key"], exact=True)).to_be_visible()
    assert grave_at_every_width(page) == []
    page.get_by_label(words["key"], exact=True).fill(key)
    page.get_by_role("button", name=words["use"], exact=True).click()
    expect(page.locator("#facts")).to_contain_text("7")
    expect(page.locator("#account")).to_be_hidden()


def test_a_page_of_another_site_changes_nothing(
    context: BrowserContext, service: Service, words: dict[str, str]
) -> None:
    """The cookie is not even sent; where it were, the request would be refused."""
    opened(context, service.invite()).locator("#account .person").wait_for()
    foreign = context.new_page()
    form = f'<form method="post" action="{service.url}/v1/jobs/score"><button>Win</button></form>'
    foreign.route("http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    foreign.goto("http://evil.example/")
    with foreign.expect_response(f"{service.url}/v1/jobs/score") as seen:
        foreign.get_by_role("button", name="Win").click()
    assert seen.value.status == 401
    assert "cookie" not in seen.value.request.all_headers()
    page = opened(context, service.url)
    expect(page.locator("#account")).to_contain_text("Ann Example")
    refused = page.evaluate("""async () => (await fetch("/v1/session", { method: "DELETE" })).status""")
    assert refused == 403, "without the token not even this page may"
