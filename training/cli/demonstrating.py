"""How a demo lets people and scripts in: a link that signs somebody in, and a key for curl.

Turns a workspace into both. Time rule: the link lasts a day, the key a week. Null rule: none.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from features.workspace import Workspace
    from serving.access.inviting import NewLink
    from serving.store import Store
    from serving.store.people import User
    from training.demo import WaysIn

__all__ = ["KEY_FILE", "welcome"]

KEY_FILE = "demo.key"
"""The file of the workspace that holds the key, for its owner alone."""

_PERSON = "Demo"
_KEY_LASTS = timedelta(days=7)


def welcome(workspace: Workspace, *, address: str, now: datetime) -> WaysIn:
    """A sign-in link for an approver, and the file of a key that may ask for scores.

    The link and the key of an earlier demo let nobody in any more; browsers stay signed in. Whoever has the
    name of the demo's person keeps the role that they have, and who was disabled stays out: then the person
    has a number behind the name.
    """
    from serving.access.inviting import link_address
    from serving.access.managing import create_key
    from serving.access.secrets import prefix_of
    from serving.store import Store, keys
    from training.demo import WaysIn

    file = workspace.home / KEY_FILE
    with Store.open(workspace.store_url) as store:
        link = _link(store, now=now)
        before = prefix_of(file.read_text(encoding="utf-8").strip()) if file.exists() else None
        with store.writing() as connection:
            if before in {key.prefix for key in keys.every_key(connection)}:
                keys.revoke(connection, prefix=before or "", who="demo", now=now)
        key = create_key(
            store, owner="demo", scopes=["score"], who="demo", now=now, expires_at=now + _KEY_LASTS
        )
    _keep(key.text, file=file)
    return WaysIn(link_address(link, address=address), file, link.user.name, link.user.role)


def _link(store: Store, *, now: datetime) -> NewLink:
    from serving.access.inviting import invite_person, renew_link
    from serving.store import people

    with store.reading() as connection:
        # Names that differ in case alone are one person.
        known = {user.name.casefold(): user for user in people.every_user(connection)}
    names = (f"{_PERSON} {number}" if number > 1 else _PERSON for number in count(1))
    name = next(one for one in names if not _is_disabled(known.get(one.casefold())))
    if name.casefold() in known:
        # Whatever role they have by now.
        return renew_link(store, name=name, who="demo", now=now)
    return invite_person(store, name=name, role="approver", side=None, who="demo", now=now)


def _is_disabled(user: User | None) -> bool:
    return user is not None and user.removed_at is not None


def _keep(text: str, *, file: Path) -> None:
    """Write a file that nobody else on this machine may read, not for a moment."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(f"{text}\n")
