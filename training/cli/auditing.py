"""The command that looks for leakage: audit.

Turns what was typed into calls of public functions. Time rule: a cutoff is read by training.cli.given. Null
rule: without a file the tables of the workspace are audited.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.errors import ConfigError
from training.cli.given import open_output, open_workspace, read_config, read_moment, refuse
from training.cli.options import WORKSPACE, JsonOption, OptionalConfig, SetOption, WorkspaceOption

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def audit(
    *,
    file: Annotated[
        Path | None,
        typer.Argument(help="A CSV or Parquet file without dates. Default: the tables of the workspace."),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", metavar="COLUMN", help="The file's column that says how it ended."),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event", metavar="VALUE", help="What it reads where it happened. Default: 1, true, yes, won."
        ),
    ] = None,
    config: OptionalConfig = None,
    cutoff: Annotated[
        str | None,
        typer.Option("--cutoff", metavar="TIME", help="Audit what a training at this time would see."),
    ] = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Look for what a model would learn from and could not have known. Exit code 1 when anything blocks."""
    from training.audit.sources import EVENT, audit_file, audit_workspace

    output = open_output(as_json=as_json)
    idle: dict[str, object] = {"--outcome": outcome, "--event": event}
    if file is not None:
        idle = {"--config": config, "--cutoff": cutoff, "--set": overrides}
    for option, given in idle.items():
        refuse(option, given=given or None, where="without a file" if file is None else "beside a file")
    if file is not None and outcome is None:
        raise ConfigError(
            "a file's outcome is not named", fix="say which column holds it with --outcome COLUMN"
        )
    if file is not None and outcome is not None:
        found = {file.name: audit_file(file, outcome=outcome, event=tuple(event or EVENT))}
    elif config is None:
        raise ConfigError("nothing to audit", fix="name a file and its --outcome, or give --config FILE")
    else:
        found = audit_workspace(
            open_workspace(workspace),
            config=read_config(config, overrides=overrides),
            cutoff=None if cutoff is None else read_moment("--cutoff", value=cutoff),
        )
    for name, one in found.items():
        output.heading(name)
        output.show(one)
    blocks = any(one.blocks for one in found.values())
    output.result({"blocks": blocks, "audits": {name: one.to_json() for name, one in found.items()}})
    if blocks:
        raise typer.Exit(1)
