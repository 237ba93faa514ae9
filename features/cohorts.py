"""What accounts were at a moment, and what became of them in the days after it.

Turns moments, each with the accounts that something was decided of, into one row an account: what it was to
us then, the facts by which accounts are compared, and the deals that it opened in [moment, moment + days).
Time rule: what an account was is read from rows with `known_at < moment`, strictly, and `withdrawn_at` not
before it; what became of it from those known before `until`. Null rule: a fact that is not known is a value
of its own, so that accounts of which it is not known are compared with each other; a deal without an outcome
has not ended; a deal without a product is of no line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.engine import run_sql
from features.origins import BY_ORIGIN, OriginRules
from features.queries import consent_periods, permitted_activities
from features.size_curve import EDGES

__all__ = [
    "ACTIVE_DAYS",
    "CUSTOMER",
    "FACTS",
    "FREE",
    "NOBODY",
    "OPEN_DEAL",
    "UNKNOWN",
    "Cohort",
    "CohortRows",
    "read_cohorts",
]

ACTIVE_DAYS = 90
"""An account is active where it, or we with it, did anything in so many days before the moment."""

FACTS = ("worked", "industry", "country", "size", "activity", "deal")
"""By what accounts are compared. worked: whether an origin told of it that sales works (`features.origins`),
where accounts come from several; size: the range of employees of `features.size_curve.EDGES`; activity:
whether there was any in `ACTIVE_DAYS`; deal: whether it ever had one, of any product."""

UNKNOWN, CUSTOMER, OPEN_DEAL, FREE = range(4)
"""What an account was at the moment: not in the tables yet, or deleted by then; it had won a deal; it was in
one; none of these."""

NOBODY = -1
"""`group` of an account that nothing was decided of at the moment."""

_BITS = 24
"""Of a fact's place among all that are told; the second at which it became known leads the number."""

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cohort:
    """A moment, naive, UTC. product: whose customers and deals count; None for those of any line.

    compared: whether all other accounts are wanted as well, and everybody's facts.
    """

    moment: datetime
    product: str | None
    compared: bool


@dataclass(frozen=True)
class CohortRows:
    """Accounts at a moment, one row each (n,).

    number: of the account, the same at every moment. group: as it was given, or NOBODY. was: UNKNOWN,
    CUSTOMER, OPEN_DEAL or FREE. reached: whether a list had taken it up by then, or named it; later: whether
    one took it up after that, within the window. facts: int (n, len(FACTS)), 0 where not known or not asked
    for. opened, won: whether it opened a deal within the window, and won one of these within it. ended,
    ended_won: how many of these deals ended within it, and how many were won.
    """

    number: Integers
    group: Integers
    was: Integers
    reached: Flags
    later: Flags
    facts: NDArray[np.int32]
    opened: Flags
    won: Flags
    ended: Integers
    ended_won: Integers

    def of(self, chosen: Flags) -> CohortRows:
        """Some of the rows."""
        return CohortRows(*(getattr(self, name)[chosen] for name in CohortRows.__dataclass_fields__))


_EVERYBODY = """
CREATE OR REPLACE TEMP TABLE cohort_accounts AS
SELECT CAST(row_number() OVER () - 1 AS INTEGER) AS number, account_id
FROM (SELECT account_id FROM accounts UNION SELECT account_id FROM members)
"""

_PLACES = """
CREATE OR REPLACE TEMP TABLE cohort_{column} AS
SELECT {column}, row_number() OVER (ORDER BY {column}) AS place
FROM (SELECT DISTINCT {column} FROM accounts WHERE {column} IS NOT NULL)
"""

_SIZE = " + ".join(f"CAST(employees > {edge} AS INTEGER)" for edge in EDGES)

_KEYED = f"CAST(epoch(known_at) AS BIGINT) * {1 << _BITS} + {{place}}"
"""Of two versions known at once the larger value counts, as in `features.universe`."""

