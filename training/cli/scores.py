"""Commands that answer about accounts: score, explain and profile.

Turn what was typed into the service's own answers. Time rule: without --as-of each answer chooses its
moment as the service does. Null rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.errors import ConfigError
from training.cli.answering import answer_one, change_of, rank_all
from training.cli.given import open_output, open_workspace, read_as_of, read_past, refuse, require_one_account
from training.cli.options import WORKSPACE, AsOfOption, JsonOption, LanguageOption, WorkspaceOption

__all__ = ["commands"]

commands = typer.Typer()

_SHOWN = 10


@commands.command()
def score(
    *,
    account: Annotated[
        str | None, typer.Argument(help="The account_id. Without it, every account is scored.")
    ] = None,
    domain: Annotated[str | None, typer.Option(help="Give the account by its web domain instead.")] = None,
    as_of: AsOfOption = None,
    top: Annotated[
        int | None, typer.Option(min=1, help="How many of all accounts to show. Default: 10.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write all of them as .parquet or .csv.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Score one account, or rank them all."""
    from training.feature_table import check_target, write_frame
    from training.present import ranking_document, show_answer, show_ranking

    output = open_output(as_json=as_json)
    place, moment = open_workspace(workspace), read_as_of(as_of)
    if account is not None or domain is not None:
        if out is not None:
            raise ConfigError("--out goes with every account", got="one account", fix="leave the account out")
        refuse("--top", given=top, where="with one account", fix="leave it out, or the account")
        answer = answer_one(place, account=account, domain=domain, as_of=moment)
        show_answer(answer, output=output)
        output.result(answer)
        return
    if out is not None:
        check_target(out)
    ranked, shown = rank_all(place, as_of=moment), _SHOWN if top is None else top
    show_ranking(ranked, output=output, top=shown)
    if out is not None:
        write_frame(ranked, out=out)
        output.note(f"{len(ranked):,} accounts written to {out}")
    output.result({"accounts": ranking_document(ranked.head(shown))})


@commands.command()
def explain(
    *,
    account: Annotated[str | None, typer.Argument(help="The account_id.")] = None,
    domain: Annotated[str | None, typer.Option(help="Give the account by its web domain instead.")] = None,
    as_of: AsOfOption = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Say why the score changed since then."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Up to when; with --from. Default: now.")
    ] = None,
    from_release: Annotated[
        int | None,
        typer.Option(
            "--from-release",
            help="The release that scores --from. Default: the one that answered then, else that of --to.",
        ),
    ] = None,
    to_release: Annotated[
        int | None,
        typer.Option(
            "--to-release",
            help="The release that scores --to. Default: the one that answered then, else today's.",
        ),
    ] = None,
    language: LanguageOption = "en",
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say why an account scores as it does: reasons for and against that add up exactly.

    With --from and --to: why the score changed between them, in parts of time, new facts and model.
    """
    from training.present import show_reasons

    output = open_output(as_json=as_json)
    moment = read_as_of(as_of)
    if account is None and domain is None:
        raise ConfigError("no account given", allowed="an account_id or --domain", fix="name the account")
    require_one_account(account, domain=domain)
    _require_language(language)
    place = open_workspace(workspace)
    if since is not None:
        _refuse("--as-of", given=as_of, fix="give --from and --to alone")
        from training.changes.shown import show_change, to_json

        report = change_of(
            place,
            account=account,
            domain=domain,
            start=read_past("--from", value=since),
            end=read_past("--to", value=until or "now"),
            releases=(from_release, to_release),
        )
        show_change(report, output=output, language="zh" if language == "zh" else "en")
        output.result(to_json(report, language="zh" if language == "zh" else "en"))
        return
    for name, given in (("--to", until), ("--from-release", from_release), ("--to-release", to_release)):
        _refuse(name, given=given, fix="give --from as well")
    answer = answer_one(place, account=account, domain=domain, as_of=moment, language=language)
    show_reasons(answer, output=output)
    output.result(answer)


@commands.command()
def profile(
    *,
    fit: Annotated[
        str | None,
        typer.Option("--fit", metavar="VERSION", help="Of a trained model instead of the served one."),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model", metavar="MODEL", help="Of which fit model: fit, or a named one, as fit.emea."
        ),
    ] = "fit",
    language: LanguageOption = "en",
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Show the ideal customer profile: what sets wins apart, and where sales and the data agree."""
    from training.ideal_profile.shown import read_profile, show_profile

    output = open_output(as_json=as_json)
    _require_language(language)
    found, bundle = read_profile(open_workspace(workspace), fit=fit, model=model)
    show_profile(found, output=output, language="zh" if language == "zh" else "en")
    output.result({"model": bundle.name, "version": bundle.version, "profile": found.to_json()})


def _require_language(language: str) -> None:
    if language not in ("en", "zh"):
        raise ConfigError("unknown language", got=repr(language), allowed="en, zh", fix="choose one of them")


def _refuse(option: str, *, given: object, fix: str) -> None:
    if given is not None:
        raise ConfigError(f"{option} does not go with the other options", got=given, fix=fix)
