"""Commands that learn from the workspace: tune, train and backtest.

Turn what was typed into calls of public functions. Time rule: a cutoff is read by training.cli.given. Null
rule: no cutoff means everything that is known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.cutoffs import read_cutoffs, read_model, with_capacity, with_parameters
from training.cli.given import open_output, open_workspace, read_config, read_moment, refuse
from training.cli.options import WORKSPACE, ConfigOption, JsonOption, SetOption, WorkspaceOption

__all__ = ["commands"]

commands = typer.Typer()

ParametersOption = Annotated[
    Path | None,
    typer.Option("--parameters", metavar="FILE", help="Learn with what `spearfish tune` chose."),
]


@commands.command()
def train(
    *,
    config: ConfigOption,
    cutoff: Annotated[
        str | None,
        typer.Option("--cutoff", metavar="TIME", help="Learn from what was known before it. Default: all."),
    ] = None,
    parameters: ParametersOption = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Train the models of the config, track them in MLflow, and write a report."""
    from training.train import train as run_train

    output = open_output(as_json=as_json)
    with output.progress() as progress:
        report = run_train(
            open_workspace(workspace),
            config=with_parameters(read_config(config, overrides=overrides), parameters),
            cutoff=None if cutoff is None else read_moment("--cutoff", value=cutoff),
            progress=progress,
        )
    output.show(report)
    output.result(report.to_json())


@commands.command()
def tune(
    *,
    config: ConfigOption,
    minutes: Annotated[
        float, typer.Option("--minutes", help="How long to search and to judge what was found.", min=0.01)
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="Which to tune: fit, intent, or a named one, as fit.emea.",
        ),
    ] = "intent",
    cutoff: Annotated[
        str | None,
        typer.Option("--cutoff", metavar="TIME", help="Tune on what was known before it. Default: all."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write. Default: tuned.toml in the workspace."),
    ] = None,
    trials: Annotated[int | None, typer.Option("--trials", help="The most trials per search.", min=2)] = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Choose the parameters of a model within a time budget, on folds that only look forward.

    The figures that are told are of later slices that no choice saw. Broken off, nothing is written, and the
    same command goes on from what was tried.
    """
    from training.tuning.tune import tune as run_tune

    output, settings = open_output(as_json=as_json), read_config(config, overrides=overrides)
    with output.progress() as progress:
        report = run_tune(
            open_workspace(workspace),
            config=settings,
            model=read_model(model, config=settings),
            minutes=minutes,
            cutoff=None if cutoff is None else read_moment("--cutoff", value=cutoff),
            out=out,
            trials=trials,
            progress=progress,
        )
    output.show(report)
    output.result(report.to_json())


@commands.command()
def backtest(
    *,
    config: ConfigOption,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="Which to judge: fit, intent, or a named one, as fit.emea.",
        ),
    ] = "intent",
    cutoff: Annotated[
        list[str] | None,
        typer.Option(
            "--cutoff", metavar="TIME", help="Judge what followed it; repeatable. Default: the config's."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Judge at cutoffs from here on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="The last cutoff is not after it.")
    ] = None,
    step: Annotated[
        int | None,
        typer.Option("--step", metavar="DAYS", help="Days between these cutoffs. Default: 30.", min=1),
    ] = None,
    capacity: Annotated[
        int | None,
        typer.Option(
            "--capacity",
            help="Accounts that sales takes each week, for the days of warning of intent.",
            min=1,
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--predictions", metavar="FILE", help="Write cutoff, account_id, probability, label as Parquet."
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write one page with plots, as FILE.html."),
    ] = None,
    development: Annotated[
        bool,
        typer.Option(
            "--development", help="Use the cutoffs, or folds, for choosing instead of the reported ones."
        ),
    ] = False,
    parameters: ParametersOption = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Train as of past cutoffs, score what came after, and compare with baselines, with intervals.

    Where outcomes have no dates: by folds that keep equal rows together; time is then not tested.
    """
    from features.model_keys import kind_of, name_of
    from training.feature_table import check_target
    from training.undated.backtest import backtest_workspace as run_backtest

    output = open_output(as_json=as_json)
    if predictions is not None:
        check_target(predictions)
    if page is not None:
        from training.report.backtest import check_page, write_backtest

        check_page(page)
    moments = read_cutoffs(cutoff, since=since, until=until, step_days=step)
    settings = with_parameters(read_config(config, overrides=overrides), parameters)
    key, place = read_model(model, config=settings), open_workspace(workspace)
    settings = with_capacity(settings, capacity, kind=kind_of(key), workspace=place)
    refuse("--development", given=(development and moments) or None, where="beside cutoffs that were given")
    with output.progress() as progress:
        report = run_backtest(
            place,
            config=settings.of_model(key),
            kind=kind_of(key),
            cutoffs=moments,
            development=development,
            key=key if name_of(key) else None,
            progress=progress,
        )
    output.show(report)
    if predictions is not None:
        report.write_predictions(predictions)
        output.note(f"{len(report.predictions):,} predictions written to {predictions}")
    if page is not None:
        write_backtest(report, path=page, name=settings.workspace.name)
        output.note(f"report: {page}")
    output.result(report.to_json())


@commands.command("learning-curve")
def learning_curve(
    *,
    config: ConfigOption,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="Of which: fit, intent, or a named one, as fit.emea.",
        ),
    ] = "fit",
    draws: Annotated[int, typer.Option("--draws", help="Samples of each size.", min=2, max=100)] = 10,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Show how well a model ranks after learning from few accounts, and from more.

    Judged by what followed the newest cutoff of a backtest; where outcomes have no dates, by rows that no
    sample holds, as time is then not tested.
    """
    from training.backtesting.curve import workspace_curves

    output, settings = open_output(as_json=as_json), read_config(config, overrides=overrides)
    with output.progress() as progress:
        curves = workspace_curves(
            open_workspace(workspace),
            config=settings,
            key=read_model(model, config=settings),
            draws=draws,
            progress=progress,
        )
    for name, curve in curves.items():
        output.heading(name)
        output.show(curve)
    output.result({"curves": {name: curve.to_json() for name, curve in curves.items()}})
