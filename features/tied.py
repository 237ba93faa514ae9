"""Rows that differ in nothing but which person's address they hold.

Turns the columns of a table into SQL that tells such rows from others. Tables hold addresses as hashes under
the secret of a workspace, so that the order of two hashes means nothing: whatever followed from it would
differ from workspace to workspace. Time rule: rows are alike only if they were known, and deleted, at the
same time. Null rule: a row without an address differs from one that has any.
"""

from __future__ import annotations

from collections.abc import Mapping

from features.contract import ColumnType, Table
from features.sources import identifier

__all__ = ["sure_columns", "tied_sql", "without_hash"]

_ADDRESSES = {"contacts": "email", "activities": "contact_id"}
"""Columns beside the key that may hold an address."""


def without_hash(columns: Mapping[str, ColumnType], *, table: Table) -> dict[str, ColumnType]:
    """SQL of the columns of a row, in which the hash of one address looks like that of any other."""
    address = _ADDRESSES.get(table.name)
    return {
        f"CASE WHEN {_is_hash(name)} THEN chr(26) ELSE {name} END" if name == address else name: kind
        for name, kind in columns.items()
    }


def tied_sql(table: Table, *, same: str) -> str:
    """SQL of whether another row is as good as this one and differs in the hash of an address alone.

    same: PARTITION BY the key. The rows have `_alike`, their content by `without_hash`.
    """
    address = _ADDRESSES.get(table.name)
    if address is None:
        return "false"
    alike = f"({same}, withdrawn_at, known_at, _alike)"
    return f"{_is_hash(address)} AND min({address}) OVER {alike} <> max({address}) OVER {alike}"


def sure_columns(columns: Mapping[str, ColumnType], *, table: Table) -> list[str]:
    """SQL of the columns of a row, without the address where the row is `_tied`."""
    address = _ADDRESSES.get(table.name)
    return [
        f"CASE WHEN NOT _tied THEN {name} END" if name == address else identifier(name) for name in columns
    ]


def _is_hash(column: str) -> str:
    return f"coalesce(strlen({column}) = 64 AND regexp_full_match({column}, '[0-9a-f]{{64}}'), false)"
