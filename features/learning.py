"""What the tables hold before a cutoff: common channels, levels, set members and filled columns.

Turns tables into `Learned`, from which features are declared. Time rule: rows with `known_at < cutoff` only.
Null rule: an empty cell counts for nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import duckdb

from features.contract import TABLES
from features.declarations import Learned
from features.declare_activities import Channel, merged
from features.feature import REST
from features.queries import quoted
from features.tables import Attribute, Tables

__all__ = ["MAXIMUM_CHANNELS", "MAXIMUM_LEVELS", "MINIMUM_ACCOUNTS", "MINIMUM_ROWS", "learn"]

MINIMUM_ROWS = 50
"""A channel with fewer rows shares its features with the other rare ones."""

MAXIMUM_CHANNELS = 12
MINIMUM_ACCOUNTS = 20
"""A level or set member of fewer accounts is no feature of its own."""

MAXIMUM_LEVELS = 30


def learn(tables: Tables, *, cutoff: datetime, current_value_only: Collection[str] = ()) -> Learned:
    """What was known before `cutoff`.

    current_value_only: account columns without history in the source; their features are marked.
    """
    with tables.connect() as connection:
        filled = _filled(connection, tables.attributes, cutoff)
        return Learned(
            channels=_channels(connection, cutoff),
            levels=_levels(connection, filled, tables.attributes, cutoff),
            filled=filled,
            employees_change=_any(connection, _CHANGES, cutoff),
            attributes=tables.attributes,
            current_value_only=frozenset(current_value_only),
            topics=_any(connection, f"SELECT 1 FROM intent_topics WHERE {_KNOWN}", cutoff),
            opportunities=_any(connection, f"SELECT 1 FROM opportunities WHERE {_KNOWN}", cutoff),
            meetings=_any(connection, _MEETINGS, cutoff),
        )


_KNOWN = "known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1)"

_CHANGES = f"""
SELECT account_id FROM accounts WHERE {_KNOWN}
GROUP BY account_id HAVING count(DISTINCT employees) > 1"""

_MEETINGS = f"SELECT 1 FROM activities WHERE {_KNOWN} AND direction = 'mutual'"


def _any(connection: duckdb.DuckDBPyConnection, sql: str, cutoff: datetime) -> bool:
    return connection.execute(f"{sql} LIMIT 1", [cutoff]).fetchone() is not None


def _filled(
    connection: duckdb.DuckDBPyConnection, attributes: tuple[Attribute, ...], cutoff: datetime
) -> frozenset[str]:
    """Account columns with any value."""
    names = [*TABLES["accounts"].column_names, *(attribute.name for attribute in attributes)]
    counts = ", ".join(f"count({quoted(name)})" for name in names)
    found = connection.execute(f"SELECT {counts} FROM accounts WHERE {_KNOWN}", [cutoff]).fetchone()
    return frozenset(name for name, count in zip(names, found or (), strict=True) if count)


_CHANNELS = f"""
WITH senior_contacts AS (
    SELECT DISTINCT contact_id FROM contacts
    WHERE {_KNOWN} AND seniority IN ('c_level', 'vice_president')
)
SELECT
    a.direction = 'outbound' AS outbound,
    a.channel,
    count(*) AS records,
    bool_or(coalesce(a.seconds, 0) > 0) AS minutes,
    bool_or(a.contact_id IS NOT NULL OR coalesce(a.people, 0) > 0) AS people,
    bool_or(s.contact_id IS NOT NULL) AS senior,
    bool_or(a.quantity <> 1) AS many
FROM activities AS a
LEFT JOIN senior_contacts AS s ON s.contact_id = a.contact_id
WHERE a.known_at < $1 AND (a.withdrawn_at IS NULL OR a.withdrawn_at >= $1)
GROUP BY 1, 2
ORDER BY 1, 3 DESC, 2"""


def _channels(connection: duckdb.DuckDBPyConnection, cutoff: datetime) -> tuple[Channel, ...]:
    """The common channels of each side by number of rows, then one for all the rare ones of that side."""
    found = connection.execute(_CHANNELS, [cutoff]).fetchall()
    result: list[Channel] = []
    for side in (False, True):
        records = {
            Channel(channel, outbound, *flags): count
            for outbound, channel, count, *flags in found
            if outbound is side
        }
        common = [channel for channel, count in records.items() if count >= MINIMUM_ROWS][:MAXIMUM_CHANNELS]
        rare = [channel for channel in records if channel not in common]
        result += common + ([merged(rare, name=REST)] if rare else [])
    return tuple(result)


def _levels(
    connection: duckdb.DuckDBPyConnection,
    filled: frozenset[str],
    attributes: tuple[Attribute, ...],
    cutoff: datetime,
) -> dict[str, tuple[str, ...]]:
    """The common values of every category and set column, in alphabetical order."""
    columns = {"industry": "category", "country": "category", "region": "category", "technologies": "set"}
    columns |= {attribute.name: attribute.type for attribute in attributes}
    return {
        name: _common_values(connection, name, members=kind == "set", cutoff=cutoff)
        for name, kind in columns.items()
        if name in filled and kind in ("category", "set")
    }


def _common_values(
    connection: duckdb.DuckDBPyConnection, column: str, *, members: bool, cutoff: datetime
) -> tuple[str, ...]:
    value = f"unnest({quoted(column)})" if members else quoted(column)
    found = connection.execute(
        f"""
        WITH told AS (SELECT account_id, {value} AS value FROM accounts WHERE {_KNOWN})
        SELECT value FROM told WHERE value IS NOT NULL
        GROUP BY value HAVING count(DISTINCT account_id) >= $2
        ORDER BY count(DISTINCT account_id) DESC, value LIMIT $3
        """,
        [cutoff, MINIMUM_ACCOUNTS, MAXIMUM_LEVELS],
    ).fetchall()
    return tuple(sorted(value for (value,) in found))
