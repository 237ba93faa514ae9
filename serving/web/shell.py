"""What is there for people, importers and Prometheus: the page and its files, the OpenAPI document, metrics.

None of that holds data of accounts, nor needs a key, but for the metrics where they are asked for from
elsewhere; the overview does. Time rule: none. Null rule: none of
its own.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serving import metrics
from serving.openapi import document
from serving.problems import FieldError, InvalidRequestError
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
        Route("/assets/{version}/{name}", guarded(_asset, services=services, needs=None), name="kept assets"),
        Route("/docs.json", guarded(_docs, services=services, needs=None), name="docs"),
        # How much is asked and what is scored is nobody else's business; a scraper beside us needs no key.
        Route("/metrics", guarded(_metrics, services=services, needs="admin", here=True), name="metrics"),
        Route("/overview.json", guarded(_overview, services=services, needs="score"), name="overview"),
    ]


async def _page(_: Call) -> Response:
    return page()


async def _asset(call: Call) -> Response:
    return asset(call.request)


async def _docs(call: Call) -> Response:
    """The document; with ?tag=salesforce that of one group, for importers that take 100,000 characters."""
    attributes, tag = call.services.answers.attributes(), call.request.query_params.get("tag")
    if tag is None:
        return JSONResponse(document(attributes, endpoints=ENDPOINTS, tags=tuple(TAGS.items())))
    if tag not in TAGS:
        error = FieldError("tag", "is no group of endpoints", tag[:80], ", ".join(TAGS), "choose one of them")
        raise InvalidRequestError([error])
    own = tuple(endpoint for endpoint in ENDPOINTS if endpoint.operation.tag == tag)
    return JSONResponse(document(attributes, endpoints=own, tags=((tag, TAGS[tag]),)))


async def _metrics(_: Call) -> Response:
    return Response(metrics.exposition(), media_type=metrics.MEDIA_TYPE)


async def _overview(call: Call) -> Response:
    return JSONResponse(await call.compute(call.services.answers.overview))
