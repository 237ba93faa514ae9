"""A request that waits too long for its turn is told so, and nothing is done for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from in_process import Everybody, ask, slug_of
from starlette.responses import JSONResponse, Response

from serving.answers import ProblemDetails
from serving.store.door import StoreDoor
from serving.web import endpoint as frame
from serving.web.application import application
from serving.web.endpoint import Call, Endpoint, Operation
from serving.web.services import Services


class Threads:
    """Answers nothing, in one thread."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(1)

    def count_problem(self, slug: str) -> None:
        pass


def probe(path: str, turn: Callable[[Call], Callable[..., Any]], done: list[str]) -> Endpoint:
    async def work(call: Call) -> Response:
        await turn(call)(partial(done.append, path))
        return JSONResponse({})

    told = Operation(path[1:], "", "", "probes", answer=ProblemDetails, answer_description="")
    return Endpoint("GET", path, "score", told, work)


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def services() -> Services:
    answers: Any = Threads()
    return Services(answers=answers, access=Everybody(), door=StoreDoor("sqlite://"))


@pytest.fixture
def app(services: Services, done: list[str]) -> Any:
    computing = probe("/compute", lambda call: call.compute, done)
    return application(services, endpoints=(computing, probe("/store", lambda call: call.store, done)))


def test_who_waits_too_long_is_told_so_and_others_go_on(
    app: Any, services: Services, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "_PATIENCE", 0.1)
    held = threading.Event()
    services.answers.executor.submit(held.wait)
    refused = ask(app, "GET", "/compute")
    assert (refused.status_code, slug_of(refused)) == (503, "busy")
    assert int(refused.headers["retry-after"]) > 0
    assert ask(app, "GET", "/store").status_code == 200, "who writes waits for other threads"
    held.set()
    assert ask(app, "GET", "/compute").status_code == 200
    assert done == ["/store", "/compute"], "what was refused was not done later"


def test_what_was_begun_comes_to_an_end(
    services: Services, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "_PATIENCE", 0.2)
    begun = threading.Event()
    slow = probe("/slow", lambda call: lambda work: call.compute(partial(_after, begun, work)), done)
    app = application(services, endpoints=(slow,))
    threading.Timer(0.5, begun.set).start()
    assert ask(app, "GET", "/slow").status_code == 200
    assert done == ["/slow"]


def _after(begun: threading.Event, work: Callable[[], None]) -> None:
    begun.wait()
    work()
