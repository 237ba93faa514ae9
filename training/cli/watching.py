"""Commands that run unattended: drift and retrain.

Turn what was typed into calls of public functions, and what was found into exit codes that cron understands.
Time rule: none of its own. Null rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

import typer

from training.cli.given import open_output, open_workspace, read_config
from training.cli.options import WORKSPACE, JsonOption, OptionalConfig, SetOption, WorkspaceOption

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

    --config gives the limits of [drift]; without it the defaults hold.
    """
    from training.drift.watching import watch

    output = open_output(as_json=as_json)
    settings = None if config is None else read_config(config, overrides=overrides).drift
    report = watch(open_workspace(workspace), settings=settings)
    for line in report.lines():
        output.note(line)
    output.result(report.to_json())
    if report.drifted:
        raise typer.Exit(1)
