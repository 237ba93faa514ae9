"""Forgets people and accounts everywhere in a workspace: the list, the store, the logs, the tables.

Turns a request into an erasure and a report without anybody's name. The list comes first, so that whatever
happens afterwards an ingest leaves them out; then the store and the logs, then the tables, then the files
that nobody reads any more. Killed at any moment and done again it ends in the same place. Models stay as they
are: they learned from accounts, and hold no person's data. Time rule: the caller says what time it is. Null
rule: a workspace without a store has nothing to erase in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from features.errors import WorkspaceError
from features.privacy.audit import note
from features.privacy.forgetting import Plan, Request, erase, plan, remember, take_off
from features.privacy.mentions import Mentions
from features.privacy.suppression import Forgotten
from features.privacy.traces import files_that_mention, mask_logs
from features.workspace import Workspace
from serving.store import Store
from serving.store.activities import is_of
from serving.store.engine import database_exists
from serving.store.moving import clean_files

__all__ = ["Forgetting", "forget", "look", "unforget"]

_LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Forgetting:
    """What was forgotten, or would be.

    store: rows changed by table. moved: activities in files of the workspace. logs: files in which something
    was overwritten. read: older snapshots that somebody still reads. elsewhere: files below the workspace
    that mention them, and are not ours to change. done: False where this only looked.
    """

    plan: Plan
    asked: Mapping[str, int]
    done: bool = False
    store: Mapping[str, int] = field(default_factory=dict)
    moved: int = 0
    logs: int = 0
    read: tuple[str, ...] = ()
    elsewhere: tuple[Path, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is left in the workspace's own files."""
        return self.done and not self.read

    def counts(self) -> dict[str, Any]:
        """What it comes to, without a word about who it was."""
        return {
            "asked": dict(self.asked),
            "unknown": self.plan.unknown,
            "contacts": self.plan.contacts,
            "accounts": self.plan.accounts,
            "opportunities": self.plan.opportunities,
            "rows": dict(self.plan.rows),
            "set_aside": dict(self.plan.quarantined),
            "store": dict(self.store),
            "sent_activities": self.moved,
            "logs": self.logs,
        }

    def to_json(self) -> dict[str, Any]:
        return self.counts() | {
            "references": list(self.plan.references),
            "same_address": self.plan.same_address,
            "done": self.done,
            "complete": self.complete,
            "still_read": list(self.read),
            "elsewhere": [str(file) for file in self.elsewhere],
        }

    def notes(self) -> list[str]:
        """What somebody who asked for this should know."""
        lines, found = [], self.plan
        if found.unknown:
            lines.append(
                f"named, and in no table: {found.unknown}; whoever it is will be left out of later ingests"
            )
        if found.without_addresses:
            lines.append("the tables hold no e-mail addresses: name the contact with --contact as well")
        if found.same_address:
            lines.append(
                f"other contacts with the same address: {found.same_address}; --email forgets them as well"
            )
        if self.elsewhere:
            listed = ", ".join(str(file) for file in self.elsewhere[:5])
            lines.append(f"files that still mention them, for you to clean or remove: {listed}")
        if self.read:
            lines.append(
                "an older snapshot is still being read; it goes with the next ingest, or do this again"
            )
        return lines


def look(workspace: Workspace, request: Request) -> Forgetting:
    """What forgetting would take away. Changes nothing."""
    return Forgetting(plan(workspace, request), request.named)


def forget(
    workspace: Workspace, request: Request, *, who: str, now: datetime, patience: float = 30.0
) -> Forgetting:
    """Forget people and accounts, everywhere in the workspace and for good.

    who: runs this; told in the audit. now: naive UTC. patience: seconds to wait for readers of older tables.
    Raises InputError for an address that is none; WorkspaceError where something cannot be read or written:
    those who were named are on the list all the same once it was written, and doing it again goes on.
    """
    found = plan(workspace, request)
    told = {"by": who, "asked": dict(request.named), "references": list(found.references)}
    remember(workspace, found.people)
    note(workspace, at=now, told={"event": "begun", **told})
    mentions = Mentions(Forgotten.of(workspace).joined(found.mentions.people), found.mentions.names)
    store = _erase_in_store(workspace, mentions)
    gone = partial(is_of, gone=mentions.people.holds, clean=mentions.masked)
    moved = clean_files(workspace, gone=gone)
    logs = mask_logs(workspace, mentions)
    erase(workspace)
    done = Forgetting(
        found,
        request.named,
        done=True,
        store=store,
        moved=moved,
        logs=logs,
        read=_sweep(workspace, patience=patience),
        elsewhere=files_that_mention(workspace, found.mentions),
    )
    outcome = "done" if done.complete else "an older snapshot is still being read"
    note(workspace, at=now, told={"event": outcome, **told, **done.counts()})
    return done


def unforget(workspace: Workspace, request: Request, *, who: str, now: datetime) -> dict[str, Any]:
    """Take people and accounts off the list of the forgotten. Returns counts, and notes it in the audit.

    who: runs this. now: naive UTC. Nothing comes back by itself: the rows are gone, and a file that was read
    is not read again but by an ingest with --rebuild. Raises InputError for an address that is none;
    WorkspaceError where the list cannot be read or written.
    """
    found, left = take_off(workspace, request)
    told = {"asked": dict(request.named), "unknown": found.unknown, "left": left}
    references = list(found.references)
    note(workspace, at=now, told={"event": "taken off the list", "by": who, "references": references, **told})
    return told | {"references": references}


def _erase_in_store(workspace: Workspace, mentions: Mentions) -> dict[str, int]:
    if not database_exists(workspace.store_url):
        return {}
    with Store.open(workspace.store_url) as store:
        return store.erase(mentions.masked, gone=mentions.people.holds)


def _sweep(workspace: Workspace, *, patience: float) -> tuple[str, ...]:
    """Remove older snapshots, as soon as nobody reads them. Returns those that are left."""
    if not workspace.manifest_path.exists():
        return ()
    pause, end = threading.Event(), time.monotonic() + patience
    while True:
        try:
            left = workspace.sweep()
        except WorkspaceError:
            # Somebody writes; whoever does removes them in the end.
            left = workspace.older()
        if not left or time.monotonic() > end:
            return left
        pause.wait(_LOOK_EVERY)
