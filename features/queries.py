"""The SQL of the point-in-time features: one function per step, each output named.

Turns the canonical tables and the relation `keys` (key, account_id, as_of) into long rows of integers, which
`features.matrix` scatters into the matrix. Time rule: every step joins with `known_at < as_of`, strictly, and
`occurred_at < as_of`, and leaves out rows with `withdrawn_at < as_of`; an age is whole seconds, day n ends
n + 1 times 86,400 seconds before `as_of`, its far end included. Null rule: an absent combination has no
row. Everything summed is an integer, so that no order of rows and no number of threads can change a bit;
literals are integers or doubles; values are bound or read from relations, nothing but column names is
formatted into the text.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "KNOWN_ACTIVITIES",
    "REACH_DAYS",
    "SENIOR_LEVEL",
    "account_versions",
    "activity_days",
    "contact_days",
    "opportunity_states",
    "quoted",
    "topic_sums",
]

REACH_DAYS = 180
"""The longest window. Activities further back are one bucket: lifetime counts and recency read it, too."""


def quoted(identifier: str) -> str:
    """A column name as SQL reads it, whatever it holds."""
    return '"' + identifier.replace('"', '""') + '"'


KNOWN_ACTIVITIES = """
    SELECT
        k.key,
        k.as_of,
        CAST(epoch(k.as_of) AS BIGINT) - CAST(epoch(a.occurred_at) AS BIGINT) AS age,
        a.contact_id,
        a.channel,
        a.direction,
        a.quantity,
        a.seconds,
        a.people
    FROM activities AS a
    JOIN keys AS k
        ON k.account_id = a.account_id
        AND k.as_of > a.known_at
        AND (a.withdrawn_at IS NULL OR k.as_of <= a.withdrawn_at)
        AND k.as_of > a.occurred_at"""
"""One row per key and activity known by then, with its age in seconds."""

_REACH = (
    KNOWN_ACTIVITIES
    + """
        AND k.as_of - INTERVAL 180 DAY <= a.occurred_at"""
)
"""Those of the last 180 days."""

SENIOR_LEVEL = """max(CASE WHEN v.seniority IN ('c_level', 'vice_president')
            THEN CAST(epoch(v.known_at) AS BIGINT) * 2 + 1
            ELSE CAST(epoch(v.known_at) AS BIGINT) * 2
        END) & 1"""
"""1 when the latest level of a person is senior: the second at which a level became known leads the number,
its lowest bit says whether the level is vice president or higher."""


def activity_days() -> str:
    """Activities: sums per key, channel, side and day; day 180 holds all that is older.

    loud: whether the rows stand for anything; quantity 0 says that nothing happened.
    two_way: the least age of a mutual activity.
    """
    return f"""
    WITH activity_known AS ({KNOWN_ACTIVITIES})
    SELECT
        key,
        channel,
        direction = 'outbound' AS outbound,
        quantity > 0 AS loud,
        least((age - 1) // 86400, {REACH_DAYS}) AS day,
        count(*) AS records,
        CAST(sum(quantity) AS BIGINT) AS quantity,
        CAST(sum(seconds) AS BIGINT) AS seconds,
        max(people) AS people,
        max(quantity) AS largest,
        min(age) AS youngest,
        max(age) AS oldest,
        min(CASE WHEN direction = 'mutual' THEN age END) AS two_way
    FROM activity_known
    GROUP BY 1, 2, 3, 4, 5"""


def contact_days() -> str:
    """People in engagement: the day of a person's latest activity per channel, and over all (no channel).

    senior: 1 when the latest level known before `as_of` is vice president or higher.
    """
    return f"""
    WITH activity_reach AS ({_REACH})
    SELECT
        r.key,
        r.channel,
        (min(r.age) - 1) // 86400 AS day,
        {SENIOR_LEVEL} AS senior
    FROM activity_reach AS r
    LEFT JOIN contacts AS v
        ON v.contact_id = r.contact_id AND v.known_at < r.as_of AND v.seniority IS NOT NULL
        AND (v.withdrawn_at IS NULL OR r.as_of <= v.withdrawn_at)
    WHERE r.contact_id IS NOT NULL AND r.quantity > 0 AND r.direction <> 'outbound'
    GROUP BY GROUPING SETS ((r.key, r.contact_id, r.channel), (r.key, r.contact_id))"""


def _topic_weeks() -> str:
    """One row per key, topic and week: the score in thousandths as last known before `as_of`."""
    return """
    SELECT
        k.key,
        t.topic,
        CAST(epoch(k.as_of) AS BIGINT) - CAST(epoch(t.occurred_at) AS BIGINT) AS age,
        max_by(CAST(round(t.score * 1000e0) AS BIGINT), t.known_at) AS score
    FROM intent_topics AS t
    JOIN keys AS k
        ON k.account_id = t.account_id
        AND k.as_of > t.known_at
        AND (t.withdrawn_at IS NULL OR k.as_of <= t.withdrawn_at)
        AND k.as_of > t.occurred_at
        AND k.as_of - INTERVAL 105 DAY <= t.occurred_at
    GROUP BY 1, 2, 3"""


def topic_sums(*, named: bool = False) -> str:
    """Research: the last 3 weeks and the 12 before them, per key and topic, which is told if `named`."""
    return f"""
    WITH topic_weeks AS ({_topic_weeks()})
    SELECT
        key,{" topic," if named else ""}
        min(age) AS youngest,
        CAST(sum(CASE WHEN age <= 1814400 THEN score ELSE 0 END) AS BIGINT) AS recent,
        CAST(sum(CASE WHEN age > 1814400 THEN score ELSE 0 END) AS BIGINT) AS baseline
    FROM topic_weeks
    GROUP BY key, topic"""


def opportunity_states() -> str:
    """Deals as last known before `as_of`: one row per key and opportunity, times in seconds."""
    return """
    SELECT
        k.key,
        max_by(CASE WHEN o.outcome = 'won' THEN 1 ELSE 0 END, o.known_at) AS won,
        max_by(CASE WHEN o.outcome = 'lost' THEN 1 ELSE 0 END, o.known_at) AS lost,
        max_by(CAST(epoch(o.created_at) AS BIGINT), o.known_at) AS opened,
        max_by(CAST(epoch(coalesce(o.closed_at, o.known_at)) AS BIGINT), o.known_at) AS closed
    FROM opportunities AS o
    JOIN keys AS k
        ON k.account_id = o.account_id
        AND k.as_of > o.known_at
        AND (o.withdrawn_at IS NULL OR k.as_of <= o.withdrawn_at)
    GROUP BY k.key, o.opportunity_id"""


def account_versions(columns: Sequence[str]) -> str:
    """Accounts: every version known before `as_of`, one row each, with the columns that are wanted."""
    wanted = ", ".join(f"a.{quoted(column)} AS {quoted(f'fact {column}')}" for column in columns)
    return f"""
    SELECT k.key, CAST(epoch(a.known_at) AS BIGINT) AS known, {wanted}
    FROM accounts AS a
    JOIN keys AS k
        ON k.account_id = a.account_id
        AND k.as_of > a.known_at
        AND (a.withdrawn_at IS NULL OR k.as_of <= a.withdrawn_at)"""
