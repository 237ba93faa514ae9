"""People who use the page, as the store keeps them: invited, signed in by a link, signed out, disabled.

Turns calls into rows, in the caller's transaction, and each change into an entry of the audit log that names
the person. Links and sessions come as digests and are kept as such. Writers take turns, so that of two who
use a link at once one is refused. Time rule: the caller says what time it is; a link or a session ends in the
second that its end names. Null rule: a person without a side speaks for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Table, insert, select, update

from features.errors import InputError
from serving.store import audit
from serving.store.people_tables import people_changes, sessions, sign_in_links, users

__all__ = [
    "ExpiredLinkError",
    "LinkError",
    "Role",
    "Session",
    "Side",
    "UnknownLinkError",
    "UsedLinkError",
    "User",
    "WithdrawnLinkError",
    "change_role",
    "changes",
    "every_user",
    "find_link",
    "invite",
    "note_uses",
    "open_sessions",
    "remove",
    "renew_link",
    "sign_in",
    "sign_out",
    "unknown_link",
]

Role = Literal["viewer", "approver"]
Side = Literal["marketing", "sales"]

_ASK = "ask whoever runs the service for another one: spearfish users link NAME"


class LinkError(InputError):
    """A link lets nobody in."""


class UnknownLinkError(LinkError):
    """No such link was ever made."""


class UsedLinkError(LinkError):
    """Somebody has signed in by it before."""


class ExpiredLinkError(LinkError):
    """It was not used in time."""


class WithdrawnLinkError(LinkError):
    """A newer one was made, or the person was removed."""


@dataclass(frozen=True)
class User:
    """Somebody who was invited, once or again."""

    id: int
    name: str
    role: Role
    side: Side | None
    created_at: datetime
    created_by: str
    removed_at: datetime | None


@dataclass(frozen=True)
class Session:
    """A browser that is signed in. digest: SHA-256 of what its cookie holds, in hexadecimal."""

    id: int
    digest: str
    user: User
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


def changes(connection: Connection) -> str:
    """What is another text once anything changed: cheap to ask twice a second.

    The newest session is part of it: a store that was restored may have counted as far, of other sessions.
    """
    newest = select(sessions.c.digest).order_by(sessions.c.id.desc()).limit(1).scalar_subquery()
    number, digest = connection.execute(select(people_changes.c.number, newest)).one()
    return f"{number} {digest or ''}"


def every_user(connection: Connection) -> tuple[User, ...]:
    """Everybody who was ever invited, the first one first."""
    rows = connection.execute(select(users).order_by(users.c.id)).mappings()
    return tuple(User(**row) for row in rows)


def open_sessions(connection: Connection, *, now: datetime) -> tuple[Session, ...]:
    """Sessions that were not ended and have not expired."""
    people = {user.id: user for user in every_user(connection)}
    query = select(sessions).where(sessions.c.ended_at.is_(None), sessions.c.expires_at > now)
    rows = connection.execute(query.order_by(sessions.c.id))
    return tuple(
        Session(row.id, row.digest, people[row.user_id], row.created_at, row.last_used_at, row.expires_at)
        for row in rows
    )


def invite(
    connection: Connection,
    *,
    name: str,
    role: Role,
    side: Side | None,
    digest: str,
    expires_at: datetime,
    who: str,
    now: datetime,
) -> User:
    """Keep a link for somebody, who need not be known; earlier ones of theirs are withdrawn.

    Names that differ in case alone are one person. Raises InputError where the person has another role or
    side: an invitation changes neither, but of somebody who was removed.
    """
    _take_turn(connection)
    known = _named(connection, name)
    if known is None:
        values = {"name": name, "role": role, "side": side, "created_at": now, "created_by": who}
        user_id = connection.execute(insert(users).values(values).returning(users.c.id)).scalar_one()
    elif known.removed_at is not None:
        user_id = known.id
        _set(connection, users, user_id, role=role, side=side, removed_at=None)
    elif (known.role, known.side) != (role, side):
        raise InputError(
            "this person has another role or side",
            got=_told(role, side),
            allowed=_told(known.role, known.side),
            fix="change it with `spearfish users role` first",
        )
    else:
        user_id = known.id
    _give_link(connection, user_id=user_id, digest=digest, expires_at=expires_at, who=who, now=now)
    detail = f"{_told(role, side)}; the link ends {expires_at.isoformat()}Z"
    user = _user(connection, user_id)
    _note(connection, who=who, action="user invited", subject=user.name, detail=detail, now=now)
    return user


def renew_link(
    connection: Connection, *, name: str, digest: str, expires_at: datetime, who: str, now: datetime
) -> User:
    """Keep another link for somebody; earlier ones of theirs are withdrawn, sessions go on.

    Raises InputError for a name that nobody has.
    """
    user = _present(connection, name)
    _give_link(connection, user_id=user.id, digest=digest, expires_at=expires_at, who=who, now=now)
    detail = f"it ends {expires_at.isoformat()}Z"
    _note(connection, who=who, action="user given a link", subject=user.name, detail=detail, now=now)
    return user


def find_link(connection: Connection, *, link: str) -> bool:
    """Whether there was ever a link of this digest: asked first, so that guesses keep no writer waiting."""
    found = connection.execute(select(sign_in_links.c.id).where(sign_in_links.c.digest == link))
    return found.one_or_none() is not None


def sign_in(
    connection: Connection, *, link: str, session: str, expires_at: datetime, now: datetime
) -> Session:
    """Use a link up for a session. link, session: digests; expires_at: of the session.

    Raises UnknownLinkError, UsedLinkError, WithdrawnLinkError or ExpiredLinkError.
    """
    _take_turn(connection)
    found = connection.execute(select(sign_in_links).where(sign_in_links.c.digest == link)).one_or_none()
    if found is None:
        raise unknown_link()
    if found.used_at is not None:
        raise UsedLinkError("this sign-in link was used before", fix=_ASK)
    if found.withdrawn_at is not None:
        raise WithdrawnLinkError("this sign-in link was withdrawn", fix=f"use the newest one, or {_ASK}")
    if found.expires_at <= now:
        raise ExpiredLinkError("this sign-in link has expired", fix=_ASK)
    _set(connection, sign_in_links, found.id, used_at=now)
    user = _user(connection, found.user_id)
    values = {"user_id": user.id, "digest": session, "created_at": now, "last_used_at": now}
    making = insert(sessions).values({**values, "expires_at": expires_at}).returning(sessions.c.id)
    session_id = connection.execute(making).scalar_one()
    _note(connection, who=user.name, action="signed in", subject=user.name, detail="", now=now)
    return Session(session_id, session, user, now, now, expires_at)


def unknown_link() -> UnknownLinkError:
    """What is said of a link that nobody made."""
    return UnknownLinkError("this is no sign-in link of this service", fix=_ASK)


def sign_out(connection: Connection, *, session_id: int, now: datetime) -> bool:
    """End a session. False when it had ended before."""
    _take_turn(connection)
    still = (sessions.c.id == session_id, sessions.c.ended_at.is_(None))
    owner = connection.execute(select(sessions.c.user_id).where(*still)).scalar()
    if owner is None:
        return False
    _set(connection, sessions, session_id, ended_at=now)
    name = _user(connection, owner).name
    _note(connection, who=name, action="signed out", subject=name, detail="", now=now)
    return True


def change_role(
    connection: Connection, *, name: str, role: Role, side: Side | None, who: str, now: datetime
) -> bool:
    """Give somebody another role or side, sessions that go on included. False when they had it before.

    Raises InputError for a name that nobody has.
    """
    user = _present(connection, name)
    if (user.role, user.side) == (role, side):
        return False
    _set(connection, users, user.id, role=role, side=side)
    detail = f"{_told(role, side)} in place of {_told(user.role, user.side)}"
    _note(connection, who=who, action="user role changed", subject=user.name, detail=detail, now=now)
    return True


def remove(connection: Connection, *, name: str, who: str, now: datetime) -> int:
    """Let somebody in no more: sessions end, links are withdrawn. Returns how many sessions ended.

    Raises InputError for a name that nobody has.
    """
    user = _present(connection, name)
    _set(connection, users, user.id, removed_at=now)
    _withdraw_links(connection, user_id=user.id, now=now)
    theirs = (sessions.c.user_id == user.id, sessions.c.ended_at.is_(None), sessions.c.expires_at > now)
    ended = connection.execute(update(sessions).where(*theirs).values(ended_at=now)).rowcount
    _note(connection, who=who, action="user disabled", subject=user.name, detail="", now=now)
    return ended


def note_uses(connection: Connection, *, uses: Mapping[int, datetime]) -> None:
    """Keep when sessions were last of use, by their id. Workers need not hear of it."""
    for session_id, moment in sorted(uses.items()):
        earlier = (sessions.c.id == session_id, sessions.c.last_used_at < moment)
        connection.execute(update(sessions).where(*earlier).values(last_used_at=moment))


def _take_turn(connection: Connection) -> None:
    """The first statement of every change: waits for other writers, and lets workers know."""
    number = people_changes.c.number
    connection.execute(update(people_changes).values(number=number + 1))


def _present(connection: Connection, name: str) -> User:
    _take_turn(connection)
    found = _named(connection, name)
    if found is None or found.removed_at is not None:
        raise InputError("nobody has this name", got=name, fix="see `spearfish users list`")
    return found


def _named(connection: Connection, name: str) -> User | None:
    folded = name.casefold()
    return next((user for user in every_user(connection) if user.name.casefold() == folded), None)


def _user(connection: Connection, user_id: int) -> User:
    return User(**connection.execute(select(users).where(users.c.id == user_id)).mappings().one())


def _set(connection: Connection, table: Table, row: int, **values: object) -> None:
    connection.execute(update(table).where(table.c.id == row).values(values))


def _give_link(
    connection: Connection, *, user_id: int, digest: str, expires_at: datetime, who: str, now: datetime
) -> None:
    _withdraw_links(connection, user_id=user_id, now=now)
    link = {"user_id": user_id, "digest": digest, "created_at": now, "created_by": who}
    connection.execute(insert(sign_in_links).values({**link, "expires_at": expires_at}))


def _withdraw_links(connection: Connection, *, user_id: int, now: datetime) -> None:
    table = sign_in_links
    waiting = (table.c.user_id == user_id, table.c.used_at.is_(None), table.c.withdrawn_at.is_(None))
    connection.execute(update(table).where(*waiting).values(withdrawn_at=now))


def _told(role: str, side: str | None) -> str:
    return f"{role} of {side}" if side else role


def _note(connection: Connection, *, who: str, action: str, subject: str, detail: str, now: datetime) -> None:
    entry = audit.Entry(at=now, who=who, action=action, subject=subject, detail=detail)
    audit.note(connection, entry=entry)
