"""The server's log: lines of JSON that name requests and nobody."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from in_process import ask, open_to_everybody
from server_process import Server, until
from small_workspace import account_id

from features.workspace import Workspace
from serving.holder import DeskHolder
from serving.log_lines import JsonLines, told


def line(message: str, **more: Any) -> dict[str, Any]:
    record = logging.LogRecord("spearfish", logging.ERROR, "file.py", 3, message, (), more.get("exc_info"))
    record.__dict__.update(more.get("extra", {}))
    found: dict[str, Any] = json.loads(JsonLines().format(record))
    return found


def test_a_line_holds_when_who_what_and_its_own_members() -> None:
    found = line("two\nlines", extra=told(request_id="r1", key=None))
    assert found["at"].endswith("Z")
    assert {name: found[name] for name in ("level", "logger", "message", "request_id")} == {
        "level": "error",
        "logger": "spearfish",
        "message": "two\nlines",
        "request_id": "r1",
    }
    assert "key" not in found


_RUNNER = """
import logging, sys
from pathlib import Path
from features.workspace import Workspace
from serving.jobs import running
running.Runner.run = lambda _: logging.getLogger("spearfish.jobs").error("of ann@customer.example")
running.run(Workspace(Path(sys.argv[1])))
"""


def test_a_runner_of_jobs_says_what_it_says_in_such_lines_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUNNER, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = json.loads(done.stderr)
    assert (done.stdout, found["logger"], found["level"]) == ("", "spearfish.jobs", "error")
    assert "ann@" not in found["message"]


def test_addresses_and_values_are_not_told() -> None:
    try:
        int("ann@customer.example")
    except ValueError:
        found = line("cannot reach ann@customer.example", exc_info=sys.exc_info())
    assert "ann@" not in json.dumps(found)
    assert found["error"] == "ValueError"
    assert "test_log_lines.py" in found["where"][0]


def test_a_request_is_told_by_its_route(company: Workspace, caplog: Any) -> None:
    holder = DeskHolder(company)
    holder.start()
    try:
        app = open_to_everybody(holder)
        with caplog.at_level(logging.INFO, logger="spearfish.requests"):
            answers = [
                ask(app, "GET", f"/v1/accounts/{account_id(7)}"),
                ask(app, "POST", "/v1/score", json={"lead": {"email": "ann@nobody.example"}}),
                ask(app, "GET", "/ann@customer.example"),
            ]
    finally:
        holder.stop()
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    assert [(one["route"], one["status"], one["request_id"]) for one in lines] == [
        ("/v1/accounts/{id}", answers[0].status_code, answers[0].headers["x-request-id"]),
        ("/v1/score", answers[1].status_code, answers[1].headers["x-request-id"]),
        ("/{path:path}", 404, answers[2].headers["x-request-id"]),
    ]
    assert "ann@" not in json.dumps(lines)


def test_everything_that_a_worker_says_is_json(server: Server, client: httpx.Client) -> None:
    name = client.get("/v1/model").headers["x-request-id"]

    def lines() -> list[dict[str, Any]]:
        whole = (text for text in server.log.read_text().splitlines(keepends=True) if text.endswith("\n"))
        return [json.loads(text) for text in whole if text.startswith("{")]

    # A line is written after its answer has left.
    until(lambda: name in {one.get("request_id") for one in lines()})
    assert any("release" in one["message"] for one in lines())
    assert "127.0.0.1:" not in json.dumps([one for one in lines() if one["logger"] == "spearfish.requests"])
