"""Commands on tables: simulate, init, ingest and features.

Turn what was typed into calls of public functions. Time rule: moments are read by training.cli.given.
Null rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.cli.given import open_output, open_workspace, read_as_of, read_config, read_moment
from training.cli.options import (
    WORKSPACE,
    AsOfOption,
    ConfigOption,
    JsonOption,
    OptionalConfig,
    SetOption,
    WorkspaceOption,
)

if TYPE_CHECKING:
    from features.mapping import Config
    from training.console import Output
    from training.feature_table import FeatureTable

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def simulate(
    *,
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write; an earlier market in it is replaced.")
    ] = Path("workspace/simulated_market"),
    accounts: Annotated[int, typer.Option(help="Number of accounts.")] = 5_000,
    seed: Annotated[
        int, typer.Option(help="Draws accounts and events; the same seed gives the same market.")
    ] = 0,
    end: Annotated[
        str, typer.Option(help="Last day of the history, as in 2026-01-31, or 'today'.")
    ] = "2025-01-01",
    hidden_states: Annotated[bool, typer.Option(help="Add buying states that no table shows.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a market whose best possible ranker is known: canonical tables, and the truth apart from them."""
    from training.market.settings import MarketSettings
    from training.market.write import simulate as write_market

    output = open_output(as_json=as_json)
    settings = MarketSettings(
        accounts=accounts, seed=seed, end=read_moment("--end", value=end), hidden_states=hidden_states
    )
    with output.progress() as progress:
        report = write_market(
            settings, directory=out, progress=lambda done, total: progress("simulate accounts", done, total)
        )
    output.table(["file", "rows"], report.rows.items(), title=f"A simulated market in {report.directory}")
    output.result({"directory": str(report.directory), "rows": report.rows})


@commands.command()
def init(
    *,
    system: Annotated[str, typer.Argument(help="salesforce, hubspot or csv.", show_default=False)],
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Where the export lies; the mapping is fitted to what is there."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to write. Default: SYSTEM.toml.", show_default=False),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            help="replication: objects as a replication tool lands them; reports: the system's own export. "
            "Default: what the folder holds."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a commented mapping that binds your export; change it as you like, then ingest with it."""
    from training.starting.starting import start_mapping

    output = open_output(as_json=as_json)
    started = start_mapping(system, folder=folder, out=out, shape=shape, force=force)
    output.note(f"{started.file} binds {started.told}")
    output.note(f"Next: spearfish ingest --config {started.file} --dry-run")
    output.result(started.to_json())


@commands.command()
def ingest(
    *,
    config: ConfigOption,
    overrides: SetOption = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Start from nothing instead of adding what is new.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only tell what is bound, ignored, coerced and missing, per column."),
    ] = False,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Read your tables through the config, check every row, and make them the workspace's tables.

    Activities that were sent to the service become part of them.
    """
    from training.ingesting import ingest_all

    output = open_output(as_json=as_json)
    if dry_run:
        _try_ingest(read_config(config, overrides=overrides), output=output)
        return
    with output.progress() as progress:
        report = ingest_all(
            read_config(config, overrides=overrides),
            workspace=open_workspace(workspace),
            rebuild=rebuild,
            progress=progress,
        )
    output.show(report)
    output.result(report.to_dict())


def _try_ingest(config: Config, *, output: Output) -> None:
    from features.dry_run import dry_run

    report = dry_run(config)
    output.show(report)
    if report.tables is not None:
        output.heading("An ingest into an empty workspace would give:")
        output.show(report.tables)
    output.result(report.to_dict())
    if report.error is not None:
        if not output.as_json:
            raise report.error
        raise typer.Exit(report.error.exit_code)


@commands.command()
def features(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the features as Parquet (.parquet) or CSV.")
    ] = None,
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="Write a page per feature, and an index, for people to read.")
    ] = False,
    catalogue_folder: Annotated[
        Path | None,
        typer.Option(help="The folder of these pages.", show_default="catalogue in the workspace"),
    ] = None,
    config: OptionalConfig = None,
    overrides: SetOption = None,
    as_of: AsOfOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Compute every feature of every account as of a moment, from what was known before it.

    With --config, the features that it declares as well.
    """
    from features.privacy.counts import assumed_sentences
    from training.feature_table import check_target, feature_table, write_frame

    output = open_output(as_json=as_json)
    if out is not None:
        check_target(out)
    pages = (catalogue_folder or workspace / "catalogue") if catalogue else None
    if pages is not None:
        _check_pages(pages)
    declared = () if config is None else read_config(config, overrides=overrides).features
    table = feature_table(open_workspace(workspace), as_of=read_as_of(as_of), declared=declared)
    output.table(
        ["feature", "group", "unit", "filled", "middle"],
        table.summary(),
        title="Features of undated tables" if table.as_of is None else f"Features as of {table.as_of}Z",
    )
    for sentence in assumed_sentences(table.assumed):
        output.note(sentence)
    if out is not None:
        write_frame(table.frame, out=out)
        output.note(f"{len(table.frame):,} accounts written to {out}")
    index = None if pages is None else _write_pages(table, folder=pages)
    if index is not None:
        output.note(f"The feature catalogue is at {index}")
    written = {"out": out, "catalogue": index}
    output.result(table.to_json() | {name: path and str(path) for name, path in written.items()})


def _check_pages(folder: Path) -> None:
    from training.catalogue.pages import check_folder

    check_folder(folder)


def _write_pages(table: FeatureTable, *, folder: Path) -> Path:
    from training.catalogue.pages import write_catalogue

    write_catalogue(table, folder=folder)
    return folder / "index.html"
