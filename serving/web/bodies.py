"""Bodies of requests, read within limits of size and time.

Turns a request into the bytes of its body. Time rule: a body arrives within half a minute. Null rule: an
absent body is an empty one.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from serving.problems import BodyTooLargeError, MediaTypeError, SlowRequestError

__all__ = ["LARGEST_BODY", "json_body"]

LARGEST_BODY = 2 * 1024 * 1024
"""Bytes that a request body may hold."""

_SLOWEST_BODY = 30
"""Seconds in which the body must have arrived."""


async def json_body(request: Request) -> bytes:
    """The body, when it is announced as JSON, not too large and not too slow."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise MediaTypeError(
            "the body is not announced as JSON",
            got=media_type or "no Content-Type",
            allowed="application/json",
            fix="send the header Content-Type: application/json",
        )
    announced = request.headers.get("content-length", "")
    _require_small(int(announced) if announced.isdecimal() else 0)
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
