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

from features.feature import REST

__all__ = [
    "KNOWN_ACTIVITIES",
    "PERSON_LEVEL",
    "REACH_DAYS",
    "account_versions",
    "activity_counts",
    "activity_days",
    "consent_periods",
    "consent_told",
    "contact_days",
    "counted_activities",
    "not_withdrawn",
    "opportunity_states",
    "permitted_activities",
    "quoted",
    "topic_sums",
]

REACH_DAYS = 180
"""The longest window. Activities further back are one bucket: lifetime counts and recency read it, too."""


def quoted(identifier: str) -> str:
    """A column name as SQL reads it, whatever it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def not_withdrawn(rows: str, *, keys: str = "k") -> str:
    """The condition under which rows still stood at the moment of their key. Both are names of relations.

    One comparison, which a join makes by itself: an inner join leaves anything else to a filter over all
    columns, and an outer one compares every row with every row.
    """
    return f"coalesce({rows}.withdrawn_at, TIMESTAMP '9999-12-31 00:00:00') >= {keys}.as_of"


def activity_counts(*, anonymous: bool) -> str:
    """The condition under which a row of `activities AS a` counts."""
    known = " AND (a.direction <> 'inbound' OR a.contact_id IS NOT NULL OR a.people IS NOT NULL)"
    return f"a.traffic IS NULL{'' if anonymous else known}"


_TOLD = "(consent_basis IS NOT NULL OR opted_out_at IS NOT NULL)"
"""Of a version of a contact: whether it says anything about consent. One that does not changes nothing."""


def consent_told(*, lost: str | None = None) -> str:
    """What contacts say of consent. lost: a relation of the opt-outs that no contact of a table tells."""
    told = f"SELECT contact_id, known_at, opted_out_at FROM contacts WHERE {_TOLD}"
    return told if lost is None else f"{told} UNION ALL SELECT contact_id, known_at, opted_out_at FROM {lost}"


def consent_periods() -> str:
    """When the activities of people who ever opted out may be used: after `since`, up to and with `until`.

    Of `consent_told`, the latest that was known by then counts; of several of one second, the earliest
    opt-out. It is in force once `opted_out_at` has passed, too. A version that was deleted in its source
    still says what it said: who is deleted has not opted in. People who never opted out have no period.
    """
    return """
    WITH told AS (
        SELECT contact_id, known_at, min(opted_out_at) AS opted_out_at
        FROM consent_told
        WHERE contact_id IN (SELECT contact_id FROM consent_told WHERE opted_out_at IS NOT NULL)
        GROUP BY contact_id, known_at
    ),
    followed AS (
        SELECT t.contact_id, t.known_at, t.opted_out_at, min(n.known_at) AS next_known_at
        FROM told AS t
        LEFT JOIN told AS n ON n.contact_id = t.contact_id AND n.known_at > t.known_at
        GROUP BY t.contact_id, t.known_at, t.opted_out_at
    )
    SELECT contact_id, TIMESTAMP '0001-01-01 00:00:00' AS since, min(known_at) AS until
    FROM told
    GROUP BY contact_id
    UNION ALL
    SELECT contact_id, known_at AS since, least(opted_out_at, next_known_at) AS until
    FROM followed
    WHERE opted_out_at IS NULL OR opted_out_at > known_at"""


_PERMITTED_FROM = "greatest(a.known_at, p.since)"
_PERMITTED_TO = "least(a.withdrawn_at, p.until)"
"""Nothing is the greatest and the least of nothing; beside a time it does not count."""


def permitted_activities() -> str:
    """Activities, those of people who opted out once for each period in which they may be used.

    The period narrows `known_at` and `withdrawn_at`, which every step cuts by already.
    """
    return f"""
    SELECT a.* REPLACE ({_PERMITTED_FROM} AS known_at, {_PERMITTED_TO} AS withdrawn_at)
    FROM activities AS a
    LEFT JOIN consent_periods AS p ON p.contact_id = a.contact_id"""


def counted_activities(*, anonymous: bool) -> str:
    """The rows that count, with the usual seconds of the channel where a row carries none.

    Our own people and machines are left out, people while they have opted out (see `consent_periods`), and,
    unless `anonymous`, inbound rows of nobody known.
    """
    return f"""
    SELECT
        a.account_id,
        a.contact_id,
        a.channel,
        a.direction,
        a.occurred_at,
        {_PERMITTED_FROM} AS known_at,
        {_PERMITTED_TO} AS withdrawn_at,
        a.quantity,
        coalesce(a.seconds, a.quantity * c.seconds) AS seconds,
        a.people,
        coalesce(c.own, FALSE) AS own
    FROM activities AS a
    LEFT JOIN channel_rules AS c ON c.channel = a.channel
    LEFT JOIN consent_periods AS p ON p.contact_id = a.contact_id
    WHERE {activity_counts(anonymous=anonymous)}"""


KNOWN_ACTIVITIES = f"""
    SELECT
        k.key,
        k.as_of,
        CAST(epoch(k.as_of) AS BIGINT) - CAST(epoch(a.occurred_at) AS BIGINT) AS age,
        a.contact_id,
        a.channel,
        a.direction,
        a.quantity,
        a.seconds,
        a.people,
        a.own
    FROM counted_activities AS a
    JOIN keys AS k
        ON k.account_id = a.account_id
        AND k.as_of > a.known_at
        AND {not_withdrawn("a")}
        AND k.as_of > a.occurred_at"""
"""One row per key and activity known by then, with its age in seconds."""

_REACH = (
    KNOWN_ACTIVITIES
    + """
        AND k.as_of - INTERVAL 180 DAY <= a.occurred_at"""
)
"""Those of the last 180 days."""

PERSON_LEVEL = """max(CAST(epoch(v.known_at) AS BIGINT) * 8 + CASE v.seniority
            WHEN 'c_level' THEN 1 WHEN 'vice_president' THEN 2 WHEN 'director' THEN 3 WHEN 'manager' THEN 4
            WHEN 'staff' THEN 5 ELSE 0 END) & 7"""
"""The latest known level of a person, its place in `contract.SENIORITIES` counted from 1: the second at which
it became known leads the number, so that the largest is the latest."""


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
        CAST(coalesce(sum(seconds), 0) AS BIGINT) AS seconds,
        coalesce(max(people), 0) AS people,
        max(quantity) AS largest,
        min(age) AS youngest,
        max(age) AS oldest,
        min(CASE WHEN direction = 'mutual' THEN age END) AS two_way
    FROM activity_known
    GROUP BY 1, 2, 3, 4, 5"""


