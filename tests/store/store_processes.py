"""What other processes do to a store in the tests; spawned ones import this module by its name."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine, event

from serving.store import Draft, Store, StoredBundle, audit
from serving.store.idempotency import Answered, once

NOON = datetime.fromisoformat("2026-05-01T12:00:00")


def draft(*fingerprints: str, who: str = "Ada", why: str = "better", **settings: object) -> Draft:
    """A release of bundles whose kind is the first word of their fingerprint, as in fit-1 and intent-2."""
    return Draft(
        tuple(
            StoredBundle(name.split("-")[0], "a_model", name, f"bytes of {name}".encode())
            for name in fingerprints
        ),
        created_by=who,
        reason=why,
        settings=settings,
    )


def publish(url: str, fingerprints: tuple[str, ...]) -> None:
    with Store.open(url) as store:
        for fingerprint in fingerprints:
            store.publish(draft(fingerprint, who=fingerprint), activate_at=None, now=NOON)


def walk_back(url: str, steps: int) -> None:
    with Store.open(url) as store:
        for _ in range(steps):
            store.step_back(activate_at=None, who="Ada", why="worse", now=NOON)


def publish_and_die(url: str, fingerprint: str, statement: int) -> None:
    """Kill this process, as kill -9 would, just before the given statement of opening and publishing."""
    _die_before(statement)
    publish(url, (fingerprint,))


def write_entry(subject: str) -> Callable[[Connection], Answered]:
    """A write that leaves an entry in the audit log, as good as any other."""

    def write(connection: Connection) -> Answered:
        entry = audit.Entry(at=NOON, who="test", action="test", subject=subject, detail="")
        audit.note(connection, entry=entry)
        return Answered(201, json.dumps({"subject": subject}))

    return write


def entries_of(store: Store, subject: str) -> int:
    """How many times it was written."""
    with store.reading() as connection:
        return sum(entry.subject == subject for entry in audit.entries(connection))


def write_once_and_die(url: str, name: str, statement: int) -> None:
    """Kill this process just before the given statement of a write that must not be done twice."""
    with Store.open(url) as store:
        _die_before(statement)
        with store.writing() as connection:
            once(connection, name=name, body="b" * 64, now=NOON, write=write_entry(name))


def _die_before(statement: int) -> None:
    left = statement

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
