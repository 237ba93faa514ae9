"""Accounts that their own source merged into another: Salesforce's `master_record_id`, and the like.

Turns what rows of accounts say of the record that they were merged into (the attribute that `[identity]
merged_into` names) into the account that stands for each: the last of a chain. This is what the source did
and no guess of ours; so it needs no `[identity] merge`, and stands above matching and above what a person
decided of a pair. Time rule: as for all of identity, who is who is told by all that is known today; it counts
for every moment, also before the merge was known, and changes no time of any fact. A row that its source
deleted still says what it was merged into. Null rule: an empty cell says nothing, and does not take a merge
back; a record whose winner is no account stands for itself, and so do records that were merged in a ring.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from features.contract import START_OF_TIME
from features.engine import run_sql
from features.identity.counts import Cycle, Step
from features.identity.parents import ultimate_parents
from features.identity.resolving import Identities
from features.identity.views import MERGED_BY_SOURCE
from features.validation import literal

__all__ = ["NOTHING_MERGED_BY_SOURCE", "MergedRecords", "read_merged_records", "with_merged_records"]


@dataclass(frozen=True)
class MergedRecords:
    """winner: by record that was merged into another, the account that stands for it. cycles: rings."""

    winner: dict[str, str] = field(default_factory=dict)
    cycles: tuple[Cycle, ...] = ()


NOTHING_MERGED_BY_SOURCE = MergedRecords()
"""Where no source says that it merged anything."""


def read_merged_records(
    connection: duckdb.DuckDBPyConnection,
    *,
    files: Sequence[Path],
    column: str,
    accounts: Collection[str],
    leads: Collection[str],
) -> MergedRecords:
    """What was merged into what.

    files: all rows of accounts, also those that a deletion keeps out of the table: the row that says it may
        be known no earlier than that its record is gone. column: the attribute.
    accounts: the identifiers that may stand for others; a Salesforce id of 15 characters names that of 18.
    leads: those that are only what leads say of their companies: nothing was merged there.
    """
    listed = ", ".join(literal(str(file)) for file in files)
    known = f"coalesce(known_at, TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))})"
    # Of two rows known at once the text decides, so that no order of rows matters.
    rows = run_sql(
        connection,
        f'SELECT account_id, max_by("{column}", ({known}, "{column}"))'
        f' FROM read_parquet([{listed}], union_by_name = true) WHERE "{column}" IS NOT NULL'
        " GROUP BY account_id ORDER BY account_id",
    ).fetchall()
    written = {str(record): str(winner) for record, winner in rows if record not in leads}
    if not written:
        return NOTHING_MERGED_BY_SOURCE
    families = ultimate_parents(dict.fromkeys(accounts) | written)
    own = set(accounts)
    winner = {record: families.top[record] for record in written}
    return MergedRecords(
        {record: top for record, top in winner.items() if top != record and top in own},
        tuple(
            Cycle(column, tuple(Step(one, written[one]) for one in ring), merges=True)
            for ring in families.cycles
        ),
    )


def with_merged_records(found: Identities, merged: MergedRecords) -> Identities:
    """The identities, and those of the merged records that are not among them: their winners'."""
    identity = dict(zip(found.identity["account_id"], found.identity["identity"], strict=True))
    rows = [
        (record, identity[winner], MERGED_BY_SOURCE, 1.0)
        for record, winner in merged.winner.items()
        if record not in identity
    ]
    if not rows:
        return found
    added = pd.DataFrame(rows, columns=["account_id", "identity", "rule", "score"])
    told = pd.concat([found.identity, added], ignore_index=True)
    return Identities(told.sort_values("account_id", ignore_index=True), found.review)
