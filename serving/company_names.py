"""Accounts by the names of their companies, for leads.

Turns the name that a lead gives into the account that it means, as `features.identity.matching` tells it.
Time rule: names are those that are known today. Null rule: an account without a name is never found.
"""

from __future__ import annotations

import logging
import threading

import duckdb
import pandas as pd

from features.identity.matching import AccountMatcher
from serving.accounts import AccountIndex
from serving.problems import NotReadyError

__all__ = ["CompanyNames", "match_name"]

_MOST_POSSIBLE = 3
_ROW = "(lead)"

_logger = logging.getLogger("spearfish.serving")


class CompanyNames:
    """The accounts of a snapshot by the names of their companies. Safe to share between threads.

    Reading names takes some 0.2 ms for each account: it is done once, when a lead first needs it.

    patient: whether a question waits for that. Where it must not, because others wait behind it, names are
        read in a thread of their own.
    before: those of the snapshot before, which answer meanwhile.
    """

    def __init__(
        self, index: AccountIndex, *, patient: bool = True, before: CompanyNames | None = None
    ) -> None:
        self._index, self._patient = index, patient
        self._reading, self._begun = threading.Lock(), threading.Lock()
        self._matcher: AccountMatcher | None = None
        self._earlier: AccountMatcher | None = None if before is None else before._known()
        if self._earlier is not None:
            self._begin()

    def match(self, company: str, *, country: str | None) -> tuple[str | None, float, list[str]]:
        """The account of a name and how sure that is, or those that are alike.

        Raises NotReadyError while names are being read, where it does not wait.
        """
        if self._patient:
            self.read()
        elif self._matcher is None:
            self._begin()
        matcher = self._known()
        if matcher is None:
            raise NotReadyError(
                "the names of companies are being read", fix="try again in a moment, or send a domain"
            )
        return match_name(matcher, company=company, domain=None, country=country)

    def read(self) -> None:
        """Read the names, unless they were read."""
        with self._reading:
            if self._matcher is None:
                self._matcher = AccountMatcher(self._index.companies())
            self._earlier = None

    def _known(self) -> AccountMatcher | None:
        # In this order: the earlier one goes after the other has come.
        earlier = self._earlier
        return self._matcher or earlier

    def _begin(self) -> None:
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self._read_aside, name="company-names", daemon=True).start()

    def _read_aside(self) -> None:
        try:
            self.read()
        except duckdb.Error as error:
            # The next question begins anew.
            _logger.error("the names of companies cannot be read: %s", error)
        finally:
            self._begun.release()


def match_name(
    matcher: AccountMatcher, *, company: str, domain: str | None, country: str | None
) -> tuple[str | None, float, list[str]]:
    """The account of a name and how sure that is, or None and those that are alike."""
    record = {"record_id": _ROW, "name": company, "domain": domain, "country": country}
    found = matcher.match(pd.DataFrame([record]).astype(object))
    if len(found.matched):
        return str(found.matched["account_id"].iloc[0]), float(found.matched["score"].iloc[0]), []
    return None, 0.0, found.review["account_id"].astype(str).tolist()[:_MOST_POSSIBLE]
