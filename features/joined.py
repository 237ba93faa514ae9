"""Rows of several sources that are read as one.

Turns SQL for a stored table, in which rows of several sources about the same at the same moment stand beside
each other, into SQL with one row for them. The rows stay apart in the file, so that a source may take back
what it said. Time rule: rows are one only if they were known, and deleted, at the same time. Null rule: of
each column the first cell counts that holds something; where several do, they hold the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from features.contract import TABLES

__all__ = ["PART", "joined_sql"]

PART: Final = "_part"
"""Stored beside the columns of a table where it is needed: 0 for a row by itself, else the row's place among
those that are read as one."""


def joined_sql(name: str, *, origin: str, listed: str, columns: Sequence[str]) -> str:
    """SQL for the table `name`. origin: a relation with PART; listed: SQL that selects `columns` from it."""
    keys = (*TABLES[name].key, "withdrawn_at")
    told = ", ".join(
        f'"{column}"' if column in keys else f'min_by("{column}", {PART}) FILTER ("{column}" IS NOT NULL)'
        for column in columns
    )
    apart = f"SELECT {listed} FROM {origin} WHERE {PART} = 0"
    together = f"SELECT {listed}, {PART} FROM {origin} WHERE {PART} > 0"
    return f"{apart} UNION ALL SELECT {told} FROM ({together}) GROUP BY {', '.join(keys)}"
