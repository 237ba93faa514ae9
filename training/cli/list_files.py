"""Commands on the files of target account lists: lists exclude and export.

Turn what was typed into calls of public functions. Time rule: the clock says when something was done. Null
rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from features.errors import ConfigError
from training.cli.given import open_output
from training.cli.list_options import (
    ByOption,
    ListArgument,
    RevisionOption,
    list_named,
    open_store,
    sentence_of,
    told_of,
)
from training.cli.options import WORKSPACE, JsonOption, WorkspaceOption
from training.cli.releases import now, who_runs_this

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def exclude(
    name: ListArgument,
    file: Annotated[Path, typer.Argument(help="Accounts and domains, one a line; # begins a remark.")],
    *,
    revision: RevisionOption = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Keep the accounts and domains of a file off a list, in place of those before, from the next draw on."""
    from serving.lists import editing
    from serving.lists.reading import read_entries

    output, entries = open_output(as_json=as_json), read_entries(file)
    with open_store(workspace) as store, store.writing() as connection:
        found = list_named(connection, name)
        after = editing.exclude(
            connection,
            list_id=found.id,
            entries=entries,
            seen=revision or found.revision,
            who=by or who_runs_this(),
            now=now(),
        )
    output.note(f"{len(set(entries)):,} accounts and domains are kept off. {sentence_of(after)}")
    output.result(told_of(after) | {"excluded": len(set(entries))})


@commands.command()
def export(
    name: ListArgument,
    *,
    file_format: Annotated[
        str, typer.Option("--format", help="csv, xlsx, salesforce or hubspot.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", help="The file to write.", show_default=False)],
    match_by: Annotated[
        str | None,
        typer.Option(
            metavar="id|domain|external", help="What the CRM finds accounts by. Default: as before."
        ),
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="What is being worked on, as csv or xlsx.")] = False,
    fields: Annotated[
        Path | None, typer.Option("--fields", help="Also write the definitions of the fields, as JSON.")
    ] = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Write the approved version of a list; who has left it gets target = false."""
    from serving.exporting.layout import Match
    from serving.lists.files import write_file
    from serving.lists.handing_over import FORMATS, hand_over, lines

    output = open_output(as_json=as_json)
    chosen = next((one for one in FORMATS if one == file_format), None)
    if chosen is None:
        raise ConfigError("unknown format", got=repr(file_format), allowed=", ".join(FORMATS))
    match = next((one for one in get_args(Match) if one == match_by), None)
    if match_by is not None and match is None:
        raise ConfigError("unknown way to find accounts", got=repr(match_by), allowed="id, domain, external")
    _require_target(out, suffix=".xlsx" if chosen == "xlsx" else ".csv")
    with open_store(workspace) as store:
        with store.writing() as connection:
            done = hand_over(
                connection,
                list_id=list_named(connection, name).id,
                file_format=chosen,
                who=by or who_runs_this(),
                now=now(),
                match=match,
                draft=draft,
            )
        with store.reading() as connection:
            write_file(out, lines(connection, done.export), file_format=chosen, at=done.export.at)
    one = done.export
    output.note(
        f"{one.targets:,} targets and {one.leavers:,} accounts that are none any more, version {one.version}"
    )
    if done.unfound:
        output.note(f"left out, as the CRM cannot find them: {done.unfound:,}")
    if fields is not None:
        _write_fields(fields, crm=chosen)
    output.result(
        {
            "export": one.id,
            "version": one.version,
            "targets": one.targets,
            "leavers": one.leavers,
            "unfound": done.unfound,
            "file": str(out),
        }
    )


def _require_target(out: Path, *, suffix: str) -> None:
    if out.suffix.lower() != suffix:
        raise ConfigError("unknown kind of file to write", got=repr(out.suffix), allowed=suffix)
    if out.is_dir() or not out.parent.is_dir():
        raise ConfigError("not a file in a folder that exists", got=out, fix="name another file")


def _write_fields(out: Path, *, crm: str) -> None:
    import json

    from serving.exporting.fields import field_definitions
    from serving.lists.handing_over import LIST_FIELDS

    if crm not in ("salesforce", "hubspot"):
        raise ConfigError("--fields is of a CRM", got=crm, allowed="salesforce, hubspot")
    told = field_definitions("salesforce" if crm == "salesforce" else "hubspot", own=LIST_FIELDS)
    try:
        out.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError("cannot write the file", got=error, fix="name another one") from error
