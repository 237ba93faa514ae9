"""Requests as no browser sends them, byte for byte: each gets a problem, none leaves a trace in the log."""

from __future__ import annotations

import gzip
import json
import re
import socket

import httpx
import pytest
from server_process import Server

from serving.web.endpoint import Endpoint
from serving.web.routes import ENDPOINTS


def said(server: Server, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to these very bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body


LAST = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
UPGRADE = (
    b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyEhIQ==\r\n"
)


@pytest.mark.parametrize(
    ("line", "rest", "status", "slug"),
    [
        (b"GET /v1/nothing", UPGRADE, 404, "not-found"),
        (b"GET /v1/score", UPGRADE, 405, "method-not-allowed"),
        (b"GET /v1/accounts/nobody", UPGRADE, 404, "unknown-account"),
        (b"OPTIONS /v1/score", LAST, 405, "method-not-allowed"),
        (b"OPTIONS *", LAST, 404, "not-found"),
        (b"TRACE /v1/score", LAST, 405, "method-not-allowed"),
        (b"BREW /v1/score", LAST, 405, "method-not-allowed"),
        (b"CONNECT 127.0.0.1:80", LAST, 404, "not-found"),
        (b"DELETE /readyz", LAST, 405, "method-not-allowed"),
        (b"GET http://127.0.0.1/v1/nothing", LAST, 404, "not-found"),
        (b"GET /v1/accounts/a%2Fb%00", LAST, 404, "unknown-account"),
        (b"GET /v1/accounts/%FF%2e%2e", LAST, 404, "unknown-account"),
        (b"GET /v1%2Fscore", LAST, 405, "method-not-allowed"),
        (b"GET //v1//score", LAST, 404, "not-found"),
        (b"GET /v1/../../etc/passwd", LAST, 404, "not-found"),
        (b"GET /" + b"a" * 9_000, LAST, 414, "path-too-long"),
        (b"GET /v1/model?" + b"a" * 9_000, LAST, 414, "path-too-long"),
        (b"GET /v1/model", LAST + b"X: y\r\n" * 5_000, 431, "headers-too-large"),
        (
            b"GET /v1/model",
            LAST + b"Content-Length: 0\r\nContent-Length: 1\r\n",
            400,
            "malformed-http",
        ),
        (b"GET /v1/mo\xc3\xb6del", LAST, 400, "malformed-http"),
    ],
    ids=lambda value: value[:40].decode(errors="replace") if isinstance(value, bytes) else str(value),
)
def test_odd_requests_get_a_problem_and_leave_no_trace(
    server: Server, line: bytes, rest: bytes, status: int, slug: str
) -> None:
    found, headers, body = said(server, line + rest + b"\r\n")
    assert (found, headers["content-type"]) == (status, "application/problem+json")
    assert ("allow" in headers) == (status == 405)
    problem = json.loads(body)
    assert (problem["status"], problem["type"]) == (status, f"urn:spearfish:problem:{slug}")
    assert "Traceback" not in server.log.read_text()


def test_head_is_get_without_a_body(server: Server, client: httpx.Client) -> None:
    for path in ("/", "/docs.json", "/v1/model", "/livez", "/v1/nothing", "/v1/score"):
        found, headers, body = said(server, b"HEAD " + path.encode() + LAST + b"\r\n")
        told = client.get(path)
        assert (found, body) == (told.status_code, b"")
        assert headers["content-type"] == told.headers["content-type"]


JSON = {"Content-Type": "application/json"}
READ_JSON = [one for one in ENDPOINTS if one.operation.body is not None]
POISON = {
    "brackets": (b"[" * 100_000, {400}),
    "deep": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, {400}),
    "NaN": (b'{"account_id": NaN}', {400}),
    "infinity": (b'{"account_id": -Infinity}', {400}),
    "too large for a number": (b'{"account_id": 1e999}', {422}),
    "half a character": (b'{"account_id": "\\ud800"}', {400, 422}),
    "a control character": (b'{"account_id": "a\x00"}', {400}),
    "nothing but zeros": (bytes(100), {400}),
    "a byte order mark": (b"\xef\xbb\xbf{}", {400}),
    "UTF-16": ('{"account_id": "acc-00"}'.encode("utf-16"), {400}),
    "compressed": (gzip.compress(b'{"account_id": "acc-00"}'), {400}),
    "twice": (b'{"account_id": "acc-00", "account_id": "acc-01"}', {400}),
    "unknown fields": (b'{"surprise": {"__proto__": 1}}', {422}),
    "10 MB": (b'"' + b"a" * (10 * 1024 * 1024) + b'"', {413}),
}


@pytest.mark.parametrize("endpoint", READ_JSON, ids=lambda endpoint: endpoint.operation.name)
def test_no_endpoint_takes_poison(server: Server, client: httpx.Client, endpoint: Endpoint) -> None:
    path = re.sub(r"\{\w+\}", "1", endpoint.path)
    answers = {
        name: client.request(endpoint.method, path, content=body, headers=JSON)
        for name, (body, _) in POISON.items()
    }
    wrong = {name: one.text for name, one in answers.items() if one.status_code not in POISON[name][1]}
    assert not wrong
    assert {one.headers["content-type"] for one in answers.values()} == {"application/problem+json"}
    assert "Traceback" not in server.log.read_text()


def test_half_a_character_is_refused_in_its_row(client: httpx.Client) -> None:
    rows = b'{"accounts": [{"account_id": "\\ud800"}, {"account_id": "acc-00"}]}'
    told = client.post("/v1/score/batch", content=rows, headers=JSON)
    assert (told.status_code, told.json()["succeeded"]) == (200, 1)
    assert told.json()["results"][0]["problem"]["status"] == 422
