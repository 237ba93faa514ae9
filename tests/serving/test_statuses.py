"""What the frame of every endpoint may answer is what its OpenAPI part says, no more and no less."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from in_process import ask, declared_slugs, slug_of
from starlette.applications import Starlette
from starlette.responses import Response

from serving.access.access import Access
from serving.access.managing import create_key
from serving.access.scopes import SCOPES
from serving.openapi import document
from serving.problems import PROBLEMS, problem_kind_of
from serving.scoring import utc_now
from serving.store.door import StoreDoor
from serving.web import bodies
from serving.web.application import application
from serving.web.bodies import LARGEST_BODY
from serving.web.endpoint import Call, Endpoint
from serving.web.health import HEALTH
from serving.web.routes import ENDPOINTS, TAGS
from serving.web.services import Services

OPERATIONS = [pytest.param(each, id=each.operation.name) for each in ENDPOINTS]
OTHERS = {"not-found", "method-not-allowed", "duplicate-account", "malformed-http", "worker-broken"}
"""Problems of paths and methods without an endpoint, of what is no request, of single rows of a batch, and of
health."""


class Nothing:
    """Answers to nobody."""

    executor = ThreadPoolExecutor(1)

    def count_problem(self, slug: str) -> None:
        pass


async def fail(call: Call) -> Response:
    raise ZeroDivisionError


class Frame:
    """The application in front of nothing, and keys to ask it with."""

    def __init__(self, folder: Path) -> None:
        self.door = StoreDoor(f"sqlite:///{folder}/store.db")
        self.open, self.guarded = Access(self.door, limits=None), Access(self.door, limits=None)
        self.unread = Access(self.door, limits=None)
        self.open.look()
        self.keys = {scope: self.make(scope) for scope in SCOPES}
        self.once = {scope: self.make(scope, per_minute=1, burst=1) for scope in SCOPES}
        self.guarded.look()

    def make(self, scope: str, **options: Any) -> str:
        store, now = self.door.open(), utc_now()
        return create_key(store, owner="CRM", scopes=[scope], who="Ada", now=now, **options).text

    def app(self, access: Access, *, broken: Endpoint | None = None) -> Starlette:
        """The application; broken: with this endpoint alone, which fails in a way that nobody foresaw."""
        answers: Any = Nothing()
        services = Services(answers=answers, access=access, door=self.door)
        return application(services, endpoints=[replace(broken, handle=fail)] if broken else ENDPOINTS)


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frame]:
    made = Frame(tmp_path_factory.mktemp("frame"))
    yield made
    made.door.close()


async def slow_body() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.wait_for(asyncio.Event().wait(), timeout=5)


def provoked(frame: Frame, endpoint: Endpoint) -> Iterator[httpx.Response]:
    """Everything that the frame may say before the work begins, and a fault within the work."""
    path = re.sub(r"\{\w+\}", "x", endpoint.path)
    key = {"Authorization": f"Bearer {frame.keys[endpoint.scope]}"}
    once = {"Authorization": f"Bearer {frame.once[endpoint.scope]}"}
    other = next(scope for scope in SCOPES if scope != endpoint.scope)
    app = frame.app(frame.guarded)
    as_json = {"Content-Type": "application/json"}

    yield ask(app, endpoint.method, path)
    yield ask(
        app, endpoint.method, path, headers={"Authorization": f"Bearer {frame.keys[other]}"}, content=b"{}"
    )
    yield ask(app, endpoint.method, path, headers=key | {"Cookie": "c" * 20_000})
    yield ask(app, endpoint.method, f"{path}?x={'x' * 9_000}", headers=key)
    yield ask(frame.app(frame.unread), endpoint.method, path)
    yield ask(frame.app(frame.open), endpoint.method, path, address="192.0.2.7")
    for _ in range(2):
        response = ask(app, endpoint.method, path, headers=once)
    yield response
    foreign = {"Sec-Fetch-Site": "cross-site"}
    yield ask(frame.app(frame.open), endpoint.method, path, headers=foreign)
    yield ask(frame.app(frame.guarded, broken=endpoint), endpoint.method, path, headers=key)
    if endpoint.operation.body:
        yield ask(app, endpoint.method, path, headers=key, content=b"{}")
        yield ask(app, endpoint.method, path, headers=key | as_json, content=b" " * (LARGEST_BODY + 1))
        yield ask(app, endpoint.method, path, headers=key | as_json, content=slow_body())


OF_THE_WORK = {
    *("malformed-json", "invalid-request"),
    *("idempotency-key-reused", "request-in-progress", "busy"),
}
"""Problems that the frame declares for the work: it reads bodies and writes, and waits for its turn."""


@pytest.mark.parametrize("endpoint", OPERATIONS)
def test_the_frame_answers_as_declared(
    frame: Frame, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_SLOWEST_BODY", 0.05)
    # Some that read have nothing to refuse.
    seen = {slug_of(each) for each in provoked(frame, endpoint) if not each.is_success}
    work = {problem_kind_of(error).slug for error in endpoint.operation.problems} | OF_THE_WORK
    # What reads may be asked for by any site, which does not get to see it.
    never = {"cross-site"} if endpoint.method == "GET" else set()
    assert seen - work == declared_slugs(endpoint) - work - never
    assert seen <= declared_slugs(endpoint)


@pytest.mark.parametrize("endpoint", OPERATIONS)
def test_a_query_is_as_strict_as_a_body(frame: Frame, endpoint: Endpoint) -> None:
    app, path = frame.app(frame.guarded), re.sub(r"\{\w+\}", "x", endpoint.path)
    key = {"Authorization": f"Bearer {frame.keys[endpoint.scope]}"}
    known = [one["name"] for one in endpoint.operation.parameters if one["in"] == "query"]

    def wrong(query: str) -> dict[str, str]:
        response = ask(app, endpoint.method, f"{path}?{query}", headers=key)
        assert (response.status_code, slug_of(response)) == (422, "invalid-request")
        (error,) = response.json()["errors"]
        return dict(error)

    unknown = wrong("surprise=1")
    assert (unknown["field"], unknown["what"]) == ("surprise", "no such parameter")
    assert unknown["allowed"] == (", ".join(known) or "none")
    for name in known:
        assert f"'{name}'" in wrong(f"{name}s=1")["fix"]
        assert wrong(f"{name}=1&{name}=2")["what"] == "is given twice"


@pytest.mark.parametrize("endpoint", OPERATIONS)
def test_the_document_holds_every_status_and_the_key(endpoint: Endpoint) -> None:
    told = document((), endpoints=ENDPOINTS, tags=tuple(TAGS.items()))
    operation = told["paths"][endpoint.path][endpoint.method.lower()]
    statuses = {str(kind.status) for kind in PROBLEMS.values() if kind.slug in declared_slugs(endpoint)}
    assert set(operation["responses"]) == {str(endpoint.operation.status)} | statuses
    assert operation["security"] == ([] if endpoint.operation.public else [{"apiKey": []}])
    assert operation.get("x-required-scope") == endpoint.needs
    assert endpoint.operation.tag in TAGS
    parameters = {one["name"] for one in operation["parameters"]}
    assert set(re.findall(r"\{(\w+)\}", endpoint.path)) <= parameters
    assert ("Idempotency-Key" in parameters) == endpoint.operation.repeatable


@pytest.mark.parametrize("path", HEALTH)
def test_health_is_told_to_everybody_and_to_no_other_method(frame: Frame, path: str) -> None:
    """A balancer has no key and is on another machine, whatever is known of keys."""
    for access in (frame.open, frame.guarded, frame.unread):
        app = frame.app(access)
        assert ask(app, "GET", path, address="192.0.2.7").status_code == 200
        assert ask(app, "HEAD", path, address="192.0.2.7").status_code == 200
    refused = ask(frame.app(frame.guarded), "POST", path)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_every_problem_of_an_endpoint_is_some_endpoints() -> None:
    """A problem that no operation declares would be told by none of them."""
    told = set().union(*(declared_slugs(endpoint) for endpoint in ENDPOINTS))
    assert {kind.slug for kind in PROBLEMS.values()} - told - OTHERS == set()
