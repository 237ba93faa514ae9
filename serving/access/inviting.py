"""People invited by those who run the service: a role, a side, and a link that lets them in once.

Turns what somebody asks for into rows of the store. Time rule: a link ends an hour to thirty days after it
was made. Null rule: a person without a side speaks for both.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.errors import InputError
from serving.access.callers import LOCAL
from serving.access.secrets import digest_of
from serving.access.sessions import new_secret
from serving.store import Store, people
from serving.store.people import Role, Side, User

__all__ = ["LINK_HOURS", "MOST_HOURS", "NewLink", "invite_person", "link_address", "renew_link"]

LINK_HOURS = 24
"""Hours that a link may wait for its use unless told otherwise."""

MOST_HOURS = 30 * 24
_LONGEST_NAME = 200


@dataclass(frozen=True)
class NewLink:
    """A link and whom it lets in. `text` is nowhere else: who loses it needs another."""

    text: str
    user: User
    expires_at: datetime


def invite_person(
    store: Store,
    *,
    name: str,
    role: Role,
    side: Side | None,
    who: str,
    now: datetime,
    hours: int = LINK_HOURS,
) -> NewLink:
    """Make a link for somebody who is new, or was invited before. Raises InputError."""
    name, text, ends = _checked(name), new_secret(), _end(hours, now=now)
    with store.writing() as connection:
        user = people.invite(
            connection,
            name=name,
            role=role,
            side=side,
            digest=digest_of(text),
            expires_at=ends,
            who=who,
            now=now,
        )
    return NewLink(text, user, ends)


def renew_link(store: Store, *, name: str, who: str, now: datetime, hours: int = LINK_HOURS) -> NewLink:
    """Make another link for somebody; those before let nobody in any more. Raises InputError."""
    text, ends = new_secret(), _end(hours, now=now)
    with store.writing() as connection:
        user = people.renew_link(
            connection, name=name, digest=digest_of(text), expires_at=ends, who=who, now=now
        )
    return NewLink(text, user, ends)


def link_address(link: NewLink, *, address: str) -> str:
    """What is sent to somebody. address: of the service, such as https://scores.example.com.

    Behind a # nothing is sent to a server: neither its log nor another site hears of the link.
    """
    return f"{address.rstrip('/')}/#/sign-in/{link.text}"


def _checked(name: str) -> str:
    """A name as it is kept, written in one way. An address would make the audit log one of addresses."""
    found = " ".join(unicodedata.normalize("NFC", name).split())
    taken = found.casefold() == LOCAL
    if not found or len(found) > _LONGEST_NAME or "@" in found or not found.isprintable() or taken:
        raise InputError(
            "a person cannot be called this",
            got=repr(name),
            allowed=f"up to {_LONGEST_NAME} printable characters, no e-mail address, and not {LOCAL}",
            fix='such as "Ann Example"',
        )
    return found


def _end(hours: int, *, now: datetime) -> datetime:
    if not 1 <= hours <= MOST_HOURS:
        raise InputError("a link cannot wait this long", got=f"{hours} hours", allowed=f"1 to {MOST_HOURS}")
    return now + timedelta(hours=hours)
