"""From long rows to the matrix.

Turns the rows of each SQL step (integers by key, cell and age bucket) into float64 columns, one per declared
feature, at the declared position. Time rule: none of its own; buckets are cumulated from the youngest to the
window's edge. Null rule: a combination without rows is 0 for counts and NaN for recency and facts. Pure
numpy; every sum is an integer until the one division at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.feature import ALL, DAY, REST, Feature
from features.queries import ALL_CELL, EDGES, FIRST_OUTREACH_CELL, REST_CELLS, SILENT_CELLS

__all__ = ["Rows", "cell_of", "scatter"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_FOREVER = np.iinfo(np.int64).max
_HALF = 2.0**32
_SCORE_UNIT = 1000.0


@dataclass(frozen=True)
class Rows:
    """What the steps returned, by step, for `count` keys whose `as_of` are `moments` (datetime64[s])."""

    count: int
    moments: NDArray[np.datetime64]
    steps: Mapping[str, pa.Table]


def scatter(rows: Rows, *, catalogue: Catalogue) -> Floats:
    """The matrix, float64 (rows.count, len(catalogue.features)), columns in catalogue order."""
    matrix = np.empty((rows.count, len(catalogue.features)))
    tables = {
        "accounts": _Accounts(rows),
        "activities": _Activities(rows, catalogue),
        "intent_topics": _Topics(rows),
        "opportunities": _Deals(rows),
    }
    for position, feature in enumerate(catalogue.features):
        matrix[:, position] = tables[feature.table].column(feature)
    return matrix


def cell_of(catalogue: Catalogue, *, channel: str, outbound: bool) -> int:
    """The number by which SQL and matrix call a channel of one side."""
    if channel == REST:
        return REST_CELLS[outbound]
    if outbound:
        return FIRST_OUTREACH_CELL + catalogue.outreach_channels.index(channel)
    return catalogue.engagement_channels.index(channel)


def _integers(table: pa.Table, name: str, *, missing: int = 0) -> Integers:
    return table.column(name).fill_null(missing).to_numpy().astype(np.int64, copy=False)


def _known(values: Integers, *, missing: int) -> Floats:
    """Integers as floats, NaN where they hold the mark of the missing."""
    return np.where(values == missing, np.nan, values.astype(np.float64))


def _ratio(recent: Floats | Integers, baseline: Floats | Integers, *, recent_weeks: int) -> Floats:
    """Weekly rate against the weekly rate of 12 weeks, one added to both so that little stays little."""
    return np.asarray((recent / float(recent_weeks) + 1.0) / (baseline / 12.0 + 1.0))


class _Activities:
    """Columns from the cube (key, cell, age bucket) of activities."""

    def __init__(self, rows: Rows, catalogue: Catalogue) -> None:
        self._rows, self._catalogue = rows, catalogue
        self._cells = [
            *range(len(catalogue.engagement_channels)),
            *range(FIRST_OUTREACH_CELL, FIRST_OUTREACH_CELL + len(catalogue.outreach_channels)),
            *REST_CELLS,
            *SILENT_CELLS,
            ALL_CELL,
        ]
        self._cubes: dict[tuple[str, str], Integers] = {}

    def column(self, feature: Feature) -> Floats:
        return _ACTIVITY_COLUMNS[feature.aggregation](self, feature)

    @cached_property
    def _places(self) -> Integers:
        """The cube's second axis by cell number, shifted so that the lowest number is 0."""
        lowest = min(self._cells)
        places = np.zeros(max(self._cells) - lowest + 1, dtype=np.int64)
        places[np.array(self._cells) - lowest] = np.arange(len(self._cells))
        return places

    def _positions(self, step: str) -> Integers:
        table = self._rows.steps[step]
        place = self._places[_integers(table, "cell") - min(self._cells)]
        flat = _integers(table, "key") * len(self._cells) + place
        return flat * len(EDGES) + _integers(table, "bucket")

    @cached_property
    def _step_positions(self) -> dict[str, Integers]:
        return {
            step: self._positions(step)
            for step in ("activity_counts", "activity_people")
            if step in self._rows.steps
        }

    def _cube(
        self, measure: str, *, combine: np.ufunc, missing: int, step: str = "activity_counts"
    ) -> Integers:
        """int64 (cells, keys, buckets), cumulated: the entry of a bucket speaks of everything younger too."""
        if (step, measure) not in self._cubes:
            cube = np.full(self._rows.count * len(self._cells) * len(EDGES), missing, dtype=np.int64)
            cube[self._step_positions[step]] = _integers(self._rows.steps[step], measure, missing=missing)
            shaped = cube.reshape(self._rows.count, len(self._cells), len(EDGES)).transpose(1, 0, 2)
            self._cubes[step, measure] = combine.accumulate(shaped, axis=2)
        return self._cubes[step, measure]

    def _members(self, feature: Feature, *, silent: bool = False) -> list[int]:
        """The places on the cube's first axis that a feature combines."""
        outbound = feature.group == "outreach"
        if feature.subject != ALL:
            return [self._cells.index(cell_of(self._catalogue, channel=feature.subject, outbound=outbound))]
        channels = self._catalogue.outreach_channels if outbound else self._catalogue.engagement_channels
        first = FIRST_OUTREACH_CELL if outbound else 0
        cells = [*range(first, first + len(channels)), REST_CELLS[outbound]]
        return [self._cells.index(cell) for cell in (*cells, *([SILENT_CELLS[outbound]] if silent else []))]

    def _total(
        self,
        measure: str,
        feature: Feature,
        *,
        days: int | None = None,
        combine: np.ufunc = np.add,
        missing: int = 0,
        silent: bool = False,
    ) -> Integers:
        """int64 (keys,): one measure within `days`, over the cells of the feature."""
        edge = EDGES.index(days or EDGES[-1])
        cube = self._cube(measure, combine=combine, missing=missing)
        members = self._members(feature, silent=silent)
        return np.asarray(combine.reduce([cube[member, :, edge] for member in members], axis=0))

    def count(self, feature: Feature) -> Floats:
        return self._total("quantity", feature, days=feature.window_days).astype(np.float64)

    def minutes(self, feature: Feature) -> Floats:
        return self._total("seconds", feature, days=feature.window_days) / 60.0

    def records(self, feature: Feature) -> Floats:
        return self._total("records", feature, days=feature.window_days, silent=True).astype(np.float64)

    def largest(self, feature: Feature) -> Floats:
        largest = self._total("largest", feature, days=feature.window_days, combine=np.maximum)
        return largest.astype(np.float64)

    def people(self, feature: Feature) -> Floats:
        """Distinct contacts, or the most people that one row stands for, whichever is more."""
        named = self._contacts("people", feature)
        most = self._total("people", feature, days=feature.window_days, combine=np.maximum)
        return np.maximum(named, most).astype(np.float64)

    def senior_people(self, feature: Feature) -> Floats:
        return self._contacts("senior", feature).astype(np.float64)

    def _contacts(self, measure: str, feature: Feature) -> Integers:
        cell = (
            ALL_CELL
            if feature.subject == ALL
            else cell_of(self._catalogue, channel=feature.subject, outbound=False)
        )
        cube = self._cube(measure, combine=np.add, missing=0, step="activity_people")
        return cube[self._cells.index(cell), :, EDGES.index(feature.window_days or EDGES[-1])]

    def days_since(self, feature: Feature) -> Floats:
        return (
            _known(self._total("youngest", feature, combine=np.minimum, missing=_FOREVER), missing=_FOREVER)
            / DAY
        )

    def days_since_record(self, feature: Feature) -> Floats:
        youngest = self._total("youngest", feature, combine=np.minimum, missing=_FOREVER, silent=True)
        return _known(youngest, missing=_FOREVER) / DAY

    def days_since_first(self, feature: Feature) -> Floats:
        return _known(self._total("oldest", feature, combine=np.maximum, missing=-1), missing=-1) / DAY

    def days_since_two_way(self, feature: Feature) -> Floats:
        engagement = Feature(**(feature.__dict__ | {"group": "engagement", "subject": ALL}))
        two_way = self._total("two_way", engagement, combine=np.minimum, missing=_FOREVER)
        return _known(two_way, missing=_FOREVER) / DAY

    def decayed(self, feature: Feature) -> Floats:
        measure = f"decayed_{feature.member}d"
        units = self._total(f"{measure}_units", feature)
        remainder = self._total(f"{measure}_remainder", feature)
        return (units + (remainder >> 32)) + (remainder & 0xFFFFFFFF) / _HALF

    def trend(self, feature: Feature) -> Floats:
        recent = self._total("quantity", feature, days=28)
        return _ratio(recent, self._total("quantity", feature, days=112) - recent, recent_weeks=4)

    def active_weeks(self, feature: Feature) -> Floats:
        return self._bits("weeks", feature, (feature.window_days or 0) // 7)

    def active_days(self, feature: Feature) -> Floats:
        return self._bits("days", feature, feature.window_days or 0)

    def _bits(self, measure: str, feature: Feature, wanted: int) -> Floats:
        mask = self._total(measure, feature, combine=np.bitwise_or) & ((1 << wanted) - 1)
        return np.bitwise_count(mask).astype(np.float64)


_ACTIVITY_COLUMNS: dict[str, Callable[[_Activities, Feature], Floats]] = {
    name: getattr(_Activities, name)
    for name in (
        "count",
        "minutes",
        "people",
        "senior_people",
        "records",
        "largest",
        "days_since",
        "days_since_first",
        "days_since_record",
        "days_since_two_way",
        "decayed",
        "trend",
        "active_days",
        "active_weeks",
    )
}


class _Accounts:
    """Columns from the latest facts, one row per key that has any."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @cached_property
    def _facts(self) -> pa.Table:
        return self._rows.steps["account_facts"].combine_chunks()

    @cached_property
    def _keys(self) -> Integers:
        return _integers(self._facts, "key")

    def column(self, feature: Feature) -> Floats:
        result = np.full(self._rows.count, np.nan)
        result[self._keys] = getattr(self, f"_{feature.aggregation}")(feature)
        return result

    def _latest(self, feature: Feature) -> Floats:
        values = self._facts.column(f"latest {feature.subject}")
        return _codes(values, feature.levels) if feature.kind == "category" else _floats(values)

    def _length(self, feature: Feature) -> Floats:
        return _floats(self._facts.column(f"latest {feature.subject}"))

    def _growth(self, feature: Feature) -> Floats:
        now, before = self._latest(feature), _floats(self._facts.column(f"before {feature.subject}"))
        return now / np.where(before == 0.0, np.nan, before) - 1.0

    def _years(self, feature: Feature) -> Floats:
        years = self._rows.moments.astype("datetime64[Y]").astype(np.int64) + 1970
        return years[self._keys] - self._latest(feature)

    def _days(self, feature: Feature) -> Floats:
        facts = self._facts.column(f"latest {feature.subject}").cast(pa.timestamp("s"), safe=False)
        seconds = _floats(facts.cast(pa.int64()))
        return (self._rows.moments.astype(np.int64)[self._keys] - seconds) / DAY

    def _size(self, feature: Feature) -> Floats:
        members = self._members(feature.subject)
        size = np.bincount(members["row"].to_numpy(), minlength=len(self._keys)).astype(np.float64)
        return np.where(self._told(feature.subject), size, np.nan)

    def _member(self, feature: Feature) -> Floats:
        members = self._members(feature.subject)
        flags = np.zeros(len(self._keys))
        flags[members["row"].to_numpy()[(members["member"] == feature.member).to_numpy()]] = 1.0
        return np.where(self._told(feature.subject), flags, np.nan)

    def _told(self, column: str) -> NDArray[np.bool_]:
        return np.asarray(self._facts.column(f"latest {column}").is_valid())

    def _members(self, column: str) -> pd.DataFrame:
        """The distinct members of a set column: row of the facts, member."""
        cells = self._facts.column(f"latest {column}").combine_chunks()
        frame = pd.DataFrame(
            {"row": cells.value_parent_indices().to_numpy(), "member": cells.flatten().to_pandas()}
        )
        return frame.dropna().drop_duplicates()


def _floats(values: pa.ChunkedArray) -> Floats:
    return np.asarray(values.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _codes(values: pa.ChunkedArray, levels: tuple[str, ...]) -> Floats:
    """Positions in `levels`; any other value is `len(levels)`, a missing one NaN."""
    found = pa.compute.index_in(values, pa.array(levels, pa.string()))
    codes = found.fill_null(len(levels)).to_numpy().astype(np.float64)
    return np.where(values.is_valid(), codes, np.nan)


class _Topics:
    """Columns from third-party research, one row per key and topic."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @cached_property
    def _table(self) -> pa.Table:
        return self._rows.steps["topic_scores"]

    @cached_property
    def _keys(self) -> Integers:
        return _integers(self._table, "key")

    def column(self, feature: Feature) -> Floats:
        recent, baseline = _integers(self._table, "recent"), _integers(self._table, "baseline")
        ratio = _ratio(recent / _SCORE_UNIT, baseline / _SCORE_UNIT, recent_weeks=3)
        return {
            "score": lambda: self._sum(recent) / _SCORE_UNIT,
            "researched": lambda: self._sum((recent > 0).astype(np.int64)).astype(np.float64),
            "surging": lambda: self._sum((8 * recent > 3 * baseline).astype(np.int64)).astype(np.float64),
            "surge": lambda: self._where_researched(
                _ratio(self._sum(recent) / _SCORE_UNIT, self._sum(baseline) / _SCORE_UNIT, recent_weeks=3)
            ),
            "strongest_surge": lambda: self._most(ratio),
            "days_since": lambda: -self._most(-_integers(self._table, "youngest") / DAY),
        }[feature.aggregation]()

    def _sum(self, values: Integers) -> Integers:
        total = np.zeros(self._rows.count, dtype=np.int64)
        np.add.at(total, self._keys, values)
        return total

    def _most(self, values: Floats) -> Floats:
        most = np.full(self._rows.count, -np.inf)
        np.maximum.at(most, self._keys, values)
        return np.where(np.isneginf(most), np.nan, most)

    def _where_researched(self, values: Floats) -> Floats:
        return np.where(np.isin(np.arange(self._rows.count), self._keys), values, np.nan)


class _Deals:
    """Columns from earlier deals, one row per key that has any."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def column(self, feature: Feature) -> Floats:
        table = self._rows.steps["opportunity_history"]
        keys = _integers(table, "key")
        if feature.aggregation in ("won", "lost"):
            counts = np.zeros(self._rows.count)
            counts[keys] = _integers(table, feature.aggregation)
            return counts
        days = np.full(self._rows.count, np.nan)
        seconds = _floats(table.column(feature.aggregation.removeprefix("days_since_")))
        days[keys] = (self._rows.moments.astype(np.int64)[keys] - seconds) / DAY
        return days
