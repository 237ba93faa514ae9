"""The application without a server around it: let everybody in, and ask it."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
from starlette.applications import Starlette

from serving.access.callers import Caller
from serving.holder import DeskHolder
from serving.problems import problem_kind_of
from serving.store.door import StoreDoor
from serving.web.application import application
from serving.web.endpoint import Endpoint
from serving.web.routes import ENDPOINTS
from serving.web.services import Services


class Everybody:
    """A gate that stands open."""

    async def admit(self, *_: object, **__: object) -> Caller:
        return Caller()


def open_to_everybody(answers: Any, *, door: StoreDoor | None = None) -> Starlette:
    """The application without the gate."""
    way = door or (answers.door if isinstance(answers, DeskHolder) else StoreDoor("sqlite://"))
    return application(Services(answers=answers, access=Everybody(), door=way))


def ask(
    app: Starlette,
    method: str,
    path: str,
    *,
    host: str = "127.0.0.1",
    address: str = "127.0.0.1",
    **options: Any,
) -> httpx.Response:
    """One request to an application. address: of who asks. Its answer must be one that was declared."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}", timeout=60) as client:
            return await client.request(method, path, **options)

    response = asyncio.run(send())
    require_declared(method, path, response=response)
    return response


def require_declared(method: str, path: str, *, response: httpx.Response) -> None:
    """The endpoint says that it may answer so."""
    endpoint = endpoint_at(method, path)
    if endpoint is None:
        return
    if response.is_success:
        assert response.status_code == endpoint.operation.status
    else:
        assert slug_of(response) in declared_slugs(endpoint), (path, response.text)


def endpoint_at(method: str, path: str) -> Endpoint | None:
    for endpoint in ENDPOINTS:
        pattern = re.sub(r"\{\w+\}", "[^/]+", endpoint.path)
        if endpoint.method == method and re.fullmatch(pattern, path.partition("?")[0]):
            return endpoint
    return None


def declared_slugs(endpoint: Endpoint) -> set[str]:
    return {problem_kind_of(error).slug for error in endpoint.operation.all_problems}


def slug_of(response: httpx.Response) -> str:
    slug: str = response.json()["type"].rsplit(":", 1)[-1]
    return slug
