"""What is there for people and importers: the page, what it loads, and the OpenAPI document.

The page's files and the document hold no data and need no key; the overview does. Time rule: none. Null rule:
none of its own.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serving.openapi import document
from serving.web.endpoint import Call
from serving.web.guard import guarded
from serving.web.routes import ENDPOINTS, TAGS
from serving.web.services import Services
from serving.web.static import asset, page

__all__ = ["shell_routes"]


def shell_routes(services: Services) -> list[Route]:
    """The routes outside /v1."""
    return [
        Route("/", guarded(_page, services=services, needs=None), name="page"),
        Route("/assets/{name}", guarded(_asset, services=services, needs=None), name="assets"),
        Route("/docs.json", guarded(_docs, services=services, needs=None), name="docs"),
        Route("/overview.json", guarded(_overview, services=services, needs="score"), name="overview"),
    ]


async def _page(_: Call) -> Response:
    return page()


async def _asset(call: Call) -> Response:
    return asset(call.request)


async def _docs(call: Call) -> Response:
    attributes = call.services.answers.attributes()
    return JSONResponse(document(attributes, endpoints=ENDPOINTS, tags=tuple(TAGS.items())))


async def _overview(call: Call) -> Response:
    return JSONResponse(await call.compute(call.services.answers.overview))
