"""The SQL of the point-in-time features: one function per step, each output named.

Turns the canonical tables and the relation `keys` (key, account_id, as_of) into long rows of integers, which
`features.matrix` scatters into the matrix. Time rule: every step joins with `known_at < as_of`, strictly, and
`occurred_at < as_of`; ages are whole seconds, windows include their far end. Null rule: absent
combinations have no row. Everything summed is an integer, so that no order of rows and no number of threads
can change a bit; literals are integers or doubles; nothing is formatted into the text but column names.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ALL_CELL",
    "EDGES",
    "FIRST_OUTREACH_CELL",
    "HALF_LIVES",
    "REACH_DAYS",
    "REST_CELLS",
    "SILENT_CELLS",
    "account_facts",
    "activity_counts",
    "activity_people",
    "opportunity_history",
    "quoted",
    "topic_scores",
]

EDGES = (7, 28, 30, 90, 112, 180)
"""Far ends of the age buckets, in days; 28 and 112 bound the trend's four weeks and its twelve before."""

REACH_DAYS = EDGES[-1]
HALF_LIVES = (7, 30)
"""Half lives of the decayed sums, in days."""

FIRST_OUTREACH_CELL = 100
"""Channels are numbered by cell: engagement from 0, outreach from here, both in catalogue order."""

REST_CELLS = (-1, -2)
"""Cells of the channels without a number, engagement and outreach."""

SILENT_CELLS = (-3, -4)
"""Cells of the rows with quantity 0, which say that nothing happened, engagement and outreach."""

ALL_CELL = -5
"""The cell of people over all channels of engagement."""


def quoted(identifier: str) -> str:
    """A column name as SQL reads it, whatever it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def _pipeline(*steps: tuple[str, str]) -> str:
    """The steps as one statement that returns the last one's rows."""
    named = ",\n".join(f"{name} AS ({sql})" for name, sql in steps)
    return f"WITH {named}\nSELECT * FROM {steps[-1][0]}"


def _activity_reach() -> str:
    """One row per key and activity within reach: cell, age in seconds, and what the row stands for."""
    return """
    SELECT
        k.key,
        CASE
            WHEN a.quantity = 0 THEN CASE WHEN a.direction = 'outbound' THEN -4 ELSE -3 END
            ELSE coalesce(c.cell, CASE WHEN a.direction = 'outbound' THEN -2 ELSE -1 END)
        END AS cell,
        CAST(epoch(k.as_of) AS BIGINT) - CAST(epoch(a.occurred_at) AS BIGINT) AS age,
        a.direction,
        a.contact_id,
        a.quantity,
        a.seconds,
        a.people
    FROM keys AS k
    JOIN activities AS a
        ON a.account_id = k.account_id
        AND a.known_at < k.as_of
        AND a.occurred_at < k.as_of
        AND a.occurred_at >= k.as_of - INTERVAL 180 DAY
    LEFT JOIN channel_cells AS c
        ON c.channel = a.channel AND c.outbound = (a.direction = 'outbound')"""


def _activity_buckets() -> str:
    """The reach with the age bucket: the first edge that is not younger than the row."""
    return """
    SELECT
        *,
        CASE
            WHEN age <= 604800 THEN 0
            WHEN age <= 2419200 THEN 1
            WHEN age <= 2592000 THEN 2
            WHEN age <= 7776000 THEN 3
            WHEN age <= 9676800 THEN 4
            ELSE 5
        END AS bucket
    FROM activity_reach"""


def _activity_weights() -> str:
    """The buckets with quantity times decay weight, an integer in units of 2^-32, per half life."""
    return """
    SELECT
        *,
        quantity * CAST(round(pow(2e0, -age / 604800e0) * 4294967296e0) AS BIGINT) AS decayed_7d,
        quantity * CAST(round(pow(2e0, -age / 2592000e0) * 4294967296e0) AS BIGINT) AS decayed_30d
    FROM activity_buckets"""


