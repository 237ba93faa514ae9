"""What the tables hold before a cutoff: common channels, levels, set members and filled columns.

Turns tables into `Learned`, from which features are declared. Time rule: rows with `known_at < cutoff` only.
Null rule: an empty cell counts for nothing.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from features.comparable import compare_origins
from features.contract import TABLES
from features.counted import know_consent
from features.counting import CountingRules
from features.declarations import Learned
from features.declare_activities import Channel, merged
from features.feature import REST
from features.queries import activity_counts, permitted_activities, quoted
from features.size_curve import learn_size_levels
from features.tables import Attribute, Tables

__all__ = ["MAXIMUM_CHANNELS", "MAXIMUM_LEVELS", "MINIMUM_ACCOUNTS", "MINIMUM_ROWS", "learn"]

MINIMUM_ROWS = 50
"""A channel with fewer rows shares its features with the other rare ones."""

MAXIMUM_CHANNELS = 12
MINIMUM_ACCOUNTS = 20
"""A level or set member of fewer accounts is no feature of its own."""

MAXIMUM_LEVELS = 30


def learn(tables: Tables, *, cutoff: datetime) -> Learned:
    """What was known before `cutoff`."""
    with tables.connect() as connection:
        know_consent(connection)
        filled = _filled(connection, tables.attributes, cutoff)
        return Learned(
            channels=_channels(connection, tables.rules, cutoff),
            levels=_levels(connection, filled, tables.attributes, cutoff),
            filled=filled,
            employees_change=_any(connection, _CHANGES, cutoff),
            attributes=tables.attributes,
            topics=_any(connection, f"SELECT 1 FROM intent_topics WHERE {_KNOWN}", cutoff),
            opportunities=_any(connection, f"SELECT 1 FROM opportunities WHERE {_KNOWN}", cutoff),
            meetings=_any(connection, _MEETINGS, cutoff),
            rules=tables.rules,
            size_levels=learn_size_levels(connection, cutoff=cutoff),
            not_comparable=compare_origins(
                connection,
                rules=tables.origins,
                attributes=tables.attributes,
                before=cutoff,
                year_before=True,
            ).not_comparable,
        )


_KNOWN = "known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1)"

_CHANGES = f"""
SELECT account_id FROM accounts WHERE {_KNOWN}
GROUP BY account_id HAVING count(DISTINCT employees) > 1"""

_MEETINGS = f"""
SELECT 1 FROM ({permitted_activities()}) WHERE {_KNOWN} AND direction = 'mutual' AND traffic IS NULL"""


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


_CHANNELS = """
WITH levelled AS (
    SELECT contact_id, bool_or(seniority IN ('c_level', 'vice_president')) AS senior FROM contacts
    WHERE {known} AND seniority IS NOT NULL GROUP BY contact_id
)
SELECT
    a.direction = 'outbound' AS outbound,
    a.channel,
    count(*) AS records,
    bool_or(coalesce(a.seconds, 0) > 0) AS minutes,
    bool_or(a.contact_id IS NOT NULL OR coalesce(a.people, 0) > 0) AS people,
    bool_or(coalesce(s.senior, false)) AS senior,
    bool_or(a.quantity <> 1) AS many,
    bool_or(s.contact_id IS NOT NULL) AS levels
FROM ({permitted}) AS a
LEFT JOIN levelled AS s ON s.contact_id = a.contact_id
WHERE a.known_at < $1 AND (a.withdrawn_at IS NULL OR a.withdrawn_at >= $1) AND {counts}
GROUP BY 1, 2
ORDER BY 1, 3 DESC, 2"""


def _channels(
    connection: duckdb.DuckDBPyConnection, rules: CountingRules, cutoff: datetime
) -> tuple[Channel, ...]:
    """The common channels of each side by number of rows, then one for all the rare ones of that side."""
    counts = activity_counts(anonymous=rules.anonymous)
    sql = _CHANNELS.format(known=_KNOWN, permitted=permitted_activities(), counts=counts)
    found = connection.execute(sql, [cutoff]).fetchall()
    usual = {channel for channel, _ in rules.default_seconds}
    labels = {channel: words for channel, *words in rules.labels}
    result: list[Channel] = []
    for side in (False, True):
        records = {
            Channel(
                channel,
                outbound,
                minutes=minutes,
                people=people,
                senior=senior,
                many=many,
                usual=channel in usual,
                weighted=levels and rules.weighted,
                labels=tuple(labels.get(channel, ())),
            ): count
            for outbound, channel, count, minutes, people, senior, many, levels in found
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
