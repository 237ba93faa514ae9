"""The command line: thin commands over public functions.

Each command takes `--json` (one JSON object on standard output, everything else on standard error).
Exit codes: 0 done, 1 the work failed, 2 the input is wrong. Imports of the product stand inside the
commands, so that `--help` answers at once.
"""

from __future__ import annotations

import getpass
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from features.errors import ConfigError, InputError, SpearfishError
from training.options import (
    WORKSPACE,
    AsOfOption,
    ConfigOption,
    JsonOption,
    LanguageOption,
    OptionalConfig,
    SetOption,
    WhyOption,
    WorkspaceOption,
)

if TYPE_CHECKING:
    import pandas as pd

    from features.mapping import Config
    from features.workspace import Workspace
    from training.console import Output

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


def main() -> NoReturn:
    """Run the command line; every error is one sentence and an exit code."""
    from training.console import show_error

    try:
        app()
    except SpearfishError as error:
        show_error(error, as_json="--json" in sys.argv[1:])
        sys.exit(error.exit_code)
    sys.exit(0)


@app.command()
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

    output = _output(as_json=as_json)
    settings = MarketSettings(
        accounts=accounts, seed=seed, end=_moment("--end", value=end), hidden_states=hidden_states
    )
    with output.progress() as progress:
        report = write_market(
            settings, directory=out, progress=lambda done, total: progress("simulate accounts", done, total)
        )
    output.table(["file", "rows"], report.rows.items(), title=f"A simulated market in {report.directory}")
    output.result({"directory": str(report.directory), "rows": report.rows})


@app.command()
def ingest(
    *,
    config: ConfigOption,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Read your tables through the config, check every row, and make them the workspace's tables."""
    from features.ingest import ingest as run_ingest

    output = _output(as_json=as_json)
    with output.progress() as progress:
        report = run_ingest(
            _config(config, overrides=overrides), workspace=_workspace(workspace), progress=progress
        )
    output.show(report)
    output.result(report.to_dict())


@app.command()
def features(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the features as Parquet (.parquet) or CSV.")
    ] = None,
    as_of: AsOfOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Compute every feature of every account as of a moment, from what was known before it."""
    from training.feature_table import check_target, feature_table, write_frame

    output = _output(as_json=as_json)
    if out is not None:
        check_target(out)
    table = feature_table(_workspace(workspace), as_of=_as_of(as_of))
    output.table(
        ["feature", "group", "unit", "filled", "middle"],
        table.summary(),
        title=f"Features as of {table.as_of}Z",
    )
    if out is not None:
        write_frame(table.frame, out=out)
        output.note(f"{len(table.frame):,} accounts written to {out}")
    output.result(table.to_json() | {"out": None if out is None else str(out)})


@app.command()
def train(
    *,
    config: ConfigOption,
    cutoff: Annotated[
        str | None,
        typer.Option("--cutoff", metavar="TIME", help="Learn from what was known before it. Default: all."),
    ] = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Train the fit and the intent model, track them in MLflow, and write a report."""
    from training.train import train as run_train

    output = _output(as_json=as_json)
    with output.progress() as progress:
        report = run_train(
            _workspace(workspace),
            config=_config(config, overrides=overrides),
            cutoff=None if cutoff is None else _moment("--cutoff", value=cutoff),
            progress=progress,
        )
    output.show(report)
    output.result(report.to_json())


@app.command()
def backtest(
    *,
    config: ConfigOption,
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--predictions", metavar="FILE", help="Write cutoff, account_id, probability, label as Parquet."
        ),
    ] = None,
    development: Annotated[
        bool, typer.Option("--development", help="Use the cutoffs for choosing instead of the reported ones.")
    ] = False,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Train as of past cutoffs, score what came after, and compare with baselines, with intervals."""
    from training.backtest import backtest as run_backtest
    from training.feature_table import check_target

    output = _output(as_json=as_json)
    if predictions is not None:
        check_target(predictions)
    with output.progress() as progress:
        report = run_backtest(
            _workspace(workspace),
            config=_config(config, overrides=overrides),
            development=development,
            progress=progress,
        )
    output.show(report)
    if predictions is not None:
        report.write_predictions(predictions)
        output.note(f"{len(report.predictions):,} predictions written to {predictions}")
    output.result(report.to_json())


@app.command()
def promote(
    *,
    config: OptionalConfig = None,
    why: WhyOption = "promoted from the command line",
    fit: Annotated[
        str | None, typer.Option(help="Version, alias or fingerprint of the fit model, or 'none'.")
    ] = None,
    intent: Annotated[str | None, typer.Option(help="The same for the intent model.")] = None,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make the newest trained models the release that is served."""
    from training.promote import promote as run_promote

    output = _output(as_json=as_json)
    promotion = run_promote(
        _workspace(workspace),
        who=_who(),
        why=why,
        config=None if config is None else _config(config, overrides=overrides),
        fit=fit,
        intent=intent,
    )
    output.note(promotion.sentence)
    output.result(promotion.to_json())