def _activity_sums() -> str:
    """Sums per key, cell and bucket. Decayed sums come as whole units and remainder: no sum overflows."""
    return """
    SELECT
        key,
        cell,
        bucket,
        count(*) AS records,
        CAST(sum(quantity) AS BIGINT) AS quantity,
        CAST(sum(coalesce(seconds, 0)) AS BIGINT) AS seconds,
        max(coalesce(people, 0)) AS people,
        max(quantity) AS largest,
        min(age) AS youngest,
        max(age) AS oldest,
        min(CASE WHEN direction = 'mutual' THEN age END) AS two_way,
        bit_or(CAST(1 AS BIGINT) << ((age - 1) // 604800)) AS weeks,
        bit_or(CASE WHEN age <= 2592000 THEN CAST(1 AS BIGINT) << ((age - 1) // 86400) ELSE 0 END) AS days,
        CAST(sum(decayed_7d >> 32) AS BIGINT) AS decayed_7d_units,
        CAST(sum(decayed_7d & 4294967295) AS BIGINT) AS decayed_7d_remainder,
        CAST(sum(decayed_30d >> 32) AS BIGINT) AS decayed_30d_units,
        CAST(sum(decayed_30d & 4294967295) AS BIGINT) AS decayed_30d_remainder
    FROM activity_weights
    GROUP BY key, cell, bucket"""


def activity_counts() -> str:
    """Activities: one row per key, cell and age bucket."""
    return _pipeline(
        ("activity_reach", _activity_reach()),
        ("activity_buckets", _activity_buckets()),
        ("activity_weights", _activity_weights()),
        ("activity_sums", _activity_sums()),
    )


def _contact_nearest() -> str:
    """One row per key, cell and person: the bucket of the person's latest activity there."""
    return """
    SELECT key, cell, contact_id, min(bucket) AS bucket
    FROM activity_buckets
    WHERE contact_id IS NOT NULL AND quantity > 0 AND direction <> 'outbound'
    GROUP BY key, cell, contact_id"""


def _contact_overall() -> str:
    """One row per key and person over all channels, with the person's level as known before `as_of`.

    The latest version with a level decides: its second leads the number, its lowest bit says senior.
    """
    return """
    SELECT
        n.key,
        n.contact_id,
        n.bucket,
        coalesce(max(CASE WHEN v.known_at < k.as_of AND v.seniority IS NOT NULL THEN
            CAST(epoch(v.known_at) AS BIGINT) * 2
            + CASE WHEN v.seniority IN ('c_level', 'vice_president') THEN 1 ELSE 0 END
        END), 0) & 1 AS senior
    FROM (
        SELECT key, contact_id, min(bucket) AS bucket FROM contact_nearest GROUP BY key, contact_id
    ) AS n
    JOIN keys AS k ON k.key = n.key
    LEFT JOIN contacts AS v ON v.contact_id = n.contact_id
    GROUP BY n.key, n.contact_id, n.bucket"""


def _contact_counts() -> str:
    """People and senior people by key, cell and nearest bucket; cell -5 is all channels."""
    return """
    SELECT n.key, n.cell, n.bucket, count(*) AS people, CAST(sum(o.senior) AS BIGINT) AS senior
    FROM contact_nearest AS n
    JOIN contact_overall AS o ON o.key = n.key AND o.contact_id = n.contact_id
    GROUP BY n.key, n.cell, n.bucket
    UNION ALL
    SELECT key, -5 AS cell, bucket, count(*) AS people, CAST(sum(senior) AS BIGINT) AS senior
    FROM contact_overall
    GROUP BY key, bucket"""


def activity_people() -> str:
    """People in engagement: one row per key, cell and bucket in which a person was last active."""
    return _pipeline(
        ("activity_reach", _activity_reach()),
        ("activity_buckets", _activity_buckets()),
        ("contact_nearest", _contact_nearest()),
        ("contact_overall", _contact_overall()),
        ("contact_counts", _contact_counts()),
    )


