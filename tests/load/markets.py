"""A market to serve: the one that a command was given, or one that is made.

Turns a folder into a workspace by the command that a newcomer runs. Time and null rules: those of the market.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from features.workspace import Workspace
from training.checks.results import ROOT

__all__ = ["market_of", "market_parser"]


def market_parser(description: str | None, *, accounts: int) -> argparse.ArgumentParser:
    """A parser with the options that `market_of` reads. accounts: of the market that is made, by default."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, help="a market that is trained and promoted already")
    parser.add_argument("--accounts", type=int, default=accounts, help="of the market that is made otherwise")
    return parser


def market_of(given: argparse.Namespace, *, folder: Path) -> Workspace:
    """The market that was given, or one that is made in the folder."""
    return Workspace(given.workspace) if given.workspace else _made(folder, accounts=given.accounts)


def _made(folder: Path, *, accounts: int) -> Workspace:
    """A simulated market, trained and promoted."""
    home = folder / "market"
    command = [sys.executable, "-c", "from training.cli import main; main()", "demo", "--no-serve"]
    told = ["--accounts", str(accounts), "--workspace", str(home)]
    subprocess.run([*command, *told], cwd=ROOT, check=True, capture_output=True)
    return Workspace(home)
