"""Rows whose chance of being positive is known, with positives hidden at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Planted:
    """X: (n, 3), the last column noise. chance: of being positive. positive, labelled: 0 or 1."""

    X: Floats
    chance: Floats
    positive: Integers
    labelled: Integers

    @property
    def hidden(self) -> int:
        return int(self.positive.sum() - self.labelled.sum())


def planted(*, rows: int, label_rate: float, always: bool = False, seed: int = 0) -> Planted:
    """always: the tenth of the rows with the largest second column is positive for sure."""
    generator = np.random.default_rng(seed)
    X = generator.random((rows, 3))
    chance = 1.0 / (1.0 + np.exp(3.0 - 4.0 * X[:, 0]))
    if always:
        chance = np.where(X[:, 1] > 0.9, 1.0, chance)
    positive = generator.random(rows) < chance
    labelled = positive & (generator.random(rows) < label_rate)
    return Planted(X, chance, positive.astype(np.int64), labelled.astype(np.int64))
