"""Running the command line as its users do: as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

PROGRAM = Path(sys.executable).with_name("spearfish")


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


def spearfish(*arguments: object, home: Path) -> Done:
    """Run `spearfish` with a workspace."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        env=os.environ | {"SPEARFISH_HOME": str(home), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    return Done(done.returncode, done.stdout, done.stderr)
