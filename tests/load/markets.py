"""A market to serve, where none is given.

Turns a folder into a workspace by the command that a newcomer runs. Time and null rules: those of the market.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from features.workspace import Workspace
from training.checks.results import ROOT

__all__ = ["market"]


def market(folder: Path, *, accounts: int) -> Workspace:
    """A simulated market, trained and promoted."""
    home = folder / "market"
    command = [sys.executable, "-c", "from training.cli import main; main()", "demo", "--no-serve"]
    told = ["--accounts", str(accounts), "--workspace", str(home)]
    subprocess.run([*command, *told], cwd=ROOT, check=True, capture_output=True)
    return Workspace(home)
