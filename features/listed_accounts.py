"""Lists of accounts: lines as people write them in, the accounts that they mean out.

A line is an identifier, that of an account for which another stands now, a Salesforce id of 15 or 18
characters, or a domain, a URL or an e-mail address, which mean every account of the registrable domain; a
subdomain that an account is known by means that account alone. Time rule: none, as a list holds whatever the
moment. Null rule: a line that means no account is counted; the address of a mail provider means none.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from features.identity.domains import company_domain
from features.identity.identifiers import salesforce_id
from features.label_settings import RowSettings
from features.tables import Tables

__all__ = ["LINES_OF", "LISTED", "NO_ACCOUNT", "lines_without_account", "listed_parameters"]

LINES_OF, NO_ACCOUNT = "lines_of_", "_that_match_no_account"
"""Before and after the name of a list where its lines are counted."""

# Most domains are the registrable one already, and reading the others takes Python.
_REGISTERED = """
    CASE WHEN regexp_full_match(domain, '[a-z0-9-]+[.][a-z]+') THEN domain
         ELSE normalise('domain', domain) END
"""

_MEANT = """
    WITH line AS (
        SELECT unnest(CAST($lines AS VARCHAR[])) AS line, unnest(CAST($domains AS VARCHAR[])) AS registered
    ), identifier AS (
        SELECT unnest(CAST($told_by AS VARCHAR[])) AS line,
               unnest(CAST($identifiers AS VARCHAR[])) AS account_id
    ), known AS (
        SELECT DISTINCT account_id, lower(domain) AS domain FROM accounts WHERE domain IS NOT NULL
    ), written AS (
        SELECT line.line, known.account_id FROM known JOIN line ON line.line = known.domain
    )
    SELECT line, account_id FROM identifier SEMI JOIN accounts USING (account_id)
    UNION SELECT line, identity FROM identifier JOIN merged_accounts USING (account_id)
    UNION SELECT line, account_id FROM written
    UNION SELECT line, account_id
    FROM (SELECT account_id, {registered} AS registered FROM known SEMI JOIN {among} USING (account_id))
    JOIN line USING (registered)
    WHERE line = registered OR line NOT IN (SELECT line FROM written)
"""

LISTED = f"""
    SELECT account_id, as_of
    FROM keys SEMI JOIN ({_MEANT.format(registered=_REGISTERED, among="keys")}) AS meant USING (account_id)
"""
"""Those of `keys` (account_id, as_of) that a list means; by `listed_parameters`."""

_MATCHED = f"SELECT DISTINCT line FROM ({_MEANT.format(registered=_REGISTERED, among='accounts')}) AS meant"


def listed_parameters(lines: Sequence[str]) -> dict[str, object]:
    """What the query of a list is given: lines in lower case with their domain, and identifiers."""
    domains = {_key(line): company_domain(line) for line in lines}
    identifiers = [(_key(line), name) for line in lines for name in sorted(_identifiers(line.strip()))]
    return {
        "lines": list(domains),
        "domains": list(domains.values()),
        "told_by": [line for line, _ in identifiers],
        "identifiers": [name for _, name in identifiers],
    }


def lines_without_account(tables: Tables, *, settings: RowSettings) -> dict[str, int]:
    """For each list: lines_of_<name>, and lines_of_<name>_that_match_no_account."""
    found: dict[str, int] = {}
    lists = [one for one in settings.exclude if one.accounts]
    if not lists:
        return found
    with tables.connect() as connection:
        for one in lists:
            name = LINES_OF + one.name.replace(" ", "_")
            found[name] = len(one.accounts)
            found[name + NO_ACCOUNT] = _without_account(connection, one.accounts)
    return found


def _without_account(connection: duckdb.DuckDBPyConnection, lines: Sequence[str]) -> int:
    rows = connection.execute(_MATCHED, listed_parameters(lines)).fetchall()
    matched = {line for (line,) in rows}
    return sum(_key(line) not in matched for line in lines)


def _key(line: str) -> str:
    return line.strip().lower()


def _identifiers(line: str) -> set[str]:
    """The line itself and, of a Salesforce id, its long and its short form."""
    whole = salesforce_id(line)
    return {line} if whole is None else {line, whole, whole[:15]}
