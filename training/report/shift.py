"""Drift at the time of training: whether the accounts to be scored look like those that were learned from.

Turns the rows that a model learned from and the reference of its inputs, the accounts known at the cutoff,
into the population stability index of each feature. Time rule: everything is as known at the cutoff. Null
rule: a missing value is a bin of its own; a model without a reference has no index.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.feature import Feature
from models.inputs import InputReference
from training.drift.stability import Stability, stability
from training.fit import Training

__all__ = ["Shift", "shifts"]

_CHANCE = 0.01
_SAMPLE = 20_000


@dataclass(frozen=True)
class Shift:
    """One feature and how far the accounts to be scored are from those learned from."""

    feature: Feature
    found: Stability


def shifts(training: Training, *, least: float) -> list[Shift]:
    """Features whose index is at least `least` and beyond chance, the largest first."""
    stored = training.bundle.card.get("inputs", {})
    catalogue = training.rows.catalogue
    X = training.rows.X[:: max(1, len(training.rows.X) // _SAMPLE)]
    chance, found = _CHANCE / max(1, len(stored)), []
    for name, one in stored.items():
        reference = InputReference.from_json(one)
        learned = reference.count(X[:, catalogue.index(name)]).astype(np.float64)
        scored = np.array(reference.counts, dtype=np.float64)
        ordered = 0 if reference.edges is None else len(reference.edges) + 1
        index = stability(learned, scored, chance=chance, ordered=ordered)
        if index.drifted(least=least):
            found.append(Shift(catalogue.feature(name), index))
    return sorted(found, key=lambda shift: (-shift.found.psi, shift.feature.name))
