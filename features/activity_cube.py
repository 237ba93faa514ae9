"""From the long rows of activities to features of engagement and outreach.

Turns sums per key, channel and day into cubes (key, place, window) of integers, cumulated from the youngest
day to the window's edge, and reads every feature of an aggregation from them at once. Time rule: day n ends
n + 1 days before `as_of`; windows are whole days, and the last one, without an edge, is all that was known.
Null rule: 0 for counts, NaN for recency.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache, cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.contract import SENIOR, SENIORITIES
from features.feature import ALL, DAY, REST, Feature
from features.queries import REACH_DAYS

__all__ = ["EDGES", "ActivityCube", "ActivityLayout", "Wanted", "decay_weights", "integers", "weekly_ratio"]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

EDGES = (7, 28, 30, 90, 112, 180)
"""Windows in days; 28 and 112 bound the trend's four weeks and the twelve weeks before them."""

_EDGES = np.array(EDGES)
_LIFETIME = len(EDGES)
_WINDOWS = len(EDGES) + 1

_SENIOR_LEVELS = np.array([0, *(level in SENIOR for level in SENIORITIES)], dtype=np.int64)
"""Whether a level, counted from 1 as the SQL does, is vice president or higher; 0 is a level not known."""

_FOREVER = np.iinfo(np.int64).max
_BITS = 16
_LOW = (1 << _BITS) - 1


def integers(table: pa.Table, name: str, *, missing: int = 0) -> Integers:
    """A column as int64, empty cells as `missing`."""
    column = table.column(name)
    filled = pc.fill_null(column, missing) if column.null_count else column
    return np.asarray(filled.to_numpy()).astype(np.int64, copy=False)


def weekly_ratio(recent: Floats | Integers, baseline: Floats | Integers, *, recent_weeks: int) -> Floats:
    """Weekly rate against that of the 12 weeks before; one is added to both, so that little stays little."""
    return np.asarray((recent / float(recent_weeks) + 1.0) / (baseline / 12.0 + 1.0))


@cache
def decay_weights(half_life: int) -> Integers:
    """Weight of each day as an integer in units of 2^-32: the same on every machine; 0 beyond the reach."""
    with localcontext() as context:
        context.prec = 50
        weights = [Decimal(2) ** (32 - Decimal(day) / half_life) for day in range(REACH_DAYS)]
        return np.array([*(int(weight.to_integral_value()) for weight in weights), 0], dtype=np.int64)


class _Side:
    """The places of one side in the cube: channels in catalogue order, the rest, the silent rows, and all."""

    def __init__(self, channels: Sequence[str], *, first: int) -> None:
        self.channels, self.first = tuple(channels), first
        self._levels = pa.array(self.channels, pa.string())
        self.rest = first + len(self.channels)
        self.silent, self.all = self.rest + 1, self.rest + 2

    def place(self, subject: str) -> int:
        if subject in (ALL, REST):
            return self.all if subject == ALL else self.rest
        return self.first + self.channels.index(subject)

    def places(self, channels: pa.ChunkedArray) -> Integers:
        """The place of each row by its channel."""
        codes = pc.index_in(channels, value_set=self._levels)
        return np.asarray(pc.fill_null(codes, len(self.channels)).to_numpy()).astype(np.int64) + self.first


@dataclass(frozen=True)
class Wanted:
    """Features of one aggregation, and where those of activities lie: place, window and its days."""

    features: Sequence[Feature]
    aggregation: str
    half_life: int
    places: Integers
    windows: Integers
    days: list[int]


