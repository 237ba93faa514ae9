"""Health: what load balancers and orchestrators ask, without a key and whoever they are.

Turns what a worker consists of into `/livez` (also `/healthz`) and `/readyz`: 200, or the problem that says
why not. These are asked every few seconds, so that an answer is counted, but neither logged nor counted among
the problems. Time rule: none. Null rule: a worker without parts is sound and ready.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from features.errors import SpearfishError
from serving.web.envelope import request_id_of
from serving.web.problem_answers import problem_answer

__all__ = ["HEALTH", "Vital", "health_routes"]

HEALTH = ("/healthz", "/livez", "/readyz")
"""Their paths."""


class Vital(Protocol):
    """A part that a worker cannot do without. Neither call waits for anything."""

    def require_alive(self) -> None:
        """Raise WorkerBrokenError when the worker must be replaced."""

    def require_ready(self) -> None:
        """Raise the reason, a 503, when no request can be answered yet."""


def health_routes(parts: Sequence[Vital]) -> list[Route]:
    """The routes. parts: of the worker, whose first fault is told."""
    alive = _asked([part.require_alive for part in parts])
    ready = _asked([part.require_ready for part in parts])
    return [Route(path, ready if path == "/readyz" else alive, name=path[1:]) for path in HEALTH]


def _asked(requirements: Sequence[Callable[[], None]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            for require in requirements:
                require()
        except SpearfishError as error:
            return problem_answer(error, request_id=request_id_of(request.scope))
        return PlainTextResponse("\n")

    return answer
