"""A runner that is killed in mid-search, as the page shows it: the search goes on, and nothing is lost."""

from __future__ import annotations

import re
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
from ended_search import ended_search
from playwright.sync_api import Page, expect
from server_process import until
from site_people import Opened, Person, Site, said_by
from sqlalchemy import select, update

from serving.store import Store, schema

TRIES, SIZE = 10, 60


def the_runner(site: Site, *, other_than: int = 0) -> psutil.Process:
    """The process that runs the jobs of the service."""
    found: list[psutil.Process] = []

    def there() -> bool:
        for child in psutil.Process(site.server.process.pid).children(recursive=True):
            # One that has ended, or is about to begin, has no command line.
            with suppress(psutil.Error):
                if "serving.jobs" in child.cmdline() and child.pid != other_than:
                    found.append(child)
        return bool(found)

    until(there)
    return found[-1]


def job(site: Site, search: str) -> Any:
    with Store.open(site.server.workspace.store_url) as store, store.reading() as connection:
        table = schema.jobs
        return connection.execute(
            select(table.c.state, table.c.done, table.c.rows).where(table.c.id == search)
        ).one()


def killed_in_mid_search(page: Page, site: Site, said: list[str]) -> tuple[str, psutil.Process]:
    """A search that was begun on the page, and the runner that was killed over it; said: of no other one."""
    for _ in range(TRIES):
        said.clear()
        page.evaluate("location.hash = '#/expand'")
        page.get_by_role("radio", name="All customers").check()
        page.get_by_role("spinbutton", name="Accounts to find").fill(str(SIZE))
        runner = the_runner(site)
        page.get_by_role("button", name="Find lookalikes").click()
        page.wait_for_url("**/#/expand/*")
        search = page.url.rpartition("/")[2]
        while job(site, search).done == 0:
            assert runner.is_running()
        # Held, it cannot end the search between the look and the blow.
        runner.suspend()
        if job(site, search).state == "running":
            runner.send_signal(signal.SIGKILL)
            return search, runner
        runner.resume()
    raise AssertionError(f"{TRIES} searches ended before the runner could be killed")


def test_a_search_goes_on_after_its_runner_was_killed(opened: Opened, site: Site) -> None:
    ann: Person = site.person("Ann Marsh", side="marketing")
    page = opened.page(ann, "#/expand")
    page.evaluate("window.never_left = true")
    said = said_by(page, ".now")
    search, runner = killed_in_mid_search(page, site, said)
    expect(page.get_by_role("progressbar", name="Looking for lookalikes")).to_be_visible()
    before = job(site, search)
    the_runner(site, other_than=runner.pid)
    # The silence of the dead is waited out; here it is over at once.
    past = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(minutes=1)
    with Store.open(site.server.workspace.store_url) as store, store.writing() as connection:
        own = schema.jobs.c.id == search
        connection.execute(update(schema.jobs).where(own).values(lease_until=past))
    expect(page.get_by_role("heading", name=f"{SIZE} accounts found")).to_be_visible(timeout=120_000)
    after = job(site, search)
    assert (before.state, after.state) == ("running", "done")
    assert 0 < before.done < after.done == after.rows
    assert page.evaluate("window.never_left")
    # What was told of its progress never went back, nor beyond its end.
    steps = [int(found[1]) for one in said if (found := re.search(r"step (\d) of 4", one))]
    assert steps == sorted(steps)
    shown = page.locator("table.accounts tbody .name")
    expect(shown).to_have_count(50)
    undisturbed = ended_search(ann, size=SIZE)["id"]
    told, wanted = (
        ann.call("GET", f"/v1/expansions/{one}/accounts", limit=SIZE)["accounts"]
        for one in (search, undisturbed)
    )
    assert told == wanted
    assert shown.all_inner_texts() == [one["name"] for one in wanted[:50]]
