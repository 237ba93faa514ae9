"""Who asks: a key, somebody who is signed in, or anybody on this machine where no sign-in is needed.

Turns a caller into the name that people read, the number that the store keeps, and a text that no other
caller has. Time rule: none. Null rule: a caller without a key and a session is somebody on this machine, or
asks for what holds no data.
"""

from __future__ import annotations

from dataclasses import dataclass

from serving.store.keys import StoredKey
from serving.store.people import Session, User

__all__ = ["LOCAL", "Caller", "mark_of", "name_of", "number_of"]

LOCAL = "local"
"""How somebody is called who asks from this machine without having signed in."""


@dataclass(frozen=True)
class Caller:
    """Who asks. key, session: one of them at most; neither for somebody on this machine.

    A caller with neither may do everything on this machine, while there are no keys and no people.
    """

    key: StoredKey | None = None
    session: Session | None = None

    @property
    def person(self) -> User | None:
        """Who is signed in."""
        return None if self.session is None else self.session.user

    @property
    def local(self) -> bool:
        """Whether it is neither a key nor a person."""
        return self.key is None and self.session is None


def name_of(caller: Caller) -> str:
    """What people call a caller: the name of a person, or what a key was made for.

    >>> name_of(Caller())
    'local'
    """
    if caller.person is not None:
        return caller.person.name
    return LOCAL if caller.key is None else caller.key.owner


def number_of(caller: Caller) -> int | None:
    """What the store keeps as `api_key_id`: the id of a key, and below zero -1 minus the id of a person.

    >>> number_of(Caller()) is None
    True
    """
    if caller.person is not None:
        return -1 - caller.person.id
    return None if caller.key is None else caller.key.id


def mark_of(caller: Caller) -> str:
    """What no two callers share, for the log as well: it tells neither a name nor a secret."""
    if caller.person is not None:
        return f"person-{caller.person.id}"
    return "" if caller.key is None else caller.key.prefix
