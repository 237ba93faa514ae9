"""Accounts by the names of their companies, for leads.

Turns the name that a lead gives into the account that it means, as `features.identity.matching` tells it.
Time rule: names are those that are known today. Null rule: an account without a name is never found.
"""

from __future__ import annotations

import threading

import pandas as pd

from features.identity.matching import AccountMatcher
from serving.accounts import AccountIndex

__all__ = ["CompanyNames", "match_name"]

_MOST_POSSIBLE = 3
_ROW = "(lead)"


class CompanyNames:
    """The accounts of a snapshot by the names of their companies. Safe to share between threads.

    Reading names takes some 0.2 ms for each account: it is done once, when a lead first needs it.
    """

    def __init__(self, index: AccountIndex) -> None:
        self._index = index
        self._reading = threading.Lock()
        self._matcher: AccountMatcher | None = None

    def match(self, company: str, *, country: str | None) -> tuple[str | None, float, list[str]]:
        """The account of a name and how sure that is, or those that are alike."""
        with self._reading:
            if self._matcher is None:
                self._matcher = AccountMatcher(self._index.companies())
        return match_name(self._matcher, company=company, domain=None, country=country)


def match_name(
    matcher: AccountMatcher, *, company: str, domain: str | None, country: str | None
) -> tuple[str | None, float, list[str]]:
    """The account of a name and how sure that is, or None and those that are alike."""
    record = {"record_id": _ROW, "name": company, "domain": domain, "country": country}
    found = matcher.match(pd.DataFrame([record]).astype(object))
    if len(found.matched):
        return str(found.matched["account_id"].iloc[0]), float(found.matched["score"].iloc[0]), []
    return None, 0.0, found.review["account_id"].astype(str).tolist()[:_MOST_POSSIBLE]
