"""The application: every group of commands under one name.

Time rule: none. Null rule: none.
"""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

import typer

from features.errors import SpearfishError
from training.cli import (
    auditing,
    data,
    expanding,
    export,
    jobs,
    keys,
    leads,
    learning,
    lists,
    log,
    origins,
    planning,
    privacy,
    releases,
    running,
    scores,
    users,
    watching,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="spearfish",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which accounts fit, which are about to buy, and why.\n\n"
    "The usual order: [bold]ingest[/bold] your tables (or [bold]simulate[/bold] some), [bold]train[/bold], "
    "[bold]backtest[/bold], [bold]promote[/bold], [bold]serve[/bold]. "
    "[bold]doctor[/bold] says whether everything is in place.",
)
for group in (
    *(data, leads, learning, auditing, origins, releases, watching),
    *(scores, expanding, export, lists, planning, log, jobs, keys, users, privacy, running),
):
    app.add_typer(group.commands)


def main() -> NoReturn:
    """Run the command line; every error is one sentence and an exit code."""
    # A command imports hundreds of modules, which stay: looked for every 700 objects, garbage would cost a
    # seventh of its start.
    gc.set_threshold(50_000, 20, 50)
    from training.console import show_error

    try:
        app()
    except SpearfishError as error:
        show_error(error, as_json="--json" in sys.argv[1:])
        sys.exit(error.exit_code)
    sys.exit(0)
