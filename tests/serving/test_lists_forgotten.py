"""Whoever is forgotten while a list or an expansion is written does not come back onto it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from in_process import ask, open_to_everybody
from small_workspace import NOW
from sqlalchemy import Connection, select

from features.privacy.suppression import Forgotten
from features.workspace import Workspace
from serving.holder import DeskHolder
from serving.jobs import expanding
from serving.jobs.expansion_parts import FIRST, parts_of, told_in
from serving.jobs.runner import LEASE, Runner
from serving.jobs.settings import JobSettings
from serving.lists.expansion_requests import ExpandRequest
from serving.store import Store, jobs, lists, schema, turns
from serving.store.jobs import Job

GONE, KEPT = ("acc-05", "acc-08"), "acc-06"


@pytest.fixture
def home(company: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(company.home, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def app(home: Workspace) -> Iterator[Any]:
    holder = DeskHolder(home)
    holder.start()
    yield open_to_everybody(holder)
    holder.stop()


def put_on_list(home: Workspace, *names: str) -> None:
    """As `spearfish forget` does before it looks for their rows."""
    listed = Forgotten.of(home)
    digests = frozenset(filter(None, (listed.digest("account", name) for name in names)))
    digests |= listed.digests["account"]
    replace(listed, digests={**listed.digests, "account": digests}).write(home)


@pytest.fixture
def forgotten_meanwhile(home: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, two are forgotten while the next write of a list waits for its turn."""
    lock = lists.lock

    def begin() -> None:
        def locked(connection: Connection, *, list_id: int) -> lists.TargetList:
            put_on_list(home, *GONE)
            return lock(connection, list_id=list_id)

        monkeypatch.setattr(lists, "lock", locked)

    return begin


def new_list(app: Any) -> str:
    body = {"name": "Few", "owner": "Ann", "purpose": "try it", "pilot": False, "size": 5}
    return f"/v1/lists/{ask(app, 'POST', '/v1/lists', json=body).json()['id']}"


def suggested(*names: str) -> list[dict[str, Any]]:
    """Each is near to the one that is forgotten, and to one that is not."""
    nearest = [{"account_id": name, "name": "Company"} for name in ("acc-08", "acc-03")]
    return [{"account_id": name, "score": 1.0, "nearest": nearest} for name in names]


def accounts_in(home: Workspace) -> set[str]:
    """Every account that the tables of lists name."""
    columns = (
        *(schema.list_members.c.account_id, schema.list_drops.c.account_id, schema.list_changes.c.account_id),
        *(schema.list_suggestions.c.account_id, schema.list_overrides.c.account_id),
        schema.list_exclusions.c.entry,
    )
    with Store.open(home.store_url) as store, store.reading() as connection:
        found = {name for column in columns for name in connection.execute(select(column)).scalars() if name}
        details = connection.execute(select(schema.list_suggestions.c.detail)).scalars()
        return found | {name for name in GONE for text in details if name in text}


def test_of_a_draw(app: Any, home: Workspace, forgotten_meanwhile: Callable[[], None]) -> None:
    at = new_list(app)
    forgotten_meanwhile()
    body = {"kind": "first", "why": "new", "revision": 1, "suggestions": suggested("acc-05", KEPT, "acc-08")}
    made = ask(app, "POST", f"{at}/draws", json=body)
    assert (made.status_code, made.json()["targets"], made.json()["left_out"]) == (201, 1, [])
    assert accounts_in(home) == {KEPT}
    told = ask(app, "GET", f"{at}/accounts/{KEPT}").json()
    assert [one["account_id"] for one in told["why"]["nearest"]] == ["acc-03"]


def test_of_a_draw_that_is_asked_for_after_it(app: Any, home: Workspace) -> None:
    """The tables hold whoever was put on the list until they are written anew."""
    at = new_list(app)
    put_on_list(home, *GONE)
    body = {"kind": "first", "why": "new", "revision": 1, "suggestions": suggested("acc-05", KEPT)}
    assert ask(app, "POST", f"{at}/draws", json=body).json()["targets"] == 1
    assert accounts_in(home) == {KEPT}


@pytest.mark.parametrize("kind", ["pin", "drop"])
def test_of_a_decision(app: Any, home: Workspace, forgotten_meanwhile: Callable[[], None], kind: str) -> None:
    at = new_list(app)
    forgotten_meanwhile()
    body = {"account_id": "acc-05", "kind": kind, "reason": "asked for us"}
    refused = ask(app, "POST", f"{at}/decisions", json=body)
    assert (refused.status_code, refused.json()["type"]) == (404, "urn:spearfish:problem:unknown-account")
    assert accounts_in(home) == set()
    assert ask(app, "POST", f"{at}/decisions", json=body | {"account_id": KEPT}).status_code == 201


def test_of_whom_a_file_keeps_off(app: Any, home: Workspace, forgotten_meanwhile: Callable[[], None]) -> None:
    at = new_list(app)
    forgotten_meanwhile()
    body = {"revision": 1, "entries": ["acc-05", "rival.example", KEPT]}
    assert ask(app, "PUT", f"{at}/excluded", json=body).status_code == 200
    assert accounts_in(home) == {"rival.example", KEPT}


def test_of_the_question_of_an_expansion(app: Any, home: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "serving.web.routes.expansions.wait_for_erasing", lambda _: put_on_list(home, "acc-03")
    )
    body = {"size": 10, "account_ids": ["acc-03", "acc-07", "acc-13"]}
    job = ask(app, "POST", "/v1/jobs/expand", json=body).json()["id"]
    with Store.open(home.store_url) as store, store.reading() as connection:
        part = jobs.next_part(connection, job_id=job)
    assert part is not None
    assert next(told_in(part.content))["account_ids"] == ["acc-07", "acc-13"]


def queued(home: Workspace, name: str) -> None:
    question = {"size": 10, "account_ids": ["acc-03", "acc-07", "acc-13"]}
    parts = parts_of(ExpandRequest.model_validate(question).asked(), size=10)
    job = Job(name, "expand", "queued", NOW, rows=len(parts), language="en", format="csv", as_of=NOW)
    with Store.open(home.store_url) as store, store.writing() as connection:
        jobs.add(connection, job, parts)


def test_of_an_expansion_that_is_being_made(home: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seed while the question is kept, and whoever would be the best while the first part is."""
    runner = Runner(home, settings=JobSettings(), clock=lambda: NOW + 2 * LEASE)
    queued(home, "before")
    runner.turn()
    seed, best = "acc-03", kept_of(home, "before")[FIRST][0]["account_id"]
    queued(home, "job")
    waits, wait = [seed, "", "", "", best], turns.wait_for_erasing

    def waiting(connection: Connection) -> None:
        if waits and (name := waits.pop(0)):
            put_on_list(home, name)
        wait(connection)

    monkeypatch.setattr(expanding, "wait_for_erasing", waiting)
    for _ in range(3):
        runner.turn()
    asked, *_, found = kept_of(home, "job")
    assert asked[0]["account_ids"] == ["acc-07", "acc-13"]
    assert not {seed, best} & {one["account_id"] for one in found}
    assert {near["account_id"] for one in found for near in one["nearest"]} <= {"acc-07", "acc-13"}
    assert not waits


def kept_of(home: Workspace, job: str) -> list[list[dict[str, Any]]]:
    with Store.open(home.store_url) as store, store.reading() as connection:
        numbers = jobs.results(connection, job_id=job)
        return [list(told_in(jobs.result(connection, job_id=job, number=one) or b"")) for one in numbers]
