"""Who sends or reads a byte now and then, or no HTTP at all, holds no connection for good."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import repeat
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn import Config
from uvicorn.server import ServerState

from serving.answers import ProblemDetails
from serving.web import connections
from serving.web.connections import PatientProtocol

Told = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]

LIMIT = 0.2
GET = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"


async def pause(seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), timeout=seconds)


async def slow(request: Request) -> Response:
    body = await request.body()
    await pause(2 * LIMIT)
    return JSONResponse({"bytes": len(body)})


async def large(_: Request) -> Response:
    return StreamingResponse(repeat(b"x" * 65_536, 1_000))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SLOWEST_HEAD", LIMIT)
    monkeypatch.setattr(connections, "_SLOWEST_READER", LIMIT)


def told(talk: Told) -> tuple[Any, ServerState]:
    """What a client makes of a server with this protocol, and the server's state when all have gone."""
    app = Starlette(routes=[Route("/slow", slow, methods=["GET", "POST"]), Route("/large", large)])
    config, state = Config(app, log_config=None), ServerState()
    config.load()

    async def served() -> Any:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: PatientProtocol(config, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            async with asyncio.timeout(20):
                found = await talk(reader, writer)
                while state.connections or state.tasks:
                    await pause(0.01)
        finally:
            server.close()
            writer.close()
        return found

    return asyncio.run(served()), state


def trickled(*parts: bytes) -> Told:
    """Send parts a while apart, and read to the end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        answer = asyncio.ensure_future(reader.read())
        for part in parts:
            writer.write(part)
            await asyncio.wait({answer}, timeout=LIMIT / 3)
        return await answer

    return talk


def problem_of(answer: bytes) -> tuple[int, ProblemDetails]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"x-content-type-options: nosniff" in head.lower()
    return int(head.split()[1]), ProblemDetails.model_validate(json.loads(body))


def test_headers_that_trickle_are_given_up() -> None:
    answer, _ = told(trickled(GET[:9], *(b"a" for _ in range(30))))
    status, problem = problem_of(answer)
    assert (status, problem.type) == (408, "urn:spearfish:problem:request-timeout")
    assert problem.detail.startswith("the headers did not arrive in time")


def test_who_sends_nothing_is_told_nothing() -> None:
    assert told(trickled())[0] == b""


def test_the_next_request_of_a_connection_has_no_more_time() -> None:
    answer, _ = told(trickled(GET, b"", b"", b"", b"", b"", b"", b"", *(b"G" for _ in range(30))))
    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200")
    assert second.startswith(b"408")


def test_what_is_no_http_is_told_as_every_problem_is() -> None:
    answer, _ = told(trickled(b"\x16\x03\x01 nonsense\r\n\r\n"))
    status, problem = problem_of(answer)
    assert (status, problem.type) == (400, "urn:spearfish:problem:malformed-http")


def test_headers_without_an_end_are_too_large() -> None:
    status, problem = problem_of(told(trickled(GET[:-2] + b"Cookie: " + b"c" * 100_000))[0])
    assert (status, problem.type) == (431, "urn:spearfish:problem:headers-too-large")


def test_a_path_without_an_end_is_too_long() -> None:
    status, problem = problem_of(told(trickled(b"GET /" + b"a" * 100_000))[0])
    assert (status, problem.type) == (414, "urn:spearfish:problem:path-too-long")


def test_a_path_with_an_end_is_too_long_though_headers_go_on() -> None:
    path = b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nCookie: " + b"c" * 60_000
    status, problem = problem_of(told(trickled(path))[0])
    assert (status, problem.type) == (414, "urn:spearfish:problem:path-too-long")


@pytest.mark.parametrize("wish", [b"websocket", b"h2c"])
def test_who_wishes_another_protocol_is_answered_in_this_one(
    wish: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    asked = GET[:-2] + b"Connection: Upgrade\r\nUpgrade: " + wish + b"\r\n"
    if wish == b"websocket":
        asked += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyEhIQ==\r\n"
    answer, state = told(trickled(asked + b"\r\n"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'{"bytes":0}')
    assert not state.connections
    assert not [said for said in caplog.records if said.levelno >= logging.WARNING]


def test_a_body_that_is_no_body_ends_the_connection_alone() -> None:
    chunked = b"POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
    assert problem_of(told(trickled(chunked))[0])[0] == 400


def test_bodies_and_work_may_take_longer_than_headers() -> None:
    last = b"Connection: close\r\n\r\n"
    parts = (POST[:-2] + last, b"", b"", b"", b"", b"{", b"", b"}")
    answer, _ = told(trickled(*parts))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'{"bytes":2}')


def test_who_does_not_read_is_hung_up_on() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        writer.transport.pause_reading()
        with suppress(ConnectionError):
            await writer.drain()

    _, state = told(talk)
    assert not state.connections, "and nobody waits for room any more"


def test_who_reads_slowly_gets_everything() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        size = 0
        while part := await reader.read(1_000_000):
            size += len(part)
            await pause(LIMIT / 20)
        return size

    assert told(talk)[0] > 65_536_000
