"""The desk that answers the rows of a job: the current tables with the release that the job began with.

Turns a workspace and a release into a desk that nobody shares. Time rule: what people said and sent counts as
far as it was stored when the desk was opened. Null rule: a job that no release was chosen for takes the one
that answers now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from features.workspace import Workspace
from serving.activities.waiting import Waiting
from serving.desk import Snapshot
from serving.jobs.gathering import JobDesk
from serving.releases import load_current, load_release
from serving.store.door import StoreDoor
from serving.working import Verdicts

__all__ = ["job_desk"]


@contextmanager
def job_desk(
    workspace: Workspace, door: StoreDoor, *, release_id: int | None, now: datetime
) -> Iterator[JobDesk]:
    """The desk, for as long as the block runs.

    Raises WorkspaceError, NotReadyError, BundleError or ContractError.
    """
    store = door.open()
    if release_id is None:
        release = load_current(store, now=now)
    else:
        release = load_release(store, release=store.release(release_id))
    snapshot, verdicts, waiting = Snapshot(workspace), Verdicts(), Waiting(StoreDoor(workspace.store_url))
    waiting.cover(snapshot.moved_through)
    verdicts.refresh(store)
    with JobDesk(snapshot, release=release, verdicts=verdicts, waiting=waiting) as desk:
        yield desk
