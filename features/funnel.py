"""What became of accounts and deals in a past span: the counts behind rates.

Turns the canonical tables into how many accounts opened a deal, and how many deals were won. Time rule: a
count as of `until` reads rows with `known_at < until`, and whom the span begins with is told by rows known
before `since`. Null rule: a deal that is not closed is neither won nor lost; without a product every deal
counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from features.engine import run_sql
from features.tables import Tables

__all__ = ["Count", "Funnel", "count_funnel"]

_DEALS = """
SELECT account_id, opportunity_id, created_at, closed_at, outcome
FROM opportunities
WHERE known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1) AND ($2 IS NULL OR product = $2)
QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY known_at DESC) = 1
"""
"""Every deal as it was known last."""

_WON = """
SELECT count(*) FILTER (outcome = 'won'), count(*)
FROM deals WHERE outcome IS NOT NULL AND closed_at >= $1 AND closed_at < $2
"""

_OPENED = """
WITH free AS (
    SELECT DISTINCT account_id FROM accounts
    WHERE known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1)
        AND account_id NOT IN (
            SELECT account_id FROM deals
            WHERE created_at < $1 AND (closed_at IS NULL OR closed_at >= $1 OR outcome = 'won')
        )
)
SELECT
    count(*) FILTER (
        account_id IN (SELECT account_id FROM deals WHERE created_at >= $1 AND created_at < $2)
    ),
    count(*)
FROM free
"""


@dataclass(frozen=True)
class Count:
    """So many of so many."""

    hits: int
    of: int


@dataclass(frozen=True)
class Funnel:
    """What a span brought.

    opened: of the accounts that could be won when it began (known, neither a customer nor in a deal), those
    that opened a deal in it. won: of the deals that were closed in it, those that were won.
    """

    opened: Count
    won: Count


def count_funnel(tables: Tables, *, since: datetime, until: datetime, product: str | None = None) -> Funnel:
    """The counts of a span [since, until).

    since, until: naive, UTC. product: count deals of this product line alone, so that owners of others can
    be won. Raises EngineError.
    """
    moments = [since, until]
    with tables.connect() as connection:
        run_sql(connection, f"CREATE TEMP TABLE deals AS {_DEALS}", parameters=[until, product])
        opened = run_sql(connection, _OPENED, parameters=moments).fetchone() or (0, 0)
        won = run_sql(connection, _WON, parameters=moments).fetchone() or (0, 0)
    return Funnel(Count(*map(int, opened)), Count(*map(int, won)))
