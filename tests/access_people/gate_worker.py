"""One worker of a service with its gate, and people who sign in there."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import httpx
from in_process import ask
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response

from serving.access.access import Access
from serving.access.callers import mark_of, name_of, number_of
from serving.access.inviting import invite_person
from serving.answers import ProblemDetails
from serving.scoring import utc_now
from serving.store.door import StoreDoor
from serving.store.people import Role
from serving.web.application import application
from serving.web.endpoint import Call, Endpoint, Operation
from serving.web.routes import lists
from serving.web.routes.sessions import ENDPOINTS
from serving.web.services import Services


async def tell(call: Call) -> Response:
    caller = call.caller
    return JSONResponse([name_of(caller), number_of(caller), mark_of(caller)])


def probe(method: Any, scope: Any) -> Endpoint:
    told = Operation(f"{method}{scope}", "", "", "probes", answer=ProblemDetails, answer_description="")
    return Endpoint(method, f"/{scope}", scope, told, tell)


class Nothing:
    """Answers nobody asks for here."""

    def attributes(self) -> tuple[()]:
        return ()

    def count_problem(self, slug: str) -> None:
        pass


class Worker:
    """One worker of a service: what it knows, and its application."""

    def __init__(self, url: str) -> None:
        answers: Any = Nothing()
        self.door = StoreDoor(url)
        self.access = Access(self.door, limits=None)
        self.access.look()
        probes = [probe(method, scope) for scope in ("score", "lists", "admin") for method in ("GET", "POST")]
        services = Services(answers=answers, access=self.access, door=self.door)
        self.app: Starlette = application(services, endpoints=[*ENDPOINTS, *lists.ENDPOINTS, *probes])

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return ask(self.app, method, path, **options)


class Browser:
    """Somebody who has signed in: what every request of theirs brings."""

    def __init__(self, answer: httpx.Response) -> None:
        (told,) = SimpleCookie(answer.headers["set-cookie"]).values()
        self.cookie = f"{told.key}={told.value}"
        self.secret, self.token = told.value, answer.json()["csrf_token"]

    def __call__(self, worker: Worker, method: str, path: str, **more: str) -> httpx.Response:
        """more: headers; a value of "" leaves one out."""
        own = {"Cookie": self.cookie, "X-CSRF-Token": self.token}
        headers = {name: text for name, text in (own | more).items() if text}
        return worker.ask(method, path, headers=headers)


def invite(worker: Worker, name: str = "Ada", role: Role = "viewer", **more: Any) -> str:
    made = invite_person(
        worker.door.open(), name=name, role=role, side=None, who="root", now=utc_now(), **more
    )
    worker.access.look()
    return made.text


def redeem(worker: Worker, token: str, **headers: str) -> httpx.Response:
    return worker.ask("POST", "/v1/session", json={"token": token}, headers=headers)


def sign_in(worker: Worker, name: str = "Ada", role: Role = "viewer") -> Browser:
    answer = redeem(worker, invite(worker, name, role))
    assert answer.status_code == 201
    return Browser(answer)


def change(worker: Worker, what: Any, **told: Any) -> None:
    with worker.door.open().writing() as connection:
        what(connection, who="root", now=utc_now(), **told)
