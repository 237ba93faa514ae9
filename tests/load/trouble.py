"""What goes wrong while the server is under load: workers die, and releases change.

Turns a running server into one whose workers are killed without a warning, one at a time, and whose release
is promoted and rolled back. Time rule: a new release answers three seconds after it was chosen, as those of
`promote` do. Null rule: a moment at which no worker runs is passed over.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from served import workers
from server_process import Server

from features.workspace import Workspace
from serving.scoring import utc_now
from serving.store import Store

__all__ = ["kill_workers", "swap_releases"]

_HEAD_START = timedelta(seconds=3)


async def kill_workers(server: Server, *, every: float, done: Counter[str], most: int | None = None) -> None:
    """kill -9 one worker after the other, until this is cancelled."""
    chosen = random.Random(7)
    while most is None or done["workers killed"] < most:
        await asyncio.sleep(every)
        found = await asyncio.to_thread(workers, server)
        if found:
            os.kill(chosen.choice(found).pid, signal.SIGKILL)
            done["workers killed"] += 1


async def swap_releases(
    workspace: Workspace, releases: Sequence[int], *, every: float, done: Counter[str]
) -> None:
    """Point to one release after the other, until this is cancelled."""
    for release_id in itertools.cycle(reversed(releases)):
        await asyncio.sleep(every)
        await asyncio.to_thread(_point, workspace, release_id)
        done["releases chosen"] += 1


def _point(workspace: Workspace, release_id: int) -> None:
    now = utc_now()
    with Store.open(workspace.store_url) as store:
        store.activate(release_id, activate_at=now + _HEAD_START, who="load", why="load", now=now)
