"""Starting the service: `serve` runs BentoML on a workspace until it is interrupted.

Turns a workspace, a host and a port into a running server. While there is no API key and nobody was ever
invited it listens to this machine alone. Time rule: none. Null rule: none.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType

from features.errors import ConfigError, WorkspaceError
from features.workspace import Workspace
from serving.access.local import is_loopback
from serving.jobs.running import supervised
from serving.jobs.settings import RUNNER, JobSettings
from serving.log.settings import LogSettings
from serving.store import Store, keys, people

__all__ = ["access_notice", "command", "environment", "serve"]

SERVICE = "serving.service:SpearfishService"


def serve(workspace: Workspace, *, host: str = "127.0.0.1", port: int = 3000, workers: int = 1) -> int:
    """Serve until SIGINT or SIGTERM; returns the server's exit code, 0 after an orderly end.

    Requests in flight are answered before it ends. Raises ConfigError when the port is taken, the address is
    not ours, or is one for others while there are neither keys nor people.
    """
    # Said here and at once rather than by each worker.
    LogSettings.from_environment()
    settings = JobSettings.from_environment()
    _require_free(host, port)
    access_notice(workspace, host=host)
    # The server's log goes to standard error: standard output belongs to the command that serves.
    server = subprocess.Popen(
        command(host=host, port=port), env=environment(workspace, workers=workers), stdout=sys.stderr.fileno()
    )
    with _forwarding(server), supervised(workspace) if settings.runner else nullcontext():
        code = server.wait()
    return 0 if code in (0, -signal.SIGINT, -signal.SIGTERM) else code


def access_notice(workspace: Workspace, *, host: str) -> str:
    """Who will be answered, in one sentence.

    Raises ConfigError for other machines where there are neither keys nor people, WorkspaceError where that
    cannot be known.
    """
    local = is_loopback(host)
    try:
        needed = _needed(workspace)
    except WorkspaceError as error:
        if not local:
            raise
        return f"Nobody is answered until the store can be read: {error}"
    if not needed and not local:
        raise ConfigError(
            "without an API key the service listens to this machine alone",
            got=host,
            allowed="127.0.0.1, ::1 or localhost",
            fix="make a key first: spearfish keys create NAME --scope score",
        )
    if not needed:
        return "No API key is configured: only this machine is answered. `spearfish keys create` makes one."
    if local:
        return f"Requests need {needed}."
    return f"Requests need {needed}. Nothing is encrypted here: put a reverse proxy with HTTPS before it."


def _needed(workspace: Workspace) -> str:
    """What a request needs; empty while no key was ever made and nobody was ever invited."""
    workspace.home.mkdir(parents=True, exist_ok=True)
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        anybody = bool(people.every_user(connection))
        if not (anybody or keys.every_key(connection)):
            return ""
    return "an API key, or somebody who is signed in" if anybody else "an API key"


def command(*, host: str, port: int) -> list[str]:
    """The command that runs BentoML."""
    root = str(Path(__file__).parent.parent)
    return [
        *(sys.executable, "-m", "bentoml", "serve", SERVICE),
        *("--host", host, "--port", str(port), "--working-dir", root),
    ]


def environment(workspace: Workspace, *, workers: int = 1) -> dict[str, str]:
    """The environment of the server: its workspace, its BentoML home, and no phoning home."""
    workspace.bentoml_home.mkdir(parents=True, exist_ok=True)
    return os.environ | {
        "SPEARFISH_HOME": str(workspace.home.absolute()),
        "SPEARFISH_WORKERS": str(workers),
        "BENTOML_HOME": str(workspace.bentoml_home.absolute()),
        "BENTOML_DO_NOT_TRACK": "True",
        "OMP_NUM_THREADS": "1",
        # Whoever serves runs one itself.
        RUNNER: "no",
    }


def _require_free(host: str, port: int) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"cannot listen on {host}, port {port}",
            got=getattr(error, "strerror", None) or error,
            allowed="an address of this machine and a free port up to 65535",
            fix="stop what uses the port, or choose another one with --port",
        ) from error


@contextmanager
def _forwarding(server: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass SIGINT and SIGTERM on. A terminal sends SIGINT to both; the server takes two for one."""

    def forward(number: int, _: FrameType | None) -> None:
        server.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
