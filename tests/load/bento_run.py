"""A bento built, installed in an empty environment, and asked: what it answers is what the project answers.

Turns the project and a workspace into a bento, an environment with its locked requirements and nothing else,
a server started there from an empty folder, and answers compared to the bit with those computed without it.
Needs a package index. Time rule: none. Null rule: without --python an environment is made.

    PYTHONPATH=.:tests/serving:tests/load python tests/load/bento_run.py
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from markets import market_of, market_parser
from server_process import free_port, until
from truth import Truth

from features.workspace import Workspace
from serving.store import Store, predictions
from training.checks.results import ROOT

__all__ = ["asked", "built", "empty_environment"]

ACCOUNTS = 20


def built(home: Path) -> str:
    """The tag of a bento of this project. home: of BentoML, where it is put."""
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "build",
        "-f",
        "serving/bentofile.yaml",
        "--output",
        "tag",
        ".",
    ]
    told = os.environ | {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=True)
    return done.stdout.strip().removeprefix("__tag__:")


def empty_environment(folder: Path, *, requirements: Path) -> Path:
    """The Python of an environment that holds what a bento asks for, and nothing else."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    told = ["--quiet", "--no-deps", "--requirement", str(requirements)]
    subprocess.run([python, "-m", "pip", "install", *told], check=True, stdout=sys.stderr.fileno())
    return python


def asked(python: Path, tag: str, workspace: Workspace, *, home: Path, folder: Path) -> Mapping[str, Any]:
    """What a server of the bento answers. home: of BentoML; folder: empty, where it is started."""
    port, told = free_port(), {"BENTOML_HOME": str(home), "SPEARFISH_HOME": str(workspace.home.absolute())}
    command = [str(python), "-m", "bentoml", "serve", tag, "--host", "127.0.0.1", "--port", str(port)]
    environment = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(folder), **told}
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: server.poll() is not None or _is_ready(port), patience=900)
        assert server.poll() is None, log.read_text(encoding="utf-8")
        found = _answers(workspace, port)
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=60)
    return {**found, "kept": _kept(workspace, found["request_ids"]), "exit_code": code}


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _answers(workspace: Workspace, port: int) -> dict[str, Any]:
    with Truth(workspace) as truth, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        requests = [{"account_id": name} for name in truth.names(ACCOUNTS)]
        replies = [client.post("/v1/score", json=request).raise_for_status().json() for request in requests]
        wrong = [truth.wrong(*pair) for pair in zip(requests, replies, strict=True)]
        paths = ("/", "/docs.json", "/metrics", "/v1/model")
        statuses = {path: client.get(path).status_code for path in paths}
    names = [reply["request_id"] for reply in replies]
    return {
        "answers": len(replies),
        "wrong": sum(map(bool, wrong)),
        "statuses": statuses,
        "request_ids": names,
    }


def _kept(workspace: Workspace, names: list[str]) -> int:
    """How many of the answers are in the log once the server has ended."""
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        return sum(predictions.find(connection, request_id=name) is not None for name in names)


def main() -> None:
    """The command."""
    parser = market_parser(__doc__, accounts=1_000)
    parser.add_argument("--python", type=Path, help="of an environment with serving/requirements.txt")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, requirements = Path(name), ROOT / "serving" / "requirements.txt"
        workspace = market_of(given, folder=folder)
        python = given.python or empty_environment(folder / "environment", requirements=requirements)
        empty = folder / "empty"
        empty.mkdir()
        tag = built(folder / "bentoml")
        told = asked(python.absolute(), tag, workspace, home=folder / "bentoml", folder=empty)
    shown = {name: value for name, value in told.items() if name != "request_ids"}
    sys.stdout.write(json.dumps({"bento": tag, **shown}, indent=1) + "\n")
    right = told["wrong"] == 0 and told["kept"] == told["answers"] and told["exit_code"] == 0
    sys.exit(0 if right and set(told["statuses"].values()) == {200} else 1)


if __name__ == "__main__":
    main()
