"""A real server whose clients go away, whose store is locked or has no room, and whose worker is killed.

It keeps answers durably: what it acknowledged must be there afterwards.
"""

from __future__ import annotations

import re
import resource
import shutil
import socket
import sqlite3
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count

import httpx
import psutil
import pytest
from server_process import Server, running, until
from small_workspace import account_id

from features.workspace import Workspace
from serving.answers import ProblemDetails

PATIENCE = 2
BODY = b'{"account_id": "acc-20"}'
HEAD = (
    b"POST /v1/score HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
_numbers = count()


@pytest.fixture(scope="module")
def server(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("faults")
    shutil.copytree(company.home, folder / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPEARFISH_LOG", "durable")
        patch.setenv("SPEARFISH_LOG_PATIENCE", str(PATIENCE))
        patch.setenv("SPEARFISH_JOB_RUNNER", "no")
        with running(Workspace(folder / "workspace"), log=folder / "log") as started:
            yield started
            assert started.stop() == 0


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as opened:
        yield opened


def worker(server: Server) -> psutil.Process:
    """The process that answers: the youngest of those that listen."""
    family = psutil.Process(server.process.pid).children(recursive=True)
    listening = [one for one in family if "_bentoml_impl.worker.service" in " ".join(one.cmdline())]
    return max(listening, key=psutil.Process.create_time)


def score(client: httpx.Client, number: int = 20) -> httpx.Response:
    return client.post("/v1/score", json={"account_id": account_id(number)})


def say(client: httpx.Client, number: int = 20, *, name: str | None = None) -> httpx.Response:
    headers = {} if name is None else {"Idempotency-Key": name}
    said = {"account_id": account_id(number), "verdict": "accepted"}
    return client.post("/v1/feedback", json=said, headers=headers)


def send(client: httpx.Client) -> httpx.Response:
    visit = {"activity_id": f"visit-{next(_numbers)}", "account_id": account_id(21), "channel": "web_visit"}
    row = visit | {"direction": "inbound", "occurred_at": "2026-03-01T10:00:00Z"}
    return client.post("/v1/activities", json={"activities": [row]})


def require_try_again(*responses: httpx.Response) -> None:
    for response in responses:
        assert response.status_code == 503, response.text
        assert int(response.headers["retry-after"]) > 0
        assert ProblemDetails.model_validate(response.json()).status == 503


def require_kept(client: httpx.Client, *answered: httpx.Response) -> None:
    """What was acknowledged is in the store."""
    for one in answered:
        name = one.raise_for_status().json()["request_id"]
        assert client.get(f"/v1/predictions/{name}").status_code == 200, name


def figure(client: httpx.Client, name: str) -> float:
    found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def reset(connection: socket.socket) -> None:
    """Go away without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_clients_that_go_away_leave_nothing_behind(server: Server, client: httpx.Client) -> None:
    """In the middle of headers, of a body, and before their answer; closing or without a word."""
    whole = HEAD % len(BODY) + BODY
    for sent in (HEAD[:40], HEAD % 500 + BODY, whole):
        for leave in (socket.socket.close, reset):
            for _ in range(5):
                connection = connected(server)
                connection.sendall(sent)
                leave(connection)
    until(lambda: figure(client, "spearfish_requests_in_progress") == 1, patience=20)
    assert figure(client, "spearfish_requests_computing") == 0
    assert 'problem="internal-error"' not in client.get("/metrics").text
    assert "Traceback" not in server.log.read_text()
    require_kept(client, score(client))


def test_what_is_no_http_is_told_as_a_problem(server: Server) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(b"\x16\x03\x01\x00 no HTTP\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert ProblemDetails.model_validate_json(body).type.endswith(":malformed-http")


def test_while_the_store_is_locked_who_writes_is_told_to_try_again(
    server: Server, client: httpx.Client
) -> None:
    before = score(client)
    with (
        closing(sqlite3.connect(server.workspace.home / "store.db")) as other,
        ThreadPoolExecutor(8) as together,
    ):
        other.execute("BEGIN IMMEDIATE")
        writing = [together.submit(say, client, 22, name="once"), together.submit(send, client)]
        refused = [together.submit(score, client, number) for number in (20, 23, 24)]
        # Who only reads waits for nobody.
        require_kept(client, before)
        assert client.get("/v1/accounts/acc-20").status_code == 200
        assert not any(one.done() for one in writing)
        require_try_again(*(one.result() for one in (*refused, *writing)))
        other.rollback()
    require_kept(client, score(client, 23), score(client, 24))
    first, again = say(client, 22, name="once"), say(client, 22, name="once")
    assert (first.status_code, again.json()) == (201, first.json())
    assert len(client.get("/v1/accounts/acc-22").json()["feedback"]) == 1


@contextmanager
def no_room(process: psutil.Process) -> Iterator[None]:
    """The process may write nothing beyond the first bytes of any file."""
    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (512, hard))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, hard))


def test_without_room_on_the_disk_nothing_is_acknowledged_that_is_lost(
    server: Server, client: httpx.Client
) -> None:
    kept, said = [score(client)], say(client, 25).raise_for_status().json()["id"]
    with no_room(worker(server)):
        require_try_again(score(client), score(client, 26), say(client, 25), send(client))
        require_kept(client, *kept)
        assert client.get("/v1/model").status_code == 200
        assert client.get("/livez").status_code == 200
    kept += [score(client), score(client, 26)]
    require_kept(client, *kept)
    assert send(client).raise_for_status().json()["accepted"] == 1
    assert [one["id"] for one in client.get("/v1/accounts/acc-25").json()["feedback"]] == [said]
    with closing(sqlite3.connect(server.workspace.home / "store.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_killed_worker_is_replaced_and_loses_nothing_that_it_acknowledged(
    server: Server, client: httpx.Client
) -> None:
    gone = worker(server)
    answered: list[httpx.Response] = []
    said: list[tuple[str, httpx.Response]] = []

    def ask_again_and_again(thread: int) -> None:
        with httpx.Client(base_url=server.url, timeout=60) as own:
            for number in range(10_000):
                name = f"{thread}-{number}"
                try:
                    answered.append(score(own, 30 + number % 20))
                    said.append((name, say(own, 30 + thread, name=name)))
                except httpx.TransportError:
                    return

    with ThreadPoolExecutor(4) as together:
        asking = [together.submit(ask_again_and_again, thread) for thread in range(4)]
        until(lambda: len(said) > 20)
        gone.kill()
        for one in asking:
            one.result()
    until(lambda: server.status("/readyz") == 200)
    assert worker(server).pid != gone.pid
    require_kept(client, *answered)
    for name, first in said:
        again = say(client, int(name.split("-")[0]) + 30, name=name)
        assert (again.headers["idempotency-replayed"], again.json()) == ("true", first.json())
    with closing(sqlite3.connect(server.workspace.home / "store.db")) as store:
        rows = store.execute(
            "SELECT id FROM feedback WHERE account_id BETWEEN 'acc-30' AND 'acc-33'"
        ).fetchall()
    assert {first.json()["id"] for _, first in said} <= {row[0] for row in rows}
    assert len(rows) <= len(said) + 4, "each thread may have had one on its way"
