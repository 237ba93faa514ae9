"""Commands that run unattended: drift and retrain.

Turn what was typed into calls of public functions, and what was found into exit codes that cron understands.
Time rule: none of its own. Null rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.cutoffs import with_parameters
from training.cli.given import open_output, open_workspace, read_config, read_optional_config
from training.cli.options import (
    WORKSPACE,
    ConfigOption,
    JsonOption,
    OptionalConfig,
    SetOption,
    WorkspaceOption,
)
from training.cli.releases import who_runs_this

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def drift(
    *,
    config: OptionalConfig = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Compare inputs, scores and calibration of what is served with its training. Exit code 1 on drift.

    --config gives the limits of its section drift; without it the defaults hold.
    """
    from training.drift.watching import watch

    output = open_output(as_json=as_json)
    given = read_optional_config(config, overrides=overrides)
    report = watch(open_workspace(workspace), settings=None if given is None else given.drift)
    for line in report.lines():
        output.note(line)
    output.result(report.to_json())
    if report.drifted:
        raise typer.Exit(1)


@commands.command()
def retrain(
    *,
    config: ConfigOption,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; tell what a run would do with the tables.")
    ] = False,
    sources: Annotated[
        bool, typer.Option("--sources/--no-sources", help="Whether to ingest the config's sources first.")
    ] = True,
    parameters: Annotated[
        Path | None,
        typer.Option("--parameters", metavar="FILE", help="Learn with what `spearfish tune` chose."),
    ] = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Ingest, measure drift, train, audit, and serve what passes the gate; safe to run twice, made for cron.

    Exit code 0 when nobody needs to look, 1 when the gate or the audit refused, or a named model stayed as it
    is served while the others were renewed, 2 for an error, 75 when another retraining is at work, or the
    tables changed meanwhile.
    """
    from training.retrain import retrain as run_retrain

    output = open_output(as_json=as_json)
    with output.progress() as progress:
        done = run_retrain(
            open_workspace(workspace),
            config=with_parameters(read_config(config, overrides=overrides), parameters),
            who=f"{who_runs_this()} (retrain)",
            read_sources=sources,
            dry_run=dry_run,
            progress=progress,
        )
    for line in done.drift.lines() if done.drift else ():
        output.note(line)
    output.note(f"{done.outcome}: {done.sentence}")
    output.result(done.to_json())
    if done.exit_code:
        raise typer.Exit(done.exit_code)
