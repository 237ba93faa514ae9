"""Commands on API keys: keys create, list, revoke and log.

Turn what was typed into calls of public functions. Time rule: the clock says which keys have expired. Null
rule: an option that is left out is None, and the function called decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import ConfigError
from training.cli.given import open_output, open_workspace, read_moment
from training.cli.options import WORKSPACE, JsonOption, WorkspaceOption
from training.cli.releases import now, who_runs_this

if TYPE_CHECKING:
    from serving.store import Store
    from serving.store.keys import StoredKey

__all__ = ["commands"]

commands = typer.Typer()
_keys = typer.Typer(help="API keys: who may ask the service, for what and how often.", no_args_is_help=True)
commands.add_typer(_keys, name="keys")


@_keys.command()
def create(
    owner: Annotated[str, typer.Argument(help='What will use it, such as "Salesforce production".')],
    *,
    scope: Annotated[
        list[str], typer.Option(help="What it may do: score, activities, lists, admin. May be repeated.")
    ],
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="Its end, as in 2027-01-31 (UTC). Default: none.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="In place of --expires: days from now.")] = None,
    per_minute: Annotated[
        int | None, typer.Option(min=1, max=6_000_000, help="Requests a minute. Default: 6000.")
    ] = None,
    burst: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="Requests at once. Default: those of ten seconds."),
    ] = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make an API key. It is shown now and never again; from the first one on every request needs a key."""
    from serving.access.managing import PER_MINUTE, create_key

    output = open_output(as_json=as_json)
    with _store(workspace) as store:
        made = create_key(
            store,
            owner=owner,
            scopes=scope,
            who=who_runs_this(),
            now=now(),
            per_minute=per_minute or PER_MINUTE,
            burst=burst,
            expires_at=_end(expires, days=days),
        )
    output.note(f"The key of {made.draft.owner}. Keep it now: it is shown this once.")
    output.note(f"\n    {made.text}\n")
    output.note(f"Send it as the header Authorization: Bearer {made.text[:14]}...")
    output.result({"key": made.text, "prefix": made.draft.prefix, "scopes": list(made.draft.scopes)})


@_keys.command("list")
def list_keys(*, workspace: WorkspaceOption = WORKSPACE, as_json: JsonOption = False) -> None:
    """List every key ever made, by the prefix in its text; never the key."""
    from serving.store import keys

    output = open_output(as_json=as_json)
    with _store(workspace) as store, store.reading() as connection:
        told = [_told(key) for key in keys.every_key(connection)]
    if not told:
        output.note("There is no API key yet. See spearfish keys create.")
    else:
        columns = ["key", "owner", "scopes", "state", "a minute", "ends", "last used"]
        output.table(columns, (_cells(row) for row in told))
    output.result({"keys": told})


@_keys.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="The eight digits after spear_; see spearfish keys list.")],
    *,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Refuse a key from now on, on every worker within a second. There is no way back: make another one."""
    from serving.store import keys

    output = open_output(as_json=as_json)
    with _store(workspace) as store, store.writing() as connection:
        changed = keys.revoke(connection, prefix=prefix, who=who_runs_this(), now=now())
    output.note(f"The key {prefix} {'is' if changed else 'was already'} revoked.")
    output.result({"prefix": prefix, "revoked": True, "changed": changed})


@_keys.command()
def log(*, workspace: WorkspaceOption = WORKSPACE, as_json: JsonOption = False) -> None:
    """Tell which keys were made and revoked, by whom, and how often requests were refused, and why."""
    from serving.store import audit

    output = open_output(as_json=as_json)
    with _store(workspace) as store, store.reading() as connection:
        entries, refusals = audit.entries(connection), audit.refusals(connection)
    if entries:
        rows = [(_iso(entry.at), entry.who, entry.action, entry.subject, entry.detail) for entry in entries]
        output.table(["when", "who", "what", "key", "detail"], rows)
    if refusals:
        counts = [(_iso(each.hour), each.reason, each.prefix, each.count) for each in refusals]
        output.table(["hour", "refused because of", "key", "requests"], counts)
    if not entries and not refusals:
        output.note("Nothing happened yet.")
    output.result(
        {
            "entries": [vars(entry) | {"at": _iso(entry.at)} for entry in entries],
            "refused": [vars(each) | {"hour": _iso(each.hour)} for each in refusals],
        }
    )


@contextmanager
def _store(home: Path) -> Iterator[Store]:
    from serving.store import Store

    workspace = open_workspace(home)
    workspace.home.mkdir(parents=True, exist_ok=True)
    with Store.open(workspace.store_url) as store:
        yield store


def _end(expires: str | None, *, days: int | None) -> datetime | None:
    if expires is not None and days is not None:
        raise ConfigError("a key has one end", got="--expires and --days", fix="give one of the two")
    if days is not None:
        return now() + timedelta(days=days)
    return None if expires is None else read_moment("--expires", value=expires)


def _told(key: StoredKey) -> dict[str, Any]:
    from serving.access.managing import state_of

    return {
        "prefix": key.prefix,
        "owner": key.owner,
        "scopes": list(key.scopes),
        "state": state_of(key, now=now()),
        "per_minute": key.per_minute,
        "burst": key.burst,
        "created_at": _iso(key.created_at),
        "created_by": key.created_by,
        "expires_at": _iso(key.expires_at),
        "revoked_at": _iso(key.revoked_at),
        "last_used_hour": _iso(key.last_used_at),
    }


def _cells(told: dict[str, Any]) -> list[Any]:
    """A row for people: days are enough, but for the last use."""
    ends, used = told["revoked_at"] or told["expires_at"] or "never", told["last_used_hour"] or "never"
    scopes = " ".join(told["scopes"])
    return [told["prefix"], told["owner"], scopes, told["state"], told["per_minute"], ends[:10], used[:13]]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat()}Z"
