"""What other processes do to a store in the tests; spawned ones import this module by its name."""

from __future__ import annotations

import os
import signal
from datetime import datetime

from sqlalchemy import Engine, event

from serving.store import Draft, Store, StoredBundle

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
    left = statement

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    publish(url, (fingerprint,))
