"""From long rows to the matrix.

Turns the rows of each SQL step into float64 columns, one per declared feature, at the declared position.
Time rule: none of its own, the rows hold only what was known. Null rule: a combination without rows is 0 for
counts and NaN for recency and facts. Every sum is an integer until the one division at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.account_facts import AccountFacts
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
        self._groups: dict[str, list[tuple[Integers, Wanted]]] = {}
        for positions in _by_aggregation(catalogue.features):
            features = [catalogue.features[position] for position in positions]
            group = np.array(positions), self._layout.wanted(features)
            self._groups.setdefault(features[0].table, []).append(group)

    def matrix(self, rows: Rows) -> Floats:
        """float64 (rows.count, len(catalogue.features)), columns in catalogue order."""
        matrix = np.empty((rows.count, self._width))
        # Research is measured by the size of its account.
        accounts = cache(lambda: AccountFacts(rows.steps["account_versions"], moments=rows.moments))
        for table, groups in self._groups.items():
            columns = self._columns(table, rows, accounts=accounts)
            for positions, wanted in groups:
                matrix[:, positions] = columns(wanted)
        for step in self._formulas:
            step.fill(matrix, rows.steps[step.name])
        return matrix

    def _columns(
        self, table: str, rows: Rows, *, accounts: Callable[[], AccountFacts]
    ) -> Callable[[Wanted], Floats]:
        """From the features of one aggregation to their columns, float64 (keys, features)."""
        if table == "accounts":
            return accounts().columns
        if table == "intent_topics":
            return _Topics(rows, self._size_levels, accounts=accounts).columns
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


class _Topics:
    """Columns from third-party research, one row per key and topic."""

    def __init__(
        self, rows: Rows, levels: Sequence[SizeLevel], *, accounts: Callable[[], AccountFacts]
    ) -> None:
        table = rows.steps["topic_sums"]
        self._count, self._keys = rows.count, integers(table, "key")
        self._recent, self._baseline = integers(table, "recent"), integers(table, "baseline")
        self._youngest = integers(table, "youngest")
        self._levels, self._accounts = levels, accounts

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
        employees = self._accounts().latest("employees", missing=NO_SIZE)
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
