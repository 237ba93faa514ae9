"""Nothing but our own routes, and the health of BentoML.

Turns the application of BentoML around ours into one that answers three paths itself. What else BentoML would
serve, such as /schema.json, passes no gate and answers errors in another shape. Time rule: none. Null rule:
none.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["HEALTH", "OursAlone"]

HEALTH = ("/healthz", "/livez", "/readyz")
"""What load balancers and orchestrators ask without a key."""

_READS = ("GET", "HEAD")


class OursAlone:
    """ASGI middleware between BentoML's application and the one that `ours` gives."""

    def __init__(self, app: ASGIApp, *, ours: Callable[[], ASGIApp]) -> None:
        self._app, self._ours = app, ours()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        health = scope["type"] == "http" and scope["path"] in HEALTH and scope["method"] in _READS
        answers = self._app if health or scope["type"] == "lifespan" else self._ours
        await answers(scope, receive, send)
