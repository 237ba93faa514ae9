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

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def match(
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
    identifier: Annotated[str, typer.Option("--id", help="Its column with the lead's identifier.")] = "Id",
    company: Annotated[str, typer.Option(help="Its column with the company's name.")] = "Company",
    email: Annotated[str, typer.Option(help="Its column with the e-mail address.")] = "Email",
    website: Annotated[str, typer.Option(help="Its column with the web site.")] = "Website",
    country: Annotated[str, typer.Option(help="Its column with the country.")] = "Country",
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Find the account of each lead: by web domain, else by the company's name; doubtful ones to review.

    With --config, what its [identity] says of likeness and decisions counts as it does for an ingest.
    """
    from features.identity.matching import write_review
    from training.lead_files import match_lead_file

    output = open_output(as_json=as_json)
    columns = {"lead_id": identifier, "company": company, "email": email, "website": website}
    columns |= {"country": country}
    told = _told(read_optional_config(config, overrides=overrides), decisions=decisions)
    with open_workspace(workspace).reading() as tables:
        found = match_lead_file(tables, file=leads, columns=columns, **told)
    found.matched.rename(columns={"record_id": "lead_id"}).to_csv(out, index=False)
    write_review(found.review, review)
    rules = found.matched["rule"].value_counts().sort_index()
    output.table(["matched by", "leads"], [(str(rule), f"{count:,}") for rule, count in rules.items()])
    output.note(
        f"{len(found.matched):,} leads matched: {out}; {len(found.review):,} pairs to look at: {review}"
    )
    by_rule = {str(rule): int(count) for rule, count in rules.items()}
    document = {"matched": len(found.matched), "by_rule": by_rule, "review": len(found.review)}
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
