"""The rows that formulas read: one relation per table, cut at the moment like every other feature.

Turns the canonical tables and `keys` into the relation `known`: one row per activity, topic or deal, and one
row per account with the latest value of each column. Time rule: that of `features.queries`, whose steps it
reuses: `known_at < as_of`, strictly. Null rule: a cell that was never told is empty. Every column that may be
summed is an integer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from features import queries
from features.contract import TABLES
from features.counting import LEAST_USUAL, NO_SIZE
from features.tables import Attribute

__all__ = ["CHOOSING", "YEAR_BEFORE", "known_rows", "readable_columns"]

YEAR_BEFORE = "_year_before"
"""The ending of an account column as it was known 365 days before the moment."""

_COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "activities": {
        "channel": ("activities.channel",),
        "direction": ("activities.direction",),
        "quantity": ("activities.quantity",),
        "seconds": ("activities.seconds", "activities.channel", "activities.quantity"),
        "people": ("activities.people",),
        "contact_id": ("activities.contact_id",),
        "age": ("activities.occurred_at",),
        "day": ("activities.occurred_at",),
        "senior": ("activities.contact_id", "contacts.seniority", "contacts.known_at"),
        "weight": ("activities.contact_id", "contacts.seniority", "contacts.known_at"),
    },
    "intent_topics": {
        "topic": ("intent_topics.topic",),
        "recent": ("intent_topics.score", "intent_topics.occurred_at"),
        "baseline": ("intent_topics.score", "intent_topics.occurred_at"),
        "usual": ("accounts.employees",),
        "usual_topic": ("accounts.employees",),
        "age": ("intent_topics.occurred_at",),
    },
    "opportunities": {
        "won": ("opportunities.outcome",),
        "lost": ("opportunities.outcome",),
        "opened_age": ("opportunities.created_at",),
        "closed_age": ("opportunities.closed_at", "opportunities.outcome"),
    },
}


CHOOSING: dict[str, tuple[str, ...]] = {"activities": ("activities.direction", "activities.traffic")}
"""By table, the columns that say which of its rows a formula sees at all: whose doing it was, and whether it
was our own people's or a machine's."""


def readable_columns(table: str, *, attributes: Sequence[Attribute] = ()) -> Mapping[str, tuple[str, ...]]:
    """What formulas over a table may read, each with the columns of the contract that it is made of.

    activities: `age` in seconds and `day` in whole days before the moment, `senior` whether the person's
    latest known level is vice president or higher, `weight` the hundredths that a minute of it counts;
    `seconds` are the usual ones of the channel where a row carries none. intent_topics, one row per topic:
    `recent` and `baseline`, thousandths of points of the last 3 weeks and the 12 before, `age` of the latest
    week in seconds, `usual` and `usual_topic` what companies of its size research in a week, in thousandths.
    opportunities, one row per deal: `won` and `lost` as 1 or 0, `opened_age` and `closed_age` in seconds.
    accounts: the latest known value of every column, the same `..._year_before`, and the moment `as_of`.
    """
    if table != "accounts":
        return _COLUMNS[table]
    names = [name for name in TABLES["accounts"].column_names if name not in ("account_id", "known_at")]
    names += [attribute.name for attribute in attributes]
    before = {f"{name}{YEAR_BEFORE}": (f"accounts.{name}",) for name in names}
    return {"as_of": ()} | before | {name: (f"accounts.{name}",) for name in names}


def known_rows(
    table: str, *, columns: Collection[str], outbound: bool, attributes: Sequence[Attribute] = ()
) -> str:
    """Named steps of a WITH clause, the last of them `known`: `"(key)"` and at least `columns`.

    outbound: whether activities are our own outreach or engagement; never both.
    """
    if table == "accounts":
        return _accounts(columns, attributes)
    if table == "intent_topics":
        return _topics()
    return (
        _deals()
        if table == "opportunities"
        else _activities(outbound, levels=bool({"senior", "weight"} & set(columns)))
    )


def _topics() -> str:
    return f"""
    topics AS ({queries.topic_sums(named=True)}),
    sizes AS (
        SELECT k.key, max_by(a.employees, a.known_at) FILTER (WHERE a.employees IS NOT NULL) AS employees
        FROM keys AS k
        LEFT JOIN accounts AS a ON k.account_id = a.account_id AND k.as_of > a.known_at
            AND {queries.not_withdrawn("a")}
        GROUP BY k.key
    ),
    known AS (
        SELECT t.key AS "(key)", t.topic, t.recent, t.baseline, t.youngest AS age,
            coalesce(l.account, {LEAST_USUAL}) AS usual, coalesce(l.topic, {LEAST_USUAL}) AS usual_topic
        FROM topics AS t
        JOIN sizes AS s ON s.key = t.key
        LEFT JOIN size_levels AS l ON coalesce(s.employees, {NO_SIZE}) BETWEEN l.lower AND l.upper
    )"""


def _activities(outbound: bool, *, levels: bool) -> str:
    side = "direction = 'outbound'" if outbound else "direction <> 'outbound'"
    rows = f"""
    side AS (SELECT * FROM ({queries.KNOWN_ACTIVITIES}) AS told WHERE {side})"""
    people = f""",
    levels AS (
        SELECT r.key, r.contact_id, {queries.PERSON_LEVEL} AS level
        FROM (SELECT DISTINCT key, as_of, contact_id FROM side WHERE contact_id IS NOT NULL) AS r
        JOIN contacts AS v
            ON v.contact_id = r.contact_id AND v.known_at < r.as_of AND v.seniority IS NOT NULL
            AND {queries.not_withdrawn("v", keys="r")}
        GROUP BY r.key, r.contact_id
    )"""
    join = "LEFT JOIN levels AS p ON p.key = s.key AND p.contact_id = s.contact_id"
    level = "coalesce(p.level, 0)" if levels else "0"
    return f"""{rows}{people if levels else ""},
    known AS (
        SELECT s.key AS "(key)", s.age, (s.age - 1) // 86400 AS day, s.contact_id, s.channel, s.direction,
            s.quantity, s.seconds, s.people, {level} IN (1, 2) AS senior, w.weight
        FROM side AS s {join if levels else ""}
        LEFT JOIN level_weights AS w ON w.level = {level}
    )"""


def _deals() -> str:
    return f"""
    deals AS ({queries.opportunity_states()}),
    known AS (
        SELECT d.key AS "(key)", d.won, d.lost,
            CAST(epoch(k.as_of) AS BIGINT) - d.opened AS opened_age,
            CASE WHEN d.won + d.lost > 0 THEN CAST(epoch(k.as_of) AS BIGINT) - d.closed END AS closed_age
        FROM deals AS d JOIN keys AS k ON k.key = d.key
    )"""


def _accounts(columns: Collection[str], attributes: Sequence[Attribute]) -> str:
    told = {*TABLES["accounts"].column_names, *(attribute.name for attribute in attributes)}
    wanted = [_latest(name, told=told) for name in sorted(set(columns)) if name != "as_of" or name in told]
    moment = [] if "as_of" in told else ["k.as_of"]
    return f"""
    known AS (
        SELECT {", ".join(['k.key AS "(key)"', *moment, *wanted])}
        FROM accounts AS a
        JOIN keys AS k ON k.account_id = a.account_id AND k.as_of > a.known_at
            AND {queries.not_withdrawn("a")}
        GROUP BY k.key, k.as_of
    )"""


def _latest(name: str, *, told: Collection[str]) -> str:
    """The latest known value that is not empty, of a column or of one `..._year_before`."""
    earlier = name not in told
    source = queries.quoted(name.removesuffix(YEAR_BEFORE) if earlier else name)
    until = " AND a.known_at < k.as_of - INTERVAL 365 DAY" if earlier else ""
    filled = f"FILTER (WHERE a.{source} IS NOT NULL{until})"
    return f"max_by(a.{source}, a.known_at) {filled} AS {queries.quoted(name)}"
