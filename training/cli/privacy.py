"""Commands on people's data: forget, unforget.

Turn what was typed into calls of public functions. Time rule: the audit says when, by the clock. Null rule:
an option that is left out names nobody.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from training.cli.given import open_output, open_workspace
from training.cli.options import WORKSPACE, JsonOption, WorkspaceOption
from training.cli.releases import who_runs_this

if TYPE_CHECKING:
    from training.console import Output
    from training.forgetting import Forgetting

__all__ = ["commands"]

commands = typer.Typer()

EmailOption = Annotated[
    list[str] | None,
    typer.Option("--email", help="Every contact that has or had this address, now and in later exports."),
]
ContactOption = Annotated[
    list[str] | None, typer.Option("--contact", help="The one contact with this identifier.")
]
AccountOption = Annotated[
    list[str] | None,
    typer.Option(
        "--account", help="The account, all that is the same company, and the people known nowhere else."
    ),
]


@commands.command()
def forget(
    *,
    email: EmailOption = None,
    contact: ContactOption = None,
    account: AccountOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before erasing.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for those who still read older tables.")
    ] = 30.0,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Erase people or accounts from tables, store and logs for good, and leave them out of later ingests.

    Each option may be given several times. Your own files stay as they are: the exports that are ingested,
    and what commands were asked to write elsewhere. Ends with 1 while somebody still reads older tables.
    With --json nothing is asked: without --yes it tells what would go, and ends with 1.
    """
    from features.privacy.forgetting import Request
    from training.forgetting import forget as run_forget
    from training.forgetting import look

    output, place = open_output(as_json=as_json), open_workspace(workspace)
    request = Request(tuple(email or ()), tuple(contact or ()), tuple(account or ()))
    if dry_run or not yes:
        planned = look(place, request)
        _show(planned, output=output)
        if dry_run or as_json:
            output.result(planned.to_json())
            raise typer.Exit(0 if dry_run else 1)
        typer.confirm("Erase this for good?", abort=True, err=True)
    done = run_forget(place, request, who=who_runs_this(), now=_now(), patience=wait)
    _show(done, output=output)
    output.result(done.to_json())
    if not done.complete:
        raise typer.Exit(1)


@commands.command()
def unforget(
    *,
    email: EmailOption = None,
    contact: ContactOption = None,
    account: AccountOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Take people or accounts off the list of the forgotten, so that later exports may bring them again.

    What was erased is gone; files that were read are read again by `ingest --rebuild` alone. Contacts and
    deals that were found by an address or an account stay on the list until they are named themselves.
    """
    from features.privacy.forgetting import Request
    from training.forgetting import unforget as run_unforget

    output, place = open_output(as_json=as_json), open_workspace(workspace)
    request = Request(tuple(email or ()), tuple(contact or ()), tuple(account or ()))
    told = run_unforget(place, request, who=who_runs_this(), now=_now())
    asked = sum(told["asked"].values())
    output.note(
        f"taken off the list: {asked - told['unknown']} of {asked}; entries left on it: {told['left']}"
    )
    output.result(told)
    if told["unknown"] == asked:
        raise typer.Exit(1)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _show(found: Forgetting, *, output: Output) -> None:
    title = "Forgotten" if found.done else "To be forgotten"
    people = (("contacts", found.plan.contacts), ("accounts", found.plan.accounts))
    rows = [(what, "", count) for what, count in people]
    rows += [("rows", name, count) for name, count in found.plan.rows.items()]
    rows += [("rows set aside", name, count) for name, count in found.plan.quarantined.items()]
    rows += [("rows in the store", name, count) for name, count in found.store.items()]
    rows += [("rows in files of activities", "", found.moved)] * bool(found.moved)
    rows += [("logs", "", found.logs)] * bool(found.logs)
    output.table(["what", "where", "how many"], rows, title=title)
    for line in found.notes():
        output.note(line)
