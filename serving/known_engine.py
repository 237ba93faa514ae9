"""Features of a few known accounts at once, by statements that are planned once.

Turns some keys into the features of `features.point_in_time`, by its SQL, bit for bit. To plan the statements
takes longer than to answer them for a few accounts; its `build` plans anew for each call, which is best for
many accounts, and its `build_one` knows of one. Time and null rules: those of the SQL.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.matrix import Rows
from features.point_in_time import FeatureEngine
from serving.handed_rows import Planned

__all__ = ["MOST_AT_ONCE", "ReadyFeatureEngine"]

Matrix = NDArray[np.float64]

MOST_AT_ONCE = 64
"""Keys up to which a plan that knows nothing of them is as good as one that does."""


class ReadyFeatureEngine(FeatureEngine):
    """As its base, for as many questions as a service is asked; threads may share it."""

    def build_few(self, keys: pd.DataFrame) -> Matrix:
        """As `build`, float64 (n, k) in the order of keys, of up to `MOST_AT_ONCE` of them."""
        moments = keys["as_of"].to_numpy().astype("datetime64[s]")
        given = {"keys": self._as_rows(keys["account_id"].to_list(), moments)}
        planned = self._planned()
        steps = {name: planned.answer(name, given) for name in self._statements}
        matrix: Matrix = self._scatter.matrix(Rows(moments, steps))
        return matrix

    def _as_rows(self, account_ids: list[str], moments: NDArray[np.datetime64]) -> pa.Table:
        accounts = self._numbers.all_of(account_ids) if self._numbers else account_ids
        return pa.table(
            [
                pa.array(np.arange(len(moments), dtype=np.int64)),
                pa.array(accounts, self._schema.field("account_id").type),
                pa.array(moments.astype("datetime64[us]")),
            ],
            schema=self._schema,
        )

    @property
    def _schema(self) -> pa.Schema:
        account = pa.int64() if self._numbers else pa.string()
        return pa.schema([("key", pa.int64()), ("account_id", account), ("as_of", pa.timestamp("us"))])

    def _planned(self) -> Planned:
        planned: Planned | None = getattr(self._own, "planned", None)
        if planned is None:
            planned = self._own.planned = Planned(self._cursor, {"keys": self._schema}, self._statements)
        return planned