_VERSIONS = f"""
CREATE OR REPLACE TEMP TABLE cohort_versions AS
SELECT number, known_at, withdrawn_at,
       {_KEYED.format(place="i.place")} AS industry, {_KEYED.format(place="c.place")} AS country,
       {_KEYED.format(place=f"({_SIZE} + 1)")} AS size
FROM accounts JOIN cohort_accounts USING (account_id)
LEFT JOIN cohort_industry AS i USING (industry) LEFT JOIN cohort_country AS c USING (country)
"""

_DEALS = """
CREATE OR REPLACE TEMP TABLE cohort_deals AS
SELECT number, opportunity_id, known_at, withdrawn_at, created_at, closed_at, outcome, product
FROM opportunities LEFT JOIN cohort_accounts USING (account_id)
"""
"""With those of accounts that the tables lack: a deal that moved to one is no more of the one it left."""

_ENDS = """
CREATE OR REPLACE TEMP TABLE cohort_ends AS
SELECT number, created_at, outcome, product,
       coalesce(closed_at, max(changed_at) OVER (PARTITION BY opportunity_id)) AS ended_at
FROM (
    SELECT *, CASE WHEN outcome IS DISTINCT FROM lag(outcome, 1, '') OVER versions THEN known_at END
        AS changed_at
    FROM cohort_deals
    WHERE known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1)
    WINDOW versions AS (PARTITION BY opportunity_id ORDER BY known_at)
)
QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY known_at DESC) = 1
"""
"""Each deal as it was known last. One that nobody dates ended when its outcome became known, not when it was
edited after that."""

_WORKED = f"""
CREATE OR REPLACE TEMP TABLE cohort_worked AS
SELECT number, known_at, withdrawn_at FROM {BY_ORIGIN} JOIN cohort_accounts USING (account_id)
WHERE list_contains($1, origin)
"""
_NOBODY_WORKED = """
CREATE OR REPLACE TEMP TABLE cohort_worked AS
SELECT number, known_at, withdrawn_at FROM cohort_versions WHERE FALSE
"""

_REACHED = """
CREATE OR REPLACE TEMP TABLE cohort_reached AS
SELECT number, reached_at, taken_up_at FROM reached JOIN cohort_accounts USING (account_id)
"""

_CONSENT = f"CREATE OR REPLACE TEMP TABLE consent_periods AS {consent_periods()}"

_KNOWN_THEN = "known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1)"

