"""A process that has imported everything and forks: each child is one work, there to be killed.

Turns descriptions of works (JSON, one a line) into children within milliseconds, where a new interpreter
would import for seconds; a child may be killed after a time, or just before one of its steps in the file
system or in a database, before one of its commits or after it. Time rule: none. Null rule: a work without a
moment is not killed.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol, Self

from sqlalchemy import Engine, Pool, event

from training.checks.results import ROOT, write_result
from training.console import Output

__all__ = ["Forge", "kill_command", "serve"]

Work = Mapping[str, Any]
Ready = Callable[[], int]
"""A work that only has to be done; returns its exit code."""


class Forge:
    """The process. module: of ours, which calls `serve` when it is run with `arguments`.

    leave_out: variables of the environment that its children must not see.
    """

    def __init__(self, module: str, *arguments: str, leave_out: Sequence[str] = ()) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._environment = {name: value for name, value in os.environ.items() if name not in leave_out}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=self._environment,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def done(self, work: Work) -> dict[str, Any]:
        """A work that nobody kills: its exit code (`status`), its `steps`, and its `commits` among them."""
        self._write(json.dumps({**work, "moment": {}}))
        self._read()
        return dict(self._read())

    def killed(self, work: Work, *, moment: Mapping[str, float]) -> bool:
        """A work that is killed before a `step` or a `commit`, just after one (`committed`), or `after` so
        many seconds; False when it ended before."""
        self._write(json.dumps({**work, "moment": dict(moment)}))
        child = self._read()["pid"]
        if "after" in moment and not select.select([self._out], [], [], moment["after"])[0]:
            os.kill(child, signal.SIGKILL)
        return bool(self._read()["status"] == -signal.SIGKILL)

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> Any:
        return json.loads(self._out.readline() or '{"status": "the forge died", "pid": 0}')

    @property
    def _out(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout


def serve(prepare: Callable[[Work], Ready]) -> None:
    """Fork a child for each line, until an empty one. Steps that `prepare` takes are not counted."""
    # What is imported stays: looking through it for garbage, each child would copy it page by page.
    gc.collect()
    gc.freeze()
    while line := sys.stdin.readline().strip():
        work = json.loads(line)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            ready = prepare(work)
            counted = _Counted(work["moment"])
            status = ready()
            os.write(write, json.dumps({"steps": counted.steps, "commits": counted.commits}).encode())
            os._exit(status)
        os.close(write)
        _tell({"pid": child})
        _, status = os.waitpid(child, 0)
        with os.fdopen(read, "rb") as told:
            counts = json.loads(told.read() or "{}")
        _tell({"status": os.waitstatus_to_exitcode(status), **counts})


class _Counted:
    """Steps in the file system and in databases, and commits, of this process, which kills itself at one.

    A database writes past Python: without its commits no step would come after the last of a command.
    """

    def __init__(self, moment: Mapping[str, int | None]) -> None:
        self._moment = moment
        self.steps = self.commits = 0
        sys.addaudithook(self._audited)
        event.listen(Engine, "commit", self._before_commit)
        event.listen(Pool, "checkin", self._after_use)

    def _step(self) -> None:
        self.steps += 1
        self._die_at("step", self.steps)

    def _audited(self, name: str, _: object) -> None:
        if name == "open" or name.startswith(("os.", "shutil.", "fcntl.")):
            self._step()

    def _before_commit(self, _: object) -> None:
        self.commits += 1
        self._step()
        self._die_at("commit", self.commits)

    def _after_use(self, *_: object) -> None:
        self._step()
        self._die_at("committed", self.commits)

    def _die_at(self, what: str, number: int) -> None:
        if self._moment.get(what) == number:
            os.kill(os.getpid(), signal.SIGKILL)


def _tell(document: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


class Campaign(Protocol):
    """Kills so many works by a seed, in an empty folder; returns what was found."""

    def __call__(self, kills: int, *, seed: int, folder: Path) -> dict[str, Any]: ...


def kill_command(campaign: Campaign, *, module: str, description: str | None, kills: int) -> None:
    """The command of a campaign: kill, and write what was found as JSON. kills: how many unless told."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--kills", type=int, default=kills, help="how many works to kill")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(given.kills, seed=given.seed, folder=Path(folder))
    Output(as_json=True).result(write_result({"seed": given.seed, **found}, out=given.out))
