"""Nothing but our own routes.

Turns the application of BentoML around ours into one that is told when to begin and when to end, and answers
nothing. What else BentoML would serve, such as /schema.json, passes no gate and answers errors in another
shape. Time rule: none. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["OursAlone"]


class OursAlone:
    """ASGI middleware between BentoML's application and the one that `ours` gives."""

    def __init__(self, app: ASGIApp, *, ours: Callable[[], ASGIApp]) -> None:
        self._app, self._ours = app, ours()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answers = self._app if scope["type"] == "lifespan" else self._ours
        await answers(scope, receive, send)
