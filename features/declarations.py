"""The features that exist, declared once.

Turns what was learned of the tables (common channels, levels, set members) into `Feature`s in the order of
the matrix. Time rule: windows count back from `as_of` in seconds, the far end included. Null rule: counts
without activity are 0; recency before the first activity, and facts never told, are missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from features.counting import NO_RULES, CountingRules, SizeLevel
from features.declare_accounts import declare_accounts
from features.declare_activities import Channel, declare_activities
from features.declare_history import declare_relationship, declare_topics
from features.feature import Feature
from features.tables import Attribute

__all__ = ["Learned", "declare"]


@dataclass(frozen=True)
class Learned:
    """What the tables held before the cutoff.

    channels: in catalogue order, REST included where there are rare ones.
    levels: by category or set column, the common values.
    filled: account columns with any value.
    rules, size_levels: how activities and research count.
    not_comparable: why, by account column that cannot be compared between the origins of accounts.
    """

    channels: tuple[Channel, ...]
    levels: dict[str, tuple[str, ...]]
    filled: frozenset[str]
    employees_change: bool
    attributes: tuple[Attribute, ...]
    topics: bool
    opportunities: bool
    meetings: bool
    rules: CountingRules = NO_RULES
    size_levels: tuple[SizeLevel, ...] = ()
    not_comparable: Mapping[str, str] = field(default_factory=dict)


def declare(learned: Learned) -> tuple[Feature, ...]:
    """Every feature, names unique, in the order of the matrix."""
    accounts = declare_accounts(
        learned.attributes,
        filled=learned.filled,
        levels=learned.levels,
        growth=learned.employees_change,
    )
    return _unique(
        [
            *accounts,
            *declare_activities(learned.channels),
            *(declare_topics(minimum_share=learned.rules.minimum_share) if learned.topics else ()),
            *declare_relationship(opportunities=learned.opportunities, meetings=learned.meetings),
        ]
    )


def _unique(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """The features with names that meet numbered: `a_senior` counts `people`, `a` counts `senior_people`."""
    taken: set[str] = set()
    result = []
    for feature in features:
        name, number = feature.name, 1
        while name in taken:
            number += 1
            name = f"{feature.name}_{number}"
        taken.add(name)
        result.append(replace(feature, name=name))
    return tuple(result)
