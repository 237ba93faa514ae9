"""The columns that are audited, whatever table they come from.

Turns a frame of raw cells, or labelled rows of features, into columns that are numbers or words, beside the
outcome. Time rule: a column is marked when only its value of today is known, as every column of a table
without dates is. Null rule: an empty cell is NaN in a number and -1 in words; blanks are empty.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import ContractError, NotEnoughDataError, suggestion
from features.feature import OTHER
from features.formulas import names_read
from features.privacy.masking import without_addresses
from training.learning.learn import Rows

__all__ = ["AuditTable", "Column", "equal_rows", "raw_table", "rows_table"]

Vector = NDArray[np.float64]
Labels = NDArray[np.int64]

_QUANTILES = 20
_FEW_VALUES = 20
_LARGEST = 10_000


@dataclass(frozen=True)
class Column:
    """One column.

    values: float64 (n,): numbers, or the positions of `levels`; NaN is empty.
    levels: the words, in order; empty for numbers. marked: only the value of today is known.
    source: the column of the table that it was made from. fact: whether it is one of an account, which
    somebody filled in, and not a count of what happened.
    """

    name: str
    values: Vector
    levels: tuple[str, ...] = ()
    marked: bool = False
    source: str = ""
    fact: bool = False

    @cached_property
    def empty(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)

    @property
    def filled(self) -> float:
        """The share of rows with a value."""
        return 1.0 - float(self.empty.mean())

    @cached_property
    def distinct(self) -> int:
        return len(np.unique(self.values[~self.empty]))

    @property
    def constant(self) -> bool:
        """Whether it says the same of every row."""
        return self.distinct + bool(self.empty.any()) < 2

    @cached_property
    def bins(self) -> Labels:
        """int64 (n,): 0 where empty, else the word, one of few numbers, or one of 20 quantiles."""
        found = np.zeros(len(self.values), dtype=np.int64)
        known = self.values[~self.empty]
        if self.levels or self.distinct <= _FEW_VALUES:
            found[~self.empty] = 1 + np.unique(known, return_inverse=True)[1]
        else:
            edges = np.unique(np.quantile(known, np.linspace(0, 1, _QUANTILES + 1)[1:-1]))
            found[~self.empty] = 1 + np.searchsorted(edges, known, side="right")
        return found

    def word(self, value: float) -> str:
        """A value as people read it."""
        return self.levels[int(value)] if self.levels else f"{value:g}"

    def take(self, positions: NDArray[np.int64]) -> Column:
        return replace(self, values=self.values[positions])


@dataclass(frozen=True)
class AuditTable:
    """Columns beside an outcome.

    label: int64 (n,), 1 with the event. groups: int64 (n,), rows that are no two pieces of evidence: those of
    one account, or equal ones. dated: whether times prove what was known when.
    """

    columns: tuple[Column, ...]
    label: Labels
    groups: Labels
    dated: bool

    @property
    def rows(self) -> int:
        return len(self.label)

    @property
    def events(self) -> int:
        return int(self.label.sum())

    def without(self, names: Collection[str]) -> AuditTable:
        return replace(self, columns=tuple(one for one in self.columns if one.name not in names))


def raw_table(
    frame: pd.DataFrame, *, outcome: str, event: Collection[str] = ("1", "true", "yes", "won")
) -> AuditTable:
    """A list without dates: every column but the outcome, as the value of today.

    frame: cells of any type. event: the outcome's words, in any case, that mean that it happened; every other
    filled cell means that it did not, and rows with an empty one are left out.
    Raises ContractError for an outcome that is not there, NotEnoughDataError for one class only.
    """
    if outcome not in frame.columns:
        raise ContractError(
            f"no column {outcome!r}", got=", ".join(frame.columns), fix=suggestion(outcome, frame.columns)
        )
    frame = frame.reset_index(drop=True)
    told = _text(frame[outcome])
    known = told[told != ""]
    label = known.str.casefold().isin({word.casefold() for word in event}).to_numpy().astype(np.int64)
    if label.sum() in (0, len(label)):
        raise NotEnoughDataError(
            f"{outcome}: one class only",
            got=f"{int(label.sum())} of {len(label)} rows read {' or '.join(event)}; values: "
            + without_addresses(", ".join(map(repr, known.unique()[:5]))),
            allowed="rows of both classes",
            fix="say which value means that it happened",
        )
    cells = frame.loc[known.index].drop(columns=outcome)
    columns = tuple(_raw_column(str(name), cells[name]) for name in cells.columns)
    return AuditTable(columns, label, equal_rows(columns, label), dated=False)


def rows_table(rows: Rows) -> AuditTable:
    """What a model learned from: its features, at dates when they were known.

    Beyond 10,000 rows, accounts without an event are drawn at random: what is asked of an audit (is this
    value of one class only?) needs every event and enough of the others.
    """
    accounts = pd.factorize(rows.frame["account_id"])[0].astype(np.int64)
    kept = _drawn(rows.label, accounts)
    columns = tuple(
        Column(
            feature.name,
            rows.X[kept, position],
            (*feature.levels, OTHER) if feature.kind == "category" else (),
            feature.current_value_only,
            _source(names_read(feature)) if feature.table == "accounts" else feature.name,
            feature.table == "accounts",
        )
        for position, feature in enumerate(rows.catalogue.features)
    )
    return AuditTable(columns, rows.label[kept], accounts[kept], dated=True)


def equal_rows(columns: Sequence[Column], label: Labels) -> Labels:
    """int64 (n,): the same number for rows that are equal in every column and the outcome."""
    frame = pd.DataFrame({column.name: column.values for column in columns} | {"": label})
    return frame.groupby(list(frame.columns), dropna=False, sort=False).ngroup().to_numpy().astype(np.int64)


def _source(names: Sequence[str]) -> str:
    return next((name for name in names if name not in ("known_at", "as_of", "account_id")), "")


def _drawn(label: Labels, accounts: Labels) -> NDArray[np.int64]:
    """Positions of whole accounts: half of the room is for those with an event, however few they are."""
    if len(label) <= _LARGEST:
        return np.arange(len(label), dtype=np.int64)
    generator, sizes = np.random.default_rng(0), np.bincount(accounts)
    with_event = np.unique(accounts[label == 1])
    kept = []
    for part in (with_event, np.setdiff1d(accounts, with_event)):
        drawn = generator.permutation(part)
        kept.append(drawn[np.cumsum(sizes[drawn]) <= _LARGEST // 2])
    return np.flatnonzero(np.isin(accounts, np.concatenate(kept))).astype(np.int64)


def _text(cells: pd.Series[str]) -> pd.Series[str]:
    """The cells as stripped text; blank where empty."""
    return cells.astype(object).where(cells.notna(), "").astype(str).str.strip()


def _raw_column(name: str, cells: pd.Series[str]) -> Column:
    text = _text(cells)
    filled = text != ""
    for read in (_numbers, _dates):
        values = read(text.where(filled))
        if values is not None:
            return Column(name, values, marked=True, source=name)
    codes, words = pd.factorize(text.where(filled), sort=True)
    values = np.where(codes < 0, np.nan, codes.astype(np.float64))
    return Column(name, values, tuple(map(str, words)), marked=True, source=name)


def _numbers(text: pd.Series[str]) -> Vector | None:
    """The numbers of a column that holds nothing else, and more than yes and no."""
    values = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    right = np.isfinite(values) | text.isna().to_numpy()
    return values if right.all() and len(np.unique(values[~np.isnan(values)])) > 2 else None


def _dates(text: pd.Series[str]) -> Vector | None:
    """ISO dates as seconds."""
    filled = text.dropna()
    if not len(filled) or not filled.str.match(r"\d{4}-\d{2}-\d{2}").all():
        return None
    moments = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
    if moments[filled.index].isna().any():
        return None
    seconds = (moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return np.asarray(seconds, dtype=np.float64)
