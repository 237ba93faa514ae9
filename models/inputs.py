"""What each input looked like at training: the reference that drift is measured against.

Turns the reference population's matrix into counts per feature: of equal shares of a number (deciles, fewer
where values are tied), of each level of a category, and of missing values. Time rule: the population as known
at the cutoff. Null rule: a missing value is a value of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from models.booster import Matrix

__all__ = ["InputReference", "input_references"]

_SHARES = 10


@dataclass(frozen=True)
class InputReference:
    """One input.

    edges: rising upper ends of all bins of a number but the last, which is open; None for a category, whose
        bins are its codes. counts: rows per bin, the last one of missing values.
    """

    counts: tuple[int, ...]
    edges: tuple[float, ...] | None

    def count(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """How many of the values (n,) lie in each bin."""
        known = values[~np.isnan(values)]
        bins = known.astype(np.int64) if self.edges is None else np.searchsorted(self.edges, known, "left")
        counted = np.bincount(bins, minlength=len(self.counts) - 1)
        return np.append(counted, len(values) - len(known)).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        return {"counts": list(self.counts), "edges": None if self.edges is None else list(self.edges)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> InputReference:
        edges = data["edges"]
        return cls(tuple(data["counts"]), None if edges is None else tuple(map(float, edges)))


def input_references(population: Matrix, *, catalogue: Catalogue) -> dict[str, InputReference]:
    """The reference of each feature of a matrix (n, k) in catalogue order, by its name."""
    return {
        feature.name: _reference(
            population[:, column], levels=len(feature.levels) if feature.kind == "category" else None
        )
        for column, feature in enumerate(catalogue.features)
    }


def _reference(values: NDArray[np.float64], *, levels: int | None) -> InputReference:
    known = values[~np.isnan(values)]
    edges = None if levels is not None else _edges(known)
    # One code beyond the levels is that of a value that training never saw.
    bins = levels + 1 if levels is not None else len(edges or ()) + 1
    empty = InputReference((0,) * (bins + 1), edges)
    return InputReference(tuple(empty.count(values).tolist()), edges)


def _edges(known: NDArray[np.float64]) -> tuple[float, ...]:
    if len(known) == 0:
        return ()
    shares = np.arange(1, _SHARES) / _SHARES
    return tuple(np.unique(np.quantile(known, shares, method="inverted_cdf")).tolist())
