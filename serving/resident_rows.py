"""The rows of all accounts in memory, so that those of a few are at hand without a search.

Turns the tables of `features.resident`, sorted by account, into Arrow tables with the place of each account's
rows: a few accounts are a few slices, however many others there are. A join finds its rows by the least and
the greatest key alone: two accounts far apart would have it read every row between them. Time and null rules:
none, rows stay as they are; an account or person without rows has an empty slice.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.resident import AccountNumbers, make_resident

__all__ = ["ResidentRows"]

Integers = NDArray[np.int64]

_TABLES = ("accounts", "counted_activities", "intent_topics", "opportunities")
_PEOPLE = "contacts"


class ResidentRows:
    """Every row that a feature reads. Safe to share between threads: nothing in it changes.

    connection: of a `FeatureEngine`; nothing stays in it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.numbers: AccountNumbers = make_resident(connection)
        self._rows = {name: _taken(connection, name) for name in (*_TABLES, _PEOPLE)}
        connection.execute("DROP SCHEMA resident")
        connection.execute("DROP TABLE account_numbers")
        ends = {name: len(self.numbers.account_ids) for name in _TABLES}
        people = self._rows[_PEOPLE].column("contact_id").to_numpy()
        ends[_PEOPLE] = int(people[-1]) if len(people) else 0
        self._places = {name: _places(rows, last=ends[name]) for name, rows in self._rows.items()}

    @property
    def schemas(self) -> Mapping[str, pa.Schema]:
        """By table, its columns; accounts and people are numbers, int64."""
        return {name: rows.schema for name, rows in self._rows.items()}

    def of(self, numbers: Integers) -> dict[str, pa.Table]:
        """The rows of some accounts, each once, and of the people whom their activities name.

        numbers: int64 (n,) as `AccountNumbers` has them, in any order; some may be there twice.
        """
        accounts = np.unique(numbers)
        found = {name: self._slices(name, accounts) for name in _TABLES}
        named = found["counted_activities"].column("contact_id").drop_null()
        return found | {_PEOPLE: self._slices(_PEOPLE, np.unique(named.to_numpy()))}

    def _slices(self, name: str, numbers: Integers) -> pa.Table:
        """The rows of a table with these numbers, which ascend."""
        rows, places = self._rows[name], self._places[name]
        numbers = numbers[(numbers > 0) & (numbers < len(places) - 1)]
        starts, ends = places[numbers], places[numbers + 1]
        filled = starts < ends
        starts, ends = starts[filled], ends[filled]
        if not len(starts):
            return rows.slice(0, 0)
        # Neighbours are one slice.
        apart = np.flatnonzero(starts[1:] != ends[:-1])
        begins, stops = starts[np.append(0, apart + 1)], ends[np.append(apart, len(ends) - 1)]
        slices = [
            rows.slice(begin, stop - begin)
            for begin, stop in zip(begins.tolist(), stops.tolist(), strict=True)
        ]
        return slices[0] if len(slices) == 1 else pa.concat_tables(slices).combine_chunks()


def _taken(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    """A table, which the engine no longer holds then."""
    rows = connection.execute(f"SELECT * FROM resident.{name}").to_arrow_table()
    connection.execute(f"DROP TABLE resident.{name}")
    return rows


def _places(rows: pa.Table, *, last: int) -> Integers:
    """int64 (last + 2,): by number from 0, its first row or where it would stand; then where all end."""
    numbers = rows.column(0).to_numpy()
    return np.searchsorted(numbers, np.arange(last + 2)).astype(np.int64)
