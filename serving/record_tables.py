"""The tables of many records as one set of tables.

Turns records, each about one account and people of its own, into tables in which every identifier starts with
the place of its record, so that none meets a row of another one. Time and null rules: none, rows stay as they
are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.tables import Tables

__all__ = ["record_name", "together"]

_OWN = ("contact_id", "activity_id", "opportunity_id")


def record_name(place: int) -> str:
    """The account_id of the record at a place."""
    return f"(record {place})"


def together(records: Sequence[Tables]) -> Tables:
    """One set of tables. records: in memory, of the same attributes; at least one."""
    names = {name for tables in records for name in tables.sources}
    sources = {name: _joined([tables.sources.get(name) for tables in records]) for name in sorted(names)}
    lost = [tables.opt_outs for tables in records]
    return replace(
        records[0],
        sources=sources,
        opt_outs=_joined(lost) if any(isinstance(table, pa.Table) for table in lost) else None,
    )


def _joined(tables: Sequence[object]) -> pa.Table:
    """One table, whose rows bear the names of their records. tables: one for each record, or none."""
    own = [(place, table) for place, table in enumerate(tables) if isinstance(table, pa.Table)]
    rows = pa.concat_tables([table for _, table in own]).combine_chunks()
    places = np.repeat([place for place, _ in own], [len(table) for _, table in own])
    for column, field in enumerate(rows.schema):
        if field.name == "account_id":
            renamed = _of_places(record_name, count=len(tables), places=places)
        elif field.name in _OWN and rows.column(column).null_count < len(rows):
            before = _of_places("{} ".format, count=len(tables), places=places)
            renamed = pc.binary_join_element_wise(before, rows.column(column), "")
        else:
            continue
        rows = rows.set_column(column, field, renamed)
    return rows


def _of_places(text: Callable[[int], str], *, count: int, places: NDArray[np.intp]) -> pa.Array:
    """By row, the text of its place."""
    return pa.array([text(place) for place in range(count)], pa.string()).take(pa.array(places))