def contact_days() -> str:
    """People in engagement: the day of a person's latest activity per channel, and over all (no channel).

    Channels without features of their own are one. level: see `PERSON_LEVEL`, empty for a person without one.
    seconds_30, seconds_90: spent in those days.
    """
    return f"""
    WITH activity_reach AS ({_REACH}),
    person_sums AS (
        SELECT
            key,
            as_of,
            contact_id,
            CASE WHEN own THEN channel ELSE '{REST}' END AS channel,
            min(age) AS age,
            sum(CASE WHEN age <= 2592000 THEN seconds ELSE 0 END) AS seconds_30,
            sum(CASE WHEN age <= 7776000 THEN seconds ELSE 0 END) AS seconds_90
        FROM activity_reach
        WHERE contact_id IS NOT NULL AND quantity > 0 AND direction <> 'outbound'
        GROUP BY 1, 2, 3, 4
    ),
    person_levels AS (
        SELECT
            r.key,
            r.contact_id,
            r.channel,
            min(r.age) AS age,
            max(r.seconds_30) AS seconds_30,
            max(r.seconds_90) AS seconds_90,
            {PERSON_LEVEL} AS level
        FROM person_sums AS r
        LEFT JOIN contacts AS v
            ON v.contact_id = r.contact_id AND v.known_at < r.as_of AND v.seniority IS NOT NULL
            AND {not_withdrawn("v", keys="r")}
        GROUP BY 1, 2, 3
    )
    SELECT
        key,
        channel,
        (min(age) - 1) // 86400 AS day,
        max(level) AS level,
        CAST(sum(seconds_30) AS BIGINT) AS seconds_30,
        CAST(sum(seconds_90) AS BIGINT) AS seconds_90
    FROM person_levels
    GROUP BY GROUPING SETS ((key, contact_id, channel), (key, contact_id))"""


def _topic_weeks() -> str:
    """One row per key, topic and week: the score in thousandths as last known before `as_of`."""
    return f"""
    SELECT
        k.key,
        t.topic,
        CAST(epoch(k.as_of) AS BIGINT) - CAST(epoch(t.occurred_at) AS BIGINT) AS age,
        max_by(CAST(round(t.score * 1000e0) AS BIGINT), t.known_at) AS score
    FROM intent_topics AS t
    JOIN keys AS k
        ON k.account_id = t.account_id
        AND k.as_of > t.known_at
        AND {not_withdrawn("t")}
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
    return f"""
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
        AND {not_withdrawn("o")}
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
        AND {not_withdrawn("a")}"""
