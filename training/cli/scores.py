"""Commands that answer about accounts: score, explain and profile.

Turn what was typed into the service's own answers. Time rule: without --as-of each answer chooses its
moment as the service does. Null rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.errors import ConfigError
from training.cli.answering import answer_one, rank_all
from training.cli.given import open_output, open_workspace, read_as_of
from training.cli.options import WORKSPACE, AsOfOption, JsonOption, LanguageOption, WorkspaceOption

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
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

    output = open_output(as_json=as_json)
    place, moment = open_workspace(workspace), read_as_of(as_of)
    if account is not None or domain is not None:
        if out is not None:
            raise ConfigError("--out goes with every account", got="one account", fix="leave the account out")
        answer = answer_one(place, account=account, domain=domain, as_of=moment)
        show_answer(answer, output=output)
        output.result(answer)
        return
    if out is not None:
        check_target(out)
    ranked = rank_all(place, as_of=moment)
    show_ranking(ranked, output=output, top=top)
    if out is not None:
        write_frame(ranked, out=out)
        output.note(f"{len(ranked):,} accounts written to {out}")
    output.result({"accounts": ranking_document(ranked.head(top))})


@commands.command()
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

    output = open_output(as_json=as_json)
    moment = read_as_of(as_of)
    if account is None and domain is None:
        raise ConfigError("no account given", allowed="an account_id or --domain", fix="name the account")
    _require_language(language)
    answer = answer_one(
        open_workspace(workspace), account=account, domain=domain, as_of=moment, language=language
    )
    show_reasons(answer, output=output)
    output.result(answer)


@commands.command()
def profile(
    *,
    fit: Annotated[
        str | None,
        typer.Option("--fit", metavar="VERSION", help="Of a trained model instead of the served one."),
    ] = None,
    language: LanguageOption = "en",
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Show the ideal customer profile: what sets wins apart, and where sales and the data agree."""
    from training.ideal_profile.shown import read_profile, show_profile

    output = open_output(as_json=as_json)
    _require_language(language)
    found, bundle = read_profile(open_workspace(workspace), fit=fit)
    show_profile(found, output=output, language="zh" if language == "zh" else "en")
    output.result({"model": bundle.name, "version": bundle.version, "profile": found.to_json()})


def _require_language(language: str) -> None:
    if language not in ("en", "zh"):
        raise ConfigError("unknown language", got=repr(language), allowed="en, zh", fix="choose one of them")
