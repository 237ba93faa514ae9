"""Commands on what people decide of target account lists: lists pin, drop, move, end, accept, discard, state
and approve.

Turn what was typed into calls of public functions. Time rule: the clock says when something was done. Null
rule: an option that is left out is None; without --revision a command rests on the list as it is when it
begins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from features.errors import ConfigError
from training.cli.given import open_output, open_workspace, read_moment
from training.cli.list_options import (
    ByOption,
    ExpiresOption,
    ListArgument,
    ReasonOption,
    ReplacesOption,
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
def pin(
    name: ListArgument,
    account: Annotated[str, typer.Argument(help="Identifier of the account.")],
    *,
    reason: ReasonOption,
    segment: Annotated[str | None, typer.Option(help="Where it belongs.")] = None,
    expires: ExpiresOption = None,
    replaces: ReplacesOption = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Keep an account on a list, whatever the machine says."""
    given = {"reason": reason, "segment": segment, "expires": expires, "replaces": replaces, "by": by}
    _decide(name, account, kind="pin", given=given, workspace=workspace, as_json=as_json)


@commands.command()
def drop(
    name: ListArgument,
    account: Annotated[str, typer.Argument(help="Identifier of the account.")],
    *,
    reason: ReasonOption,
    expires: ExpiresOption = None,
    replaces: ReplacesOption = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Take an account off a list, whatever the machine says."""
    given = {"reason": reason, "expires": expires, "replaces": replaces, "by": by}
    _decide(name, account, kind="drop", given=given, workspace=workspace, as_json=as_json)


@commands.command()
def move(
    name: ListArgument,
    account: Annotated[str, typer.Argument(help="Identifier of the account.")],
    segment: Annotated[str, typer.Argument(help="The segment to move it to.")],
    *,
    reason: ReasonOption,
    expires: ExpiresOption = None,
    replaces: ReplacesOption = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Move an account to another segment of its list."""
    given = {"reason": reason, "segment": segment, "expires": expires, "replaces": replaces, "by": by}
    _decide(name, account, kind="move", given=given, workspace=workspace, as_json=as_json)


def _decide(
    name: str, account: str, *, kind: Any, given: dict[str, Any], workspace: Path, as_json: bool
) -> None:
    from features.privacy.known_people import KnownPeople
    from serving.lists.deciding import decide
    from serving.lists.known import account_in
    from serving.lists.member_answers import rules_note

    output, place = open_output(as_json=as_json), open_workspace(workspace)
    expires = given["expires"]
    with open_store(workspace) as store:
        with store.reading() as connection:
            found = list_named(connection, name)
        tables = place.tables()
        one = account_in(tables, account, rules=found.rules)
        people = KnownPeople(place, manifest=place.manifest(), tables=tables)
        with store.writing() as connection:
            after, made = decide(
                connection,
                list_id=found.id,
                account_ids=one.names,
                facts=one.facts,
                kind=kind,
                reason=given["reason"],
                segment=given.get("segment"),
                expires_at=None if expires is None else read_moment("--expires", value=expires),
                replaces=given["replaces"],
                who=given["by"] or who_runs_this(),
                now=now(),
                people=people,
            )
    output.note(f"Decision {made.id}: {kind} {made.account_id}. {sentence_of(after)}")
    for column in one.unknown_columns:
        output.note(rules_note(column))
    output.result(told_of(after) | {"decision": made.id})


@commands.command()
def end(
    name: ListArgument,
    decision: Annotated[int, typer.Argument(min=1, help="Number of the decision.")],
    *,
    reason: ReasonOption,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """End a decision: what the machine says of the account counts again."""
    from serving.lists.deciding import end_decision

    output = open_output(as_json=as_json)
    with open_store(workspace) as store, store.writing() as connection:
        after, ended = end_decision(
            connection,
            list_id=list_named(connection, name).id,
            override_id=decision,
            why=reason,
            who=by or who_runs_this(),
            now=now(),
        )
    output.note(f"Decision {ended.id} has ended. {sentence_of(after)}")
    output.result(told_of(after) | {"decision": ended.id})


@commands.command()
def accept(
    name: ListArgument,
    *,
    why: Annotated[str, typer.Option(help="Why.")] = "",
    revision: RevisionOption = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Accept what a refresh, a rebuild or a redraw proposes: it becomes the draft to be reviewed."""
    _settle(name, "accept", why=why, revision=revision, by=by, workspace=workspace, as_json=as_json)


@commands.command()
def discard(
    name: ListArgument,
    *,
    why: Annotated[str, typer.Option(help="Why.")] = "",
    revision: RevisionOption = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Take back what a refresh, a rebuild or a redraw proposes; what people decided meanwhile stays."""
    _settle(name, "discard", why=why, revision=revision, by=by, workspace=workspace, as_json=as_json)


def _settle(
    name: str,
    action: str,
    *,
    why: str,
    revision: int | None,
    by: str | None,
    workspace: Path,
    as_json: bool,
) -> None:
    from serving.lists import proposing

    output = open_output(as_json=as_json)
    settle = proposing.accept if action == "accept" else proposing.discard
    with open_store(workspace) as store, store.writing() as connection:
        found = list_named(connection, name)
        after = settle(
            connection,
            list_id=found.id,
            seen=revision or found.revision,
            who=by or who_runs_this(),
            now=now(),
            why=why,
        )
    output.note(sentence_of(after))
    output.result(told_of(after))


@commands.command()
def state(
    name: ListArgument,
    action: Annotated[str, typer.Argument(help="submit (to review), withdraw, archive or restore.")],
    *,
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    revision: RevisionOption = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Submit a list to review, withdraw it, archive it or restore it."""
    from serving.lists.deciding import move_state
    from serving.lists.life_cycle import ACTIONS

    output = open_output(as_json=as_json)
    wanted = next((one for one in ACTIONS if one == action), None)
    if wanted is None:
        raise ConfigError("unknown action", got=repr(action), allowed="submit, withdraw, archive, restore")
    with open_store(workspace) as store, store.writing() as connection:
        found = list_named(connection, name)
        after = move_state(
            connection,
            list_id=found.id,
            action=wanted,
            seen=revision or found.revision,
            who=by or who_runs_this(),
            now=now(),
            comment=comment,
        )
    output.note(sentence_of(after))
    output.result(told_of(after))


@commands.command()
def approve(
    name: ListArgument,
    *,
    side: Annotated[str, typer.Option("--as", help="marketing or sales.", show_default=False)],
    by: Annotated[str, typer.Option("--by", help="Who approves, by name.", show_default=False)],
    comment: Annotated[str, typer.Option(help="Needed with --changes.")] = "",
    changes: Annotated[bool, typer.Option("--changes", help="Ask for changes instead.")] = False,
    revision: RevisionOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Approve a list for marketing or for sales; it is approved once both have."""
    from serving.lists.deciding import approve as approve_list

    output = open_output(as_json=as_json)
    if side not in ("marketing", "sales"):
        raise ConfigError("unknown side", got=repr(side), allowed="marketing, sales")
    with open_store(workspace) as store, store.writing() as connection:
        found = list_named(connection, name)
        after = approve_list(
            connection,
            list_id=found.id,
            side="sales" if side == "sales" else "marketing",
            decision="changes_requested" if changes else "approved",
            approver=by,
            comment=comment,
            seen=revision or found.revision,
            now=now(),
        )
    output.note(sentence_of(after))
    output.result(told_of(after))
