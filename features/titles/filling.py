"""Contacts that have a title: their level, department and role in the buying group.

Fills the empty cells of staged contacts: seniority and department from the title, the role from both. What a
source says itself stays. Time rule: the row keeps its `known_at`, as a title says nothing that it did not say
then. Null rule: what a title does not say stays empty, and is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import duckdb
import pyarrow as pa

from features.engine import run_sql
from features.titles.reading import TitleReading, read_titles
from features.titles.roles import Level, TitleSettings, buying_role

__all__ = ["TitleCounts", "fill_contact_rows", "fill_contacts"]

_AT_ONCE = 50_000
_UNREAD = "title IS NOT NULL AND (seniority IS NULL OR department IS NULL) AND _fault IS NULL"
_WITHOUT_ROLE = "role IS NULL AND seniority IS NOT NULL AND _fault IS NULL"


@dataclass(frozen=True)
class TitleCounts:
    """Different titles that were read, and how many of them said a level, a department, or neither."""

    read: int = 0
    with_seniority: int = 0
    with_department: int = 0
    abstained: int = 0

    def sentence(self) -> str:
        """The counts in words."""
        return (
            f"different job titles read: {self.read:,}; a level from {self.with_seniority:,},"
            f" a department from {self.with_department:,}, neither from {self.abstained:,}"
        )


def fill_contacts(connection: duckdb.DuckDBPyConnection, *, settings: TitleSettings) -> TitleCounts:
    """Fill `staged_contacts`. Every different title is read once, however many people have it."""
    run_sql(connection, "CREATE TEMP TABLE titles_read (words VARCHAR, level VARCHAR, field VARCHAR)")
    for titles in _unread(connection):
        with _shown(connection, _readings(titles)):
            run_sql(connection, "INSERT INTO titles_read FROM shown")
    run_sql(
        connection,
        "UPDATE staged_contacts SET seniority = coalesce(seniority, level),"
        f" department = coalesce(department, field) FROM titles_read WHERE title = words AND {_UNREAD}",
    )
    _give_roles(connection, settings=settings)
    counted = run_sql(
        connection,
        "SELECT count(*), count(level), count(field), count(*) FILTER (level IS NULL AND field IS NULL)"
        " FROM titles_read",
    ).fetchone()
    run_sql(connection, "DROP TABLE titles_read")
    return TitleCounts(*map(int, counted or ()))


def fill_contact_rows(
    contacts: Sequence[Mapping[str, Any]], *, settings: TitleSettings
) -> list[dict[str, Any]]:
    """Contacts with the keys title, seniority, department and role, filled in the same way."""
    readings = read_titles([contact["title"] or "" for contact in contacts])
    return [
        _filled(contact, reading=reading, settings=settings)
        for contact, reading in zip(contacts, readings, strict=True)
    ]


def _filled(contact: Mapping[str, Any], *, reading: TitleReading, settings: TitleSettings) -> dict[str, Any]:
    level = contact["seniority"] or reading.seniority
    department = contact["department"] or reading.department
    role = contact["role"]
    if level and not role:
        role = buying_role(cast("Level", level), department=department, settings=settings)
    return {**contact, "seniority": level, "department": department, "role": role}


def _unread(connection: duckdb.DuckDBPyConnection) -> Iterator[list[str]]:
    """The titles that may tell something, in parts."""
    rows = run_sql(connection, f"SELECT DISTINCT title FROM staged_contacts WHERE {_UNREAD} ORDER BY title")
    titles = [str(title) for (title,) in rows.fetchall()]
    for start in range(0, len(titles), _AT_ONCE):
        yield titles[start : start + _AT_ONCE]


def _readings(titles: list[str]) -> dict[str, Sequence[str | None]]:
    readings = read_titles(titles)
    return {
        "words": titles,
        "level": [reading.seniority for reading in readings],
        "field": [reading.department for reading in readings],
    }


def _give_roles(connection: duckdb.DuckDBPyConnection, *, settings: TitleSettings) -> None:
    """The role of everyone whose level is known, unless the source says it."""
    found = run_sql(
        connection, f"SELECT DISTINCT seniority, department FROM staged_contacts WHERE {_WITHOUT_ROLE}"
    ).fetchall()
    roles: dict[str, Sequence[str | None]] = {
        "level": [level for level, _ in found],
        "field": [field for _, field in found],
        "part": [buying_role(level, department=field, settings=settings) for level, field in found],
    }
    with _shown(connection, roles):
        run_sql(
            connection,
            "UPDATE staged_contacts SET role = part FROM shown WHERE seniority = level"
            f" AND department IS NOT DISTINCT FROM field AND {_WITHOUT_ROLE}",
        )


@contextmanager
def _shown(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Sequence[str | None]]
) -> Iterator[None]:
    """Columns of texts as the view `shown`."""
    arrays = {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
    connection.register("shown", pa.table(arrays))
    try:
        yield
    finally:
        connection.unregister("shown")
