"""People at a real server with two workers: whoever is disabled is out at once, and no log holds a secret."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from server_process import Server, running

from features.workspace import Workspace

OWN = {"Sec-Fetch-Site": "same-origin"}


def spearfish(home: Path, *arguments: str) -> Any:
    """A command, as whoever runs the service types it."""
    command = [sys.executable, "-c", "from training.cli import main; main()", *arguments, "--json"]
    done = subprocess.run(
        [*command, "--workspace", str(home)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers in front of a workspace without tables: there is nothing to score, and people sign in."""
    folder = tmp_path_factory.mktemp("people")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "postgresql":
            patch.setenv("SPEARFISH_STORE_URL", request.getfixturevalue("people_server"))
        with running(
            Workspace(folder / "workspace"), log=folder / "log", ready=503, workers=2, jobs=False
        ) as made:
            yield made


def link_of(server: Server, *arguments: str) -> str:
    made = spearfish(server.workspace.home, "users", *arguments)
    link: str = made["link"]
    return link.rpartition("/")[2]


def sign_in(server: Server, token: str) -> tuple[httpx.Response, dict[str, str]]:
    """The answer, and what every later request of this browser brings."""
    answer = httpx.post(f"{server.url}/v1/session", json={"token": token}, headers=OWN, timeout=60)
    if answer.is_error:
        return answer, {}
    cookie = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    return answer, OWN | {"Cookie": cookie, "X-CSRF-Token": answer.json()["csrf_token"]}


def statuses(
    server: Server, headers: dict[str, str], *, method: str = "GET", path: str = "/v1/session"
) -> set[int]:
    """Of many requests, each over a connection of its own, so that both workers are asked."""

    def ask(_: int) -> int:
        return httpx.request(method, server.url + path, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(8) as threads:
        return set(threads.map(ask, range(32)))


def test_people_come_and_go(server: Server) -> None:
    """From a service that is open on this machine to one that nobody passes without signing in."""
    home = server.workspace.home
    assert statuses(server, {}) == {200}, "no key and no person: this machine may ask"
    assert httpx.get(f"{server.url}/v1/session").json()["kind"] == "local"
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    assert statuses(server, forwarded) == {403}

    token = link_of(server, "invite", "Ann", "--role", "approver")
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: sign_in(server, token), range(2)))
    assert sorted(answer.status_code for answer, _ in both) == [201, 410], "once, even of two at once"
    ann = next(headers for answer, headers in both if headers)
    assert statuses(server, ann) == {200}, "both workers know who signed in at one of them"
    assert statuses(server, {}) == {401}
    assert statuses(server, forwarded) == {401}
    assert statuses(server, ann | {"Sec-Fetch-Site": "cross-site"}, method="POST", path="/v1/score") == {403}

    _, view = sign_in(server, link_of(server, "invite", "Vi", "--role", "viewer"))
    assert statuses(server, view, path="/v1/lists") == {200}
    assert statuses(server, view, method="POST", path="/v1/lists") == {403}
    assert 403 not in statuses(server, ann, method="POST", path="/v1/lists")

    spearfish(home, "users", "role", "Ann", "viewer")
    assert statuses(server, ann, method="POST", path="/v1/lists") == {403}
    spearfish(home, "users", "disable", "Ann")
    assert statuses(server, ann) == {401}
    assert statuses(server, view) == {200}
    assert httpx.delete(f"{server.url}/v1/session", headers=view).json() == {"signed_out": True}
    assert statuses(server, view) == {401}

    log = server.log.read_text()
    assert "person-1" in log
    for secret in (token, ann["Cookie"].partition("=")[2], ann["X-CSRF-Token"], view["X-CSRF-Token"]):
        assert secret not in log


def test_over_https_the_cookie_is_for_https_and_this_host_alone(server: Server) -> None:
    """A proxy says that the browser speaks HTTPS."""
    token = link_of(server, "invite", "Hi", "--role", "viewer")
    answer = httpx.post(
        f"{server.url}/v1/session",
        json={"token": token},
        headers=OWN
        | {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7", "Host": "scores.example"},
    )
    told = answer.headers["set-cookie"]
    assert told.startswith("__Host-spearfish=")
    assert {part.strip().lower() for part in told.split(";")[1:]} == {
        *("httponly", "secure", "path=/", "samesite=strict"),
        "max-age=2592000",
    }
