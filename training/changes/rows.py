"""The rows that a change is split by: one account's features at two moments, by old facts and by new ones.

Turns tables into an account's own tables, and these into features. Time rule: what was learned of the
account by a moment is every row with `known_at` before it, deletions included. Null rule: the features' own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.point_in_time import FeatureEngine
from features.tables import Tables

__all__ = ["AccountHistory"]

Row = NDArray[np.float64]

# People are looked up by what they did, whichever account they belong to.
_OWN = {
    "accounts": "account_id = $1",
    "activities": "account_id = $1",
    "intent_topics": "account_id = $1",
    "opportunities": "account_id = $1",
    "contacts": "account_id = $1 OR contact_id IN (SELECT contact_id FROM activities WHERE account_id = $1)",
    "stage_changes": "opportunity_id IN (SELECT opportunity_id FROM opportunities WHERE account_id = $1)",
}


@dataclass(frozen=True)
class AccountHistory:
    """Everything that is known of one account, in memory."""

    account_id: str
    tables: Tables
    _cut: dict[datetime, Tables] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, tables: Tables, *, account_id: str) -> AccountHistory:
        """The account's rows of every table."""
        with tables.connect() as connection:
            found = {
                name: connection.execute(f"SELECT * FROM {name} WHERE {own}", [account_id]).to_arrow_table()
                for name, own in _OWN.items()
            }
        return cls(account_id, replace(tables, sources=found, merged=None))

    def rows(self, catalogue: Catalogue, *, known_before: datetime, moments: Sequence[datetime]) -> list[Row]:
        """The features at each of the moments, float64 (k,), by what was known before another one, which is
        not later."""
        with FeatureEngine(self._known_before(known_before), catalogue, threads=1) as engine:
            return [engine.build_one(self.account_id, as_of) for as_of in moments]

    def _known_before(self, moment: datetime) -> Tables:
        # Both kinds of models ask for the same two moments, and a cut takes an engine of its own.
        if moment not in self._cut:
            self._cut[moment] = self.tables.known_before(moment)
        return self._cut[moment]
