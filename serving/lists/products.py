"""The product lines that opportunities name: what a search for another line, a plan or a rule may be about.

Turns the opportunities of a workspace into lines with their customers. Time rule: the latest version of a
deal with `known_at < as_of` counts, unless it was withdrawn by then. Null rule: a deal without a product is
of no line.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from features.tables import Tables
from serving.answers import Answer

__all__ = ["ProductLine", "ProductsAnswer", "product_lines"]

_LINES = """
SELECT product, count(DISTINCT account_id) FILTER (outcome = 'won'), count(*) FROM (
    SELECT account_id, product, outcome,
           row_number() OVER (PARTITION BY opportunity_id ORDER BY known_at DESC) AS age
    FROM opportunities
    WHERE known_at < $as_of AND (withdrawn_at IS NULL OR withdrawn_at >= $as_of)
)
WHERE age = 1 AND product IS NOT NULL GROUP BY product ORDER BY 2 DESC, 1
"""


class ProductLine(Answer):
    """A product line, as opportunities name it."""

    name: str
    customers: int = Field(description="Accounts that won a deal of it.")
    opportunities: int


class ProductsAnswer(Answer):
    """The product lines that opportunities name."""

    products: list[ProductLine]


def product_lines(tables: Tables, *, as_of: datetime) -> list[ProductLine]:
    """Every line known before `as_of` (naive, UTC), that with most customers first."""
    with tables.connect() as connection:
        rows = connection.execute(_LINES, {"as_of": as_of}).fetchall()
    return [ProductLine(name=name, customers=won, opportunities=deals) for name, won, deals in rows]
