"""Accounts by identifier or by domain, with what a request must know before it can be scored.

Turns the tables into a small index in memory: when an account became known, its newest known fact, its
current name and domain, and the states of its deals. Time rule: `newest_known_at` bounds the default
`as_of`; a deal's state is read from versions with `known_at < as_of`. Null rule: an account without a
domain is found by its identifier only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import duckdb
import pandas as pd

from features.errors import UnknownAccountError
from features.identity.domains import is_mail_provider, registrable_domain
from features.identity.identifiers import salesforce_id
from features.tables import Tables
from serving.population import Deal
from serving.problems import AmbiguousDomainError
from serving.sorted_rows import SortedRows

__all__ = ["Account", "AccountIndex"]

_FACTS = ("accounts", "contacts", "activities", "intent_topics", "opportunities")

_TIMES = {"contacts": "known_at, withdrawn_at, opted_out_at"}
"""What makes a table's rows news; an opt-out may be in force later than its row was known."""

_INDEX = f"""
    CREATE TABLE account_index AS
    WITH fact AS ({
    " UNION ALL ".join(
        f"SELECT account_id, max(greatest({_TIMES.get(name, 'known_at, withdrawn_at')})) AS known_at"
        f" FROM {name} GROUP BY 1"
        for name in _FACTS
    )
}
        UNION ALL
        SELECT account_id, max(greatest(lost.known_at, lost.opted_out_at)) AS known_at
        FROM opt_outs AS lost JOIN activities USING (contact_id) GROUP BY 1),
    newest AS (SELECT account_id, max(known_at) AS newest_known_at FROM fact GROUP BY account_id)
    SELECT account_id, min(known_at) AS first_known_at, any_value(newest_known_at) AS newest_known_at,
           CASE WHEN count(*) = count(withdrawn_at) THEN max(withdrawn_at) END AS withdrawn_at,
           -- What was deleted counts last: a merged record may have been renamed later than the one left.
           arg_max(name, (withdrawn_at IS NULL, known_at)) FILTER (name IS NOT NULL) AS name,
           arg_max(domain, (withdrawn_at IS NULL, known_at)) FILTER (domain IS NOT NULL) AS domain
    FROM accounts JOIN newest USING (account_id)
    GROUP BY account_id
"""

_FEW = 64
"""Accounts up to which it is faster to find each than to ask the engine for all."""

_DEAL = "opportunity_id, known_at, product, created_at, closed_at, outcome, withdrawn_at"
_DEALS = f"CREATE TABLE deal AS SELECT account_id, {_DEAL} FROM opportunities"
_COMPANIES = """
    SELECT account_id, name, domain, country FROM account_index
    LEFT JOIN (
        SELECT account_id, arg_max(country, (withdrawn_at IS NULL, known_at)) AS country FROM accounts
        WHERE country IS NOT NULL GROUP BY account_id
    ) USING (account_id)
    WHERE withdrawn_at IS NULL ORDER BY account_id
"""

_ACCOUNT = "account_id, name, domain, first_known_at, newest_known_at, withdrawn_at"
_STANDS_FOR = "account_id = (SELECT identity FROM merged_accounts WHERE account_id = $1)"
_SPELLINGS = "SELECT $1 UNION ALL SELECT written FROM spelling WHERE registrable = $1"
_SPELLING = f"domain IN ({_SPELLINGS})"
_OF_MEMBERS = "account_id IN (SELECT identity FROM member WHERE domain IN ({domains}))"
_OF_MEMBER = _OF_MEMBERS.format(domains="$1")
_REGISTERED = f"{_SPELLING} OR {_OF_MEMBERS.format(domains=_SPELLINGS)}"

_MEMBERS = """
    SELECT account_id, max_by(domain, (known_at, domain)) AS domain FROM accounts
    WHERE domain IS NOT NULL AND account_id IN (SELECT account_id FROM members) GROUP BY account_id
"""


