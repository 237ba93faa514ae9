"""What is there for people and importers: the page, what it loads, and the OpenAPI document.

Time rule: none. Null rule: none of its own.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serving.openapi import document
from serving.web.endpoint import Call
from serving.web.routes import ENDPOINTS, TAGS
from serving.web.services import Services
from serving.web.static import asset, page

__all__ = ["shell_routes"]


def shell_routes(services: Services) -> list[Route]:
    """The routes outside /v1."""

    async def docs(_: Request) -> Response:
        return JSONResponse(
            document(services.answers.attributes(), endpoints=ENDPOINTS, tags=tuple(TAGS.items()))
        )

    async def overview(request: Request) -> Response:
        return JSONResponse(await Call(request, services).compute(services.answers.overview))

    return [
        Route("/", _page, name="page"),
        Route("/assets/{name}", _asset, name="assets"),
        Route("/docs.json", docs, name="docs"),
        Route("/overview.json", overview, name="overview"),
    ]


async def _page(_: Request) -> Response:
    return page()


async def _asset(request: Request) -> Response:
    return asset(request)
