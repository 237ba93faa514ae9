"""The application: every route in its envelope, and every error as problem details.

Turns the services of a worker into one Starlette application, which hangs inside the BentoML service: its own
endpoints answer errors in three other shapes; workers and shutdown are BentoML's. Time rule:
none. Null rule: none.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from features.errors import SpearfishError, suggestion
from serving.log_lines import told
from serving.problems import (
    FieldError,
    InvalidRequestError,
    MethodNotAllowedError,
    RouteNotFoundError,
    problem_kind,
)
from serving.web.endpoint import Call, Endpoint
from serving.web.envelope import Envelope, request_id_of
from serving.web.guard import Handler, guarded
from serving.web.health import Vital, health_routes
from serving.web.languages import language_of
from serving.web.observed import Observed
from serving.web.problem_answers import problem_answer
from serving.web.routes import ENDPOINTS
from serving.web.services import Services
from serving.web.shell import shell_routes

__all__ = ["application"]

ErrorHandler = Callable[[Request, Exception], Awaitable[Response]]

_MOST_ERRORS = 20
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_logger = logging.getLogger("spearfish.serving")


def application(
    services: Services, *, endpoints: Sequence[Endpoint] = ENDPOINTS, parts: Sequence[Vital] = ()
) -> Starlette:
    """The application. Every path and method is answered here, so that no stock page shines through.

    parts: of the worker, which /livez and /readyz ask.
    """
    routes = [
        *health_routes(parts),
        *shell_routes(services),
        *(_route(endpoint, services=services) for endpoint in endpoints),
    ]
    handler = _problem_handler(services)
    elsewhere = guarded(_elsewhere(routes), services=services, needs=None)
    return Starlette(
        routes=[*routes, Route("/{path:path}", elsewhere, methods=list(_METHODS), name="elsewhere")],
        middleware=[Middleware(Observed), Middleware(Envelope)],
        exception_handlers={
            SpearfishError: handler,
            ClientDisconnect: _gone,
            HTTPException: _unheard_of(elsewhere, handler),
            Exception: handler,
        },
    )


class _Rest(Convertor[str]):
    """All that is left of a path: identifiers of accounts may hold slashes, which arrive decoded."""

    regex = r"[\s\S]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("rest", _Rest())


def _route(endpoint: Endpoint, *, services: Services) -> Route:
    answer = guarded(
        _asked_rightly(endpoint), services=services, needs=endpoint.needs, signed=endpoint.signed
    )
    pattern = re.sub(r"\}(?=[^{]*$)", ":rest}", endpoint.path) if endpoint.slashes else endpoint.path
    route = Route(pattern, answer, methods=[endpoint.method], name=endpoint.operation.name)
    # As the document, the metrics and the log call it.
    route.path = endpoint.path
    return route


def _asked_rightly(endpoint: Endpoint) -> Callable[[Call], Awaitable[Response]]:
    """What answers a call whose query the document knows: a misspelt name would be passed over."""
    allowed = [each["name"] for each in endpoint.operation.parameters if each["in"] == "query"]

    async def answer(call: Call) -> Response:
        given = [name for name, _ in call.request.query_params.multi_items()]
        wrong = [_no_parameter(name, allowed) for name in given if name not in allowed]
        wrong += [
            FieldError(name, "is given twice", None, "each parameter once", "leave one of them out")
            for name in allowed
            if given.count(name) > 1
        ]
        if wrong:
            raise InvalidRequestError(wrong[:_MOST_ERRORS])
        return await endpoint.handle(call)

    return answer


def _no_parameter(name: str, allowed: Sequence[str]) -> FieldError:
    near = suggestion(name[:80], allowed)
    return FieldError(name[:80], "no such parameter", None, ", ".join(allowed) or "none", near or "remove it")


def _elsewhere(routes: Sequence[Route]) -> Callable[[Call], Awaitable[Response]]:
    async def elsewhere(call: Call) -> Response:
        request = call.request
        path = request.url.path
        known = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
        # /v1/jobs/score is no job called score.
        known = [route for route in known if route.path == path] or known
        methods = sorted({method for route in known for method in route.methods or ()})
        if methods:
            raise MethodNotAllowedError(f"{request.method} is not possible at {path}", methods=methods)
        raise RouteNotFoundError(f"nothing answers at {path}", fix="see /docs.json for what there is")

    return elsewhere


def _unheard_of(elsewhere: Handler, handle: ErrorHandler) -> ErrorHandler:
    """For methods that no route knows, such as TRACE: Starlette refuses them in words of its own."""

    async def refuse(request: Request, _: Exception) -> Response:
        try:
            return await elsewhere(request)
        except SpearfishError as error:
            return await handle(request, error)

    return refuse


def _problem_handler(services: Services) -> ErrorHandler:
    async def handle(request: Request, error: Exception) -> Response:
        kind, request_id = problem_kind(error), request_id_of(request.scope)
        services.answers.count_problem(kind.slug)
        if kind.status >= 500:
            _logger.error("%s: %s", kind.slug, error, extra=told(request_id=request_id))
        language = language_of(request.headers.get("accept-language", ""))
        return problem_answer(error, request_id=request_id, language=language)

    return handle


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody is left to read an answer."""
    return Response(status_code=400)
