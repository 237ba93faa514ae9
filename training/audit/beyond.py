"""Facts of today that are tied to the outcome beyond what values known at creation explain.

Turns the columns of which only today's value is known into findings. What they tell is measured against what
was known at creation: cross-fitted chances from that are shifted by the column, its emptiness included, and
what that gains is a share of all there is to know about the outcome (its entropy). Known at creation are the
columns that times prove. A column of today that is filled (nearly) in every row and does not name events may
have been: where rows have dates, it blocks if it tells more than 10 % beyond the columns that times prove,
which is about twice what any honest fact of our markets does beyond nothing at all; a list without dates
proves no column, so that there the complete ones stand for what was known at creation. All other columns of
today are doubtful, and are held against the proven and the complete ones together. A doubtful one blocks when

1. it tells more than 5 % beyond creation by itself, or
2. it tells more than 1 % that neither creation nor the columns already blocked explain (these are taken in
   one by one, the most telling first), or
3. it is filled in exactly the rows in which a blocked one is: whatever fills one fills the other.

An emptiness that only repeats that of a blocked column is explained by it: it blocks by the first rule alone.
Time rule: the chances of a row come from other rows; equal rows and those of one account stay together. Null
rule: emptiness is a value; a column that is always empty tells nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from training.audit.columns import AuditTable, Column
from training.audit.event_words import names_events
from training.audit.finding import Finding, percent, share
from training.audit.statistics import FOLDS, fold_of, log_loss, roc_auc_interval, shifted, sure

__all__ = ["DEFAULT", "FEWEST", "Limits", "beyond_creation"]

Vector = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Limits:
    """complete: a column filled in this share of the rows may have been filled when the row was made.
    rewritten: the share of the entropy that a complete column may tell beyond those that times prove.
    alone, unexplained: shares of the entropy that a doubtful column may tell.
    level: of all tests of a table together. seed: of the folds.
    words: whether words that name events make a column doubtful.
    """

    complete: float = 0.9
    rewritten: float = 0.1
    alone: float = 0.05
    unexplained: float = 0.01
    level: float = 0.001
    seed: int = 0
    words: bool = True


DEFAULT = Limits()
FEWEST = 40
_MOST_ROUNDS = 12
_TREES = 80
_COLUMNS_PER_TREE = 60
_PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 8,
    "learning_rate": 0.1,
    "min_data_in_leaf": 20,
    "cat_smooth": 10.0,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbosity": -1,
}


@dataclass(frozen=True)
class _Told:
    """What a column tells: the share of the entropy with its 95 % interval, and whether it is surely any."""

    share: float
    low: float
    high: float
    surely: bool
    chance: Vector

    def more_than(self, limit: float) -> bool:
        """Whether it surely tells anything, and more than a share."""
        return self.surely and self.share > limit


def beyond_creation(
    table: AuditTable, *, late: Collection[str] = (), limits: Limits = DEFAULT
) -> Iterator[Finding]:
    """The columns that block: complete ones, then doubtful ones, each the most telling first.

    late: columns that cannot have been known at creation, for reasons found elsewhere.
    """
    told = [column for column in table.columns if not column.constant]
    proven = [column for column in told if not column.marked]
    doubtful = [column for column in told if column.marked and _is_doubtful(column, late=late, limits=limits)]
    names = {column.name for column in (*proven, *doubtful)}
    complete = [column for column in told if column.name not in names]
    asked = [*doubtful, *(complete if table.dated else ())]
    if not asked or min(table.events, table.rows - table.events) < FEWEST:
        return
    test, rewritten = _Test(table, tests=len(asked), limits=limits), []
    if table.dated and complete:
        rewritten = list(_rewritten(test, table, proven, complete))
        yield from rewritten
    blocked = {finding.column for finding in rewritten}
    known = [column for column in told if column.name not in {*blocked, *(one.name for one in doubtful)}]
    if doubtful:
        yield from _doubtful(test, table, known, doubtful)


def _rewritten(
    test: _Test, table: AuditTable, proven: Sequence[Column], complete: Sequence[Column]
) -> Iterator[Finding]:
    """Complete columns that tell more beyond the proven ones than what was known at creation does."""
    base = test.chances(proven)
    told = {column.name: test.told(column, base) for column in complete}
    known = f"beyond the {len(proven)} columns that times prove" if proven else "alone, as times prove none,"
    for column in sorted(complete, key=lambda one: -told[one.name].share):
        if told[column.name].more_than(test.limits.rewritten):
            yield _finding(table, column, told[column.name], base=base, known=known)


def _doubtful(
    test: _Test, table: AuditTable, known: Sequence[Column], doubtful: Sequence[Column]
) -> Iterator[Finding]:
    """Doubtful columns by the three rules."""
    creation = test.chances(known)
    alone = {column.name: test.told(column, creation) for column in doubtful}
    unexplained = _taken_in(test, known, doubtful, creation)
    blocked = [
        column
        for column in doubtful
        if column.name in unexplained or alone[column.name].more_than(test.limits.alone)
    ]
    named = {column.name for column in blocked}
    beside = {
        column.name: twin
        for column in doubtful
        if column.name not in named and (twin := _filled_alike(column, blocked))
    }
    for column in sorted(doubtful, key=lambda one: -alone[one.name].share):
        if column.name in named or column.name in beside:
            yield _finding(
                table,
                column,
                alone[column.name],
                base=creation,
                known=f"beyond the {len(known)} columns known at creation",
                left=unexplained.get(column.name),
                twin=beside.get(column.name, ""),
            )


def _is_doubtful(column: Column, *, late: Collection[str], limits: Limits) -> bool:
    return column.name in late or column.filled < limits.complete or (limits.words and names_events(column))


def _taken_in(
    test: _Test, known: Sequence[Column], doubtful: Sequence[Column], creation: Vector
) -> dict[str, _Told]:
    """What doubtful columns tell that nothing before them explains, in the order of how much it is."""
    taken: dict[str, _Told] = {}
    chance, left = creation, list(doubtful)
    while left and len(taken) < _MOST_ROUNDS:
        told = {column.name: test.told(column, chance) for column in left}
        telling = [column for column in left if told[column.name].more_than(test.limits.unexplained)]
        if not telling:
            break
        best = max(telling, key=lambda column: told[column.name].share)
        taken[best.name] = told[best.name]
        left.remove(best)
        chance = test.chances([*known, *(column for column in doubtful if column.name in taken)])
    return taken


def _filled_alike(column: Column, blocked: Sequence[Column]) -> str:
    """The blocked column that is empty in the same rows, where any are."""
    alike = (one.name for one in blocked if column.empty.any() and np.array_equal(one.empty, column.empty))
    return next(alike, "")


class _Test:
    """The rows of a table, cut into folds once."""

    def __init__(self, table: AuditTable, *, tests: int, limits: Limits) -> None:
        self.label, self.groups, self.limits = table.label, table.groups, limits
        self._tests, self._folds = tests, fold_of(table.groups, seed=limits.seed)
        rate = float(table.label.mean())
        self._entropy = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))

    def chances(self, columns: Sequence[Column]) -> Vector:
        """Cross-fitted chances of the event from columns, float64 (n,)."""
        if not columns:
            return np.full(len(self.label), self.label.mean())
        matrix = np.column_stack([column.values for column in columns])
        words = [position for position, column in enumerate(columns) if column.levels]
        parameters = _PARAMETERS | {"feature_fraction": min(1.0, _COLUMNS_PER_TREE / len(columns))}
        result = np.empty(len(self.label))
        for fold in range(FOLDS):
            learn = self._folds != fold
            data = lightgbm.Dataset(
                matrix[learn], self.label[learn], categorical_feature=words, params=parameters
            )
            booster = lightgbm.train(parameters, data, num_boost_round=_TREES)
            result[~learn] = booster.predict(matrix[~learn], num_threads=1)
        return np.clip(result, 1e-5, 1 - 1e-5)

    def told(self, column: Column, base: Vector) -> _Told:
        chance = shifted(column.bins, label=self.label, folds=self._folds, base=base)
        gain = (log_loss(self.label, base) - log_loss(self.label, chance)) / self._entropy
        return _Told(*sure(gain, groups=self.groups, tests=self._tests, level=self.limits.level), chance)


def _finding(
    table: AuditTable,
    column: Column,
    told: _Told,
    *,
    base: Vector,
    known: str,
    left: _Told | None = None,
    twin: str = "",
) -> Finding:
    before = roc_auc_interval(table.label, base, groups=table.groups)[0]
    after, low, high = roc_auc_interval(table.label, told.chance, groups=table.groups)
    why = (
        f"{known} it tells {percent(told.share)} of the outcome "
        f"({percent(told.low)} to {percent(told.high)}), ROC AUC {before:.3f} to {after:.3f} "
        f"({low:.3f} to {high:.3f}), base rate {share(table.events, table.rows)}"
    )
    if left is not None and left.share != told.share:
        interval = f"{percent(left.low)} to {percent(left.high)}"
        why += f"; {percent(left.share)} that no other column explains ({interval})"
    if twin:
        why += f"; it is filled in exactly the rows in which {twin} is, which blocks"
    return Finding(
        "current_value_only",
        "blocks",
        column.name,
        f"{_emptiness(table, column)}{why}",
        "only today's value is known: take the value as it stood at creation (a history, or a column of the "
        "first value), or leave the column out",
        {
            "told": told.share,
            "low": told.low,
            "high": told.high,
            "roc_auc_before": before,
            "roc_auc_after": after,
            "unexplained": None if left is None else left.share,
            "base_rate": table.events / table.rows,
        },
    )


def _emptiness(table: AuditTable, column: Column) -> str:
    """How often the event comes with an empty cell and with a filled one."""
    if not column.empty.any():
        return (
            "every row is filled; "
            if not names_events(column)
            else "every row is filled, with names of events; "
        )
    empty, filled = table.label[column.empty], table.label[~column.empty]
    return (
        f"empty in {share(len(empty), table.rows)} of {table.rows:,} rows, of which "
        f"{share(int(empty.sum()), len(empty))} have the event, of the others "
        f"{share(int(filled.sum()), len(filled))}; "
    )
