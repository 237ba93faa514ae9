"""One HTTP connection that costs next to nothing: the load generator must not be what is measured.

Turns the bytes of a request into the status, the headers and the body of its reply, one at a time over a
connection that stays open. A full client takes as much processor time for a request as the empty endpoint
that answers are compared with; this one a tenth of it. Time rule: a reply's seconds are those from its
sending, or from the moment at which it was due. Null rule: a connection that ends before the reply is whole
raises ConnectionError.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Reply", "Wire", "request_bytes"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. sent_at: by the monotonic clock; seconds: until the whole reply was there."""

    status: int
    head: bytes
    body: bytes
    sent_at: float
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The value of a header, None where it is absent."""
        found = re.search(rb"\r\n%s: *([^\r]*)" % name.encode(), self.head, re.IGNORECASE)
        return found[1].decode() if found else None


def request_bytes(
    method: str, path: str, *, body: Any = None, headers: dict[str, str] | None = None
) -> bytes:
    """A request as it goes over the wire. body: what is sent as JSON; None for no body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is None:
        return "\r\n".join([*lines, "", ""]).encode()
    text = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
    return "\r\n".join([*lines, "", ""]).encode() + text


class Wire(asyncio.Protocol):
    """A connection. One request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[tuple[int, bytes, bytes]] | None = None
        self._buffer = bytearray()
        self._whole = -1

    @classmethod
    async def opened(cls, port: int) -> Self:
        """A connection to this machine. Raises ConnectionError."""
        _, wire = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return wire

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes, *, due: float | None = None) -> Reply:
        """The reply. due: when it should have been sent, by the monotonic clock. Raises ConnectionError."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        sent_at = time.monotonic() if due is None else due
        self._reply = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        status, head, body = await self._reply
        return Reply(status, head, body, sent_at, time.monotonic() - sent_at)

    def close(self) -> None:
        """Let go of the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(ConnectionResetError(str(exc or "the server closed the connection")))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if self._whole < 0:
            end = buffer.find(_END)
            if end < 0:
                return
            length = _LENGTH.search(buffer, 0, end)
            self._whole = end + len(_END) + (int(length[1]) if length else 0)
        if len(buffer) >= self._whole and self._reply is not None:
            self._give(self._reply)

    def _give(self, waiting: asyncio.Future[tuple[int, bytes, bytes]]) -> None:
        found = bytes(self._buffer[: self._whole])
        self._buffer.clear()
        self._whole = -1
        head, _, body = found.partition(_END)
        if not waiting.done():
            waiting.set_result((int(head[9:12]), head, body))
