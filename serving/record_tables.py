"""The tables of many records as one set of tables.

Turns records, each about one account and people of its own, into tables in which every identifier starts with
the place of its record, so that none meets a row of another one. Time and null rules: none, rows stay as they
are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.tables import Tables
from serving.sent_tables import SentTables, table_of

__all__ = ["record_name", "together"]

_OWN = ("contact_id", "activity_id", "opportunity_id")


def record_name(place: int) -> str:
    """The account_id of the record at a place."""
    return f"(record {place})"


def together(records: Sequence[Tables]) -> Tables:
    """One set of tables. records: in memory, of the same attributes; at least one."""
    names = {name for tables in records for name in tables.sources}
    lost = [tables.opt_outs for tables in records]
    return replace(
        records[0],
        sources={name: _joined([tables.sources for tables in records], name) for name in sorted(names)},
        opt_outs=_renamed(lost) if any(isinstance(table, pa.Table) for table in lost) else None,
    )


def _joined(records: Sequence[Mapping[str, object]], name: str) -> pa.Table:
    """One table of many records."""
    sent = [one for one in records if isinstance(one, SentTables) and name in one]
    if len(sent) < sum(name in one for one in records):
        return _renamed([one.get(name) for one in records])
    counts = [len(one.rows.get(name, ())) if isinstance(one, SentTables) else 0 for one in records]
    rows = table_of([one.rows[name] for one in sent], name=name, schema=sent[0].schema(name))
    return _with_names(rows, counts)


def _renamed(tables: Sequence[object]) -> pa.Table:
    """One table. tables: one for each record, or none."""
    counts = [len(table) if isinstance(table, pa.Table) else 0 for table in tables]
    rows = pa.concat_tables([table for table in tables if isinstance(table, pa.Table)])
    return _with_names(rows.combine_chunks(), counts)


def _with_names(rows: pa.Table, counts: Sequence[int]) -> pa.Table:
    """Rows that bear the names of their records. counts: rows of each record, in their order."""
    places = np.repeat(np.arange(len(counts)), counts)
    for column, field in enumerate(rows.schema):
        if field.name == "account_id":
            renamed = _of_places(record_name, count=len(counts), places=places)
        elif field.name in _OWN and rows.column(column).null_count < len(rows):
            before = _of_places("{} ".format, count=len(counts), places=places)
            renamed = pc.binary_join_element_wise(before, rows.column(column), "")
        else:
            continue
        rows = rows.set_column(column, field, renamed)
    return rows


def _of_places(text: Callable[[int], str], *, count: int, places: NDArray[np.intp]) -> pa.Array:
    """By row, the text of its place."""
    return pa.array([text(place) for place in range(count)], pa.string()).take(pa.array(places))
