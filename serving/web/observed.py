"""What each request leaves behind: its time and its status in the metrics, and a line in the log.

Turns requests into figures by route, never by path: a path names an account, and there are as many as there
are accounts. Time rule: seconds from the first byte that the application sees to the last that it sends. Null
rule: a request that no route answers counts under the route that refuses it.
"""

from __future__ import annotations

import logging
import sys
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import metrics
from serving.log_lines import told
from serving.web.envelope import request_id_of
from serving.web.health import HEALTH

__all__ = ["Observed"]

_logger = logging.getLogger("spearfish.requests")


class Observed:
    """Measures every request and tells of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with metrics.in_progress():
            try:
                await self._app(scope, receive, noted)
            finally:
                # What nobody foresaw is answered further out, by the application's own handler.
                unforeseen = 0 if sys.exc_info()[0] is None else 500
                _tell(scope, status=status or unforeseen, seconds=time.perf_counter() - started)


def _tell(scope: Scope, *, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "")
    metrics.count_request(route=route, method=scope["method"], status=status, seconds=seconds)
    if route not in HEALTH and _logger.isEnabledFor(logging.INFO):
        members = told(
            request_id=request_id_of(scope),
            method=scope["method"],
            route=route,
            status=status,
            milliseconds=round(seconds * 1e3, 1),
            key=scope.get("state", {}).get("key"),
        )
        _logger.info("answered" if status else "the client went away", extra=members)
