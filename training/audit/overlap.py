"""Rows on both sides of a split.

Turns a table, or the folds that a model was judged on, into findings: a row that is learned from and judged
on, a row whose outcome was not known when the judged slice starts, and equal rows of different records. Time
rule: in dated rows, what is learned from must have been known when the later slice starts. Null rule: two
empty cells are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from training.audit.columns import AuditTable
from training.audit.finding import Finding, share
from training.learning.splits import Fold

__all__ = ["equal_records", "shared_rows"]


def shared_rows(frame: pd.DataFrame, *, folds: Sequence[Fold]) -> Iterator[Finding]:
    """Faults of folds that look forward.

    frame: account_id, as_of, label_known_at, and opportunity_id where a row is one.
    """
    keys = frame.reindex(columns=["account_id", "as_of", "opportunity_id"]).groupby(
        ["account_id", "as_of", "opportunity_id"], dropna=False, sort=False
    )
    number = keys.ngroup().to_numpy()
    known_at = frame["label_known_at"].to_numpy(dtype="datetime64[us]")
    both = sum(len(np.intersect1d(number[fold.earlier], number[fold.later])) for fold in folds)
    early = sum(int((known_at[fold.earlier] > np.datetime64(fold.starts)).sum()) for fold in folds)
    for count, what in (
        (both, "are learned from and judged on"),
        (early, "are learned from before their outcome was known"),
    ):
        if count:
            yield Finding(
                "overlap",
                "blocks",
                "",
                f"{count:,} of {len(frame):,} rows {what}: the figures of the later slices flatter",
                "load each record once, and split by time with an embargo of one horizon",
                {"rows": count, "among": len(frame)},
            )


def equal_records(table: AuditTable) -> Iterator[Finding]:
    """Records without dates that are equal in every column and the outcome: a random split parts them."""
    sizes = np.bincount(table.groups)[table.groups]
    count = int((sizes > 1).sum())
    if count:
        yield Finding(
            "overlap",
            "warns",
            "",
            f"{count:,} of {table.rows:,} rows ({share(count, table.rows)}) equal another one in every "
            "column and in the outcome: a random split would learn some and be judged on their twins",
            "keep equal rows on one side of every split, as `spearfish backtest` does",
            {"rows": count, "among": table.rows},
        )
