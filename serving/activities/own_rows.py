"""An account's own rows: those of the snapshot and the activities that came since, as tables in memory.

Turns identifiers into small tables that hold every row which a feature of these accounts reads, so that the
same SQL gives the bits that it would give over all rows. Activities older than the longest window are among
them: lifetime counts read them. Time rule: none, the SQL cuts at `as_of`. Null rule: none. An activity whose
identifier the snapshot has already is not added again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from features.identity.views import merged_sql
from features.tables import Tables
from features.validation import literal
from serving.store.activities import Activity
from serving.store.moving import activity_rows

__all__ = ["OwnRows"]

_TABLES = ("accounts", "activities", "intent_topics", "opportunities")
_FEW = 8


class OwnRows:
    """The rows of single accounts of a snapshot. Safe to share between threads."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def members(self, account_id: str) -> tuple[str, ...]:
        """The identifiers under which rows of an account are stored: its own, and of those it stands for."""
        return self._groups.get(account_id, (account_id,))

    def tables(self, account_ids: Collection[str], *, newer: Sequence[Activity]) -> Tables:
        """The tables of these accounts. newer: activities that came since, under any of their identifiers."""
        stored = sorted({member for account_id in account_ids for member in self.members(account_id)})
        cursor = self._connection.cursor()
        sources = {name: self._read(cursor, name, stored) for name in _TABLES}
        sources["activities"] = self._with_newer(sources["activities"], newer)
        people = pc.unique(sources["activities"].column("contact_id")).drop_null().to_pylist()
        sources["contacts"] = self._read(cursor, "contacts", stored, people=people)
        lost = cursor.execute("SELECT * FROM opt_outs WHERE contact_id IN (SELECT unnest(?))", [people])
        return replace(self._tables, sources=sources, merged=None, told=(), opt_outs=lost.to_arrow_table())

    def _read(
        self,
        cursor: duckdb.DuckDBPyConnection,
        name: str,
        stored: Sequence[str],
        *,
        people: Sequence[str] = (),
    ) -> pa.Table:
        schema = self._tables.schema(name)
        columns = ", ".join(f'"{column}"' for column in schema.names)
        own = _among(stored)
        more = " OR contact_id IN (SELECT unnest(?))" if people else ""
        sql = f"SELECT {columns} FROM {name} WHERE ({own}){more}"
        if self._identities:
            sql = merged_sql(name, stored=sql, merged="identities", columns=schema.names)
        return cursor.execute(sql, [people] if people else []).to_arrow_table().cast(schema)

    def _with_newer(self, told: pa.Table, newer: Sequence[Activity]) -> pa.Table:
        known = set(told.column("activity_id").to_pylist())
        fresh = [
            replace(row, account_id=self._identities.get(row.account_id, row.account_id))
            for row in newer
            if row.activity_id not in known
        ]
        return pa.concat_tables([told, activity_rows(fresh)])

    def close(self) -> None:
        """Let go of the tables."""
        if "_connection" in vars(self):
            self._connection.close()

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        connection = replace(self._tables, merged=None).connect(threads=1)
        connection.execute("SET parquet_metadata_cache = true")
        if self._tables.merged is not None:
            found = f"read_parquet({literal(str(self._tables.merged))})"
            connection.execute(f"CREATE TABLE identities AS SELECT * FROM {found}")
        return connection

    @cached_property
    def _identities(self) -> dict[str, str]:
        """By account that another one stands for, that one."""
        if self._tables.merged is None:
            return {}
        rows = self._connection.execute("SELECT account_id, identity FROM identities").fetchall()
        return {account: identity for account, identity in rows if account != identity}

    @cached_property
    def _groups(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for account, identity in self._identities.items():
            found.setdefault(identity, [identity]).append(account)
        return {identity: tuple(accounts) for identity, accounts in found.items()}


def _among(accounts: Sequence[str]) -> str:
    """The condition that a row is of one of these accounts.

    A few are written out, and the first and the last of many, so that only their own part of a sorted file
    is read.
    """
    if len(accounts) <= _FEW:
        return " OR ".join(f"account_id = {literal(account)}" for account in accounts)
    between = f"account_id BETWEEN {literal(min(accounts))} AND {literal(max(accounts))}"
    return f"{between} AND account_id IN (SELECT unnest([{', '.join(map(literal, accounts))}]))"
