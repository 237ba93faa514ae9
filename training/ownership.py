"""Whose models are whose, where several workspaces track in one MLflow.

Turns a workspace into an identity, and an identity into tags and aliases. The identity is 32 random digits in
the workspace's file `identity`, made by its first training: they move, are copied and are restored with the
folder, while a path would not, and two people may give their workspaces one name. The name is tagged too, for
people. The workspace that registers a model first owns its plain aliases, so that one workspace alone has
`champion` and `challenger`; every further one has them with its first eight digits, as in
`champion-3f2a9c1b`. Time rule: none. Null rule: a workspace that never trained has no identity and owns
nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from features.errors import WorkspaceError
from features.workspace import Workspace

__all__ = [
    "IDENTITY_TAG",
    "NAME_TAG",
    "alias_of",
    "make_identity",
    "owner_tags",
    "read_identity",
    "roles",
    "short",
]

IDENTITY_TAG = "workspace_id"
NAME_TAG = "workspace"
_FILE = "identity"
_SHOWN = 8


def read_identity(workspace: Workspace) -> str | None:
    """The workspace's 32 digits; None when it never trained. WorkspaceError when the file is damaged."""
    path = workspace.home / _FILE
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, got=error) from error
    if not re.fullmatch("[0-9a-f]{32}", text):
        raise _unreadable(path, got=repr(text[:40]))
    return text


def make_identity(workspace: Workspace) -> str:
    """The workspace's 32 digits, drawn when there are none yet; they are whole or not there."""
    present = read_identity(workspace)
    if present is not None:
        return present
    draft = workspace.home / f".{_FILE}-{uuid4().hex}"
    try:
        workspace.home.mkdir(parents=True, exist_ok=True)
        draft.write_text(f"{uuid4().hex}\n", encoding="utf-8")
        os.link(draft, workspace.home / _FILE)
    except FileExistsError:
        pass  # another training drew them in the meantime
    except OSError as error:
        raise WorkspaceError(
            f"cannot write to the workspace {workspace.home}", got=error, fix="give this user write access"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return make_identity(workspace)


def owner_tags(identity: str, *, name: str) -> dict[str, str]:
    """What a run and a version carry."""
    return {IDENTITY_TAG: identity, NAME_TAG: name}


def alias_of(role: str, *, identity: str, owner: str | None) -> str:
    """The alias that names a workspace's champion or challenger of a model that `owner` registered first.

    >>> alias_of("champion", identity="3f2a9c1b" * 4, owner="3f2a9c1b" * 4)
    'champion'
    >>> alias_of("champion", identity="3f2a9c1b" * 4, owner="00000000" * 4)
    'champion-3f2a9c1b'
    """
    return role if identity == owner else f"{role}-{short(identity)}"


def roles(
    aliases: Mapping[str, int], *, number: int, identity: str, owner: str | None, known: tuple[str, ...]
) -> tuple[str, ...]:
    """What a workspace calls its version: its own roles by their plain names, and every other alias.

    aliases: number by alias, of the whole model. known: the roles.
    """
    own = {alias_of(role, identity=identity, owner=owner): role for role in known}
    mine = (alias for alias, of in aliases.items() if of == number and (alias in own or alias not in known))
    return tuple(sorted(own.get(alias, alias) for alias in mine))


def short(identity: str) -> str:
    """The first digits, for people."""
    return identity[:_SHOWN]


def _unreadable(path: Path, *, got: object) -> WorkspaceError:
    return WorkspaceError(
        f"{path} cannot be read",
        got=got,
        allowed="32 hexadecimal digits",
        fix="restore it, or remove it and train again: it tells whose models are whose in MLflow",
    )
