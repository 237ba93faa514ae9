"""Tables in memory, numbered and sorted by account, for many small questions.

Turns canonical tables into tables of the same names, and `counted_activities` likewise, in which accounts and
contacts are numbers in account order, so that a question about one account touches its own rows and no
others. Time and null rules: none;
every row is kept. Times, channels and quantities are as they were: the same SQL gives the same answers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

__all__ = ["AccountNumbers", "make_resident"]

_UNKNOWN = 0


@dataclass(frozen=True)
class AccountNumbers:
    """The number of each account: its rank, from 1; 0 for an account without rows."""

    account_ids: list[str]

    def of(self, account_id: str) -> int:
        place = bisect_left(self.account_ids, account_id)
        known = place < len(self.account_ids) and self.account_ids[place] == account_id
        return place + 1 if known else _UNKNOWN

    def all_of(self, account_ids: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.of(account_id) for account_id in account_ids], dtype=np.int64)


_STEPS = (
    "CREATE SCHEMA resident",
    """
    CREATE TABLE account_numbers AS
    SELECT account_id, row_number() OVER (ORDER BY account_id) AS number
    FROM (
        SELECT account_id FROM accounts UNION SELECT account_id FROM activities
        UNION SELECT account_id FROM intent_topics UNION SELECT account_id FROM opportunities
    )""",
    """
    CREATE TABLE contact_numbers AS
    SELECT contact_id, row_number() OVER (ORDER BY min(number), contact_id) AS number
    FROM (
        SELECT DISTINCT contact_id, account_id FROM activities WHERE contact_id IS NOT NULL
        UNION SELECT contact_id, account_id FROM contacts
    ) AS people
    LEFT JOIN account_numbers USING (account_id)
    GROUP BY contact_id""",
    """
    CREATE TABLE resident.accounts AS
    SELECT n.number AS account_id, a.* EXCLUDE (account_id)
    FROM accounts AS a JOIN account_numbers AS n USING (account_id)
    ORDER BY n.number""",
    """
    CREATE TABLE resident.contacts AS
    SELECT c.number AS contact_id, v.known_at, v.withdrawn_at, v.seniority
    FROM contacts AS v JOIN contact_numbers AS c USING (contact_id)
    ORDER BY c.number""",
    """
    CREATE TABLE resident.counted_activities AS
    SELECT n.number AS account_id, c.number AS contact_id, a.* EXCLUDE (account_id, contact_id)
    FROM counted_activities AS a
    JOIN account_numbers AS n USING (account_id)
    LEFT JOIN contact_numbers AS c ON c.contact_id = a.contact_id
    ORDER BY n.number, a.occurred_at""",
    """
    CREATE TABLE resident.intent_topics AS
    SELECT n.number AS account_id, t.* EXCLUDE (account_id)
    FROM intent_topics AS t JOIN account_numbers AS n USING (account_id)
    ORDER BY n.number, t.occurred_at""",
    """
    CREATE TABLE resident.opportunities AS
    SELECT n.number AS account_id, o.* EXCLUDE (account_id)
    FROM opportunities AS o JOIN account_numbers AS n USING (account_id)
    ORDER BY n.number""",
    "DROP TABLE contact_numbers",
)


def make_resident(connection: duckdb.DuckDBPyConnection) -> AccountNumbers:
    """Put the numbered tables of an engine into its schema `resident`; returns the accounts' numbers."""
    for sql in _STEPS:
        connection.execute(sql)
    found = connection.execute("SELECT account_id FROM account_numbers ORDER BY number").fetchall()
    return AccountNumbers([account_id for (account_id,) in found])
