"""From long rows to the matrix.

Turns the rows of each SQL step into float64 columns, one per declared feature, at the declared position.
Time rule: none of its own, the rows hold only what was known. Null rule: a combination without rows is 0 for
counts and NaN for recency and facts. Every sum is an integer until the one division at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.activity_cube import ActivityCube, ActivityLayout, Wanted, integers, weekly_ratio
from features.catalogue import Catalogue
from features.counting import LEAST_USUAL, NO_SIZE, SizeLevel
from features.feature import DAY, FORMULA, Feature
from features.formulas import FormulaStep

__all__ = ["STEPS", "Rows", "Scatter"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

STEPS = {
    "accounts": ("account_versions",),
    "activities": ("activity_days",),
    "intent_topics": ("topic_sums",),
    "opportunities": ("opportunity_states",),
}
"""The SQL steps that the features of a table read; those of people read `contact_days` as well."""

_SCORE_UNIT = 1000.0


@dataclass(frozen=True)
class Rows:
    """What the steps returned, by step, for keys 0 to n - 1, whose `as_of` are `moments` (datetime64[s])."""

    moments: NDArray[np.datetime64]
    steps: Mapping[str, pa.Table]

    @property
    def count(self) -> int:
        return len(self.moments)


class Scatter:
    """From rows to matrices of one catalogue. What depends on the catalogue alone is worked out once."""

    def __init__(self, catalogue: Catalogue, *, formulas: Sequence[FormulaStep] = ()) -> None:
        self._width, self._formulas = len(catalogue.features), tuple(formulas)
        self._layout, self._size_levels = ActivityLayout(catalogue), catalogue.size_levels
        self._groups: dict[str, list[tuple[list[int], Wanted]]] = {}
        for positions in _by_aggregation(catalogue.features):
            features = [catalogue.features[position] for position in positions]
            self._groups.setdefault(features[0].table, []).append((positions, self._layout.wanted(features)))

    def matrix(self, rows: Rows) -> Floats:
        """float64 (rows.count, len(catalogue.features)), columns in catalogue order."""
        matrix = np.empty((rows.count, self._width))
        for table, groups in self._groups.items():
            columns = self._columns(table, rows)
            for positions, wanted in groups:
                matrix[:, positions] = columns(wanted)
        for step in self._formulas:
            step.fill(matrix, rows.steps[step.name])
        return matrix

    def _columns(self, table: str, rows: Rows) -> Callable[[Wanted], Floats]:
        """From the features of one aggregation to their columns, float64 (keys, features)."""
        if table == "accounts":
            return _Accounts(rows).columns
        if table == "intent_topics":
            return _Topics(rows, self._size_levels).columns
        if table == "opportunities":
            return _Deals(rows).columns
        days, contacts = rows.steps["activity_days"], rows.steps.get("contact_days")
        return ActivityCube(self._layout, count=rows.count, days=days, contacts=contacts).columns


def _by_aggregation(features: Sequence[Feature]) -> list[list[int]]:
    """Positions of the features that are computed together; those of formulas are computed apart."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for position, feature in enumerate(features):
        if feature.aggregation == FORMULA:
            continue
        member = feature.member if feature.table == "activities" else ""
        found.setdefault((feature.table, feature.aggregation, member), []).append(position)
    return list(found.values())


