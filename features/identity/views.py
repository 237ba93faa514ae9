"""Canonical tables in which one account stands for all that are the same company.

Turns SQL for a stored table into SQL for the merged one. Time rule: no time is changed. Null rule: see
`merging`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["MERGED_BY_SOURCE", "MERGED_FILE", "NAMED_BY_LEAD", "NOTHING_MERGED", "ROLLED_UP", "merged_sql"]

MERGED_FILE = Path("kept") / "identity.parquet"
"""Where a snapshot says who stands for whom: account_id, identity, place in the group, rule, score."""

NOTHING_MERGED = "SELECT '' AS account_id, '' AS identity, 0 AS place, '' AS rule, 0e0 AS score WHERE false"
"""The relation of merged accounts where there are none."""

ROLLED_UP = "parent"
"""The rule under which a subsidiary's dealings count for the top of its family, and its own facts do not."""

NAMED_BY_LEAD = "lead"
"""What the rules begin with by which the company of a lead was matched; its own facts do not count."""

MERGED_BY_SOURCE = "merged"
"""The rule of a record that its own source merged into another; its facts count until these are deleted."""

_ONE_SCORE = ("topic", "occurred_at", "known_at", "withdrawn_at")


def merged_sql(name: str, *, stored: str, merged: str, columns: Sequence[str]) -> str:
    """SQL over `stored` (a SELECT of `columns`) with the accounts of `merged` (a relation) replaced.

    Accounts that tell different things of one moment become one row for each time at which they were deleted:
    cell by cell what was told longest counts, then the first account that tells something. Of two scores of
    one topic in one week the higher one counts.
    """
    if "account_id" not in columns:
        return stored
    rows = (
        "SELECT stored.* REPLACE (coalesce(merged.identity, stored.account_id) AS account_id),"
        f" coalesce(merged.place, 0) AS _place FROM ({stored}) AS stored"
        f" LEFT JOIN {merged} AS merged ON stored.account_id = merged.account_id"
    )
    if name == "accounts":
        # What a group consists of is no news of the group: a plant's size is not its owner's.
        rule = "coalesce(merged.rule, '')"
        rows += f" WHERE {rule} <> '{ROLLED_UP}' AND NOT starts_with({rule}, '{NAMED_BY_LEAD}')"
        return _accounts(rows, columns=columns, merged=merged)
    if name == "intent_topics":
        keys = ("account_id", *(key for key in _ONE_SCORE if key in columns))
        return _grouped(rows, columns=columns, keys=keys, chosen="max(COLUMN)")
    return f"SELECT * EXCLUDE (_place) FROM ({rows})"


_LONGEST = "PARTITION BY account_id, known_at ORDER BY withdrawn_at DESC NULLS FIRST, _place"


def _accounts(rows: str, *, columns: Sequence[str], merged: str) -> str:
    """Each cell once, however many accounts of a group tell it of one moment.

    Who reads them takes the latest known cell that is not deleted: of two it would be chance which one.
    """
    keys = ("account_id", "known_at", "withdrawn_at")
    facts = [column for column in columns if column not in keys]
    listed = ", ".join(f'"{column}"' for column in columns)
    grouped = f"account_id IN (SELECT identity FROM {merged})"
    first = ", ".join(
        f'CASE WHEN count("{column}") OVER before = 0 THEN "{column}" END AS "{column}"' for column in facts
    )
    before = f"WINDOW before AS ({_LONGEST} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    alone = f"SELECT {listed} FROM ({rows}) WHERE NOT {grouped}"
    once = f"SELECT {', '.join(keys)}, _place, {first} FROM ({rows}) WHERE {grouped} {before}"
    return f"{alone} UNION ALL BY NAME {_grouped(once, columns=columns, keys=keys)}"


def _grouped(
    rows: str,
    *,
    columns: Sequence[str],
    keys: Sequence[str],
    chosen: str = "min_by(COLUMN, _place) FILTER (COLUMN IS NOT NULL)",
) -> str:
    # A place holds one row per key, so that the first of a place is the only one.
    told = ", ".join(
        f'"{column}"' if column in keys else chosen.replace("COLUMN", f'"{column}"') + f' AS "{column}"'
        for column in columns
    )
    return f"SELECT {told} FROM ({rows}) GROUP BY {', '.join(keys)}"
