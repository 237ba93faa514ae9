"""Single columns that rank too well.

Turns columns into findings: one column that, alone, tells the classes apart as no honest fact does. Time
rule: none. Null rule: emptiness is a value of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from training.audit.columns import AuditTable
from training.audit.finding import Finding, Severity, share
from training.audit.statistics import fold_of, rates, roc_auc_interval

__all__ = ["BLOCKS_FROM", "WARNS_FROM", "ranks_too_well"]

BLOCKS_FROM = 0.95
"""Above what the best published models reach with all columns of the usual public sets (.93 on sessions of a
shop, .88 on free companies, .90 on leads): a single column that does is the outcome, reworded."""

WARNS_FROM = 0.9
_FEWEST = 20
_LEVEL = 0.001


def ranks_too_well(table: AuditTable) -> Iterator[Finding]:
    """Columns whose ROC AUC alone, cross-fitted, is surely (99.9 %, over all columns) above a limit."""
    if min(table.events, table.rows - table.events) < _FEWEST:
        return
    folds = fold_of(table.groups)
    looked = [column for column in table.columns if not column.constant]
    for column in looked:
        chance = rates(column.bins, label=table.label, folds=folds)
        area, low, high = roc_auc_interval(table.label, chance, groups=table.groups)
        if area < WARNS_FROM:
            continue
        lowest = roc_auc_interval(
            table.label, chance, groups=table.groups, confidence=1 - 2 * _LEVEL / len(looked)
        )[1]
        if lowest < WARNS_FROM:
            continue
        severity: Severity = "blocks" if lowest >= BLOCKS_FROM else "warns"
        yield Finding(
            "ranks_too_well",
            severity,
            column.name,
            f"alone it ranks the rows with ROC AUC {area:.3f} ({low:.3f} to {high:.3f}; chance: .500) at a "
            f"base rate of {share(table.events, table.rows)}; from {WARNS_FROM} on that is doubtful, from "
            f"{BLOCKS_FROM} on it is the outcome in other words",
            "find out when it is filled in; leave the column out unless that is before the outcome",
            {"roc_auc": area, "low": low, "high": high, "base_rate": table.events / table.rows},
        )
