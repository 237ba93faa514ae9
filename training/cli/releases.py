"""Commands that choose what is served, and tell who chose it: promote, rollback and releases.

Turn what was typed into calls of public functions. Time rule: none of its own. Null rule: an option that is
left out is None, and the function called decides.
"""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import ConfigError
from training.cli.given import open_output, open_workspace, read_optional_config, read_pairs, refuse
from training.cli.options import WORKSPACE, JsonOption, OptionalWhy, SetOption, WhyOption, WorkspaceOption

if TYPE_CHECKING:
    from training.console import Output

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def promote(
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="Take \\[serving] and \\[gate] from this config, not what the models were trained with.",
        ),
    ] = None,
    why: OptionalWhy = None,
    fit: Annotated[
        str | None, typer.Option(help="Version, alias or fingerprint of the fit model, or 'none'.")
    ] = None,
    intent: Annotated[str | None, typer.Option(help="The same for the intent model.")] = None,
    named: Annotated[
        list[str] | None,
        typer.Option("--named", metavar="MODEL=VERSION", help="The same for a named model: fit.emea=3."),
    ] = None,
    waive: Annotated[
        list[str] | None,
        typer.Option(
            "--waive",
            metavar="COLUMN=REASON",
            help="Answer for a column that the leakage audit blocks for; the release keeps the reason.",
        ),
    ] = None,
    force: Annotated[
        str | None,
        typer.Option(
            "--force",
            metavar="REASON",
            help="Answer for what the gate refuses (never for the audit); the release keeps the reason.",
        ),
    ] = None,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Change nothing: tell what the gate says and which accounts change."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="With --preview: write every account that changes as .csv or .parquet."),
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, help="With --preview: how many accounts to show. Default: 20.")
    ] = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make the newest trained models the release that is served, if they pass the gate.

    With --preview, exit code 1 says that a promotion would be refused as it stands: by the gate or the audit.
    """
    from training.releasing.promote import promote as run_promote

    output = open_output(as_json=as_json)
    wanted = read_pairs("--named", values=named, example="fit.emea=3")
    if preview:
        for name, given in (("--why", why), ("--waive", waive), ("--force", force)):
            refuse(name, given=given, where="with --preview")
        models = {"fit": fit, "intent": intent, "named": wanted}
        _preview(workspace, config, overrides, models=models, out=out, top=top or 20, output=output)
        return
    if out is not None:
        raise ConfigError("--out goes with --preview", got=out, fix="add --preview, or leave it out")
    refuse("--top", given=top, where="without --preview")
    promotion = run_promote(
        open_workspace(workspace),
        who=who_runs_this(),
        why="promoted from the command line" if why is None else why,
        config=read_optional_config(config, overrides=overrides),
        fit=fit,
        intent=intent,
        named=wanted,
        waive=read_pairs("--waive", values=waive, example="tags=the field is set by the form"),
        force=force,
    )
    for line in (line for verdict in promotion.verdicts for line in verdict.lines()):
        output.note(line)
    output.note(promotion.sentence)
    output.result(promotion.to_json())


def _preview(
    workspace: Path,
    config: Path | None,
    overrides: list[str] | None,
    *,
    models: dict[str, Any],
    out: Path | None,
    top: int,
    output: Output,
) -> None:
    from training.feature_table import check_target
    from training.releasing.previewing import preview

    if out is not None:
        check_target(out)
    found = preview(
        open_workspace(workspace),
        now=now(),
        config=read_optional_config(config, overrides=overrides),
        **models,
    )
    for line in found.lines():
        output.note(line)
    for one in found.kinds:
        output.table(["old \\ new", *one.counts.columns], one.rows(), title=one.sentence)
        if len(one.changes):
            columns = ["account", "name", "from", "to", "probability", "why"]
            output.table(columns, one.accounts(top=top))
    if out is not None:
        output.note(f"{found.write(out):,} changes written to {out}")
    output.result(found.to_json(top=top) | {"out": None if out is None else str(out)})
    if found.refused:
        raise typer.Exit(1)


@commands.command()
def rollback(
    *,
    why: WhyOption = "rolled back from the command line",
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Serve the release before the present one again."""
    from training.releasing.promote import rollback as run_rollback

    output = open_output(as_json=as_json)
    done = run_rollback(open_workspace(workspace), who=who_runs_this(), why=why)
    output.note(done.sentence)
    output.result(done.to_json())


@commands.command()
def releases(*, workspace: WorkspaceOption = WORKSPACE, as_json: JsonOption = False) -> None:
    """List every promotion and rollback: who, when, why, and what the gate found. * answers now."""
    from training.releasing.release_log import release_log

    output = open_output(as_json=as_json)
    entries = release_log(open_workspace(workspace), now=now())
    if not entries:
        output.note("Nothing was promoted yet.")
    else:
        columns = ["when", "what", "release", "models", "gate", "who", "why"]
        output.table(columns, (entry.cells() for entry in entries))
    output.result({"releases": [entry.to_json() for entry in entries]})


def now() -> datetime:
    """The clock, naive UTC, in whole seconds."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def who_runs_this() -> str:
    try:
        return getpass.getuser()
    except OSError:  # a container may run as a user without a name
        return f"user {os.getuid()}"
