"""The tables of many records as one set of tables.

Turns records, each about one account and people of its own, into tables in which every identifier starts with
the place of its record, so that none meets a row of another one. Time and null rules: none, rows stay as they
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from features.tables import Tables

__all__ = ["record_name", "together"]

_OWN = ("contact_id", "activity_id", "opportunity_id")


def record_name(place: int) -> str:
    """The account_id of the record at a place."""
    return f"(record {place})"


def together(records: Sequence[Tables]) -> Tables:
    """One set of tables. records: in memory, of the same attributes; at least one."""
    names = {name for tables in records for name in tables.sources}
    sources = {
        name: pa.concat_tables(
            _renamed(table, place=place)
            for place, tables in enumerate(records)
            if isinstance(table := tables.sources.get(name), pa.Table)
        )
        for name in sorted(names)
    }
    lost = [
        _renamed(tables.opt_outs, place=place)
        for place, tables in enumerate(records)
        if isinstance(tables.opt_outs, pa.Table)
    ]
    return replace(records[0], sources=sources, opt_outs=pa.concat_tables(lost) if lost else None)


def _renamed(table: pa.Table, *, place: int) -> pa.Table:
    for column, field in enumerate(table.schema):
        if field.name == "account_id":
            own = pa.array([record_name(place)] * len(table), field.type)
        elif field.name in _OWN:
            own = pc.binary_join_element_wise(f"{place} ", table.column(column), "")
        else:
            continue
        table = table.set_column(column, field, own)
    return table
