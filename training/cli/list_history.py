"""Commands on the past of target account lists: lists versions, diff and log.

Turn what was typed into calls of public functions. Time rule: none. Null rule: an option that is left out is
None, and the function called decides.
"""

from __future__ import annotations

from typing import Annotated

import typer

from features.errors import ConfigError
from training.cli.given import open_output
from training.cli.list_options import ListArgument, list_named, open_store
from training.cli.options import WORKSPACE, JsonOption, WorkspaceOption

__all__ = ["commands"]

commands = typer.Typer()

_SHOWN = 50


@commands.command()
def versions(
    name: ListArgument, *, workspace: WorkspaceOption = WORKSPACE, as_json: JsonOption = False
) -> None:
    """Show every version of a list: what it was drawn from, by whom and why."""
    from serving.lists.answers import version_answer
    from serving.store import lists

    output = open_output(as_json=as_json)
    with open_store(workspace) as store, store.reading() as connection:
        found = list_named(connection, name)
        known = lists.versions(connection, list_id=found.id)
    rows = [
        (one.number, one.kind, one.opened_at, one.opened_by, one.why, one.approved_at or "") for one in known
    ]
    output.table(["version", "kind", "when", "who", "why", "approved"], rows)
    told = [version_answer(one).model_dump(mode="json") for one in known]
    output.result({"list": found.id, "versions": told})


@commands.command()
def diff(
    name: ListArgument,
    earlier: Annotated[
        int | None, typer.Argument(min=1, help="The version before. Default: the one before the later one.")
    ] = None,
    later: Annotated[
        int | None, typer.Argument(min=1, help="The version after. Default: the newest.")
    ] = None,
    *,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Show what changed from one version of a list to a later one, and what did it."""
    from dataclasses import asdict

    from serving.store import list_pages, lists

    output = open_output(as_json=as_json)
    with open_store(workspace) as store, store.reading() as connection:
        found = list_named(connection, name)
        known = sorted(one.number for one in lists.versions(connection, list_id=found.id))
        new = later or found.version
        old = earlier or max((number for number in known if number < new), default=new)
        for number in (old, new):
            if number not in known:
                raise ConfigError(
                    "the list has no such version", got=number, allowed=", ".join(map(str, known))
                )
        changes = list_pages.diff(connection, list_id=found.id, earlier=old, later=new)
        counts = list_pages.diff_counts(connection, list_id=found.id, earlier=old, later=new)
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    output.note(f"From version {old} to version {new}: {told}")
    rows = [
        (
            one.change,
            one.account_id,
            one.name or "",
            one.before_segment or "",
            one.after_segment or "",
            one.why,
        )
        for one in changes[:_SHOWN]
    ]
    output.table(["change", "account", "name", "from", "to", "why"], rows)
    if len(changes) > _SHOWN:
        output.note(f"and {len(changes) - _SHOWN:,} more; --json tells all")
    compared: dict[str, object] = {"list": found.id, "earlier": old, "later": new}
    compared |= dict(counts) | {"changes": [asdict(one) for one in changes]}
    output.result(compared)


@commands.command()
def log(
    name: ListArgument,
    *,
    top: Annotated[int, typer.Option(min=1, help="So many changes, the latest first.")] = _SHOWN,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Show who changed what of a list, and when."""
    from serving.lists.answers import list_change
    from serving.store import lists

    output = open_output(as_json=as_json)
    with open_store(workspace) as store, store.reading() as connection:
        found = list_named(connection, name)
        made = lists.changes(connection, list_id=found.id, limit=top)
    rows = [
        (one.revision, one.version, one.at, one.who, one.action, one.account_id or "", one.detail)
        for one in made
    ]
    output.table(["revision", "version", "when", "who", "what", "account", "detail"], rows)
    told = [list_change(one).model_dump(mode="json") for one in made]
    output.result({"list": found.id, "revision": found.revision, "changes": told})
