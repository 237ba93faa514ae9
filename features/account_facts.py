"""From the versions of accounts to features of the company.

Turns one row per key and version into what was last said of each column: which row that is, for every column
at once, and then what stands there. Time rule: the versions are those known before `as_of`; growth compares
with the last that was known a year before. Null rule: an empty cell says nothing, so that an older version
that does is the last; NaN where no version says anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.activity_cube import Wanted, integers
from features.feature import DAY, Feature

__all__ = ["AccountFacts"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_YEAR = 365 * DAY
_NOWHERE = -1


class AccountFacts:
    """The accounts of keys 0 to n - 1.

    versions: what `queries.account_versions` returned. moments: datetime64[s] (n,), the `as_of` of each key.
    """

    def __init__(self, versions: pa.Table, *, moments: NDArray[np.datetime64]) -> None:
        self._versions, self._count = versions, len(moments)
        keys, known = integers(versions, "key"), integers(versions, "known")
        order = np.lexsort((known, keys))
        self._order, self._sorted_keys, self._known = order, keys[order], known[order]
        self._starts = np.flatnonzero(np.diff(self._sorted_keys, prepend=-1))
        self._keys = self._sorted_keys[self._starts]
        self._moments = moments.astype("datetime64[s]").astype(np.int64)
        self._sets: dict[str, tuple[Integers, Integers, dict[str, int]]] = {}

    def columns(self, wanted: Wanted) -> Floats:
        """float64 (n, len(wanted.features)): the features of one aggregation."""
        column: Callable[[Feature], Floats] = getattr(self, f"_{wanted.aggregation}")
        result = np.full((self._count, len(wanted.features)), np.nan)
        result[self._keys] = np.stack([column(feature) for feature in wanted.features], axis=1)
        return result

    def latest(self, name: str, *, missing: int) -> Integers:
        """int64 (n,): the latest value of a column of whole numbers, `missing` where there is none."""
        rows = self._latest_rows[name]
        result = np.full(self._count, missing, dtype=np.int64)
        result[self._keys] = np.where(rows < 0, missing, integers(self._versions, f"fact {name}")[rows])
        return result

    @cached_property
    def _cells(self) -> dict[str, pa.Array]:
        """The columns, each in one piece."""
        facts = [name for name in self._versions.column_names if name.startswith("fact ")]
        return {name.removeprefix("fact "): _one(self._versions.column(name)) for name in facts}

    @cached_property
    def _latest_rows(self) -> dict[str, Integers]:
        """By column, the row of each key's latest version with a value."""
        # Where no cell is empty, that is the latest of all.
        ends = np.append(self._starts[1:], len(self._order)) - 1 if len(self._starts) else self._starts
        newest = self._order[ends]
        gaps = [name for name, cells in self._cells.items() if cells.null_count]
        return dict.fromkeys(self._cells, newest) | self._last_rows(gaps)

    @cached_property
    def _year_old(self) -> NDArray[np.bool_]:
        """Of the versions in their order, those that were known a year before."""
        return np.asarray(self._known < self._moments[self._sorted_keys] - _YEAR)

    def _last_rows(
        self, names: Sequence[str], *, among: NDArray[np.bool_] | None = None
    ) -> dict[str, Integers]:
        """By column, the row of the last version of each key with a value, `_NOWHERE` where there is none.

        among: which versions count, in their order.
        """
        if not names:
            return {}
        told = [self._cells[name].is_valid().to_numpy(zero_copy_only=False) for name in names]
        counts = np.stack(told)[:, self._order]
        if among is not None:
            counts &= among
        last = np.where(counts, np.arange(len(self._order)), _NOWHERE)
        if len(self._starts):
            last = np.maximum.reduceat(last, self._starts, axis=1)
            last = np.where(last < 0, _NOWHERE, self._order[last])
        return dict(zip(names, last, strict=True))

    def _said(self, name: str, values: Floats) -> Floats:
        """Of each key what was last said. values: of each version, what its cell stands for."""
        rows = self._latest_rows[name]
        return np.where(rows < 0, np.nan, values[rows])

    def _latest(self, feature: Feature) -> Floats:
        cells = self._cells[feature.subject]
        values = _codes(cells, feature.levels) if feature.kind == "category" else _floats(cells)
        return self._said(feature.subject, values)

    def _length(self, feature: Feature) -> Floats:
        return self._said(feature.subject, _floats(pc.utf8_length(self._cells[feature.subject])))

    def _growth(self, feature: Feature) -> Floats:
        rows = self._last_rows([feature.subject], among=self._year_old)[feature.subject]
        values = _floats(self._cells[feature.subject])
        before = np.where(rows < 0, np.nan, values[rows])
        return self._said(feature.subject, values) / np.where(before == 0.0, np.nan, before) - 1.0

    def _years(self, feature: Feature) -> Floats:
        moments = self._moments[self._keys].astype("datetime64[s]")
        return np.asarray(moments.astype("datetime64[Y]").astype(np.int64) + 1970 - self._latest(feature))

    def _days(self, feature: Feature) -> Floats:
        dates = self._cells[feature.subject].cast(pa.timestamp("us")).cast(pa.int64())
        seconds = self._said(feature.subject, _floats(pc.divide(dates, 1_000_000)))
        return np.asarray((self._moments[self._keys] - seconds) / DAY)

    def _size(self, feature: Feature) -> Floats:
        rows, _, _ = self._members(feature.subject)
        size = np.bincount(rows, minlength=len(self._keys)).astype(np.float64)
        return self._where_told(feature, size)

    def _member(self, feature: Feature) -> Floats:
        rows, codes, names = self._members(feature.subject)
        flags = np.zeros(len(self._keys))
        if feature.member in names:
            flags[rows[codes == names[feature.member]]] = 1.0
        return self._where_told(feature, flags)

    def _where_told(self, feature: Feature, values: Floats) -> Floats:
        return np.where(self._latest_rows[feature.subject] < 0, np.nan, values)

    def _members(self, column: str) -> tuple[Integers, Integers, dict[str, int]]:
        """The distinct members of a set column: place in `_keys`, code, and the code of each member."""
        if column not in self._sets:
            rows = self._latest_rows[column]
            cells = self._cells[column].take(pa.array(rows, mask=rows < 0))
            encoded = pc.list_flatten(cells).dictionary_encode()
            names = {name: code for code, name in enumerate(encoded.dictionary.to_pylist())}
            codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
            places = pc.list_parent_indices(cells).to_numpy().astype(np.int64)
            pairs = np.unique((places * max(len(names), 1) + codes)[codes >= 0])
            self._sets[column] = (*np.divmod(pairs, max(len(names), 1)), names)
        return self._sets[column]


def _one(values: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()


def _floats(values: pa.Array) -> Floats:
    numbers = values if values.type == pa.float64() else values.cast(pa.float64())
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)


def _codes(values: pa.Array, levels: tuple[str, ...]) -> Floats:
    """Positions in `levels`; any other value is `len(levels)`, an empty one anything."""
    codes = pc.index_in(values, value_set=_as_array(levels)).to_numpy(zero_copy_only=False)
    return np.where(np.isnan(codes), float(len(levels)), codes)


@lru_cache(maxsize=1_000)
def _as_array(levels: tuple[str, ...]) -> pa.Array:
    return pa.array(levels, pa.string())
