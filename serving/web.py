"""The HTTP surface: /v1, /docs.json and the page, as one Starlette application inside the BentoML service.

Turns requests into answers and every error into problem details. Time rule: `now` is read once per request.
Null rule: none of its own. BentoML's own endpoints answer errors in three other shapes, so `/v1` hangs here;
workers, health, metrics and shutdown are BentoML's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Protocol, TypeVar

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.errors import SpearfishError
from features.feature import Language
from features.tables import Attribute
from serving.answers import ScoreAnswer
from serving.openapi import document
from serving.problems import (
    BodyTooLargeError,
    MediaTypeError,
    MethodNotAllowedError,
    RouteNotFoundError,
    SlowRequestError,
    problem,
    problem_kind,
)
from serving.profile import ProfileAnswer
from serving.scoring import new_request_id
from serving.static import asset, page

__all__ = ["LARGEST_BODY", "SECURITY_HEADERS", "Answers", "application", "language_of"]

LARGEST_BODY = 2 * 1024 * 1024
"""Bytes that a request body may hold."""

_SLOWEST_BODY = 30
"""Seconds in which the body must have arrived."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_logger = logging.getLogger("spearfish.serving")

Result = TypeVar("Result")
Handler = Callable[[Request], Awaitable[Response]]


class Answers(Protocol):
    """What the application asks for."""

    @property
    def executor(self) -> Executor:
        """The threads that requests compute in."""

    def answer(self, body: bytes, *, request_id: str, language: Language) -> ScoreAnswer:
        """The answer to the body of POST /v1/score."""

    def profile(self, *, language: Language, model: str | None = None) -> ProfileAnswer:
        """The answer of GET /v1/profile. model: as it was asked for."""

    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that requests may carry."""

    def overview(self) -> Mapping[str, object]:
        """What the page shows before anything is asked."""

    def count_problem(self, slug: str) -> None:
        """Count an answer that is a problem."""


def application(answers: Answers) -> Starlette:
    """The application. Every path and method is answered here, so that no stock page shines through."""
    routes: list[BaseRoute] = [
        Route("/", _page, name="page"),
        Route("/assets/{name}", _asset, name="assets"),
        Route("/docs.json", _docs(answers), name="docs"),
        Route("/overview.json", _overview(answers), name="overview"),
        Route("/v1/score", _score(answers), methods=["POST"], name="score"),
        Route("/v1/profile", _profile(answers), name="profile"),
    ]
    handler = _problem_handler(answers)
    return Starlette(
        routes=[*routes, Route("/{path:path}", _elsewhere(routes), methods=list(_METHODS), name="elsewhere")],
        middleware=[Middleware(Envelope)],
        exception_handlers={SpearfishError: handler, ClientDisconnect: _gone, Exception: handler},
    )


class Envelope:
    """Gives every request a name, and every response that name and the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), request_id=_request_id(scope))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def language_of(accept_language: str) -> Language:
    """The first language of the header that we speak; English otherwise.

    >>> language_of("fr, zh-CN;q=0.8, en;q=0.5"), language_of("")
    ('zh', 'en')
    """
    ranked = sorted((_ranked(part) for part in accept_language.split(",")), key=lambda pair: -pair[0])
    spoken = (tag.split("-")[0] for quality, tag in ranked if quality > 0)
    first = next((tag for tag in spoken if tag in ("en", "zh")), "en")
    return "zh" if first == "zh" else "en"


def _ranked(part: str) -> tuple[float, str]:
    tag, _, quality = part.strip().lower().partition(";q=")
    try:
        return float(quality or 1), tag
    except ValueError:
        return 0.0, tag


async def _page(_: Request) -> Response:
    return page()


async def _asset(request: Request) -> Response:
    return asset(request)


def _docs(answers: Answers) -> Handler:
    async def docs(_: Request) -> Response:
        return JSONResponse(document(answers.attributes()))

    return docs


def _overview(answers: Answers) -> Handler:
    async def overview(_: Request) -> Response:
        return JSONResponse(await _compute(answers, answers.overview))

    return overview


def _score(answers: Answers) -> Handler:
    async def score(request: Request) -> Response:
        work = partial(
            answers.answer,
            await _json_body(request),
            request_id=_request_id(request.scope),
            language=language_of(request.headers.get("accept-language", "")),
        )
        answer = await _compute(answers, work)
        return Response(answer.model_dump_json(), media_type="application/json")

    return score


def _profile(answers: Answers) -> Handler:
    async def profile(request: Request) -> Response:
        language = language_of(request.headers.get("accept-language", ""))
        work = partial(answers.profile, language=language, model=request.query_params.get("model"))
        answer = await _compute(answers, work)
        return Response(answer.model_dump_json(), media_type="application/json")

    return profile


async def _compute(answers: Answers, work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(answers.executor, work)


async def _json_body(request: Request) -> bytes:
    """The body, when it is announced as JSON, not too large and not too slow."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise MediaTypeError(
            "the body is not announced as JSON",
            got=media_type or "no Content-Type",
            allowed="application/json",
            fix="send the header Content-Type: application/json",
        )
    _require_small(int(request.headers.get("content-length", "0")))
    body = bytearray()
    try:
        async with asyncio.timeout(_SLOWEST_BODY):
            async for chunk in request.stream():
                body += chunk
                _require_small(len(body))
    except TimeoutError as error:
        raise SlowRequestError(
            "the body did not arrive in time", allowed=f"{_SLOWEST_BODY} seconds", fix="send it again"
        ) from error
    return bytes(body)


def _require_small(size: int) -> None:
    if size > LARGEST_BODY:
        raise BodyTooLargeError(
            "the body is too large",
            got=f"{size:,} bytes or more",
            allowed=f"{LARGEST_BODY:,} bytes",
            fix="send fewer rows; one activity may stand for many by its quantity",
        )


def _elsewhere(routes: Sequence[BaseRoute]) -> Handler:
    async def elsewhere(request: Request) -> Response:
        path = request.url.path
        known = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
        methods = sorted({method for route in known for method in getattr(route, "methods", None) or ()})
        if methods:
            raise MethodNotAllowedError(f"{request.method} is not possible at {path}", methods=methods)
        raise RouteNotFoundError(f"nothing answers at {path}", fix="see /docs.json for what there is")

    return elsewhere


def _problem_handler(answers: Answers) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        kind, request_id = problem_kind(error), _request_id(request.scope)
        answers.count_problem(kind.slug)
        if kind.status >= 500:
            _logger.error("request %s: %s: %s", request_id, kind.slug, error)
        response = JSONResponse(
            problem(error, request_id=request_id),
            status_code=kind.status,
            media_type="application/problem+json",
        )
        if kind.retry_after:
            response.headers["Retry-After"] = str(kind.retry_after)
        if isinstance(error, MethodNotAllowedError):
            response.headers["Allow"] = ", ".join(error.methods)
        _add_headers(response.headers, request_id=request_id)
        return response

    return handle


async def _gone(_: Request, __: Exception) -> Response:
    """Nobody is left to read an answer."""
    return Response(status_code=400)


def _request_id(scope: Scope) -> str:
    """The name of a request, made when it is first asked for."""
    name: str = scope.setdefault("state", {}).setdefault("request_id", new_request_id())
    return name


def _add_headers(headers: MutableHeaders, *, request_id: str) -> None:
    headers["X-Request-ID"] = request_id
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