class _Accounts:
    """Columns from the versions of accounts: of each column the latest value that is not empty."""

    def __init__(self, rows: Rows) -> None:
        self._count, self._moments = rows.count, rows.moments.astype("datetime64[s]").astype(np.int64)
        versions = rows.steps["account_versions"]
        keys, known = integers(versions, "key"), integers(versions, "known")
        order = np.lexsort((known, keys))
        self._versions, self._order = versions, order
        self._sorted_keys, self._known = keys[order], known[order]
        self._starts = np.flatnonzero(np.diff(self._sorted_keys, prepend=-1))
        self._keys = self._sorted_keys[self._starts]
        self._facts: dict[tuple[str, bool], pa.Array] = {}
        self._sets: dict[str, tuple[Integers, Integers, dict[str, int]]] = {}

    def columns(self, wanted: Wanted) -> Floats:
        column: Callable[[Feature], Floats] = getattr(self, f"_{wanted.aggregation}")
        result = np.full((self._count, len(wanted.features)), np.nan)
        for position, feature in enumerate(wanted.features):
            result[self._keys, position] = column(feature)
        return result

    def _fact(self, name: str, *, year_before: bool = False) -> pa.Array:
        """The latest value of a column for each of `_keys`, empty where there is none."""
        if (name, year_before) not in self._facts:
            values = self._versions.column(f"fact {name}")
            if year_before or values.null_count:
                taken = self._last_filled(values, year_before=year_before)
            else:
                taken = self._newest
            self._facts[name, year_before] = _one(values.take(taken))
        return self._facts[name, year_before]

    @cached_property
    def _newest(self) -> pa.Array:
        """The row of each key's latest version: what `_last_filled` finds where no cell is empty."""
        ends = np.append(self._starts[1:], len(self._order)) - 1 if len(self._starts) else self._starts
        return pa.array(self._order[ends], pa.int64())

    def _last_filled(self, values: pa.ChunkedArray, *, year_before: bool) -> pa.Array:
        """The row of the latest version of each key with a value, empty where there is none."""
        counts = np.asarray(values.is_valid().to_numpy())[self._order]
        if year_before:
            counts &= self._known < self._moments[self._sorted_keys] - 365 * DAY
        candidates = np.where(counts, self._order_of_rows, -1)
        latest = np.maximum.reduceat(candidates, self._starts) if len(self._starts) else candidates
        rows = np.where(latest < 0, 0, self._order[latest]) if len(latest) else latest
        return pa.array(rows, pa.int64(), mask=latest < 0)

    def latest(self, name: str, *, missing: int) -> Integers:
        """int64 (count,): the latest value of a whole number, `missing` where there is none."""
        result = np.full(self._count, missing, dtype=np.int64)
        result[self._keys] = pc.fill_null(self._fact(name), missing).to_numpy(zero_copy_only=False)
        return result

    @cached_property
    def _order_of_rows(self) -> Integers:
        return np.arange(len(self._order))

    def _latest(self, feature: Feature) -> Floats:
        values = self._fact(feature.subject)
        return _codes(values, feature.levels) if feature.kind == "category" else _floats(values)

    def _length(self, feature: Feature) -> Floats:
        return _floats(pc.utf8_length(self._fact(feature.subject)))

    def _growth(self, feature: Feature) -> Floats:
        before = _floats(self._fact(feature.subject, year_before=True))
        return np.asarray(self._latest(feature) / np.where(before == 0.0, np.nan, before) - 1.0)

    def _years(self, feature: Feature) -> Floats:
        moments = self._moments[self._keys].astype("datetime64[s]")
        return np.asarray(moments.astype("datetime64[Y]").astype(np.int64) + 1970 - self._latest(feature))

    def _days(self, feature: Feature) -> Floats:
        dates = self._fact(feature.subject).cast(pa.timestamp("us")).cast(pa.int64())
        return np.asarray((self._moments[self._keys] - _floats(pc.divide(dates, 1_000_000))) / DAY)

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
        told = self._fact(feature.subject).is_valid().to_numpy(zero_copy_only=False)
        return np.where(told, values, np.nan)

    def _members(self, column: str) -> tuple[Integers, Integers, dict[str, int]]:
        """The distinct members of a set column: row of the facts, code, and the code of each member."""
        if column not in self._sets:
            cells = self._fact(column)
            encoded = pc.list_flatten(cells).dictionary_encode()
            names = {name: code for code, name in enumerate(encoded.dictionary.to_pylist())}
            codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
            rows = pc.list_parent_indices(cells).to_numpy().astype(np.int64)
            pairs = np.unique((rows * max(len(names), 1) + codes)[codes >= 0])
            self._sets[column] = (*np.divmod(pairs, max(len(names), 1)), names)
        return self._sets[column]


