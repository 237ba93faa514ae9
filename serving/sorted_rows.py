"""Rows that are found by their account without a query.

Turns a table in the order of its first column, a text, into the rows of one value: to plan a query for one
account takes longer than to find it in an order. Time and null rules: none; the first column is never empty.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import pyarrow as pa

__all__ = ["SortedRows"]


class SortedRows:
    """Safe to share between threads: nothing in it changes.

    rows: ascending by the first column, by code point, as both DuckDB and Python order texts.
    """

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows
        self._names = rows.column(0)

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The rows whose first column is this, as tuples of every column."""
        first = last = bisect_left(range(len(self._names)), name, key=self._name)
        while last < len(self._names) and self._name(last) == name:
            last += 1
        if first == last:
            return []
        found = self._rows.slice(first, last - first)
        return list(zip(*(column.to_pylist() for column in found.columns), strict=True))

    def _name(self, place: int) -> str:
        name: str = self._names[place].as_py()
        return name
