"""Features of known accounts, by statements that are planned once, over the rows of those accounts alone.

Turns keys into the features of `features.point_in_time`, by its SQL, bit for bit. To plan the statements
takes longer than to answer them for a few accounts, and most of what they cost is to find the rows among
those of all others: here the tables are in memory, and the rows of the accounts are handed in. Where they
stay in their files, its `build` plans anew for each call, which is best for many accounts, and its
`build_one` knows of one. What was computed ahead is at hand for the moment it was computed for, and for no
other. Time and null rules: those of the SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.matrix import STEPS, Rows
from features.point_in_time import FeatureEngine
from features.tables import Tables
from serving.handed_rows import Planned
from serving.resident_rows import ResidentRows

__all__ = ["MOST_AT_ONCE", "ReadyFeatureEngine"]

Matrix = NDArray[np.float64]

MOST_AT_ONCE = 64
"""Keys up to which a plan over files that knows nothing of them is as good as one that does."""

_COUNTED = "counted_activities"
_FIRST = {
    step: _COUNTED if table == "activities" else table for table, steps in STEPS.items() for step in steps
}
"""The table without whose rows a step has none itself; formulas answer for each key in any case."""


class ReadyFeatureEngine(FeatureEngine):
    """As its base, for as many questions as a service is asked; threads may share it.

    resident: whether the tables are in memory. rows: of another engine over the same tables, which counts
        alike (see `rows_for`), in the place of a copy.
    """

    def __init__(
        self,
        tables: Tables,
        catalogue: Catalogue,
        *,
        threads: int | None = None,
        resident: bool = False,
        rows: ResidentRows | None = None,
    ) -> None:
        super().__init__(tables, catalogue, threads=threads)
        if rows is None and resident:
            rows = ResidentRows(self._connection)
        self._resident = rows
        self._ready: dict[str, tuple[int, Matrix]] = {}

    @property
    def is_resident(self) -> bool:
        """Whether the tables are in memory."""
        return self._resident is not None

    def rows_for(self, catalogue: Catalogue) -> ResidentRows | None:
        """The rows in memory, where an engine of another catalogue would copy the same: what counts as an
        activity, and for how long, is worked out in them."""
        own = self.catalogue
        alike = (own.rules, own.engagement_channels) == (catalogue.rules, catalogue.engagement_channels)
        return self._resident if alike else None

    def compute_ahead(self, keys: pd.DataFrame) -> None:
        """Have the features of these accounts at hand, each for its moment. keys: as of `build_some`."""
        asked = zip(keys["account_id"], _seconds(keys["as_of"]), strict=True)
        keys = keys[[self._at_hand(account_id, moment) is None for account_id, moment in asked]]
        if keys.empty:
            return
        matrix = self._computed(keys)
        matrix.flags.writeable = False
        for account_id, moment, row in zip(keys["account_id"], _seconds(keys["as_of"]), matrix, strict=True):
            self._ready[account_id] = moment, row

    def build_one(self, account_id: str, as_of: datetime) -> Matrix:
        """As the base says: float64 (k,) in the order of the catalogue."""
        moments = np.array([as_of], dtype="datetime64[s]")
        ready = self._at_hand(account_id, int(moments[0].astype(np.int64)))
        if ready is not None:
            return ready
        if self._resident is None:
            return super().build_one(account_id, as_of)
        row: Matrix = self._matrix([account_id], moments)[0]
        return row

    def build_some(self, keys: pd.DataFrame) -> Matrix:
        """As `build`, float64 (n, k) in the order of keys, as fast as it goes for so many.

        keys: account_id and as_of (datetime64, naive, UTC, whole seconds), one row for each.
        """
        asked = zip(keys["account_id"], _seconds(keys["as_of"]), strict=True)
        ready = [self._at_hand(account_id, moment) for account_id, moment in asked]
        missing = np.array([row is None for row in ready], dtype=bool)
        if missing.all():
            return self._computed(keys)
        matrix: Matrix = np.empty((len(keys), len(self.catalogue.features)))
        for place in np.flatnonzero(~missing):
            matrix[place] = ready[place]
        if missing.any():
            matrix[missing] = self._computed(keys[missing])
        return matrix

    def _at_hand(self, account_id: str, moment: int) -> Matrix | None:
        """The features that were computed ahead. moment: seconds since 1970."""
        computed_for, row = self._ready.get(account_id, (None, None))
        return row if computed_for == moment else None

    def _computed(self, keys: pd.DataFrame) -> Matrix:
        if self._resident is None and len(keys) > MOST_AT_ONCE:
            return self.build(keys).to_numpy()
        return self._matrix(keys["account_id"].to_list(), keys["as_of"].to_numpy().astype("datetime64[s]"))

    def _matrix(self, account_ids: list[str], moments: NDArray[np.datetime64]) -> Matrix:
        given = self._given(account_ids, moments)
        planned = self._planned()
        steps = {
            name: planned.answer(name, given) if self._may_tell(name, given) else planned.nothing[name]
            for name in self._statements
        }
        matrix: Matrix = self._scatter.matrix(Rows(moments, steps))
        return matrix

    def _given(self, account_ids: list[str], moments: NDArray[np.datetime64]) -> dict[str, pa.Table]:
        """The relations of some keys."""
        accounts: list[str] | NDArray[np.int64] = account_ids
        given: dict[str, pa.Table] = {}
        if self._resident is not None:
            accounts = self._resident.numbers.all_of(account_ids)
            given = self._resident.of(accounts)
        columns = [
            pa.array(np.arange(len(moments), dtype=np.int64)),
            pa.array(accounts, self._keys.field("account_id").type),
            pa.array(moments.astype("datetime64[us]")),
        ]
        return given | {"keys": pa.table(columns, schema=self._keys)}

    def _may_tell(self, step: str, given: Mapping[str, pa.Table]) -> bool:
        """Whether a step may have rows."""
        if self._resident is None:
            return True
        if step == "contact_days":
            people = given[_COUNTED].column("contact_id")
            return bool(people.null_count < len(people))
        return step not in _FIRST or len(given[_FIRST[step]]) > 0

    @property
    def _keys(self) -> pa.Schema:
        account = pa.string() if self._resident is None else pa.int64()
        return pa.schema([("key", pa.int64()), ("account_id", account), ("as_of", pa.timestamp("us"))])

    def _planned(self) -> Planned:
        planned: Planned | None = getattr(self._own, "planned", None)
        if planned is None:
            schemas = {"keys": self._keys} | dict(self._resident.schemas if self._resident else {})
            planned = self._own.planned = Planned(self._cursor, schemas, self._statements)
        return planned


def _seconds(moments: pd.Series[datetime]) -> list[int]:
    seconds: list[int] = moments.to_numpy().astype("datetime64[s]").astype(np.int64).tolist()
    return seconds
