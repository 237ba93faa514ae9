"""Proof that features rest on nothing that became known later.

Turns rows that a model learned from into findings: of a sample, every feature is computed again from tables
in which nothing is left that was known at or after the row's `as_of`, and must be the same to the last bit.
Time rule: of each table, rows with `known_at < as_of` of each sampled row, and of deletions only those known
by then. Null rule: NaN equals NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.origins import ONE_ORIGIN
from features.tables import Tables
from training.audit.finding import Finding
from training.fit import matrix
from training.learning.learn import Rows

__all__ = ["PROVED_ROWS", "time_proof"]

PROVED_ROWS = 200

_READ = ("accounts", "contacts", "activities", "intent_topics", "opportunities")
_PREFIXED = ("account_id", "contact_id", "activity_id", "opportunity_id")

# Every sampled row gets accounts, people and deals of its own, cut at its own moment: one computation proves
# all rows, whatever their dates.
_CUT = """
SELECT told.* REPLACE ({prefixed},
    CASE WHEN told.withdrawn_at < sampled.as_of THEN told.withdrawn_at END AS withdrawn_at)
FROM {table} AS told JOIN {sampled} AS sampled USING ({key})
WHERE told.known_at < sampled.as_of"""

# A person who acted for an account and is now at another one is known by what both told.
_PEOPLE = """(
SELECT contact_id, number, as_of FROM contacts JOIN sampled USING (account_id)
UNION SELECT contact_id, number, as_of FROM activities JOIN sampled USING (account_id))"""


def time_proof(tables: Tables, *, rows: Rows, sample: int = PROVED_ROWS) -> Iterator[Finding]:
    """Features of which a sampled row has another value once everything later is taken away."""
    drawn = _drawn(rows, sample=sample)
    keys = rows.frame.iloc[drawn][["account_id", "as_of"]].reset_index(drop=True)
    numbered = keys.assign(account_id=[f"{number}:{name}" for number, name in enumerate(keys["account_id"])])
    again = matrix(_cut(tables, keys), numbered, catalogue=rows.catalogue)
    differs = ~((again == rows.X[drawn]) | (np.isnan(again) & np.isnan(rows.X[drawn])))
    for position in np.flatnonzero(differs.any(axis=0)):
        feature = rows.catalogue.features[position]
        count = int(differs[:, position].sum())
        yield Finding(
            "time_proof",
            "blocks",
            feature.name,
            f"{count:,} of {len(drawn):,} sampled rows have another value once everything is taken away that "
            "became known at their date or after it",
            f"read rows of {feature.table} with known_at before as_of only, and train again",
            {"rows": count, "among": len(drawn)},
        )


def _drawn(rows: Rows, *, sample: int) -> NDArray[np.int64]:
    count = len(rows.frame)
    drawn = np.random.default_rng(0).choice(count, size=min(sample, count), replace=False)
    return np.sort(drawn)


def _cut(tables: Tables, keys: pd.DataFrame) -> Tables:
    """The sampled rows' own tables; the account of row number i is called `i:account`."""
    with tables.connect() as connection:
        connection.register("given", keys.assign(number=np.arange(len(keys))))
        connection.execute("CREATE TEMP TABLE sampled AS SELECT * FROM given")
        found = {name: _cut_table(connection, name) for name in _READ}
    own = {name: table.cast(tables.schema(name)) for name, table in found.items()}
    # Merged already; where accounts come from is read when a catalogue is learned, not by features.
    return replace(tables, sources=own, merged=None, origins=ONE_ORIGIN, told=())


def _cut_table(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    columns = [row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()]
    prefixed = ", ".join(
        f"CASE WHEN told.{column} IS NOT NULL THEN sampled.number || ':' || told.{column} END AS {column}"
        for column in _PREFIXED
        if column in columns
    )
    sampled, key = (_PEOPLE, "contact_id") if name == "contacts" else ("sampled", "account_id")
    sql = _CUT.format(table=name, prefixed=prefixed, sampled=sampled, key=key)
    return connection.execute(sql).to_arrow_table()
