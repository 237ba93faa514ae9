"""The guard before every route: limits of the headers, and the gate.

Turns what answers a call into what answers a request. Time rule: none. Null rule: a route that needs no scope
holds no data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from serving.access.callers import mark_of
from serving.access.scopes import Scope
from serving.problems import HeadersTooLargeError, PathTooLongError
from serving.web.endpoint import Call
from serving.web.services import Services

__all__ = ["LARGEST_HEADERS", "LONGEST_PATH", "Handler", "guarded"]

LARGEST_HEADERS = 16 * 1024
"""Bytes of the path, the query and all headers together."""

LONGEST_PATH = 8 * 1024
"""Bytes of the path and the query, encoded as they were sent."""

Handler = Callable[[Request], Awaitable[Response]]


def guarded(
    handle: Callable[[Call], Awaitable[Response]],
    *,
    services: Services,
    needs: Scope | None,
    here: bool = False,
    signed: Callable[[Request], bool] | None = None,
) -> Handler:
    """What answers a request, once it may pass. needs: the scope that its key must have.

    here: whether nobody on this machine needs one. signed: whether a request needs none, because `handle`
    checks a signature.
    """

    async def answer(request: Request) -> Response:
        _require_small_headers(request)
        scope = None if signed is not None and signed(request) else needs
        caller = await services.access.admit(request, needs=scope, here=here)
        # For the log, which names keys by their prefix and people by a number.
        request.state.key = mark_of(caller) or None
        return await handle(Call(request, services, caller))

    return answer


def _require_small_headers(request: Request) -> None:
    scope = request.scope
    path = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    if path > LONGEST_PATH:
        raise PathTooLongError(
            "the path and the query are too long",
            got=f"{path:,} bytes",
            allowed=f"{LONGEST_PATH:,} bytes",
            fix="send a shorter path",
        )
    # As they are sent, each with a colon, a space and an end of line: many short ones are much to read, too.
    size = path + sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if size > LARGEST_HEADERS:
        raise HeadersTooLargeError(
            "the path and the headers are too large",
            got=f"{size:,} bytes",
            allowed=f"{LARGEST_HEADERS:,} bytes",
            fix="send fewer cookies",
        )
