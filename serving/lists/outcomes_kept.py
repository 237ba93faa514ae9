"""Outcomes of lists as a worker answers them: worked out one at a time, and once while nothing changes.

Turns a question about a list into its outcomes, or into those of before where tables and lists are the same
still. A million accounts take seconds: on one core, so that the others go on answering. A few may wait for
theirs; more would take the threads of those who score. Time rule, null rule: as of `serving.lists.outcomes`.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from datetime import datetime

from serving.desk import Snapshot
from serving.lists.outcomes import ListOutcomes, approved_list, outcomes_of
from serving.problems import BusyError
from serving.store import Store
from serving.store.list_outcomes import lists_state

__all__ = ["known_outcomes"]

_MOST_KEPT, _MOST_WAITING = 50, 4

_working, _keeping = threading.Lock(), threading.Lock()
_waiting = threading.BoundedSemaphore(_MOST_WAITING)
_Key = tuple[object, ...]
_kept: weakref.WeakKeyDictionary[Snapshot, OrderedDict[_Key, ListOutcomes]] = weakref.WeakKeyDictionary()


def known_outcomes(
    snapshot: Snapshot, store: Store, *, list_id: int, days: int, now: datetime
) -> ListOutcomes:
    """The outcomes of a list. now: naive, UTC. Raises what `outcomes_of` raises, and BusyError."""
    with store.reading() as connection:
        approved_list(connection, list_id=list_id)
        # Tables without a fact tell of what was until now: of a day.
        asked = (list_id, days, now.date(), *lists_state(connection))
    found = _found(snapshot, asked)
    if found is not None:
        return found
    if not _waiting.acquire(blocking=False):
        raise BusyError("too many wait for the outcomes of lists", fix="try again in a few seconds")
    try:
        with _working:
            found = _found(snapshot, asked) or outcomes_of(
                snapshot.tables, store, list_id=list_id, days=days, now=now, threads=1
            )
            _keep(snapshot, asked, found)
            return found
    finally:
        _waiting.release()


def _found(snapshot: Snapshot, asked: _Key) -> ListOutcomes | None:
    with _keeping:
        return _kept.get(snapshot, OrderedDict()).get(asked)


def _keep(snapshot: Snapshot, asked: _Key, found: ListOutcomes) -> None:
    with _keeping:
        made = _kept.setdefault(snapshot, OrderedDict())
        made[asked] = found
        while len(made) > _MOST_KEPT:
            made.popitem(last=False)
