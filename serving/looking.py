"""Many accounts looked up together.

Turns the identifiers and domains of many requests into their accounts and deals by one query each; what they
do not find is left to `AccountIndex`, one by one, so that every way leads to the same account. Time rule:
none of its own. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from features.identity.domains import is_mail_provider
from serving.accounts import Account, AccountIndex
from serving.population import Deal

__all__ = ["Accounts", "LookedUp"]


class Accounts(Protocol):
    """Where accounts are looked up: see `AccountIndex`."""

    def by_id(self, account_id: str) -> Account:
        """The account of this identifier, or the one that stands for it."""

    def by_domain(self, domain: str) -> Account:
        """The one account whose domain this is."""

    def deals(self, account_id: str) -> tuple[Deal, ...]:
        """Every version of every deal of an account."""


class LookedUp:
    """The accounts of many requests. Raises the same as the index."""

    def __init__(self, index: AccountIndex, *, account_ids: Sequence[str], domains: Sequence[str]) -> None:
        self._index = index
        found = [one for one in index.among(account_ids=account_ids, domains=domains) if one.account_id]
        self._by_id = {one.account_id: one for one in found}
        self._by_domain: dict[str | None, list[Account]] = {}
        for one in found:
            self._by_domain.setdefault(one.domain, []).append(one)
        # An account that was found by its identifier says nothing of whose its domain is.
        self._asked = set(domains)
        self._deals = index.deals_of([one.account_id or "" for one in found])

    @property
    def found(self) -> tuple[str, ...]:
        """The identifiers of those that were found together."""
        return tuple(name for name in self._by_id if name is not None)

    def by_id(self, account_id: str) -> Account:
        """As `AccountIndex.by_id`."""
        return self._by_id.get(account_id) or self._index.by_id(account_id)

    def by_domain(self, domain: str) -> Account:
        """As `AccountIndex.by_domain`."""
        found = self._by_domain.get(domain, []) if domain in self._asked else []
        unmistakable = len(found) == 1 and not is_mail_provider(domain)
        return found[0] if unmistakable else self._index.by_domain(domain)

    def deals(self, account_id: str) -> tuple[Deal, ...]:
        """As `AccountIndex.deals`."""
        found = self._deals.get(account_id)
        return self._index.deals(account_id) if found is None else found
