"""Commands on leads: match.

Turn what was typed into calls of public functions. Time rule: none. Null rule: an option that is left out
has the default that its help shows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from training.cli.given import open_output, open_workspace, read_optional_config
from training.cli.options import WORKSPACE, JsonOption, OptionalConfig, SetOption, WorkspaceOption

if TYPE_CHECKING:
    from features.mapping import Config
    from training.console import Output
    from training.lead_files import LeadMatches

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def match(
    context: typer.Context,
    *,
    leads: Annotated[Path, typer.Argument(help="A CSV file with one lead per row.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="The file to write: lead, account, rule, score.")] = Path(
        "matches.csv"
    ),
    review: Annotated[
        Path, typer.Option("--review", help="The file to write with the pairs that a person should look at.")
    ] = Path("review.csv"),
    decisions: Annotated[
        Path | None,
        typer.Option(
            "--decisions",
            help="A review file with your decisions, same or different; they go before every rule, and before"
            " those of the config.",
            show_default=False,
        ),
    ] = None,
    config: OptionalConfig = None,
    overrides: SetOption = None,
    lead_id: Annotated[str, typer.Option("--id", help="Its column with the lead's identifier.")] = "Id",
    company: Annotated[str, typer.Option(help="Its column with the company's name.")] = "Company",
    email: Annotated[str, typer.Option(help="Its column with the e-mail address.")] = "Email",
    website: Annotated[str, typer.Option(help="Its column with the web site.")] = "Website",
    country: Annotated[str, typer.Option(help="Its column with the country.")] = "Country",
    registration_number: Annotated[
        str,
        typer.Option(
            help="Its column with the company's registration number, such as the Chinese unified social"
            " credit code. Those of the accounts are the attribute registration_number."
        ),
    ] = "RegistrationNumber",
    account_salesforce_id: Annotated[
        str,
        typer.Option(
            "--salesforce-id",
            help="Its column with the Salesforce id of the account, of 15 or 18 characters. Those of the"
            " accounts are the attribute salesforce_id, else the account_id.",
        ),
    ] = "ConvertedAccountId",
    encoding: Annotated[
        str | None,
        typer.Option(help="The file's encoding, such as gb18030; UTF-8 unless told.", show_default=False),
    ] = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Find the account of each lead; doubtful ones go to a review file.

    The first that decides: your decision, the Salesforce id, the registration number, the web domain (never
    that of a mail provider), the company's name. A column that the file lacks is not asked for, unless you
    name it.

    With --config, what its \\[identity] says of likeness, register and decisions counts as for an ingest.
    """
    from training.lead_files import match_lead_file

    output = open_output(as_json=as_json)
    columns = {"lead_id": lead_id, "company": company, "email": email, "website": website}
    columns |= {"country": country, "registration_number": registration_number}
    columns |= {"account_salesforce_id": account_salesforce_id}
    typed = [name for name in columns if _is_typed(context, name)]
    told = _told(read_optional_config(config, overrides=overrides), decisions=decisions)
    with open_workspace(workspace).reading() as tables:
        done = match_lead_file(tables, file=leads, columns=columns, required=typed, encoding=encoding, **told)
    done.write(out=out, review=review)
    _show(done, output=output, out=out, review=review)


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _show(done: LeadMatches, *, output: Output, out: Path, review: Path) -> None:
    matched, doubtful = done.found.matched, done.found.review
    rules = matched["rule"].value_counts().sort_index()
    output.table(
        ["matched by", "leads"], [(str(rule).replace("_", " "), int(rules[rule])) for rule in rules.index]
    )
    output.note(f"{len(matched):,} of {done.leads:,} leads matched: {out}")
    output.note(f"{len(doubtful):,} pairs to look at: {review}; leads like no account: {done.unmatched:,}")
    for column, cells in done.unread.items():
        output.note(
            f"{column}: not valid, so that nothing was matched by it: {len(cells):,}, such as {cells[0]!r}"
        )
    by_rule = {str(rule): int(count) for rule, count in rules.items()}
    document = {"leads": done.leads, "matched": len(matched), "by_rule": by_rule, "review": len(doubtful)}
    document |= {
        "unmatched": done.unmatched,
        "not_valid": {name: len(odd) for name, odd in done.unread.items()},
    }
    output.result(document | {"out": str(out), "review_file": str(review)})


def _told(config: Config | None, *, decisions: Path | None) -> dict[str, Any]:
    """What goes for the matching: the settings of a config, and every file of decisions."""
    from features.identity.merging import match_settings

    files = [] if decisions is None else [decisions]
    if config is None:
        return {"decisions": files}
    identity = config.identity_settings
    own = [] if identity.decisions is None else [identity.decisions]
    return {"settings": match_settings(identity), "decisions": [*own, *files]}
