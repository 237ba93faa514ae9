"""Takes forgotten people out of the rows that were set aside.

Such a row holds whatever its source wrote, perhaps a whole line, so that it is searched cell by cell for
everything on the list. Time rule: none. Null rule: a row without cells mentions nobody. A cell that equals
a forgotten identifier by chance takes its row along: it is a row that tells nobody anything but its fault.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.engine import run_sql
from features.privacy.suppression import Forgotten
from features.validation import literal

__all__ = ["Purged", "mentions", "mentions_in_quarantine", "purge_quarantine"]

_SEPARATORS = re.compile(r"[,;\t|\"\r\n]+")
_AT_ONCE = 50_000


@dataclass(frozen=True)
class Purged:
    """Rows that went, by table; fresh: those of them that were read now."""

    rows: Counter[str]
    fresh: Counter[str]


def purge_quarantine(connection: duckdb.DuckDBPyConnection, *, people: Forgotten) -> Purged:
    """Delete the rows of the table `quarantine` that mention somebody on the list."""
    found = list(_found(connection, "SELECT *, rowid AS place FROM quarantine", people=people))
    gone = [place for place, _, _ in found]
    run_sql(
        connection, "DELETE FROM quarantine WHERE rowid IN (SELECT unnest(?::BIGINT[]))", parameters=[gone]
    )
    return Purged(Counter(name for _, name, _ in found), Counter(name for _, name, new in found if new))


def mentions_in_quarantine(
    connection: duckdb.DuckDBPyConnection, *, folder: Path, people: Forgotten
) -> Counter[str]:
    """By table, the rows set aside in a snapshot that mention somebody on the list."""
    files = [literal(str(file)) for file in sorted((folder / "quarantine").glob("*.parquet"))]
    if not files:
        return Counter()
    sql = f"SELECT *, false AS fresh, 0 AS place FROM read_parquet([{', '.join(files)}])"
    return Counter(name for _, name, _ in _found(connection, sql, people=people))


def _found(
    connection: duckdb.DuckDBPyConnection, rows: str, *, people: Forgotten
) -> Iterator[tuple[int, str, bool]]:
    """Place, table and freshness of the rows that mention somebody."""
    listed = run_sql(connection, f'SELECT place, "table", fresh, got, row, file FROM ({rows})')
    while batch := listed.fetchmany(_AT_ONCE):
        for place, name, fresh, *texts in batch:
            if mentions(people, *texts):
                yield place, name, fresh


def mentions(people: Forgotten, *texts: str | None) -> bool:
    """Whether a cell of the texts is on the list, or an address in one of them."""
    return any(people.names(cell) for text in texts if text for cell in dict.fromkeys(_cells(text)))


def _cells(text: str) -> Iterator[str]:
    """A JSON object's values, or what separators part, each with its own parts."""
    values: list[object] = [text]
    if text.startswith("{"):
        try:
            values = list(json.loads(text).values())
        except ValueError:
            values = [text]
    for value in values:
        if isinstance(value, str):
            yield value.strip()
            yield from (part.strip() for part in _SEPARATORS.split(value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield str(value)
