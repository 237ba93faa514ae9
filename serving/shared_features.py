"""One row of features for many models: what several of them read is computed once.

Turns the catalogues of a release's models into as few catalogues as can be asked for in one go, and where in
their rows each model finds its own features. Models of different populations have the same features save for
the categories that each has learned; these stand beside each other under names that only these rows have.
Time rule: none. Null rule: none; a feature is computed as its own catalogue says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.feature import Feature
from models.card import ModelKey

__all__ = ["SharedFeatures", "shared_features"]


@dataclass(frozen=True)
class SharedFeatures:
    """positions: by model, where its features stand in a row of the catalogue, in the order of its own."""

    catalogue: Catalogue
    positions: Mapping[ModelKey, NDArray[np.intp]]


def shared_features(catalogues: Mapping[ModelKey, Catalogue]) -> list[SharedFeatures]:
    """As few as there are ways to count (channels of their own, rules, and what is usual for a size), and
    further account columns: one that a model does not know may have a name that its formulas read."""
    groups: dict[tuple[str, frozenset[tuple[str, str]]], dict[ModelKey, Catalogue]] = {}
    for key, catalogue in catalogues.items():
        counting = replace(catalogue, features=(), attributes=()).fingerprint
        columns = frozenset((one.name, one.type) for one in catalogue.attributes)
        groups.setdefault((counting, columns), {})[key] = catalogue
    return [_shared(group) for group in groups.values()]


def _shared(catalogues: Mapping[ModelKey, Catalogue]) -> SharedFeatures:
    widest_first = sorted(catalogues.values(), key=lambda one: -len(one.features))
    places: dict[Feature, int] = {}
    for catalogue in widest_first:
        for feature in catalogue.features:
            places.setdefault(feature, len(places))
    return SharedFeatures(
        replace(widest_first[0], features=_with_own_names(list(places))),
        {key: np.array([places[one] for one in told.features]) for key, told in catalogues.items()},
    )


def _with_own_names(features: Sequence[Feature]) -> tuple[Feature, ...]:
    """The same features; one whose name another has already is called after its place."""
    taken: set[str] = set()
    found = []
    for place, feature in enumerate(features):
        name = f"{feature.name}__{place}" if feature.name in taken else feature.name
        taken.add(name)
        found.append(replace(feature, name=name))
    return tuple(found)
