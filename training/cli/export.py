"""The command that writes scores for a CRM: export.

Turns what was typed into a file that Salesforce or HubSpot imports. Time rule: accounts stand at the moments
of their single answers. Null rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import ConfigError
from training.cli.given import open_output, open_workspace, read_past
from training.cli.options import WORKSPACE, JsonOption, LanguageOption, WorkspaceOption

if TYPE_CHECKING:
    from features.workspace import Workspace
    from serving.exporting.earlier import Earlier
    from serving.exporting.files import Exported
    from serving.exporting.layout import Crm, Match
    from training.console import Output

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def export(
    *,
    crm: Annotated[str, typer.Option("--format", help="salesforce or hubspot.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="The CSV file to write.", show_default=False)],
    changed_since: Annotated[
        str | None,
        typer.Option(
            "--changed-since",
            metavar="last|DATE|RELEASE",
            help="Write only accounts whose fields changed since the last export, the last one up to a date "
            "(2026-01-31), or the last one of a release (its number).",
        ),
    ] = None,
    match_by: Annotated[
        str | None,
        typer.Option(
            "--match-by",
            metavar="id|domain|external",
            help="What the CRM finds an account by: its record id, its domain (HubSpot), or a field with "
            "our account_id. Default: the first of them that any account has.",
        ),
    ] = None,
    fields: Annotated[
        Path | None, typer.Option("--fields", help="Also write the definitions of the fields, as JSON.")
    ] = None,
    language: LanguageOption = "en",
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Write the scores of every account as Salesforce or HubSpot imports them."""
    from serving.desk import open_desk
    from serving.exporting.files import export as write_export
    from serving.scoring import utc_now

    output, system = open_output(as_json=as_json), _crm(crm)
    match = _match(match_by, crm=system)
    _require_language(language)
    _require_target(out)
    place, now = open_workspace(workspace), utc_now()
    earlier = _earlier(place, crm=system, changed_since=changed_since)
    if fields is not None:
        _write_fields(fields, crm=system)
    with open_desk(place, now=now) as desk, output.progress() as report:
        done = write_export(
            place,
            desk,
            crm=system,
            out=out,
            now=now,
            match=match,
            earlier=earlier,
            language="zh" if language == "zh" else "en",
            progress=lambda scored, accounts: report("scored", scored, accounts),
        )
    _show(done, output=output, out=out, earlier=earlier)


def _show(done: Exported, *, output: Output, out: Path, earlier: Earlier | None) -> None:
    from dataclasses import asdict

    output.note(f"{done.written:,} of {done.accounts:,} accounts written to {out}, by {done.identifier}")
    if earlier is not None:
        output.note(f"{done.unchanged:,} have not changed since the export of {earlier.at.isoformat()}Z")
    if done.unfound:
        told = "have none, or share it with another account" if done.match != "id" else "are not of this CRM"
        output.note(f"{done.unfound:,} {told}, and were left out")
    if done.gone:
        output.note(f"{done.gone:,} of that export are no longer there; their fields in the CRM stay")
    since = None if earlier is None else f"{earlier.at.isoformat()}Z"
    output.result({**asdict(done), "out": str(out), "changed_since": since})


def _crm(given: str) -> Crm:
    from serving.exporting.layout import CRMS

    for crm in CRMS:
        if given == crm:
            return crm
    raise ConfigError("unknown format", got=repr(given), allowed=", ".join(CRMS), fix="choose one of them")


def _match(given: str | None, *, crm: Crm) -> Match | None:
    from serving.exporting.layout import MATCHES

    for match in MATCHES[crm]:
        if given == match:
            return match
    if given is None:
        return None
    raise ConfigError(f"--match-by is no way into {crm}", got=repr(given), allowed=", ".join(MATCHES[crm]))


def _require_language(language: str) -> None:
    if language not in ("en", "zh"):
        raise ConfigError("unknown language", got=repr(language), allowed="en, zh", fix="choose one of them")


def _require_target(out: Path) -> None:
    if out.suffix.lower() != ".csv":
        raise ConfigError("unknown kind of file to write", got=repr(out.suffix), allowed=".csv")
    if out.is_dir() or not out.parent.is_dir():
        raise ConfigError("not a file in a folder that exists", got=out, fix="name another file")


def _earlier(workspace: Workspace, *, crm: Crm, changed_since: str | None) -> Earlier | None:
    from serving.exporting.earlier import earlier_exports, since

    if changed_since is None:
        return None
    exports = earlier_exports(workspace, crm=crm)
    if changed_since == "last":
        return since(exports)
    if changed_since.isdecimal() and len(changed_since) < 8:
        return since(exports, release=int(changed_since))
    return since(exports, moment=read_past("--changed-since", value=changed_since))


def _write_fields(out: Path, *, crm: Crm) -> None:
    import json

    from serving.exporting.fields import field_definitions

    text = json.dumps(field_definitions(crm), indent=2, ensure_ascii=False) + "\n"
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError("cannot write the file", got=error, fix="name another one") from error
