"""A process that has imported everything, and forks a child for each command that is typed into it.

Turns the arguments of `spearfish` into a process of their own within milliseconds, where a new interpreter
would import for seconds; a child may be killed after a time, or just before one of its steps in the file
system. Time rule: none. Null rule: none.

    python -m training.command_forge
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from features.errors import SpearfishError
from training.ingest_kill_check import counted
from training.results import ROOT

__all__ = ["CommandForge"]

# What a command imports while it runs; imported before, no child waits for it.
_WARM: Final = (
    *("mlflow.lightgbm", "bentoml", "shap", "serving.ranking", "training.bento_models", "training.doctor"),
    *("training.plots", "training.report", "training.retrain", "training.track"),
)
_FOREIGN: Final = ("MLFLOW_TRACKING_URI", "SPEARFISH_STORE_URL", "BENTOML_HOME", "SPEARFISH_HOME")


class CommandForge:
    """A process that has imported everything and forks: each child is one command, there to be killed."""

    def __enter__(self) -> CommandForge:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "training.command_forge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name not in _FOREIGN},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def run(self, home: Path, argv: Sequence[str]) -> int:
        """A command that nobody kills, and that must succeed. Returns its steps in the file system."""
        done = self._ended(home, argv)
        if done["status"] != 0:
            said = (home.parent / f"{home.name}.err").read_text(encoding="utf-8")[-2_000:]
            raise SpearfishError(f"{argv[0]} failed, which nobody had killed", got=said)
        return int(done["steps"])

    def ended(self, home: Path, argv: Sequence[str]) -> int:
        """The exit code of a command that nobody kills."""
        return int(self._ended(home, argv)["status"])

    def output(self, home: Path) -> str:
        """What the last command printed."""
        return (home.parent / f"{home.name}.out").read_text(encoding="utf-8")

    def kill(self, home: Path, argv: Sequence[str], *, moment: dict[str, float]) -> bool:
        """A command that is killed. Returns False when it had ended before."""
        self._write(json.dumps({"home": str(home), "argv": list(argv), "step": moment.get("step")}))
        child = self._read()["pid"]
        if "after" in moment and not select.select([self._out], [], [], moment["after"])[0]:
            os.kill(child, signal.SIGKILL)
        return bool(self._read()["status"] == -signal.SIGKILL)

    def _ended(self, home: Path, argv: Sequence[str]) -> dict[str, Any]:
        self._write(json.dumps({"home": str(home), "argv": list(argv), "step": None}))
        self._read()
        return dict(self._read())

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _read(self) -> Any:
        return json.loads(self._out.readline() or '{"status": "the forge died", "pid": 0}')

    @property
    def _out(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout


def serve_commands() -> None:
    """Fork a child for each line that asks for one, until an empty one."""
    for name in _WARM:
        importlib.import_module(name)
    while line := sys.stdin.readline().strip():
        wanted = json.loads(line)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            os._exit(_command(wanted, write))
        os.close(write)
        _tell({"pid": child})
        _, status = os.waitpid(child, 0)
        with os.fdopen(read, "rb") as told:
            steps = told.read().decode()
        _tell({"status": os.waitstatus_to_exitcode(status), "steps": int(steps or 0)})


def _command(wanted: Mapping[str, Any], write: int) -> int:
    """Run a command as it would be typed; its exit code."""
    # By its name, as whoever types it: nothing of ours imports the command line.
    main = importlib.import_module("training.cli").main
    home = Path(wanted["home"])
    for name, descriptor in (("out", 1), ("err", 2)):
        file = os.open(home.parent / f"{home.name}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
    os.environ["SPEARFISH_HOME"] = str(home)
    sys.argv = ["spearfish", *wanted["argv"]]
    with counted(wanted["step"]) as steps:
        try:
            main()
        except SystemExit as exited:
            os.write(write, str(steps[0]).encode())
            sys.stdout.flush()
            return int(exited.code or 0)
    return 0


def _tell(document: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve_commands()
