"""People at a running service: signed in once each, as clients of the API and as pages of a real browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
from page_axe import WIDTHS, grave, grave_at_every_width
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect
from server_process import Server

from serving.access.inviting import invite_person, link_address
from serving.scoring import utc_now
from serving.store import Store
from serving.store.people import Role, Side

__all__ = [
    "LOCALES",
    "VIEWERS",
    "WIDTHS",
    "Opened",
    "Person",
    "Site",
    "Spare",
    "grave",
    "grave_at_every_width",
    "said_by",
]

LOCALES = ("en-GB", "zh-CN")
VIEWERS = tuple(zip(LOCALES, WIDTHS, strict=True))
"""A language and a width for each way that is walked; `grave_at_every_width` looks at the other width."""
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Person:
    """Somebody who is signed in."""

    name: str
    server: Server
    client: httpx.Client

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.client.request(method, path, json=body, params=query or None)
        assert answer.status_code < 300, answer.text
        return answer.json()


@dataclass
class Site:
    """A service with people. The first of them closes it to whoever is not signed in."""

    server: Server
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, name: str, *, role: Role = "approver", side: Side | None = None) -> Person:
        if name not in self.people:
            token = self.link(name, role=role, side=side).rpartition("/")[2]
            client = httpx.Client(base_url=self.server.url, timeout=60, headers=SAME_ORIGIN)
            answer = client.post("/v1/session", json={"token": token})
            assert answer.status_code == 201, answer.text
            client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            self.people[name] = Person(name, self.server, client)
        return self.people[name]

    def link(self, name: str, *, role: Role = "approver", side: Side | None = None) -> str:
        """The address that signs somebody in, once."""
        with Store.open(self.server.workspace.store_url) as store:
            made = invite_person(store, name=name, role=role, side=side, who="test", now=utc_now())
        return link_address(made, address=self.server.url)

    def close(self) -> None:
        for one in self.people.values():
            one.client.close()


Spare = dict[tuple[int, str], list[BrowserContext]]


@dataclass
class Opened:
    """Pages of a browser, each of somebody. Whatever they do, none may fail a script, ask another host, break
    the policy, or scroll sideways.

    spare: contexts that nobody uses, by width and language, with the files of the page in their cache and
    nothing else of those who used them before.
    """

    browser: Browser
    site: Site
    spare: Spare = field(default_factory=dict)
    contexts: list[tuple[BrowserContext, tuple[int, str] | None]] = field(default_factory=list)
    pages: list[tuple[Page, int]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def page(
        self,
        person: Person | None,
        hash_: str = "",
        *,
        width: int = 1440,
        locale: str = "en-GB",
        alone: bool = False,
    ) -> Page:
        """The page as somebody sees it who is signed in already, or whom the address signs in.

        alone: in a context that nobody uses before or after, as what stands still in it is its clock.
        """
        free = [] if alone else self.spare.get((width, locale), [])
        context = (
            free.pop()
            if free
            else self.browser.new_context(
                viewport={"width": width, "height": 900}, locale=locale, accept_downloads=True
            )
        )
        self.contexts.append((context, None if alone else (width, locale)))
        jar = person.client.cookies.jar if person else ()
        context.add_cookies(
            [{"name": one.name, "value": one.value or "", "url": self.site.server.url} for one in jar]
        )
        page = self._watched(context)
        page.goto(hash_ if hash_.startswith("http") else f"{self.site.server.url}/{hash_}")
        expect(page.locator("main h1").first).to_be_visible(timeout=60_000)
        self.pages.append((page, width))
        return page

    def reopened(self, page: Page, hash_: str = "") -> Page:
        """What somebody sees who has closed the page, whatever it did, and comes back in the same browser."""
        place = next(number for number, (one, _) in enumerate(self.pages) if one is page)
        again = self._watched(page.context)
        page.close()
        self.pages[place] = again, self.pages[place][1]
        again.goto(f"{self.site.server.url}/{hash_}")
        expect(again.locator("main h1").first).to_be_visible(timeout=60_000)
        return again

    def _watched(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda told: self.faults.append(told.text) if _is_policy(told.text) else None)
        page.on("request", self._asked)
        return page

    def _asked(self, sent: Request) -> None:
        if sent.url.startswith("http"):
            self.hosts.add(httpx.URL(sent.url).netloc.decode())

    def check(self) -> None:
        for page, width in self.pages:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, "scrolls sideways"
        assert self.faults == []
        assert self.hosts <= {f"127.0.0.1:{self.site.server.port}"}

    def close(self) -> None:
        for context, kind in self.contexts:
            if kind is None:
                context.close()
                continue
            self._empty(context)
            self.spare.setdefault(kind, []).append(context)

    def _empty(self, context: BrowserContext) -> None:
        """Nothing is left but the files in the cache."""
        for page in context.pages:
            page.close()
        context.clear_cookies()
        page = context.new_page()
        told = {"origin": self.site.server.url, "storageTypes": "local_storage,indexeddb"}
        context.new_cdp_session(page).send("Storage.clearDataForOrigin", told)
        page.close()


def _is_policy(text: str) -> bool:
    return "Content Security" in text


def said_by(page: Page, place: str) -> list[str]:
    """What a place says, each sentence as it comes, over reloads too."""
    seen: list[str] = []

    def note(text: str) -> None:
        seen.append(text)

    page.expose_function("seen", note)
    script = f"""new MutationObserver(() => {{
        const now = document.querySelector("{place}")?.textContent;
        if (now) window.seen(now);
    }}).observe(document, {{ childList: true, subtree: true, characterData: true }})"""
    page.add_init_script(script)
    page.evaluate(script)
    return seen
