"""How activities and third-party research count: what a mapping declares, and what was learned of sizes.

Turns settings into rules that are data: a catalogue keeps them, and they reach the SQL as small relations, so
that a batch, one account and a record in a request count alike. Time rule: none of their own. Null rule: a
channel without default seconds adds none; a person of unknown level has the weight of `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from features.contract import SENIORITIES
from features.kinds import KINDS

__all__ = [
    "LEAST_USUAL",
    "NO_RULES",
    "NO_SIZE",
    "PRESET_RULES",
    "UNKNOWN",
    "CountingRules",
    "SizeLevel",
    "rule_relations",
]

UNKNOWN = "unknown"
"""The level of a person of whom no level is known, and of nobody known."""

_LEVELS = {"c_level": 200, "vice_president": 200, "director": 150, "manager": 100, "staff": 100}
NO_SIZE = -1
"""Stands for the employees of a company whose size is not known."""

LEAST_USUAL = 1000
"""What companies of any size research in a usual week at least, in thousandths of points."""


@dataclass(frozen=True)
class SizeLevel:
    """How much companies of a size research in a usual week, in thousandths of points.

    lower, upper: employees, both included; both are `NO_SIZE` where the size is not known.
    account: over all topics of an account. topic: per topic.
    """

    lower: int
    upper: int
    account: int
    topic: int


@dataclass(frozen=True)
class CountingRules:
    """What counts, and how much.

    default_seconds: by channel, what an activity takes where its row does not say, in order of the names.
    weights: by seniority and `UNKNOWN`, what a minute of such a person counts, in hundredths.
    anonymous: whether inbound rows behind which nobody is known count for the account.
    minimum_share: hundredths of an account's topics that must surge before the account counts as surging.
    labels: by channel, its English and its Chinese noun, where the mapping gives them.
    """

    default_seconds: tuple[tuple[str, int], ...] = ()
    weights: tuple[tuple[str, int], ...] = ()
    anonymous: bool = True
    minimum_share: int = 0
    labels: tuple[tuple[str, str, str], ...] = ()

    @property
    def level_weights(self) -> tuple[int, ...]:
        """Weights in hundredths, that of `UNKNOWN` first, then in the order of `SENIORITIES`."""
        weights = dict(self.weights)
        return tuple(weights.get(level, 100) for level in (UNKNOWN, *SENIORITIES))

    @property
    def weighted(self) -> bool:
        """Whether it matters who spent the minutes."""
        return len({weight for _, weight in self.weights}) > 1

    def to_dict(self) -> dict[str, Any]:
        """For JSON: `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> CountingRules:
        """What `to_dict` wrote, lists for tuples. TypeError for another shape."""
        pairs = {
            name: tuple(tuple(entry) for entry in stored[name])
            for name in ("default_seconds", "weights", "labels")
            if name in stored
        }
        return cls(**(dict(stored) | pairs))


NO_RULES = CountingRules()
"""Every row counts as it is."""

PRESET_RULES = CountingRules(
    tuple(sorted((kind.name, kind.seconds) for kind in KINDS.values() if kind.seconds)),
    (*_LEVELS.items(), (UNKNOWN, 100)),
    minimum_share=30,
)
"""The rules of a mapping that declares none."""


def rule_relations(
    rules: CountingRules, *, own: Collection[str], sizes: Sequence[SizeLevel]
) -> dict[str, pa.Table]:
    """The relations that the SQL reads the rules from, by name.

    own: the engagement channels that have features of their own; the others share one place.
    """
    seconds = dict(rules.default_seconds)
    names = sorted({*seconds, *own})
    return {
        "channel_rules": pa.table(
            {
                "channel": pa.array(names, pa.string()),
                "own": pa.array([name in own for name in names], pa.bool_()),
                "seconds": pa.array([seconds.get(name) for name in names], pa.int64()),
            }
        ),
        "level_weights": pa.table(
            {
                "level": pa.array(range(len(rules.level_weights)), pa.int64()),
                "weight": pa.array(rules.level_weights, pa.int64()),
            }
        ),
        "size_levels": pa.Table.from_pylist([asdict(level) for level in sizes], schema=_SIZE_LEVELS),
    }


_SIZE_LEVELS = pa.schema([(name, pa.int64()) for name in ("lower", "upper", "account", "topic")])