class ActivityLayout:
    """Where a catalogue's channels lie in the cube: made once, used for every cube."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.engagement = _Side(catalogue.engagement_channels, first=0)
        self.outreach = _Side(catalogue.outreach_channels, first=self.engagement.all + 1)
        self.depth = self.outreach.all + 1
        self.weights = np.array(catalogue.rules.level_weights, dtype=np.int64)

    def wanted(self, features: Sequence[Feature]) -> Wanted:
        """Features of one aggregation and member, located."""
        active = [feature for feature in features if feature.table == "activities"]
        days = [feature.window_days or REACH_DAYS for feature in active]
        return Wanted(
            features,
            features[0].aggregation,
            int(active[0].member or 0) if active else 0,
            np.array([self._side(feature).place(feature.subject) for feature in active], dtype=np.int64),
            np.array([_window(feature.window_days) for feature in active], dtype=np.int64),
            days,
        )

    def _side(self, feature: Feature) -> _Side:
        return self.outreach if feature.group == "outreach" else self.engagement


class ActivityCube:
    """Columns of the activity features of `count` keys.

    days, contacts: what `queries.activity_days` and `queries.contact_days` returned.
    """

    def __init__(
        self, layout: ActivityLayout, *, count: int, days: pa.Table, contacts: pa.Table | None = None
    ) -> None:
        self._keys, self._days, self._contacts = count, days, contacts
        self._depth, self._weights = layout.depth, layout.weights
        self._engagement, self._outreach = layout.engagement, layout.outreach

    def columns(self, wanted: Wanted) -> Floats:
        """float64 (count, len(wanted.places)): the features of one aggregation."""
        method: Callable[[Wanted], Floats] = getattr(self, f"_of_{wanted.aggregation}")
        return method(wanted)

    @cached_property
    def _positions(self) -> Integers:
        """Where each row of `days` belongs in a flat (count, places)."""
        channels, outbound = self._days.column("channel"), self._days.column("outbound").to_numpy()
        loud = np.where(outbound, self._outreach.places(channels), self._engagement.places(channels))
        silent = np.where(outbound, self._outreach.silent, self._engagement.silent)
        place = np.where(self._days.column("loud").to_numpy(), loud, silent)
        return np.asarray(integers(self._days, "key") * self._depth + place)

    @cached_property
    def _day(self) -> Integers:
        return integers(self._days, "day")

    def _total(self, values: Integers, *, combine: np.ufunc = np.add, start: int = 0) -> Integers:
        """int64 (count, places): `values` of all rows."""
        return self._combined(self._positions, values, combine=combine, start=start, depth=1)[:, :, 0]

    def _windows(self, values: Integers, *, combine: np.ufunc = np.add) -> Integers:
        """int64 (count, places, _WINDOWS): `values` of the rows within each window."""
        cube = self._combined(self._spots, values, combine=combine, start=0, depth=_WINDOWS)
        return _cumulated(cube, combine)

    @cached_property
    def _spots(self) -> Integers:
        """Where each row of `days` belongs in a flat (count, places, _WINDOWS)."""
        return self._positions * _WINDOWS + np.searchsorted(_EDGES, self._day, side="right")

    def _combined(
        self, flat: Integers, values: Integers, *, combine: np.ufunc, start: int, depth: int
    ) -> Integers:
        """int64 (count, places, depth): `values` combined where they meet; the place `all` sums its side."""
        cube = np.full(self._keys * self._depth * depth, start, dtype=np.int64)
        combine.at(cube, flat, values)
        shaped = cube.reshape(self._keys, self._depth, depth)
        for side in (self._engagement, self._outreach):
            combine.reduce(shaped[:, side.first : side.silent], axis=1, out=shaped[:, side.all])
        return shaped

    def _read(self, cube: Integers, wanted: Wanted) -> Integers:
        """int64 (count, len(wanted.places)): the place and window of each feature."""
        return np.asarray(cube[:, wanted.places, wanted.windows])

    @cached_property
    def _quantities(self) -> Integers:
        return self._windows(integers(self._days, "quantity"))

    def _of_count(self, wanted: Wanted) -> Floats:
        return self._read(self._quantities, wanted).astype(np.float64)

    @cached_property
    def _seconds(self) -> Integers:
        return self._windows(integers(self._days, "seconds"))

    def _of_minutes(self, wanted: Wanted) -> Floats:
        return np.asarray(self._read(self._seconds, wanted) / 60.0)

    def _of_weighted_minutes(self, wanted: Wanted) -> Floats:
        """Seconds times the weight of the person's level, in hundredths; those of nobody known as unknown."""
        people = self._people.filter(pc.is_null(self._people.column("channel")))
        keys, unknown = integers(people, "key"), self._weights[0]
        more = self._weights[integers(people, "level")] - unknown
        result = np.empty((self._keys, len(wanted.days)))
        for position, days in enumerate(wanted.days):
            weighted = unknown * self._seconds[:, self._engagement.all, EDGES.index(days)]
            np.add.at(weighted, keys, more * integers(people, f"seconds_{days}"))
            result[:, position] = weighted / 6000.0
        return result

    def _of_largest(self, wanted: Wanted) -> Floats:
        largest = self._windows(integers(self._days, "largest"), combine=np.maximum)
        return self._read(largest, wanted).astype(np.float64)

    def _of_records(self, wanted: Wanted) -> Floats:
        """Rows of engagement, the silent ones included."""
        records = self._windows(integers(self._days, "records"))
        records[:, self._engagement.all] += records[:, self._engagement.silent]
        return self._read(records, wanted).astype(np.float64)

    def _of_people(self, wanted: Wanted) -> Floats:
        """Distinct contacts, or the most people that one row stands for, whichever is more."""
        most = self._windows(integers(self._days, "people"), combine=np.maximum)
        return np.maximum(self._read(self._contact_windows, wanted), self._read(most, wanted)).astype(
            np.float64
        )

    def _of_senior_people(self, wanted: Wanted) -> Floats:
        return self._read(self._senior_windows, wanted).astype(np.float64)

    @cached_property
    def _contact_windows(self) -> Integers:
        return self._people_windows(np.ones(len(self._people), dtype=np.int64))

    @cached_property
    def _senior_windows(self) -> Integers:
        return self._people_windows(_SENIOR_LEVELS[integers(self._people, "level")])

    @cached_property
    def _people(self) -> pa.Table:
        if self._contacts is None:
            raise ValueError("the step contact_days is missing")
        return self._contacts

    def _people_windows(self, counts: Integers) -> Integers:
        """int64 (count, places, _WINDOWS): people by the day of their latest activity at each place."""
        cube = np.zeros(self._keys * self._depth * _WINDOWS, dtype=np.int64)
        if not len(self._people):
            return cube.reshape(self._keys, self._depth, _WINDOWS)
        channels = self._people.column("channel")
        overall = np.asarray(channels.is_null().to_numpy())
        place = np.where(overall, self._engagement.all, self._engagement.places(channels))
        bucket = np.searchsorted(_EDGES, integers(self._people, "day"), side="right")
        flat = (integers(self._people, "key") * self._depth + place) * _WINDOWS + bucket
        np.add.at(cube, flat, counts)
        return _cumulated(cube.reshape(self._keys, self._depth, _WINDOWS), np.add)

    @cached_property
    def _youngest(self) -> Integers:
        return self._total(integers(self._days, "youngest"), combine=np.minimum, start=_FOREVER)

    def _of_days_since(self, wanted: Wanted) -> Floats:
        return _days(self._youngest[:, wanted.places], missing=_FOREVER)

    def _of_days_since_record(self, wanted: Wanted) -> Floats:
        """The silent rows of engagement included."""
        silent = self._youngest[:, [self._engagement.silent]]
        return _days(np.minimum(self._youngest[:, wanted.places], silent), missing=_FOREVER)

    @cached_property
    def _oldest(self) -> Integers:
        return self._total(integers(self._days, "oldest"), combine=np.maximum, start=-1)

    def _of_days_since_first(self, wanted: Wanted) -> Floats:
        return _days(self._oldest[:, wanted.places], missing=-1)

    def _of_days_since_first_record(self, wanted: Wanted) -> Floats:
        """The silent rows of engagement included."""
        silent = self._oldest[:, [self._engagement.silent]]
        return _days(np.maximum(self._oldest[:, wanted.places], silent), missing=-1)

    def _of_days_since_two_way(self, wanted: Wanted) -> Floats:
        ages = integers(self._days, "two_way", missing=_FOREVER)
        two_way = self._total(ages, combine=np.minimum, start=_FOREVER)
        return _days(two_way[:, wanted.places], missing=_FOREVER)

    def _of_decayed(self, wanted: Wanted) -> Floats:
        """Quantities times weight, multiplied in two halves so that no product and no sum overflows."""
        quantity, weight = integers(self._days, "quantity"), decay_weights(wanted.half_life)[self._day]
        low_product = (quantity & _LOW) * weight
        high = self._total((quantity >> _BITS) * weight + (low_product >> _BITS))
        low = self._total(low_product & _LOW)
        sums = ((high + (low >> _BITS)) + (low & _LOW) / float(1 << _BITS)) / float(1 << _BITS)
        return np.asarray(sums[:, wanted.places])

    def _of_trend(self, wanted: Wanted) -> Floats:
        recent = self._quantities[:, wanted.places, EDGES.index(28)]
        both = self._quantities[:, wanted.places, EDGES.index(112)]
        return weekly_ratio(recent, both - recent, recent_weeks=4)

    def _of_active_weeks(self, wanted: Wanted) -> Floats:
        return self._active(wanted, days_each=7)

    def _of_active_days(self, wanted: Wanted) -> Floats:
        return self._active(wanted, days_each=1)

    def _active(self, wanted: Wanted, *, days_each: int) -> Floats:
        """How many spans of `days_each` days within the window hold activity: one bit per span, counted."""
        span = self._day // days_each
        bits = self._total(np.where(span < 63, 1 << np.minimum(span, 62), 0), combine=np.bitwise_or)
        masks = [(1 << (days // days_each)) - 1 for days in wanted.days]
        return np.asarray(np.bitwise_count(bits[:, wanted.places] & np.array(masks)), np.float64)


def _window(days: int | None) -> int:
    """The place of a window: lifetime for a feature without one."""
    return EDGES.index(days) if days in EDGES else _LIFETIME


def _cumulated(cube: Integers, combine: np.ufunc) -> Integers:
    return np.asarray(combine.accumulate(cube, axis=2, out=cube))


def _days(ages: Integers, *, missing: int) -> Floats:
    """Seconds as days, NaN where they hold the mark of the missing."""
    return np.asarray(np.where(ages == missing, np.nan, ages / float(DAY)))
