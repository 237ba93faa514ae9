"""States of one record that a source told one after the other, and from when on each could be known.

Turns rows of sources that know today's values alone into versions. Of the rows of one source about one thing,
the one with the earliest time of its last change keeps the `known_at` that the mapping gives it; each later
one is known from its change on. Which one is the earliest follows from the set of all rows, so that any order
of files gives the same. Time rule: a state is never known before its change, but for the first one, of whose
changes nobody knows: its columns are marked `current value only`. Null rule: a row without a time of its
change counts as the earliest.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

import duckdb
import pyarrow.parquet as pq

from features.bindings import Source
from features.contract import START_OF_TIME, TABLES, Table
from features.engine import run_sql
from features.history import source_id
from features.validation import literal

__all__ = [
    "CHANGED_AT",
    "GIVEN_AT",
    "any_changed",
    "has_versions",
    "states_sql",
    "stored_changes",
    "stored_known_at",
    "untimed_sources",
]

CHANGED_AT: Final = "_changed_at"
GIVEN_AT: Final = "_given_at"
"""Stored beside the columns of a table in which any record was changed: the time of that, and the `known_at`
that the mapping gave the row."""

_START = f"TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))}"


def has_versions(table: Table) -> bool:
    """Whether a later row may say something else of the same thing."""
    return "known_at" in table.key


def any_changed(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Whether any of the rows tells when its record was changed. rows: a relation."""
    sql = f"SELECT 1 FROM {rows} WHERE {CHANGED_AT} IS NOT NULL LIMIT 1"
    return run_sql(connection, sql).fetchone() is not None


def states_sql(rows: str, *, about: Collection[str]) -> str:
    """SQL of the rows with `known_at` as it follows from all of them.

    rows: a relation. about: the columns that say what a row is about.
    """
    first = f"min(coalesce({CHANGED_AT}, {_START})) OVER (PARTITION BY {', '.join(['_source', *about])})"
    known = f"CASE WHEN {CHANGED_AT} > {first} THEN greatest({GIVEN_AT}, {CHANGED_AT}) ELSE {GIVEN_AT} END"
    return f"SELECT * REPLACE ({known} AS known_at) FROM (SELECT *, known_at AS {GIVEN_AT} FROM {rows})"


def stored_changes(file: Path) -> list[str]:
    """Which of the columns beside a stored table holds."""
    present = set(pq.read_schema(file).names)
    return [name for name in (CHANGED_AT, GIVEN_AT) if name in present]


def stored_known_at(present: Collection[str]) -> str:
    """SQL for the `known_at` that the mapping gave a stored row."""
    return f"{GIVEN_AT} AS known_at" if GIVEN_AT in present else "known_at"


def untimed_sources(
    connection: duckdb.DuckDBPyConnection, sources: Collection[Source], *, name: str
) -> tuple[str, ...]:
    """The labels of sources that know today's values alone and told of no change in the rows read now.

    name: of the table. Two states of one record in such a source cannot be told apart in time.
    """
    labels = {source_id(one): one.label for one in sources if one.current_value_only and one.table == name}
    if not labels or not has_versions(TABLES[name]):
        return ()
    found = run_sql(
        connection,
        f"SELECT _source FROM staged_{name} WHERE _fault IS NULL"
        f" AND _source IN ({', '.join(map(literal, labels))})"
        f" GROUP BY _source HAVING count({CHANGED_AT}) = 0",
    )
    return tuple(sorted(labels[source] for (source,) in found.fetchall()))