def _topic_weeks() -> str:
    """One row per key, topic and week: the score in thousandths as last known before `as_of`."""
    return """
    SELECT
        k.key,
        t.topic,
        min(CAST(epoch(k.as_of) AS BIGINT) - CAST(epoch(t.occurred_at) AS BIGINT)) AS age,
        max_by(CAST(round(t.score * 1000e0) AS BIGINT), t.known_at) AS score
    FROM keys AS k
    JOIN intent_topics AS t
        ON t.account_id = k.account_id
        AND t.known_at < k.as_of
        AND t.occurred_at < k.as_of
        AND t.occurred_at >= k.as_of - INTERVAL 105 DAY
    GROUP BY k.key, t.topic, t.occurred_at"""


def _topic_sums() -> str:
    """The last 3 weeks and the 12 before them, per key and topic."""
    return """
    SELECT
        key,
        min(age) AS youngest,
        CAST(sum(CASE WHEN age <= 1814400 THEN score ELSE 0 END) AS BIGINT) AS recent,
        CAST(sum(CASE WHEN age > 1814400 THEN score ELSE 0 END) AS BIGINT) AS baseline
    FROM topic_weeks
    GROUP BY key, topic"""


def topic_scores() -> str:
    """Research topics: one row per key and topic."""
    return _pipeline(("topic_weeks", _topic_weeks()), ("topic_sums", _topic_sums()))


def _opportunity_latest() -> str:
    """One row per key and opportunity, as last known before `as_of`."""
    return """
    SELECT
        k.key,
        max_by(coalesce(o.outcome, 'open'), o.known_at) AS outcome,
        max_by(CAST(epoch(o.created_at) AS BIGINT), o.known_at) AS opened,
        max_by(CAST(epoch(coalesce(o.closed_at, o.known_at)) AS BIGINT), o.known_at) AS closed
    FROM keys AS k
    JOIN opportunities AS o ON o.account_id = k.account_id AND o.known_at < k.as_of
    GROUP BY k.key, o.opportunity_id"""


def _opportunity_sums() -> str:
    """Wins, losses and the latest seconds of opening and closing, per key."""
    return """
    SELECT
        key,
        count(*) FILTER (WHERE outcome = 'won') AS won,
        count(*) FILTER (WHERE outcome = 'lost') AS lost,
        max(opened) AS opened,
        max(closed) FILTER (WHERE outcome <> 'open') AS closed
    FROM opportunity_latest
    GROUP BY key"""


def opportunity_history() -> str:
    """Opportunities: one row per key."""
    return _pipeline(("opportunity_latest", _opportunity_latest()), ("opportunity_sums", _opportunity_sums()))


def account_facts(columns: Sequence[str], *, before: Sequence[str] = (), lengths: Sequence[str] = ()) -> str:
    """Accounts: one row per key with the latest known non-empty value of each column.

    columns: named `latest <column>` in the result.
    before: columns that are also wanted as known 365 days earlier, named `before <column>`.
    lengths: text columns that are wanted as their number of characters.
    """

    def latest(column: str, name: str, condition: str = "") -> str:
        fact = f"a.{quoted(column)}"
        value = f"length({fact})" if column in lengths else fact
        return f"max_by({value}, a.known_at) FILTER (WHERE {fact} IS NOT NULL{condition}) AS {quoted(name)}"

    earlier = " AND a.known_at < k.as_of - INTERVAL 365 DAY"
    facts = [latest(column, f"latest {column}") for column in columns]
    facts += [latest(column, f"before {column}", earlier) for column in before]
    return f"""
    SELECT k.key, {", ".join(facts)}
    FROM keys AS k
    JOIN accounts AS a ON a.account_id = k.account_id AND a.known_at < k.as_of
    GROUP BY k.key"""
