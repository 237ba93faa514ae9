"""The application without a server around it, and everybody let in."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette

from serving.access.gate import Caller
from serving.holder import DeskHolder
from serving.store.door import StoreDoor
from serving.web.application import application
from serving.web.services import Services


class Everybody:
    """A gate that stands open."""

    def admit(self, *_: object, **__: object) -> Caller:
        return Caller()


def open_to_everybody(answers: Any, *, door: StoreDoor | None = None) -> Starlette:
    """The application without the gate."""
    way = door or (answers.door if isinstance(answers, DeskHolder) else StoreDoor("sqlite://"))
    return application(Services(answers=answers, access=Everybody(), door=way))


def ask(app: Starlette, method: str, path: str, *, host: str = "127.0.0.1", **options: Any) -> httpx.Response:
    """One request to an application."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}", timeout=60) as client:
            return await client.request(method, path, **options)

    return asyncio.run(send())
