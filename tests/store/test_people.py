"""People, their links and their sessions; in SQLite and in PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection
from store_processes import NOON

from features.errors import InputError
from serving.store import Store, audit, people
from serving.store.people import Role, Session, Side, User

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def store(own_url: str) -> Iterator[Store]:
    with Store.open(own_url) as opened:
        yield opened


def invite(
    connection: Connection, name: str, link: str, *, role: Role = "viewer", side: Side | None = None
) -> User:
    return people.invite(
        connection, name=name, role=role, side=side, digest=link, expires_at=NOON + DAY, who="root", now=NOON
    )


def sign_in(connection: Connection, link: str, session: str, *, now: datetime = NOON) -> Session:
    return people.sign_in(connection, link=link, session=session, expires_at=NOON + 30 * DAY, now=now)


def digests(connection: Connection, *, now: datetime = NOON) -> list[str]:
    return [session.digest for session in people.open_sessions(connection, now=now)]


def test_a_link_lets_in_once_and_the_log_names_who(store: Store) -> None:
    with store.writing() as connection:
        invite(connection, "Ada", "link", role="approver", side="sales")
        session = sign_in(connection, "link", "session", now=NOON + HOUR)
        assert (session.user.name, session.user.role, session.user.side) == ("Ada", "approver", "sales")
        with pytest.raises(people.UsedLinkError, match="was used before"):
            sign_in(connection, "link", "another", now=NOON + HOUR)
        assert digests(connection) == ["session"]
        assert people.sign_out(connection, session_id=session.id, now=NOON + 2 * HOUR)
        assert not people.sign_out(connection, session_id=session.id, now=NOON + 2 * HOUR)
        assert digests(connection) == []
        told = [(each.who, each.action, each.subject) for each in audit.entries(connection)]
        assert told == [
            ("Ada", "signed out", "Ada"),
            ("Ada", "signed in", "Ada"),
            ("root", "user invited", "Ada"),
        ]


@pytest.mark.parametrize(("after", "lets_in"), [(DAY - timedelta(seconds=1), True), (DAY, False)])
def test_a_link_ends_in_its_second(store: Store, after: timedelta, lets_in: bool) -> None:
    with store.writing() as connection:
        invite(connection, "Ada", "link")
        if lets_in:
            assert sign_in(connection, "link", "session", now=NOON + after).user.name == "Ada"
        else:
            with pytest.raises(people.ExpiredLinkError, match="has expired"):
                sign_in(connection, "link", "session", now=NOON + after)


def test_a_forged_link_lets_nobody_in(store: Store) -> None:
    with store.writing() as connection:
        invite(connection, "Ada", "link")
        with pytest.raises(people.UnknownLinkError, match="no sign-in link"):
            sign_in(connection, "forged", "session")


def test_a_newer_link_withdraws_the_one_before(store: Store) -> None:
    with store.writing() as connection:
        assert invite(connection, "Ada", "first").id == invite(connection, "ADA", "second").id
        with pytest.raises(people.WithdrawnLinkError, match="withdrawn"):
            sign_in(connection, "first", "session")
        assert sign_in(connection, "second", "session").user.name == "Ada"


def test_an_invitation_does_not_change_a_role(store: Store) -> None:
    with store.writing() as connection:
        invite(connection, "Ada", "link")
        with pytest.raises(InputError, match="spearfish users role"):
            invite(connection, "Ada", "another", role="approver")
        assert people.change_role(connection, name="ada", role="approver", side=None, who="root", now=NOON)
        assert not people.change_role(
            connection, name="ada", role="approver", side=None, who="root", now=NOON
        )
        sign_in(connection, "link", "session")
        (session,) = people.open_sessions(connection, now=NOON)
        assert session.user.role == "approver"


def test_who_is_removed_is_out_and_may_be_invited_again(store: Store) -> None:
    with store.writing() as connection:
        first = invite(connection, "Ada", "link")
        sign_in(connection, "link", "session")
        invite(connection, "Ada", "unused")
        assert people.remove(connection, name="Ada", who="root", now=NOON) == 1
        assert digests(connection) == []
        with pytest.raises(people.WithdrawnLinkError):
            sign_in(connection, "unused", "session 2")
        with pytest.raises(InputError, match="nobody has this name"):
            people.remove(connection, name="Ada", who="root", now=NOON)
        (kept,) = people.every_user(connection)
        assert kept.removed_at == NOON
        again = invite(connection, "Ada", "new", role="approver")
        assert (again.id, again.role, again.removed_at) == (first.id, "approver", None)
        assert digests(connection) == [], "earlier sessions stay ended"


def test_a_session_expires_and_its_uses_are_kept(store: Store) -> None:
    with store.writing() as connection:
        invite(connection, "Ada", "link")
        session = sign_in(connection, "link", "session")
        before = people.changes(connection)
        people.note_uses(connection, uses={session.id: NOON + HOUR})
        people.note_uses(connection, uses={session.id: NOON})
        assert people.changes(connection) == before
        (found,) = people.open_sessions(connection, now=NOON + HOUR)
        assert found.last_used_at == NOON + HOUR
        assert digests(connection, now=NOON + 30 * DAY - timedelta(seconds=1)) == ["session"]
        assert digests(connection, now=NOON + 30 * DAY) == []


def test_every_change_is_another_text(store: Store) -> None:
    with store.writing() as connection:
        seen = [people.changes(connection)]
        invite(connection, "Ada", "link")
        seen.append(people.changes(connection))
        session = sign_in(connection, "link", "session")
        seen.append(people.changes(connection))
        people.change_role(connection, name="Ada", role="approver", side=None, who="root", now=NOON)
        seen.append(people.changes(connection))
        people.sign_out(connection, session_id=session.id, now=NOON)
        seen.append(people.changes(connection))
        people.remove(connection, name="Ada", who="root", now=NOON)
        seen.append(people.changes(connection))
    assert len(set(seen)) == 6


def test_of_two_who_use_a_link_at_once_one_is_refused(store: Store) -> None:
    with store.writing() as connection:
        invite(connection, "Ada", "link")
    outcomes, together = [], threading.Barrier(2)

    def use(session: str) -> None:
        together.wait(30)
        try:
            with store.writing() as connection:
                sign_in(connection, "link", session)
            outcomes.append("in")
        except people.UsedLinkError:
            outcomes.append("refused")

    both = [threading.Thread(target=use, args=(name,)) for name in ("a", "b")]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    assert sorted(outcomes) == ["in", "refused"]
