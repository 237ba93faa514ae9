"""Connections to those who send or read a byte now and then, and to those who speak no HTTP.

Turns uvicorn's protocol into one that waits for nobody for good: neither for the head of a request nor for an
answer to be read, each of which would hold a connection for as long as somebody likes. Bodies have limits of
their own (`serving.web.bodies`). Time rule: the event loop's clock. Null rule: who has sent nothing is told
nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from http import HTTPStatus
from typing import Any, cast

import h11
from starlette.datastructures import MutableHeaders
from uvicorn.protocols.http.h11_impl import H11Protocol

from serving import metrics
from serving.problems import (
    HeadersTooLargeError,
    MalformedHttpError,
    PathTooLongError,
    SlowRequestError,
    problem,
    problem_kind,
)
from serving.scoring import new_request_id
from serving.web.envelope import add_headers
from serving.web.guard import LONGEST_PATH

__all__ = ["PatientProtocol"]

_SLOWEST_HEAD = 20.0
"""Seconds in which the request line and the headers must have arrived."""

_TOO_LARGE = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE

_SLOWEST_READER = 60.0
"""Seconds in which a reader must make room for the next 64 kB."""


class PatientProtocol(H11Protocol):
    """One connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._head: asyncio.TimerHandle | None = None
        self._reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio promises a protocol any transport; uvicorn asks for one that is written to, as a socket is.
        super().connection_made(cast(asyncio.Transport, transport))
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._await_head()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader = self.loop.call_later(_SLOWEST_READER, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader is not None:
            self._reader.cancel()
        self._reader = None

    def send_400_response(self, msg: str) -> None:
        # uvicorn calls this where it has caught what h11 says, and tells only that it is wrong.
        if getattr(sys.exception(), "error_status_hint", None) == _TOO_LARGE:
            line, *_ = self.conn.trailing_data[0].split(b"\r\n", 1)
            self._refuse(_too_large(of_path=len(line) > LONGEST_PATH))
        else:
            self._refuse(MalformedHttpError(f"this is no HTTP request: {msg}", fix="send HTTP/1.1"))

    def _should_upgrade(self) -> bool:
        # Nothing here speaks WebSocket or h2c, and HTTP lets a server go on as it began: who asks gets the
        # answer, or the problem, of the same request without this wish.
        return False

    def _await_head(self) -> None:
        if self._head is None and not self.transport.is_closing():
            self._head = self.loop.call_later(_SLOWEST_HEAD, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
        self._head = None

    def _give_up(self) -> None:
        if self.conn.trailing_data[0]:
            late = "the headers did not arrive in time"
            self._refuse(SlowRequestError(late, allowed=f"{_SLOWEST_HEAD:g} seconds", fix="send it again"))
        self.transport.close()

    def _refuse(self, error: Exception) -> None:
        """Answer in place of the application, which has not heard of the request."""
        self._stop_waiting()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in _answer(error):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def _too_large(*, of_path: bool) -> Exception:
    if of_path:
        return PathTooLongError("the path and the query are too long", fix="send a shorter path")
    return HeadersTooLargeError("the path and the headers are too large", fix="send fewer cookies")


def _answer(error: Exception) -> tuple[h11.Response, h11.Data, h11.EndOfMessage]:
    kind, request_id = problem_kind(error), new_request_id()
    metrics.count_problem(kind.slug)
    body = json.dumps(problem(error, request_id=request_id)).encode()
    headers = MutableHeaders(
        {
            "Content-Type": "application/problem+json",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
    )
    add_headers(headers, request_id=request_id)
    response = h11.Response(status_code=kind.status, headers=headers.raw, reason=kind.title.encode())
    return response, h11.Data(data=body), h11.EndOfMessage()
