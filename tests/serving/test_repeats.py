"""Idempotency-Key over HTTP: what comes twice is done once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from in_process import Everybody, ask, slug_of
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.responses import Response

from features.errors import InputError
from serving.answers import ProblemDetails
from serving.scoring import utc_now
from serving.store import audit
from serving.store.door import StoreDoor
from serving.store.idempotency import Answered
from serving.web.application import application
from serving.web.bodies import json_body
from serving.web.endpoint import Call, Endpoint, Operation, parameter
from serving.web.repeats import answer_once
from serving.web.services import Services


class Answers:
    """The threads, and a write that takes as long as it is told to."""

    executor = ThreadPoolExecutor(2)

    def __init__(self) -> None:
        self.begun, self.finish = threading.Event(), threading.Event()
        self.finish.set()

    def count_problem(self, slug: str) -> None:
        pass


async def note(call: Call) -> Response:
    answers: Any = call.services.answers
    body = await json_body(call.request)

    def write(connection: Connection) -> Answered:
        audit.note(connection, entry=audit.Entry(utc_now(), "test", "noted", body.decode(), ""))
        answers.begun.set()
        assert answers.finish.wait(20)
        if body == b'"wrong"':
            raise InputError("wrong")
        return Answered(201, f'{{"request_id": "{call.request_id}"}}')

    return await answer_once(call, body=body, write=write)


@pytest.fixture
def door(tmp_path: Path) -> StoreDoor:
    return StoreDoor(f"sqlite:///{tmp_path}/store.db")


@pytest.fixture
def app(door: StoreDoor) -> Starlette:
    told = Operation(
        "note",
        "",
        "",
        "notes",
        answer=ProblemDetails,
        answer_description="",
        parameters=(parameter("mode", "query", "", schema={"type": "string"}),),
        repeatable=True,
    )
    answers: Any = Answers()
    services = Services(answers=answers, access=Everybody(), door=door)
    paths = [Endpoint("POST", path, "activities", told, note) for path in ("/notes", "/others")]
    made = application(services, endpoints=paths)
    made.state.answers = answers
    return made


def post(app: Starlette, body: str, key: str | None, path: str = "/notes") -> httpx.Response:
    headers = {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
    return ask(app, "POST", path, content=body.encode(), headers=headers)


def noted(door: StoreDoor) -> int:
    with door.open().reading() as connection:
        return len(audit.entries(connection))


def test_the_second_answer_is_the_first_one(app: Starlette, door: StoreDoor) -> None:
    first, second = post(app, '"a"', "k1"), post(app, '"a"', "k1")
    assert (first.status_code, second.status_code, noted(door)) == (201, 201, 1)
    assert first.json() == second.json() == {"request_id": first.headers["x-request-id"]}
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["x-request-id"] != first.headers["x-request-id"]


def test_another_key_path_or_none_is_another_request(app: Starlette, door: StoreDoor) -> None:
    for key, path in (
        ("k1", "/notes"),
        ("k2", "/notes"),
        ("k1", "/others"),
        (None, "/notes"),
        (None, "/notes"),
    ):
        assert "idempotency-replayed" not in post(app, '"a"', key, path).headers
    assert noted(door) == 5


def test_another_body_under_the_same_key_is_refused(app: Starlette, door: StoreDoor) -> None:
    post(app, '"a"', "k1")
    for body, path in (('"b"', "/notes"), ('"a"', "/notes?mode=other")):
        refused = post(app, body, "k1", path)
        assert (refused.status_code, slug_of(refused)) == (422, "idempotency-key-reused")
    assert noted(door) == 1


def test_what_failed_is_done_again(app: Starlette, door: StoreDoor) -> None:
    assert [post(app, '"wrong"', "k1").status_code for _ in range(2)] == [422, 422]
    assert noted(door) == 0
    assert post(app, '"right"', "k1").status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb"])
def test_a_key_that_cannot_be_used(app: Starlette, key: str) -> None:
    refused = post(app, '"a"', key)
    assert (refused.status_code, slug_of(refused)) == (422, "invalid-request")
    assert refused.json()["errors"][0]["field"] == "Idempotency-Key"


def test_what_is_in_progress_is_not_begun_again(app: Starlette, door: StoreDoor) -> None:
    answers = app.state.answers
    answers.finish.clear()

    async def twice() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app)
        headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            first = asyncio.create_task(client.post("/notes", content=b'"a"', headers=headers))
            await asyncio.to_thread(answers.begun.wait, 20)
            second = await client.post("/notes", content=b'"a"', headers=headers)
            answers.finish.set()
            return await first, second

    first, second = asyncio.run(twice())
    assert (first.status_code, second.status_code) == (201, 409)
    assert slug_of(second) == "request-in-progress"
    assert int(second.headers["retry-after"]) > 0
    assert noted(door) == 1
