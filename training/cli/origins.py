"""Commands on where accounts come from: check-origin.

Turn what was typed into calls of public functions. Time rule: moments are read by training.cli.given. Null
rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

from typing import Annotated

import typer

from features.errors import ConfigError
from training.cli.given import open_output, open_workspace, read_as_of, read_config
from training.cli.options import (
    WORKSPACE,
    AsOfOption,
    ConfigOption,
    JsonOption,
    SetOption,
    WorkspaceOption,
)

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(name="check-origin")
def check_origin(
    *,
    config: ConfigOption,
    model: Annotated[str, typer.Option("--model", help="Whose features: fit or intent.")] = "fit",
    of: Annotated[
        str | None,
        typer.Option(
            "--origin",
            metavar="NAME",
            help="The origin to tell from all others. Default: those that sales works.",
            show_default=False,
        ),
    ] = None,
    as_of: AsOfOption = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say how well it could be told from a model's features where an account comes from, and by what."""
    from training.origins.check import check_workspace

    output = open_output(as_json=as_json)
    if model not in ("fit", "intent"):
        raise ConfigError("unknown model", got=repr(model), allowed="fit, intent", fix="choose one of them")
    check = check_workspace(
        open_workspace(workspace),
        config=read_config(config, overrides=overrides),
        kind="fit" if model == "fit" else "intent",
        of=of,
        as_of=read_as_of(as_of),
    )
    output.show(check)
    output.result(check.to_json())
