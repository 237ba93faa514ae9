"""How much companies of each size research: what a surge is measured against.

Turns third-party research and employees into one `SizeLevel` per range of employees: bigger companies
research more and more steadily, so that the same points are a surge at a small one and nothing at a large
one. Time rule: rows with `known_at < cutoff` of the last 52 weeks; employees as last known before it. Null
rule: accounts without employees have the level of all. Whole numbers throughout: no order of rows can
change a level.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from features.counting import LEAST_USUAL, NO_SIZE, SizeLevel

__all__ = ["EDGES", "learn_size_levels"]

EDGES = (10, 50, 200, 1_000, 5_000, 20_000)
"""The most employees of each range but the last."""

_STEADY = 20
"""So many average accounts are counted along in every range, because few accounts tell little."""

_MOST = 2**62

_RESEARCH = """
WITH weeks AS (
    SELECT account_id, topic, occurred_at,
        max_by(CAST(round(score * 1000e0) AS BIGINT), known_at) AS score
    FROM intent_topics
    WHERE known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1)
        AND occurred_at < $1 AND occurred_at >= $1 - INTERVAL 364 DAY
    GROUP BY 1, 2, 3
),
research AS (
    SELECT account_id, sum(score) AS points, count(DISTINCT topic) AS topics, min(occurred_at) AS first
    FROM weeks GROUP BY account_id
),
sizes AS (
    SELECT account_id, max_by(employees, known_at) AS employees FROM accounts
    WHERE known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1) AND employees IS NOT NULL
    GROUP BY account_id
)
SELECT
    coalesce(s.employees, -1), count(*), CAST(sum(r.topics) AS BIGINT), CAST(sum(r.points) AS BIGINT),
    CAST(max(epoch($1) - epoch(r.first)) AS BIGINT)
FROM research AS r LEFT JOIN sizes AS s USING (account_id)
GROUP BY 1"""


@dataclass
class _Research:
    """Sums over accounts of a range."""

    accounts: int = 0
    topics: int = 0
    points: int = 0

    def add(self, accounts: int, topics: int, points: int) -> None:
        self.accounts += accounts
        self.topics += topics
        self.points += points


def learn_size_levels(connection: duckdb.DuckDBPyConnection, *, cutoff: datetime) -> tuple[SizeLevel, ...]:
    """The levels, the smallest companies first, those of unknown size last; none without research.

    A level is the mean over the accounts of a range that researched at all, weeks without research included.
    """
    found = connection.execute(_RESEARCH, [cutoff]).fetchall()
    if not found:
        return ()
    weeks = max(1, -(-max(age for *_, age in found) // 604_800))
    everything, ranges = _Research(), [_Research() for _ in (*EDGES, _MOST)]
    for employees, accounts, topics, points, _ in found:
        everything.add(accounts, topics, points)
        if employees >= 0:
            ranges[sum(employees > edge for edge in EDGES)].add(accounts, topics, points)
    bounds = zip((0, *(edge + 1 for edge in EDGES)), (*EDGES, _MOST), strict=True)
    sized = [
        _level(lower, upper, part, everything=everything, weeks=weeks)
        for (lower, upper), part in zip(bounds, ranges, strict=True)
    ]
    return (*sized, _level(NO_SIZE, NO_SIZE, _Research(), everything=everything, weeks=weeks))


def _level(lower: int, upper: int, part: _Research, *, everything: _Research, weeks: int) -> SizeLevel:
    return SizeLevel(
        lower,
        upper,
        _usual(part.points, part.accounts, everything.points, everything.accounts, weeks=weeks),
        _usual(part.points, part.topics, everything.points, everything.topics, weeks=weeks),
    )


def _usual(points: int, count: int, all_points: int, all_count: int, *, weeks: int) -> int:
    """Weekly points of one, `_STEADY` average ones counted along."""
    top = points * all_count + _STEADY * all_points
    return max(LEAST_USUAL, top // ((count + _STEADY) * all_count * weeks))
