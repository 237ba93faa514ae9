"""The catalogue: every feature of a model by position, and what the SQL must know to compute them.

Turns the tables as they stood at a cutoff into declarations: which channels are common, which levels and
set members occur often. Time rule: only rows with `known_at < cutoff` are read. Null rule: a column that was
empty before the cutoff declares no feature.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from features.counting import NO_RULES, CountingRules, SizeLevel
from features.declarations import declare
from features.declared import DeclaredFeature, declared_features
from features.errors import InputError, suggestion
from features.feature import REST, Feature, Group, Language, Value
from features.formulas import columns_read, names_read
from features.learning import learn
from features.tables import Attribute, Tables

__all__ = ["FIT_GROUPS", "GROUPS", "Catalogue", "Feature", "learn_catalogue"]

GROUPS: tuple[Group, ...] = (
    "firmographic",
    "technographic",
    "engagement",
    "outreach",
    "topics",
    "relationship",
)
FIT_GROUPS: tuple[Group, ...] = ("firmographic", "technographic")
"""All that a fit model may see."""


@dataclass(frozen=True)
class Catalogue:
    """Features in the order of the matrix' columns.

    engagement_channels, outreach_channels: channels with features of their own; the rest share one place.
    attributes: the further account columns that the tables must offer.
    rules, size_levels: how activities and research count, as data that the SQL reads.

    >>> catalogue = Catalogue.from_json('{"version": 1, "features": [], "engagement_channels": [], '
    ...     '"outreach_channels": [], "attributes": []}')
    >>> catalogue.names
    ()
    """

    features: tuple[Feature, ...]
    engagement_channels: tuple[str, ...] = ()
    outreach_channels: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    rules: CountingRules = NO_RULES
    size_levels: tuple[SizeLevel, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names, unique, in the order of the matrix."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}

    @property
    def not_comparable(self) -> dict[str, str]:
        """Why, by the name of each feature that cannot be compared between accounts of different origins."""
        return {feature.name: feature.not_comparable for feature in self.features if feature.not_comparable}

    def index(self, name: str) -> int:
        """The column of the feature `name`. InputError when the catalogue lacks it."""
        if name not in self._positions:
            raise InputError("unknown feature", got=repr(name), fix=suggestion(name, self.names))
        return self._positions[name]

    def feature(self, name: str) -> Feature:
        """The declaration of the feature `name`. InputError when the catalogue lacks it."""
        return self.features[self.index(name)]

    def readable(self, name: str, value: float) -> Value:
        """A cell of the matrix as people read it: level, yes or no, number; None when missing."""
        return self.feature(name).readable(value)

    def sentence(self, name: str, value: float, *, language: Language = "en") -> str:
        """The explanation of a cell of the matrix in one sentence."""
        return self.feature(name).sentence(value, language=language)

    def select(self, *, groups: Collection[str]) -> Catalogue:
        """The same catalogue with the features of some groups only, in the same order."""
        for group in groups:
            if group not in GROUPS:
                raise InputError(
                    "unknown feature group",
                    got=repr(group),
                    allowed=", ".join(GROUPS),
                    fix=suggestion(group, GROUPS),
                )
        return replace(self, features=tuple(f for f in self.features if f.group in groups))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the JSON form: equal exactly when the matrix means the same."""
        return sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """One line of JSON, the same bytes for the same catalogue. Defaults are left out."""
        return json.dumps(
            {
                "version": 1,
                "features": [_stored(feature) for feature in self.features],
                "engagement_channels": self.engagement_channels,
                "outreach_channels": self.outreach_channels,
                "attributes": [_stored(attribute) for attribute in self.attributes],
                "rules": self.rules.to_dict(),
                "size_levels": [asdict(level) for level in self.size_levels],
            },
            ensure_ascii=False,
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> Catalogue:
        """The catalogue that `to_json` wrote. InputError when it is anything else."""
        try:
            stored = json.loads(text)
            if stored["version"] != 1:
                raise ValueError(f"version {stored['version']!r}")
            return cls(
                tuple(_feature(entry) for entry in stored["features"]),
                tuple(stored["engagement_channels"]),
                tuple(stored["outreach_channels"]),
                tuple(Attribute(**entry) for entry in stored["attributes"]),
                CountingRules.from_dict(stored.get("rules", {})),
                tuple(SizeLevel(**entry) for entry in stored.get("size_levels", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                "the text is no feature catalogue", got=error, fix="train the model again"
            ) from error


def learn_catalogue(
    tables: Tables,
    *,
    cutoff: datetime,
    declared: Sequence[DeclaredFeature] = (),
) -> Catalogue:
    """The features that the tables, as they stood before `cutoff` (naive, UTC), have something to say to.

    A feature carries the marks of what its formula reads: of columns of which only today's value is known,
    and, where accounts come from several origins, of those that cannot be compared between them.
    declared: further features, the [[features]] of a config, last in the order. Raises ConfigError for one
    whose formula cannot be computed or whose name is taken.
    """
    learned = learn(tables, cutoff=cutoff)
    common = [channel for channel in learned.channels if channel.name != REST]
    built = declare(learned)
    own = declared_features(
        declared,
        attributes=tables.attributes,
        taken=[feature.name for feature in built],
    )
    marked = tables.current_value_only
    timed = (_timed(feature, marked=marked, attributes=tables.attributes) for feature in (*built, *own))
    return Catalogue(
        tuple(_compared(feature, learned.not_comparable) for feature in timed),
        tuple(channel.name for channel in common if not channel.outbound),
        tuple(channel.name for channel in common if channel.outbound),
        tables.attributes,
        learned.rules,
        learned.size_levels,
    )


def _timed(feature: Feature, *, marked: frozenset[str], attributes: Sequence[Attribute]) -> Feature:
    """The feature, with the mark of any column that it is made of."""
    # Parsing formulas takes a while, and where nothing is marked there is nothing to find.
    if not marked:
        return feature
    read = columns_read(feature, attributes=attributes)
    return replace(feature, current_value_only=not marked.isdisjoint(read))


def _compared(feature: Feature, not_comparable: Mapping[str, str]) -> Feature:
    """The feature, with the mark of the first column in its formula that is not comparable."""
    if not not_comparable or feature.table != "accounts":
        return feature
    reasons = (not_comparable.get(name, "") for name in names_read(feature))
    return replace(feature, not_comparable=next(filter(None, reasons), ""))


def _stored(declaration: Feature | Attribute) -> dict[str, Any]:
    return {name: value for name, value in asdict(declaration).items() if value not in (None, "", (), False)}


def _feature(entry: dict[str, Any]) -> Feature:
    return Feature(**(entry | {"levels": tuple(entry.get("levels", ()))}))
