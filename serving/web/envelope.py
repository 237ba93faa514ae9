"""What every answer carries: the name of its request, and the security headers.

Turns the start of a response into one with these headers. Time rule: none. Null rule: a header that the
answer set itself is kept.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.scoring import new_request_id

__all__ = ["SECURITY_HEADERS", "Envelope", "add_headers", "request_id_of"]

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


class Envelope:
    """Gives every request a name, and every response that name and the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(MutableHeaders(scope=message), request_id=request_id_of(scope))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def request_id_of(scope: Scope) -> str:
    """The name of a request, made when it is first asked for."""
    name: str = scope.setdefault("state", {}).setdefault("request_id", new_request_id())
    return name


def add_headers(headers: MutableHeaders, *, request_id: str) -> None:
    """Add what every answer carries."""
    headers["X-Request-ID"] = request_id
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
