"""Identifiers and near-identifiers among the columns.

Turns columns into findings: words that hardly ever repeat, and whole numbers that repeat less than any
measurement would, which makes them numbers of something. Time rule: none. Null rule: empty cells are no
values; a column of fewer than 50 values is too short to say.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson, spearmanr

from training.audit.columns import AuditTable, Column
from training.audit.finding import Finding
from training.audit.statistics import roc_auc_interval

__all__ = ["identifiers"]

_FEWEST = 50
_UNIQUE = 0.99
_NEARLY = 0.5
_CHANCE = 1e-6
"""Measurements as spread as these would repeat so seldom once in a million columns."""

_IN_ORDER = 0.99
_LEAVE_OUT = "leave the column out of the model; bind it as an identifier if it is one"


def identifiers(table: AuditTable) -> Iterator[Finding]:
    """Columns that name rows rather than describe them."""
    # What an account or a record says in several rows, it says once.
    once = np.unique(table.groups, return_index=True)[1]
    for column in table.columns:
        values = column.values[np.sort(once)]
        known = values[~np.isnan(values)]
        if len(known) < _FEWEST:
            continue
        told = _words(known) if column.levels else _numbers(known)
        if told:
            yield _finding(table, column, told)
        elif column.levels and not table.dated and column.distinct > _NEARLY * len(known):
            yield Finding(
                "identifier",
                "warns",
                column.name,
                f"{column.distinct:,} different words in {len(known):,} filled rows: "
                f"{len(known) / column.distinct:.1f} rows each tell of single rows, not of kinds of rows",
                "group the words into kinds, or leave the column out",
                {"distinct": column.distinct, "filled": len(known)},
            )


def _words(known: NDArray[np.float64]) -> str:
    distinct = len(np.unique(known))
    return (
        f"{distinct:,} different words in {len(known):,} filled rows"
        if distinct >= _UNIQUE * len(known)
        else ""
    )


def _numbers(known: NDArray[np.float64]) -> str:
    """Why whole numbers are numbers of something; empty when they measure something.

    n numbers drawn from R possible ones share about n (n - 1) / 2R pairs, and more when some are likelier
    than others (the birthday problem); the pairs of a numbering are far fewer.
    """
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) < _UNIQUE * len(known) or not np.all(np.mod(known, 1) == 0):
        return ""
    span = float(distinct[-1] - distinct[0]) + 1
    expected = len(known) * (len(known) - 1) / (2 * span)
    pairs = int(np.sum(counts * (counts - 1) // 2))
    told = f"{len(distinct):,} different whole numbers in {len(known):,} filled rows"
    if poisson.cdf(pairs, expected) < _CHANCE:
        measured = f"about {expected:,.0f} pairs of equal ones (got {pairs})"
        return f"{told}, where measurements over this range would have {measured}"
    order = abs(float(spearmanr(known, np.arange(len(known))).statistic))
    return f"{told} in the order of the rows (rank correlation {order:.3f})" if order > _IN_ORDER else ""


def _finding(table: AuditTable, column: Column, told: str) -> Finding:
    filled = ~column.empty
    figures: dict[str, float | int | None] = {"distinct": column.distinct, "filled": int(filled.sum())}
    label = table.label[filled]
    order = ""
    if not column.levels and 0 < label.sum() < len(label):
        area, low, high = roc_auc_interval(label, column.values[filled], groups=table.groups[filled])
        figures |= {"roc_auc": area, "low": low, "high": high}
        follows = "follows" if low > 0.5 or high < 0.5 else "does not follow"
        order = f"; its order {follows} the outcome (ROC AUC {area:.3f}, {low:.3f} to {high:.3f})"
    return Finding("identifier", "blocks", column.name, f"{told}{order}", _LEAVE_OUT, figures)