@app.command()
def rollback(
    *,
    why: WhyOption = "rolled back from the command line",
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Serve the release before the present one again."""
    from training.promote import rollback as run_rollback

    output = _output(as_json=as_json)
    done = run_rollback(_workspace(workspace), who=_who(), why=why)
    output.note(done.sentence)
    output.result(done.to_json())


@app.command()
def score(
    *,
    account: Annotated[
        str | None, typer.Argument(help="The account_id. Without it, every account is scored.")
    ] = None,
    domain: Annotated[str | None, typer.Option(help="Give the account by its web domain instead.")] = None,
    as_of: AsOfOption = None,
    top: Annotated[int, typer.Option(min=1, help="How many accounts to show.")] = 10,
    out: Annotated[Path | None, typer.Option("--out", help="Write all of them as .parquet or .csv.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Score one account, or rank them all."""
    from training.feature_table import check_target, write_frame
    from training.present import ranking_document, show_answer, show_ranking

    output = _output(as_json=as_json)
    place, moment = _workspace(workspace), _as_of(as_of)
    if account is not None or domain is not None:
        if out is not None:
            raise ConfigError("--out goes with every account", got="one account", fix="leave the account out")
        answer = _answer(place, account=account, domain=domain, as_of=moment)
        show_answer(answer, output=output)
        output.result(answer)
        return
    if out is not None:
        check_target(out)
    ranked = _ranking(place, as_of=moment)
    show_ranking(ranked, output=output, top=top)
    if out is not None:
        write_frame(ranked, out=out)
        output.note(f"{len(ranked):,} accounts written to {out}")
    output.result({"accounts": ranking_document(ranked.head(top))})


@app.command()
def explain(
    *,
    account: Annotated[str | None, typer.Argument(help="The account_id.")] = None,
    domain: Annotated[str | None, typer.Option(help="Give the account by its web domain instead.")] = None,
    as_of: AsOfOption = None,
    language: LanguageOption = "en",
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say why an account scores as it does: reasons for and against that add up exactly."""
    from training.present import show_reasons

    output = _output(as_json=as_json)
    moment = _as_of(as_of)
    if account is None and domain is None:
        raise ConfigError("no account given", allowed="an account_id or --domain", fix="name the account")
    if language not in ("en", "zh"):
        raise ConfigError("unknown language", got=repr(language), allowed="en, zh", fix="choose one of them")
    answer = _answer(_workspace(workspace), account=account, domain=domain, as_of=moment, language=language)
    show_reasons(answer, output=output)
    output.result(answer)


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 3000,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=64)] = 1,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Serve the current release, with the page at / and the interface at /docs.json, until interrupted."""
    from serving.launch import serve as run_server

    output, address = _output(as_json=as_json), f"http://{host}:{port}"
    output.note(f"The page will be at {address}/ and the interface at {address}/docs.json. Ctrl+C ends it.")
    output.result({"page": f"{address}/", "interface": f"{address}/docs.json"})
    raise typer.Exit(run_server(_workspace(workspace), host=host, port=port, workers=workers))


@app.command()
def doctor(
    *,
    config: OptionalConfig = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what follows from the store.")] = False,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say whether everything is in place, and how to mend what is not."""
    from training.doctor import doctor as run_doctor

    output = _output(as_json=as_json)
    checks = run_doctor(
        _workspace(workspace),
        config=None if config is None else _config(config, overrides=overrides),
        repair=repair,
    )
    rows = [("ok" if check.ok else "WRONG", check.name, check.what, check.fix or "") for check in checks]
    output.table(["", "check", "found", "how to mend it"], rows)
    output.result({"ok": all(check.ok for check in checks), "checks": [check.to_json() for check in checks]})
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@app.command()
def demo(
    *,
    port: Annotated[int, typer.Option(help="Port to serve on.", min=1, max=65535)] = 3000,
    accounts: Annotated[int, typer.Option(help="Number of simulated accounts.")] = 5_000,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve after the summary.")] = True,
    workspace: WorkspaceOption = WORKSPACE,
) -> None:
    """Walk the whole path on a simulated market: simulate, ingest, train, backtest, promote, score, serve."""
    from serving.launch import serve as run_server
    from training.demo import run_demo

    place = _workspace(workspace)
    address = f"http://127.0.0.1:{port}"
    output = _output(as_json=False)
    run_demo(place, accounts=accounts, output=output, address=address, rank=_ranking, answer=_answer)
    if serving:
        output.note(f"\nServing on {address} until interrupted (Ctrl+C).")
        raise typer.Exit(run_server(place, port=port))


def _output(*, as_json: bool) -> Output:
    from training.console import Output

    return Output(as_json=as_json)


def _workspace(home: Path) -> Workspace:
    from features.workspace import Workspace

    if home.exists() and not home.is_dir():
        raise ConfigError("--workspace is not a folder", got=home, fix="name another one")
    return Workspace(home)


def _config(path: Path, *, overrides: list[str] | None) -> Config:
    from features.mapping import load_config

    pairs = [text.partition("=") for text in overrides or ()]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise ConfigError("--set is not NAME=VALUE", got=repr(name), fix="write it as folder=/data/crm")
    return load_config(path, overrides={name: value for name, _, value in pairs})


def _moment(option: str, *, value: str) -> datetime:
    """A moment from the command line as naive UTC, whole seconds; a day alone means its first second."""
    if value == "today":
        return datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(value)
        return (moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment).replace(
            microsecond=0
        )
    except (ValueError, OverflowError):
        raise InputError(
            f"{option} is not a time", got=repr(value), allowed="2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None


def _as_of(value: str | None) -> datetime | None:
    """The moment of --as-of, which must not lie in the future."""
    if value is None:
        return None
    moment, now = _moment("--as-of", value=value), datetime.now(UTC).replace(tzinfo=None)
    if moment > now:
        raise InputError(
            "--as-of is in the future", got=value, allowed="up to now", fix="choose an earlier moment"
        )
    return moment


def _who() -> str:
    try:
        return getpass.getuser()
    except OSError:  # a container may run as a user without a name
        return f"user {os.getuid()}"


def _answer(
    workspace: Workspace,
    *,
    account: str | None = None,
    domain: str | None = None,
    as_of: datetime | None = None,
    language: str = "en",
    now: datetime | None = None,
) -> dict[str, Any]:
    """The service's answer, as the JSON document that it would send; `now` decides which release answers."""
    from serving.scoring import score_once

    given = {
        "account_id": account,
        "domain": domain,
        "as_of": None if as_of is None else f"{as_of.isoformat()}Z",
    }
    request = {name: value for name, value in given.items() if value is not None}
    answer = score_once(workspace, request=request, language="zh" if language == "zh" else "en", now=now)
    return answer.model_dump(mode="json")


def _ranking(
    workspace: Workspace, *, as_of: datetime | None = None, now: datetime | None = None
) -> pd.DataFrame:
    from serving.desk import open_desk
    from serving.ranking import rank_accounts
    from serving.scoring import default_as_of, utc_now

    now = now or utc_now()
    with open_desk(workspace, now=now) as desk:
        through = desk.snapshot.manifest.data_through
        return rank_accounts(desk, as_of=as_of or default_as_of(through, now=now, time_zone=desk.time_zone))
