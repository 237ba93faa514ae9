"""What the commands on target account lists share.

Time rule: the clock says when something was done. Null rule: an option that is left out is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from training.cli.given import open_workspace
from training.cli.releases import now

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from serving.store import Store
    from serving.store.lists import TargetList

__all__ = [
    "ByOption",
    "ExpiresOption",
    "ListArgument",
    "ReasonOption",
    "ReplacesOption",
    "RevisionOption",
    "due_of",
    "list_named",
    "open_store",
    "sentence_of",
    "told_of",
]

ListArgument = Annotated[str, typer.Argument(metavar="LIST", help="Name or number of the list.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who does it. Default: who runs this.")]
RevisionOption = Annotated[
    int | None, typer.Option("--revision", min=1, help="What you have seen: refuse if it has changed since.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why.", show_default=False)]
ReplacesOption = Annotated[
    int | None, typer.Option("--replaces", min=1, help="The decision that counts now, as you have seen it.")
]
ExpiresOption = Annotated[
    str | None, typer.Option("--expires", metavar="TIME", help="Until when it counts, as in 2027-01-31.")
]


@contextmanager
def open_store(home: Path) -> Iterator[Store]:
    """The store of a workspace, made where there is none."""
    from serving.store import Store

    workspace = open_workspace(home)
    workspace.home.mkdir(parents=True, exist_ok=True)
    with Store.open(workspace.store_url) as store:
        yield store


def list_named(connection: Connection, text: str) -> TargetList:
    """The list of this name or number."""
    from serving.store import lists

    return lists.named(connection, text=text)


def due_of(found: TargetList) -> str | None:
    """What is to be done with a list now."""
    from serving.lists.life_cycle import due

    return due(found, now=now())


def told_of(found: TargetList) -> dict[str, Any]:
    """A list as JSON."""
    from serving.lists.answers import list_answer

    return list_answer(found, now=now()).model_dump(mode="json")


def sentence_of(found: TargetList) -> str:
    """How a list stands, in words."""
    handed = f"version {found.approved_version} is approved" if found.approved_version else "none is approved"
    stands = f"{found.state}, version {found.version}, revision {found.revision}"
    return f"List {found.id}, {found.name}: {stands}; {handed}."
