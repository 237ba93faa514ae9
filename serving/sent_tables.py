"""The tables of records, made when they are asked for: those of many records in one go.

Turns the rows that were sent, by table, into Arrow tables. A column takes as long for eight rows as for one,
and a record has forty columns. Time and null rules: none, rows stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa

from serving.plain_rows import PlainRows, plain_columns

__all__ = ["SentTables", "table_of"]

Row = dict[str, Any]
Rows = PlainRows | list[Row]


class SentTables(Mapping[str, pa.Table]):
    """By name, the tables of one record. rows: of those that have any, with every column or plain.

    schemas: of the tables. Safe to share between threads: what two make at once is the same.
    """

    def __init__(self, rows: Mapping[str, Rows], *, schemas: Mapping[str, pa.Schema]) -> None:
        self.rows, self._schemas = {name: found for name, found in rows.items() if found}, schemas
        self._made: dict[str, pa.Table] = {}

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._made:
            self._made[name] = table_of([self.rows[name]], name=name, schema=self._schemas[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        # The one of the base class would make the table.
        return name in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def schema(self, name: str) -> pa.Schema:
        """The schema of a table."""
        return self._schemas[name]


def table_of(parts: Sequence[Rows], *, name: str, schema: pa.Schema) -> pa.Table:
    """The rows of all parts in their order, as one table."""
    plain = [part for part in parts if isinstance(part, PlainRows)]
    if len(plain) == len(parts):
        return plain_columns(plain, name=name, schema=schema)
    if plain:
        tables = [table_of([part], name=name, schema=schema) for part in parts]
        return pa.concat_tables(tables).combine_chunks()
    rows = list(chain.from_iterable(parts))
    cells = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.table(cells, schema=schema)
