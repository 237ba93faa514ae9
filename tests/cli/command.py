"""Running the command line as its users do: as a process."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from training.checks.command_forge import CommandForge

PROGRAM = Path(sys.executable).with_name("spearfish")
WIDTH = "200"


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as the one JSON object that `--json` promises."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


def program(*arguments: object, home: Path) -> Done:
    """Run `spearfish` with a workspace, as it is installed: a new interpreter, which imports for seconds."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        env=os.environ | {"SPEARFISH_HOME": str(home), "COLUMNS": WIDTH},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def spearfish(*arguments: object, home: Path) -> Done:
    """Run `spearfish` with a workspace: a process of its own, forked from one that has imported all."""
    home.parent.mkdir(parents=True, exist_ok=True)
    code = _forge().ended(home, list(map(str, arguments)))
    return Done(code, *((home.parent / f"{home.name}.{end}").read_text("utf-8") for end in ("out", "err")))


@cache
def _forge() -> CommandForge:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("COLUMNS", WIDTH)
        forge = stack.enter_context(CommandForge())
        atexit.register(stack.pop_all().close)
    return forge