def _one(values: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays(values.chunks)


def _floats(values: pa.Array) -> Floats:
    return np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _codes(values: pa.Array, levels: tuple[str, ...]) -> Floats:
    """Positions in `levels`; any other value is `len(levels)`, a missing one NaN."""
    codes = pc.fill_null(pc.index_in(values, value_set=pa.array(levels, pa.string())), len(levels))
    told = values.is_valid().to_numpy(zero_copy_only=False)
    return np.where(told, codes.to_numpy().astype(np.float64), np.nan)


class _Topics:
    """Columns from third-party research, one row per key and topic."""

    def __init__(self, rows: Rows, levels: Sequence[SizeLevel]) -> None:
        table = rows.steps["topic_sums"]
        self._count, self._keys = rows.count, integers(table, "key")
        self._recent, self._baseline = integers(table, "recent"), integers(table, "baseline")
        self._youngest = integers(table, "youngest")
        self._rows, self._levels = rows, levels

    def columns(self, wanted: Wanted) -> Floats:
        if wanted.aggregation == "surging_broadly":
            shares = [int(feature.member) for feature in wanted.features]
            return np.stack([self._surging_broadly(share) for share in shares], axis=1)
        column: Callable[[], Floats] = getattr(self, f"_of_{wanted.aggregation}")
        return np.repeat(column()[:, None], len(wanted.features), axis=1)

    def _of_score(self) -> Floats:
        return np.asarray(self._sum(self._recent) / _SCORE_UNIT)

    def _of_researched(self) -> Floats:
        return self._sum((self._recent > 0).astype(np.int64)).astype(np.float64)

    def _of_surging(self) -> Floats:
        """Topics whose weekly mean of the last 3 exceeds one and a half times that of the 12 before."""
        return self._sum((8 * self._recent > 3 * self._baseline).astype(np.int64)).astype(np.float64)

    def _of_surge(self) -> Floats:
        surge = _surge(self._sum(self._recent), self._sum(self._baseline))
        surge[np.bincount(self._keys, minlength=self._count) == 0] = np.nan
        return surge

    def _of_strongest_surge(self) -> Floats:
        strongest = np.full(self._count, -1.0)
        np.maximum.at(strongest, self._keys, _surge(self._recent, self._baseline))
        return np.where(strongest < 0.0, np.nan, strongest)

    @cached_property
    def _usual(self) -> Integers:
        """int64 (count, 2): the weekly research of companies of the account's size, in all and per topic."""
        employees = _Accounts(self._rows).latest("employees", missing=NO_SIZE)
        usual = np.full((self._count, 2), LEAST_USUAL, dtype=np.int64)
        for level in self._levels:
            usual[(level.lower <= employees) & (employees <= level.upper)] = level.account, level.topic
        return usual

    def _of_surge_for_size(self) -> Floats:
        """As `_of_surge`, but what is added to both is what companies of its size research in a week."""
        added = self._usual[:, 0] / _SCORE_UNIT
        recent, baseline = self._sum(self._recent) / _SCORE_UNIT, self._sum(self._baseline) / _SCORE_UNIT
        return np.where(self._topics > 0, (recent / 3.0 + added) / (baseline / 12.0 + added), np.nan)

    @cached_property
    def _surging_for_size(self) -> Integers:
        """Topics whose surge, what is usual for the size of the account added to both, exceeds 1.5."""
        surging = 8 * self._recent > 3 * self._baseline + 12 * self._usual[self._keys, 1]
        return self._sum(surging.astype(np.int64))

    @cached_property
    def _topics(self) -> Integers:
        return self._sum(np.ones(len(self._keys), dtype=np.int64))

    def _of_surging_share(self) -> Floats:
        topics = self._topics
        return np.where(topics > 0, self._surging_for_size / np.maximum(topics, 1), np.nan)

    def _surging_broadly(self, share: int) -> Floats:
        """Whether at least `share` hundredths of the topics surge."""
        broadly = 100 * self._surging_for_size >= share * self._topics
        return (broadly & (self._topics > 0)).astype(np.float64)

    def _of_days_since(self) -> Floats:
        youngest = np.full(self._count, np.inf)
        np.minimum.at(youngest, self._keys, self._youngest / float(DAY))
        return np.where(np.isinf(youngest), np.nan, youngest)

    def _sum(self, values: Integers) -> Integers:
        total = np.zeros(self._count, dtype=np.int64)
        np.add.at(total, self._keys, values)
        return total


def _surge(recent: Integers, baseline: Integers) -> Floats:
    return weekly_ratio(recent / _SCORE_UNIT, baseline / _SCORE_UNIT, recent_weeks=3)


class _Deals:
    """Columns from earlier deals, one row per key and opportunity."""

    def __init__(self, rows: Rows) -> None:
        table = rows.steps["opportunity_states"]
        self._keys, self._moments = (
            integers(table, "key"),
            rows.moments.astype("datetime64[s]").astype(np.int64),
        )
        self._won, self._lost = integers(table, "won"), integers(table, "lost")
        self._opened, self._closed = integers(table, "opened"), integers(table, "closed")

    def columns(self, wanted: Wanted) -> Floats:
        column = {
            "won": lambda: self._sum(self._won),
            "lost": lambda: self._sum(self._lost),
            "days_since_opened": lambda: self._days_since(self._opened, self._opened == self._opened),
            "days_since_closed": lambda: self._days_since(self._closed, self._won + self._lost > 0),
        }[wanted.aggregation]()
        return np.repeat(column[:, None], len(wanted.features), axis=1)

    def _sum(self, values: Integers) -> Floats:
        total = np.zeros(len(self._moments), dtype=np.int64)
        np.add.at(total, self._keys, values)
        return total.astype(np.float64)

    def _days_since(self, seconds: Integers, counts: NDArray[np.bool_]) -> Floats:
        """Days since the latest of the deals that count."""
        never = np.iinfo(np.int64).min
        latest = np.full(len(self._moments), never)
        np.maximum.at(latest, self._keys[counts], seconds[counts])
        return np.where(latest == never, np.nan, (self._moments - latest) / float(DAY))
