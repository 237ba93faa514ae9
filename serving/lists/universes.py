"""The accounts of the tables that answer now, ready to be searched, made once for each snapshot.

Turns a snapshot into a universe of names alone, for finding seeds, and into one with everything, for finding
accounts like one. Time rule: what is known when it is first asked for. Null rule: none.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from features.errors import UnknownAccountError
from features.universe import Universe, read_universe
from models.lookalikes import Prepared, prepare
from serving.desk import Snapshot
from serving.scoring import utc_now

__all__ = ["MOST_COMPARED", "named_accounts", "prepared_accounts"]

MOST_COMPARED = 50_000
"""Accounts that are looked through while somebody waits; more of them are drawn evenly."""

_NAMES = """
SELECT account_id, arg_max(name, known_at) FILTER (name IS NOT NULL) AS name,
       arg_max(domain, known_at) FILTER (domain IS NOT NULL) AS domain,
       arg_max(country, known_at) FILTER (country IS NOT NULL) AS country
FROM accounts GROUP BY account_id HAVING count(*) > count(withdrawn_at) ORDER BY account_id
"""

Made = TypeVar("Made")
_lock = threading.Lock()
_kept: weakref.WeakKeyDictionary[Snapshot, dict[str, Any]] = weakref.WeakKeyDictionary()


def named_accounts(snapshot: Snapshot) -> Universe:
    """Every account with what names it, and nothing else."""

    def read() -> Universe:
        with snapshot.tables.connect() as connection:
            return Universe(connection.execute(_NAMES).to_arrow_table(), ())

    return _once(snapshot, "names", read)


def prepared_accounts(snapshot: Snapshot, *, account_id: str) -> Prepared:
    """Every account, or an even part of very many with this one, with what they may be alike in.

    Raises NotEnoughDataError, UnknownAccountError.
    """

    def read() -> Prepared:
        universe = read_universe(snapshot.tables, as_of=utc_now())
        return prepare(some_of(universe, most=MOST_COMPARED))

    found = _once(snapshot, "prepared", read)
    if len(found.universe.positions([account_id])):
        return found
    universe = read_universe(snapshot.tables, as_of=utc_now())
    own = universe.positions([account_id])
    if not len(own):
        raise UnknownAccountError("there is no such account", got=account_id[:80])
    rows = pa.concat_tables([found.universe.rows, universe.rows.take(own)]).sort_by("account_id")
    return Prepared(replace(found.universe, rows=rows.combine_chunks()), found.encoding)


def some_of(universe: Universe, *, most: int) -> Universe:
    """At most so many accounts, drawn evenly and always the same."""
    if len(universe) <= most:
        return universe
    chosen = np.sort(np.random.default_rng(0).permutation(len(universe))[:most])
    return Universe(universe.rows.take(chosen), universe.attributes, universe.not_comparable)


def _once(snapshot: Snapshot, name: str, make: Callable[[], Made]) -> Made:
    # One at a time: two would take twice the memory for the same thing.
    with _lock:
        made = _kept.setdefault(snapshot, {})
        if name not in made:
            made[name] = make()
        found: Made = made[name]
        return found
