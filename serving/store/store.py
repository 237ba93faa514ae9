"""The store as its users see it: open a URL, read what is served, and change it.

Each call is one transaction of its own. Time rule: moments are naive datetimes that mean UTC, in whole
seconds; the caller says what time it is. Null rule: `current` and `pending` are None when there is no
such release. Every fault of the database is a WorkspaceError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine

from serving.store import erasing, releases
from serving.store.engine import open_database, reading, writing

__all__ = ["Store"]


class Store:
    """What people and services write, in one database. Safe to share between threads, not across forks.

    >>> from datetime import datetime
    >>> with Store.open("sqlite://") as store:
    ...     store.current(now=datetime(2026, 1, 1)) is None
    True
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Store:
        """The store behind a database URL, with its tables made or migrated.

        create: False refuses a SQLite file that does not exist.
        Raises WorkspaceError (locked, read-only, damaged, from a newer version), ConfigError (the URL).
        """
        return cls(open_database(url, create=create))

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the tables."""
        with reading(self.engine) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it or nothing; writers wait for each other."""
        with writing(self.engine) as connection:
            yield connection

    def pointer(self) -> releases.Pointer:
        """Which release answers when: one small row, cheap enough to ask twice a second."""
        with self.reading() as connection:
            return releases.pointer(connection)

    def current(self, now: datetime) -> releases.Release | None:
        """The release that answers at `now`."""
        with self.reading() as connection:
            release_id = releases.pointer(connection).serving_id(now)
            return None if release_id is None else releases.release(connection, release_id=release_id)

    def pending(self, now: datetime) -> releases.Release | None:
        """The release that was chosen and is not active yet at `now`."""
        with self.reading() as connection:
            found = releases.pointer(connection)
            if found.release_id is None or found.serving_id(now) == found.release_id:
                return None
            return releases.release(connection, release_id=found.release_id)

    def chosen(self) -> releases.Release | None:
        """The release pointed to, whether it answers already or not yet."""
        with self.reading() as connection:
            return releases.chosen(connection)

    def release(self, release_id: int) -> releases.Release:
        """One release. Raises InputError when there is none of that number."""
        with self.reading() as connection:
            return releases.release(connection, release_id=release_id)

    def previous(self, release_id: int) -> releases.Release | None:
        """The release that this one replaced: where a rollback from it leads."""
        with self.reading() as connection:
            previous_id = releases.release(connection, release_id=release_id).previous_id
            return None if previous_id is None else releases.release(connection, release_id=previous_id)

    def history(self) -> tuple[releases.Release, ...]:
        """Every release, the newest first."""
        with self.reading() as connection:
            return releases.history(connection)

    def events(self) -> tuple[releases.Event, ...]:
        """Every move of the pointer, the newest first."""
        with self.reading() as connection:
            return releases.events(connection)

    def bundle_bytes(self, fingerprint: str) -> bytes:
        """The archive of a bundle. Raises WorkspaceError when the store does not hold it."""
        with self.reading() as connection:
            return releases.bundle_bytes(connection, fingerprint=fingerprint)

    def publish(
        self, draft: releases.Draft, *, activate_at: datetime | None, now: datetime
    ) -> releases.Published:
        """Make a release of the draft and point to it, the pointer last, in one transaction.

        activate_at: None means `now`. The same models with the same settings as those already pointed to
        change nothing, and the answer says so.
        """
        with self.writing() as connection:
            return releases.publish(connection, draft=draft, activate_at=activate_at or now, now=now)

    def activate(
        self, release_id: int, *, activate_at: datetime | None, who: str, why: str, now: datetime
    ) -> releases.Release:
        """Point to a release that exists. activate_at: None means `now`."""
        with self.writing() as connection:
            return releases.activate(
                connection,
                release_id=release_id,
                activate_at=activate_at or now,
                who=who,
                why=why,
                now=now,
            )

    def step_back(
        self, *, activate_at: datetime | None, who: str, why: str, now: datetime
    ) -> releases.SteppedBack:
        """Point to the release before the one pointed to. Raises InputError when there is none."""
        with self.writing() as connection:
            return releases.step_back(connection, activate_at=activate_at or now, who=who, why=why, now=now)

    def erase(self, clean: Callable[[str], str], *, gone: erasing.Gone | None = None) -> dict[str, int]:
        """Take forgotten people out of the tables and the files. Rows changed, by table.

        clean: from a text to one that names none of them. gone: who they are.
        """
        return erasing.erase(self.engine, clean=clean, gone=gone)
