"""Commands on people who use the page: users invite, list, link, role and disable.

Turn what was typed into calls of public functions. Time rule: the clock says which links have expired. Null
rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from features.errors import InputError
from training.cli.given import open_output, open_workspace
from training.cli.options import WORKSPACE, JsonOption, WorkspaceOption
from training.cli.releases import now, who_runs_this

if TYPE_CHECKING:
    from serving.access.inviting import NewLink
    from serving.store import Store
    from serving.store.people import Role, Side, User
    from training.console import Output

__all__ = ["commands"]

commands = typer.Typer()
_users = typer.Typer(help="People: who may sign in on the page, and as what.", no_args_is_help=True)
commands.add_typer(_users, name="users")

_NameArgument = Annotated[str, typer.Argument(help="As it was invited; capitals do not matter.")]
_RoleOption = Annotated[
    str,
    typer.Option(
        metavar="ROLE", help="viewer reads scores and lists; approver changes and approves lists too."
    ),
]
_SideOption = Annotated[
    str | None, typer.Option(metavar="SIDE", help="Approves for marketing or sales alone. Default: for both.")
]
_HoursOption = Annotated[
    int | None, typer.Option(min=1, max=720, help="How long the link waits for its use. Default: 24.")
]
_AddressOption = Annotated[
    str, typer.Option(metavar="URL", help="Where people find the page, as in https://scores.example.com.")
]
_ADDRESS = "http://127.0.0.1:3000"


@_users.command()
def invite(
    name: Annotated[str, typer.Argument(help='Who will sign in, such as "Ann Example"; no e-mail address.')],
    *,
    role: _RoleOption,
    side: _SideOption = None,
    hours: _HoursOption = None,
    address: _AddressOption = _ADDRESS,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make a link that lets somebody in once. From then on nobody passes without a key or a sign-in."""
    from serving.access.inviting import LINK_HOURS, invite_person

    output = open_output(as_json=as_json)
    with _store(workspace) as store:
        made = invite_person(
            store,
            name=name,
            role=_role(role),
            side=_side(side),
            who=who_runs_this(),
            now=now(),
            hours=hours or LINK_HOURS,
        )
    _show_link(made, address=address, output=output)


@_users.command()
def link(
    name: _NameArgument,
    *,
    hours: _HoursOption = None,
    address: _AddressOption = _ADDRESS,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make another link for somebody; earlier ones let nobody in any more, and browsers stay signed in."""
    from serving.access.inviting import LINK_HOURS, renew_link

    output = open_output(as_json=as_json)
    with _store(workspace) as store:
        made = renew_link(store, name=name, who=who_runs_this(), now=now(), hours=hours or LINK_HOURS)
    _show_link(made, address=address, output=output)


@_users.command("list")
def list_users(*, workspace: WorkspaceOption = WORKSPACE, as_json: JsonOption = False) -> None:
    """List everybody who was ever invited, and in how many browsers they are signed in."""
    from serving.access.sessions import has_expired
    from serving.store import people

    output, moment = open_output(as_json=as_json), now()
    with _store(workspace) as store, store.reading() as connection:
        users, sessions = people.every_user(connection), people.open_sessions(connection, now=moment)
    going = [each for each in sessions if not has_expired(each, last_used_at=each.last_used_at, now=moment)]
    told = [_told(user, [each.last_used_at for each in going if each.user.id == user.id]) for user in users]
    if told:
        columns = ["person", "role", "side", "state", "browsers", "last seen", "invited by"]
        output.table(columns, (_cells(row) for row in told))
    else:
        output.note("Nobody was invited yet. See spearfish users invite.")
    output.result({"users": told})


@_users.command()
def role(
    name: _NameArgument,
    new: Annotated[str, typer.Argument(metavar="ROLE", help="viewer or approver.")],
    *,
    side: _SideOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Give somebody another role or side, at once, in browsers that are signed in as well."""
    from serving.store import people

    output = open_output(as_json=as_json)
    with _store(workspace) as store, store.writing() as connection:
        changed = people.change_role(
            connection, name=name, role=_role(new), side=_side(side), who=who_runs_this(), now=now()
        )
    output.note(f"{name} {'is' if changed else 'was already'} {new}{f' of {side}' if side else ''}.")
    output.result({"name": name, "role": new, "side": side, "changed": changed})


@_users.command()
def disable(
    name: _NameArgument, *, workspace: WorkspaceOption = WORKSPACE, as_json: JsonOption = False
) -> None:
    """Let somebody in no more: links are withdrawn and sessions end, at once and in every worker."""
    from serving.store import people

    output = open_output(as_json=as_json)
    with _store(workspace) as store, store.writing() as connection:
        ended = people.remove(connection, name=name, who=who_runs_this(), now=now())
    output.note(f"{name} is disabled; sessions that ended: {ended}. An invitation lets them in again.")
    output.result({"name": name, "disabled": True, "sessions_ended": ended})


def _show_link(made: NewLink, *, address: str, output: Output) -> None:
    from serving.access.inviting import link_address

    user, place = made.user, link_address(made, address=address)
    as_what = f"{user.role} of {user.side}" if user.side else user.role
    output.note(f"{user.name} signs in as {as_what} by this link, once, until {_iso(made.expires_at)}:")
    # On one line however long it is: a link is copied whole.
    output.people.print(f"\n    {place}\n", soft_wrap=True, markup=False, highlight=False)
    output.note("Whoever opens it first is signed in: send it to nobody else. It is shown this once.")
    output.result(
        {
            "name": user.name,
            "role": user.role,
            "side": user.side,
            "link": place,
            "expires_at": _iso(made.expires_at),
        }
    )


@contextmanager
def _store(home: Path) -> Iterator[Store]:
    from serving.store import Store

    workspace = open_workspace(home)
    workspace.home.mkdir(parents=True, exist_ok=True)
    with Store.open(workspace.store_url) as store:
        yield store


def _role(given: str) -> Role:
    found: dict[str, Literal["viewer", "approver"]] = {"viewer": "viewer", "approver": "approver"}
    if given not in found:
        raise InputError("no such role", got=repr(given), allowed=", ".join(found), fix="give --role viewer")
    return found[given]


def _side(given: str | None) -> Side | None:
    found: dict[str, Literal["marketing", "sales"]] = {"marketing": "marketing", "sales": "sales"}
    if given is not None and given not in found:
        raise InputError(
            "no such side", got=repr(given), allowed=", ".join(found), fix="leave it out for both"
        )
    return None if given is None else found[given]


def _told(user: User, uses: list[datetime]) -> dict[str, Any]:
    """uses: the last one of each browser that is signed in."""
    return {
        "name": user.name,
        "role": user.role,
        "side": user.side,
        "state": "active" if user.removed_at is None else "disabled",
        "browsers": len(uses),
        "last_used_at": _iso(max(uses, default=None)),
        "created_at": _iso(user.created_at),
        "created_by": user.created_by,
        "disabled_at": _iso(user.removed_at),
    }


def _cells(told: dict[str, Any]) -> list[Any]:
    seen = (told["last_used_at"] or "-")[:16]
    side = told["side"] or "both"
    return [told["name"], told["role"], side, told["state"], told["browsers"], seen, told["created_by"]]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat()}Z"