_ROWS = f"""
WITH chosen AS (
    SELECT a.number, a.account_id, coalesce(m."group", {NOBODY}) AS "group"
    FROM cohort_accounts AS a
    LEFT JOIN (SELECT account_id, "group" FROM members WHERE cohort = $4) AS m USING (account_id)
    WHERE $5 OR m."group" IS NOT NULL
),
known AS (
    SELECT number, coalesce(max(industry) & {(1 << _BITS) - 1}, 0) AS industry,
           coalesce(max(country) & {(1 << _BITS) - 1}, 0) AS country,
           coalesce(max(size) & {(1 << _BITS) - 1}, 0) AS size
    FROM cohort_versions WHERE {_KNOWN_THEN} GROUP BY number
),
dealt AS (
    SELECT number, bool_or(mine AND outcome = 'won') AS customer,
           bool_or(mine AND outcome IS NULL AND created_at < $1) AS dealing,
           bool_or(created_at < $1) AS ever
    FROM (
        SELECT number, outcome, created_at, $3 IS NULL OR coalesce(product = $3, FALSE) AS mine
        FROM cohort_deals WHERE {_KNOWN_THEN}
        QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY known_at DESC) = 1
    )
    GROUP BY number
),
sales AS (SELECT DISTINCT number FROM cohort_worked WHERE {_KNOWN_THEN}),
permitted AS ({permitted_activities()}),
active AS (
    SELECT DISTINCT account_id FROM permitted
    WHERE $5 AND {_KNOWN_THEN} AND occurred_at < $1
        AND occurred_at >= $1 - INTERVAL {ACTIVE_DAYS} DAY AND traffic IS NULL AND quantity > 0
),
ended AS (
    SELECT number, count(*) FILTER (outcome IS NOT NULL AND ended_at < $2) AS ended,
           count(*) FILTER (outcome = 'won' AND ended_at < $2) AS ended_won
    FROM cohort_ends
    WHERE created_at >= $1 AND created_at < $2 AND ($3 IS NULL OR product = $3)
    GROUP BY number
)
SELECT number, "group",
       CAST(CASE WHEN known.number IS NULL THEN {UNKNOWN} WHEN coalesce(customer, FALSE) THEN {CUSTOMER}
            WHEN coalesce(dealing, FALSE) THEN {OPEN_DEAL} ELSE {FREE} END AS TINYINT) AS was,
       coalesce(reached_at <= $1, FALSE) AS reached,
       coalesce(taken_up_at > $1 AND taken_up_at < $2, FALSE) AS later,
       sales.number IS NOT NULL AS worked,
       CAST(coalesce(industry, 0) AS INTEGER) AS industry, CAST(coalesce(country, 0) AS INTEGER) AS country,
       CAST(coalesce(size, 0) AS INTEGER) AS size, active.account_id IS NOT NULL AS activity,
       coalesce(ever, FALSE) AS deal, ended.number IS NOT NULL AS opened,
       CAST(coalesce(ended, 0) AS INTEGER) AS ended, CAST(coalesce(ended_won, 0) AS INTEGER) AS ended_won
FROM chosen LEFT JOIN known USING (number) LEFT JOIN dealt USING (number)
LEFT JOIN active USING (account_id) LEFT JOIN ended USING (number)
LEFT JOIN cohort_reached USING (number) LEFT JOIN sales USING (number)
"""
"""$1: the moment. $2: the end of the window. $3: the product. $4: the cohort. $5: whether it is compared."""


def read_cohorts(
    connection: duckdb.DuckDBPyConnection,
    cohorts: Sequence[Cohort],
    *,
    members: pa.Table,
    reached: pa.Table,
    origins: OriginRules,
    days: int,
    until: datetime,
) -> Iterator[CohortRows]:
    """The accounts of each cohort, in the order of the cohorts.

    connection: of `Tables.connect`. members: cohort (its place among the cohorts), account_id and group, of
    those that something was decided of; an account once in a cohort. reached: account_id, reached_at and
    taken_up_at of those whom any list named, or took up. origins: of the tables. days: of the window. until:
    naive, UTC; what was known before it tells what became of them. Raises EngineError.
    """
    for name, given in (("members", members), ("reached", reached)):
        connection.register(name, given)
    for sql in (
        _EVERYBODY,
        *(_PLACES.format(column=column) for column in ("industry", "country")),
        _VERSIONS,
        _DEALS,
    ):
        run_sql(connection, sql)
    run_sql(connection, _ENDS, parameters=[until])
    if origins.several:
        run_sql(connection, _WORKED, parameters=[list(origins.worked)])
    else:
        run_sql(connection, _NOBODY_WORKED)
    run_sql(connection, _REACHED)
    run_sql(connection, _CONSENT)
    for place, cohort in enumerate(cohorts):
        end = cohort.moment + timedelta(days=days)
        asked = [cohort.moment, end, cohort.product, place, cohort.compared]
        yield _rows(run_sql(connection, _ROWS, parameters=asked).fetchnumpy())


def _rows(found: Mapping[str, Any]) -> CohortRows:
    told = {name: np.ma.getdata(column) for name, column in found.items()}
    facts = np.column_stack([told.pop(name).astype(np.int32) for name in FACTS])
    return CohortRows(**told, facts=facts, won=told["ended_won"] > 0)
