"""Commands on target account lists: lists create, list, show and draw.

Turn what was typed into calls of public functions; what people decide and what is handed over have modules of
their own. Time rule: the clock says when something was done. Null rule: an option that is left out is None,
and the function called decides.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import ConfigError
from training.cli import list_decisions, list_files, list_history, list_outcomes
from training.cli.given import open_output, open_workspace
from training.cli.list_options import (
    ByOption,
    ListArgument,
    RevisionOption,
    due_of,
    list_named,
    open_store,
    told_of,
)
from training.cli.options import WORKSPACE, JsonOption, WorkspaceOption
from training.cli.releases import now, who_runs_this

if TYPE_CHECKING:
    from serving.lists.drawing import Drawn
    from training.console import Output

__all__ = ["commands"]

commands = typer.Typer()
_lists = typer.Typer(help="Target account lists.", no_args_is_help=True)
commands.add_typer(_lists, name="lists")
for group in (list_decisions, list_history, list_outcomes, list_files):
    _lists.add_typer(group.commands)


@_lists.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is called, in the CRM as well.")],
    *,
    owner: Annotated[str, typer.Option(help="Who answers for it.", show_default=False)],
    purpose: Annotated[str, typer.Option(help="What it is for.", show_default=False)],
    size: Annotated[
        int | None, typer.Option(min=1, help="Accounts at most; a list of a size is no pilot.")
    ] = None,
    sub_industry: Annotated[
        str | None, typer.Option(help="The industry of a pilot. Default: that of most of its best accounts.")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="A TOML file with \\[\\[segments]], \\[\\[goals]] and \\[rules].")
    ] = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make a list. Unless --size is given it is a pilot: one sub-industry, fifty accounts."""
    from serving.lists.facts import require_columns
    from serving.lists.requests import ListRequest
    from serving.reading import parse_body
    from serving.store import lists

    output, place = open_output(as_json=as_json), open_workspace(workspace)
    told = {"name": name, "owner": owner, "purpose": purpose, "sub_industry": sub_industry}
    told |= {"pilot": size is None, "size": size} | _settings(settings)
    asked = parse_body(json.dumps(told, default=str).encode(), model=ListRequest)
    if asked.rules is not None and place.manifest_path.exists():
        require_columns(place.tables(), rules=asked.rules)
    draft = asked.draft()
    with open_store(workspace) as store, store.writing() as connection:
        made = lists.add(connection, draft, who=by or who_runs_this(), now=now())
    kind = f"a pilot of {made.size}" if made.pilot else f"of {made.size:,} at most"
    output.note(f"List {made.id}, {made.name}: {kind} accounts. Draw it with spearfish lists draw.")
    output.result(told_of(made))


@_lists.command("list")
def list_lists(*, workspace: WorkspaceOption = WORKSPACE, as_json: JsonOption = False) -> None:
    """Show every list: its state, its version, and whether a refresh is due."""
    from serving.store import lists

    output = open_output(as_json=as_json)
    with open_store(workspace) as store, store.reading() as connection:
        found = lists.every(connection)
    rows = [
        (one.id, one.name, one.owner, one.state, one.version, one.approved_version or "", due_of(one) or "")
        for one in found
    ]
    output.table(["list", "name", "owner", "state", "version", "approved", "due"], rows)
    output.result({"lists": [told_of(one) for one in found]})


