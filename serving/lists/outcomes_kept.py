"""Outcomes of lists as a worker answers them: worked out one at a time, and once while nothing changes.

Turns a question about a list into its outcomes, or into those of before where tables and lists are the same
still. A million accounts take seconds: on one core, so that the others go on answering, and whoever asks
meanwhile waits for the same outcomes. Time rule, null rule: as of `serving.lists.outcomes`.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from datetime import datetime

from serving.desk import Snapshot
from serving.lists.outcomes import ListOutcomes, approved_list, outcomes_of
from serving.store import Store
from serving.store.list_outcomes import lists_state

__all__ = ["known_outcomes"]

_MOST_KEPT = 50

_lock = threading.Lock()
_Kept = OrderedDict[tuple[object, ...], ListOutcomes]
_kept: weakref.WeakKeyDictionary[Snapshot, _Kept] = weakref.WeakKeyDictionary()


def known_outcomes(
    snapshot: Snapshot, store: Store, *, list_id: int, days: int, now: datetime
) -> ListOutcomes:
    """The outcomes of a list. now: naive, UTC. Raises what `outcomes_of` raises."""
    with store.reading() as connection:
        approved_list(connection, list_id=list_id)
        asked = (list_id, days, *lists_state(connection))
    newest = snapshot.manifest.data_through
    with _lock:
        made = _kept.setdefault(snapshot, OrderedDict())
        if asked not in made:
            made[asked] = outcomes_of(
                snapshot.tables, store, list_id=list_id, days=days, newest=newest, now=now, threads=1
            )
            while len(made) > _MOST_KEPT:
                made.popitem(last=False)
        return made[asked]