@dataclass(frozen=True)
class Account:
    """What is known of an account before it is scored. `account_id` is None for one sent as a record.

    newest_known_at: of its newest fact or deletion. withdrawn_at: when it was deleted in its source.
    """

    account_id: str | None
    name: str | None
    domain: str | None
    first_known_at: datetime
    newest_known_at: datetime
    withdrawn_at: datetime | None = None


class AccountIndex:
    """The accounts of one snapshot. Safe to share between threads: every call takes a cursor of its own.

    Raises UnknownAccountError and AmbiguousDomainError on look-up.
    """

    def __init__(self, tables: Tables) -> None:
        self._connection = tables.connect()
        for statement in (
            _INDEX,
            "CREATE UNIQUE INDEX account_by_id ON account_index (account_id)",
            "CREATE INDEX account_by_domain ON account_index (domain)",
            _DEALS,
            "CREATE INDEX deal_by_account ON deal (account_id)",
            # Looking one account up is faster on one thread.
            "SET threads = 1",
        ):
            self._connection.execute(statement)
        self._accounts = self._sorted(f"SELECT {_ACCOUNT} FROM account_index ORDER BY account_id")
        self._deals = self._sorted(f"SELECT account_id, {_DEAL} FROM deal ORDER BY account_id")
        self._learn_members(tables)
        self._learn_spellings()

    def _sorted(self, sql: str) -> SortedRows:
        return SortedRows(self._connection.execute(sql).to_arrow_table())

    def close(self) -> None:
        """Let go of the tables."""
        self._connection.close()

    def by_id(self, account_id: str) -> Account:
        """The account of this identifier, or the one that stands for it.

        A Salesforce id of 15 characters finds the account of 18.
        """
        found = (
            self._named(account_id)
            or self._select(_STANDS_FOR, account_id)
            or self._named(salesforce_id(account_id))
        )
        if not found:
            raise UnknownAccountError(
                "account_id: no such account", got=account_id, fix="check the identifier, or send a record"
            )
        return found[0]

    def by_domain(self, domain: str) -> Account:
        """The one account whose current domain this is: as written, else by what was registered.

        The domain of an account that another one stands for leads to that one. A URL, an e-mail address and a
        subdomain lead to the account of their registrable domain. The domain of a mail provider identifies no
        company.
        """
        if is_mail_provider(domain):
            raise UnknownAccountError(
                "domain: a mail provider's domain identifies no company", got=domain, fix="send account_id"
            )
        found = (
            self._select("domain = $1", domain)
            or self._select(_OF_MEMBER, domain)
            or self._select(_REGISTERED, registrable_domain(domain))
        )
        if not found:
            raise UnknownAccountError(
                "domain: no account has this domain", got=domain, fix="check the domain, or send a record"
            )
        if len(found) > 1:
            raise AmbiguousDomainError(
                f"domain: {len(found)} accounts have this domain",
                got=domain,
                allowed=", ".join(str(account.account_id) for account in found[:10]),
                fix="send one of these as account_id",
            )
        return found[0]

    def sharing(self, domain: str) -> list[Account]:
        """Every account that `by_domain` could mean."""
        return self._select("domain = $1", domain) or self._select(_REGISTERED, registrable_domain(domain))

    def among(self, *, account_ids: Sequence[str], domains: Sequence[str]) -> list[Account]:
        """The accounts that have one of the identifiers, or one of the domains as it is written."""
        if len(account_ids) <= _FEW and not domains:
            return [one for name in dict.fromkeys(account_ids) for one in self._named(name)]
        rows = self.cursor().execute(
            f"SELECT {_ACCOUNT} FROM account_index WHERE account_id IN (SELECT unnest($1::VARCHAR[]))"
            " OR domain IN (SELECT unnest($2::VARCHAR[]))",
            [list(account_ids), list(domains)],
        )
        return [Account(*row) for row in rows.fetchall()]

    @cached_property
    def count(self) -> int:
        """How many accounts there are."""
        row = self.cursor().execute("SELECT count(*) FROM account_index").fetchone()
        return int(row[0]) if row else 0

    def everyone(self) -> pd.DataFrame:
        """Every account by identifier, with the columns of `Account`."""
        rows = self.cursor().execute(f"SELECT {_ACCOUNT} FROM account_index ORDER BY account_id")
        frame: pd.DataFrame = rows.to_arrow_table().to_pandas()
        return frame

    def newest(self, *, limit: int) -> pd.DataFrame:
        """Columns account_id and newest_known_at of the accounts with the newest facts, the newest first."""
        rows = self.cursor().execute(
            "SELECT account_id, newest_known_at FROM account_index "
            "ORDER BY newest_known_at DESC, account_id LIMIT ?",
            [limit],
        )
        frame: pd.DataFrame = rows.to_arrow_table().to_pandas()
        return frame

    def examples(self, *, limit: int) -> list[dict[str, str | None]]:
        """A few accounts with the newest facts, for people who do not know an identifier yet."""
        rows = self.cursor().execute(
            "SELECT account_id, name, domain FROM account_index "
            "ORDER BY newest_known_at DESC, account_id LIMIT ?",
            [limit],
        )
        return [{"account_id": row[0], "name": row[1], "domain": row[2]} for row in rows.fetchall()]

    def deals(self, account_id: str) -> tuple[Deal, ...]:
        """Every version of every deal of an account, in no promised order."""
        return tuple(Deal(*row[1:]) for row in self._deals.of(account_id))

    def deals_of(self, account_ids: Sequence[str]) -> dict[str, tuple[Deal, ...]]:
        """As `deals`, of many accounts."""
        if len(account_ids) <= _FEW:
            return {account_id: self.deals(account_id) for account_id in account_ids}
        found: dict[str, list[Deal]] = {account_id: [] for account_id in account_ids}
        rows = self.cursor().execute(
            f"SELECT account_id, {_DEAL} FROM deal WHERE account_id IN (SELECT unnest($1::VARCHAR[]))",
            [list(account_ids)],
        )
        for account_id, *deal in rows.fetchall():
            found[account_id].append(Deal(*deal))
        return {account_id: tuple(deals) for account_id, deals in found.items()}

    def companies(self) -> pd.DataFrame:
        """What leads are matched with: account_id, name, domain and country of every account."""
        rows = self.cursor().execute(_COMPANIES)
        frame: pd.DataFrame = rows.to_arrow_table().to_pandas()
        return frame

    def _learn_members(self, tables: Tables) -> None:
        """The current domains of accounts that another one stands for, which the merged rows leave out."""
        self._connection.execute("CREATE TABLE member (identity VARCHAR, domain VARCHAR)")
        members = self._connection.execute("SELECT account_id FROM merged_accounts").to_arrow_table()
        if not members.num_rows:
            return
        with replace(tables, merged=None).connect() as stored:
            stored.register("members", members)
            found = stored.execute(_MEMBERS).to_arrow_table()
        self._connection.register("found", found)
        self._connection.execute(
            "INSERT INTO member SELECT identity, domain FROM found JOIN merged_accounts USING (account_id)"
        )
        self._connection.unregister("found")

    def _learn_spellings(self) -> None:
        """The registrable domain of every domain that is not its own, so that both find the account."""
        self._connection.execute("CREATE TABLE spelling (written VARCHAR, registrable VARCHAR)")
        unusual = self._connection.execute(
            "SELECT domain FROM (SELECT domain FROM account_index UNION SELECT domain FROM member)"
            " WHERE NOT regexp_full_match(domain, '[a-z0-9-]+[.][a-z]+')"
        ).fetchall()
        written = [domain for (domain,) in unusual]
        self._connection.execute(
            "INSERT INTO spelling SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
            [written, [registrable_domain(domain) for domain in written]],
        )

    def _named(self, account_id: str | None) -> list[Account]:
        return [] if account_id is None else [Account(*row) for row in self._accounts.of(account_id)]

    def _select(self, condition: str, value: str | None) -> list[Account]:
        rows = self.cursor().execute(
            f"SELECT {_ACCOUNT} FROM account_index WHERE {condition} ORDER BY account_id",
            [value],
        )
        return [Account(*row) for row in rows.fetchall()]

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """The tables and the index, for one caller; to be closed."""
        return self._connection.cursor()