@_lists.command()
def show(
    name: ListArgument,
    *,
    top: Annotated[int, typer.Option(min=1, help="So many accounts, the best first.")] = 20,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Show a list, who is on it, and what each rule left out."""
    from dataclasses import asdict
    from itertools import islice

    from serving.store import list_members, lists

    output = open_output(as_json=as_json)
    with open_store(workspace) as store, store.reading() as connection:
        found = lists.named(connection, text=name)
        at: dict[str, Any] = {"list_id": found.id, "version": found.version, "newest": found.version}
        counts = list_members.counts(connection, **at)
        best = list(islice(list_members.stream(connection, **at, status="target"), top))
        version = lists.versions(connection, list_id=found.id)[0]
    output.heading(f"{found.name} ({found.state}, version {found.version})")
    output.note(
        f"{found.purpose}\nowner {found.owner}; revision {found.revision}; due: {due_of(found) or 'nothing'}"
    )
    output.table(
        ["status", "segment", "accounts"], [(status, segment, n) for (status, segment), n in counts.items()]
    )
    rows = [(one.account_id, one.name or "", one.segment or "", one.score or "", one.why) for one in best]
    output.table(["account", "name", "segment", "score", "why"], rows)
    left_out = sorted(version.drops.get("rules", {}).items())
    if left_out:
        output.table(["left out by", "accounts"], left_out)
    members = [
        {"status": status, "segment": segment, "accounts": n} for (status, segment), n in counts.items()
    ]
    told = told_of(found) | {"members": members, "drops": version.drops}
    output.result(told | {"best": [asdict(one) for one in best]})


@_lists.command()
def draw(
    name: ListArgument,
    file: Annotated[
        Path, typer.Argument(help="Suggestions: CSV or NDJSON, as spearfish expand writes them.")
    ],
    *,
    kind: Annotated[
        str,
        typer.Option(
            help="first; then refresh (who is suggested still stays), rebuild (the machine's order anew) or "
            "redraw (for another market), which are proposals: see accept and discard."
        ),
    ] = "first",
    settings: Annotated[
        Path | None,
        typer.Option(help="Of a redraw: a TOML file with \\[rules], and sub_industry of a pilot."),
    ] = None,
    why: Annotated[str, typer.Option(help="Why it is drawn.")] = "first draw",
    revision: RevisionOption = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Draw a list from suggestions: rules leave accounts out, and what people decided stays."""
    from features.privacy.known_people import KnownPeople
    from serving.lists.drawing import carried_out, planned
    from serving.lists.known import known_in
    from serving.lists.proposing import DRAWS
    from serving.lists.reading import read_suggestions

    output, place = open_output(as_json=as_json), open_workspace(workspace)
    chosen = next((one for one in DRAWS if one == kind), None)
    if chosen is None:
        raise ConfigError("unknown kind of draw", got=repr(kind), allowed=", ".join(DRAWS))
    suggestions, given = list(read_suggestions(file)), _of_redraw(settings)
    tables = place.tables()
    people = KnownPeople(place, manifest=place.manifest(), tables=tables)
    with open_store(workspace) as store:
        with store.reading() as connection:
            found = list_named(connection, name)
        known = known_in(
            tables,
            store,
            list_id=found.id,
            account_ids=[one.account_id for one in suggestions],
            rules=given.get("rules"),
        )
        with store.reading() as connection:
            plan = planned(
                connection,
                list_id=found.id,
                suggestions=suggestions,
                facts=known.facts,
                same=known.same,
                kind=chosen,
                why=why,
                who=by or who_runs_this(),
                now=now(),
                source={"file": file.name, "suggestions": len(suggestions)},
                seen=revision,
                given=given,
                people=people,
            )
        with store.writing() as connection:
            done = carried_out(connection, plan)
    _show(done, output=output)


def _show(done: Drawn, *, output: Output) -> None:
    output.note(
        f"{done.targets:,} accounts on version {done.list.version}: {done.added:,} added, "
        f"{done.dropped:,} dropped, {done.moved:,} moved"
    )
    counted = done.constrained.counted()
    output.table(
        ["left out by", "accounts", "such as"],
        [(rule.rule, rule.dropped, ", ".join(rule.accounts)) for rule in counted],
    )
    for conflict in done.constrained.conflicts:
        output.note(f"{conflict.account_id} is pinned although: {conflict.detail}")
    output.result(
        {
            **told_of(done.list),
            "targets": done.targets,
            "added": done.added,
            "dropped": done.dropped,
            "moved": done.moved,
            "left_out": {rule.rule: rule.dropped for rule in counted},
            "conflicts": [vars(conflict) for conflict in done.constrained.conflicts],
        }
    )


def _of_redraw(file: Path | None) -> dict[str, Any]:
    """What a redraw brings of the list itself, checked."""
    from serving.lists.settings import Rules
    from serving.reading import parse_body

    told = _settings(file)
    unknown = sorted(set(told) - {"rules", "sub_industry"})
    if unknown:
        raise ConfigError(
            "a redraw brings no such settings", got=", ".join(unknown), allowed="rules, sub_industry"
        )
    if "rules" in told:
        told["rules"] = parse_body(json.dumps(told["rules"]).encode(), model=Rules).model_dump()
    return told


def _settings(file: Path | None) -> dict[str, Any]:
    """What a TOML file says of a list."""
    import tomllib

    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError("the settings cannot be read", got=error, fix="correct the file") from error
