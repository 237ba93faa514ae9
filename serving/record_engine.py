"""Features of accounts that come with their rows, by statements that are planned once.

Turns tables in memory and keys into the features of `features.point_in_time`, by its SQL, bit for bit. To
plan a statement takes as long as to run it over a hundred rows: here each thread plans once, over relations
into which the rows of every question are handed anew. Time and null rules: those of the SQL.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.contract import TABLES
from features.counted import count_by
from features.engine import run_sql
from features.matrix import STEPS, Rows
from features.point_in_time import RecordEngine, check_attributes
from features.queries import consent_periods, consent_told
from features.tables import OPT_OUT_SCHEMA, OPT_OUTS, Tables
from serving.handed_rows import Planned

__all__ = ["ReadyRecordEngine"]

Matrix = NDArray[np.float64]
Moments = NDArray[np.datetime64]

_CONSENT = "consent"
_TIME = pa.timestamp("us")
_KEYS = pa.schema([("key", pa.int64()), ("account_id", pa.string()), ("as_of", _TIME)])
_PERIODS = pa.schema([("contact_id", pa.string()), ("since", _TIME), ("until", _TIME)])
_LOST = OPT_OUTS.removesuffix(".parquet")


class ReadyRecordEngine(RecordEngine):
    """As its base, for as many questions as a service is asked; threads may share it."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self._own = threading.local()

    def build_one(self, tables: Tables, account_id: str, as_of: datetime) -> Matrix:
        """As the base says: float64 (k,) in the order of the catalogue."""
        row: Matrix = self.build(tables, [account_id], moments=np.array([as_of], dtype="datetime64[s]"))[0]
        return row

    def build(self, tables: Tables, account_ids: Sequence[str], *, moments: Moments) -> Matrix:
        """Features of many accounts, float64 (n, k): each row the bits that it has alone.

        tables: in memory; a table or column that is not given is empty. moments: datetime64 (n,), the `as_of`
        of each account, naive UTC, whole seconds. Raises ContractError or EngineError.
        """
        check_attributes(tables, self.catalogue)
        given = {name: _whole(tables, name) for name in tables.sources}
        given["keys"] = _as_keys(account_ids, moments)
        if isinstance(tables.opt_outs, pa.Table):
            given[_LOST] = tables.opt_outs
        given = {name: rows.combine_chunks() for name, rows in given.items()}
        steps = [step for step in self._statements if _may_tell(step, given)]
        planned = self._planned()
        if _anybody_out(given):
            given["consent_periods"] = planned.answer(_CONSENT, given).cast(_PERIODS)
        answers = {step: planned.answer(step, given) for step in steps}
        rows = Rows(moments.astype("datetime64[s]"), self._of_nothing | answers)
        matrix: Matrix = self._scatter.matrix(rows)
        return matrix

    def _planned(self) -> Planned:
        planned: Planned | None = getattr(self._own, "planned", None)
        if planned is None:
            empty = Tables({}, self.catalogue.attributes)
            schemas = {name: empty.schema(name) for name in TABLES}
            schemas |= {_LOST: OPT_OUT_SCHEMA, "consent_periods": _PERIODS, "keys": _KEYS}
            statements = {**self._statements, _CONSENT: consent_periods()}
            planned = Planned(self._connection.cursor, schemas, statements, prepare=self._add_views)
            self._own.planned = planned
        return planned

    def _add_views(self, cursor: duckdb.DuckDBPyConnection) -> None:
        # It takes the relations for empty, as they are while it plans, and would make hash tables of hundreds
        # of activities in place of a few accounts and rules: the joins stay as they are written.
        run_sql(cursor, "SET disabled_optimizers = 'join_order,build_side_probe_side'")
        run_sql(cursor, f"CREATE TEMP VIEW consent_told AS {consent_told(lost=_LOST)}")
        count_by(cursor, self.catalogue.rules, kind="TEMP VIEW")


_FIRST = {step: table for table, steps in STEPS.items() for step in steps}
"""The table without whose rows a step has none itself; formulas answer for each key in any case."""


def _may_tell(step: str, given: Mapping[str, pa.Table]) -> bool:
    """Whether a step may have rows: of people only where an activity names anybody."""
    if step == "contact_days":
        activities = given.get("activities")
        return activities is not None and activities.column("contact_id").null_count < len(activities)
    return step not in _FIRST or len(given.get(_FIRST[step], ())) > 0


def _as_keys(account_ids: Sequence[str], moments: Moments) -> pa.Table:
    numbers = pa.array(np.arange(len(account_ids), dtype=np.int64))
    names, times = pa.array(account_ids, pa.string()), pa.array(moments.astype("datetime64[us]"))
    return pa.table([numbers, names, times], schema=_KEYS)


def _whole(tables: Tables, name: str) -> pa.Table:
    """One table with every column of its schema."""
    schema, given = tables.schema(name), tables.sources[name]
    if not isinstance(given, pa.Table):
        return schema.empty_table()
    if given.schema.equals(schema):
        return given
    columns = [
        given.column(field.name) if field.name in given.column_names else pa.nulls(len(given), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _anybody_out(given: Mapping[str, pa.Table]) -> bool:
    """Whether anybody ever opted out; most records name nobody who did."""
    told = (given[name].column("opted_out_at") for name in ("contacts", _LOST) if name in given)
    return any(times.null_count < len(times) for times in told)
