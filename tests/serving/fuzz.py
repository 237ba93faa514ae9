"""Fuzzes a real server from its own OpenAPI document; `python tests/serving/fuzz.py --max-examples 500`.

Turns a workspace into a server with a key, asks it through schemathesis as `schemathesis.toml` says, and ends
with its exit code: 0 when nothing was found. Whatever route the document holds is fuzzed. Options go to
schemathesis: `--mode all` walks through every valid value of every field as well (some 20 minutes), `--seed`
repeats a run. Time rule and null rule: none.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import small_workspace
from server_process import Server, running

from features.workspace import Workspace
from serving.access.managing import create_key
from serving.access.scopes import SCOPES
from serving.scoring import utc_now
from serving.store import Store

__all__ = ["all_scopes", "fuzz"]

_HERE = Path(__file__).parent
_MANY = 1_000_000
"""Requests that the key may make in a minute."""


def all_scopes(workspace: Workspace) -> str:
    """A key that may do everything, as often as it likes."""
    now = utc_now()
    with Store.open(workspace.store_url) as store:
        return create_key(
            store, owner="fuzzing", scopes=list(SCOPES), who="test", now=now, per_minute=_MANY
        ).text


def fuzz(server: Server, *, key: str, folder: Path, options: Sequence[str]) -> int:
    """The exit code of schemathesis. folder: where its cache may lie. What it finds goes to our output."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(_HERE / "schemathesis.toml")]
    environment = os.environ | {"SPEARFISH_FUZZ_KEY": key, "PYTHONPATH": f"{_HERE}:{_HERE.parents[1]}"}
    asked = [*command, "run", f"{server.url}/docs.json", *options]
    return subprocess.run(asked, cwd=folder, env=environment, check=False).returncode


def _fuzz_a_new_one(options: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = small_workspace.build_workspace(folder)
        key = all_scopes(workspace)
        with running(workspace, log=folder / "log") as server:
            return fuzz(server, key=key, folder=folder, options=options)


if __name__ == "__main__":
    raise SystemExit(_fuzz_a_new_one(sys.argv[1:]))
