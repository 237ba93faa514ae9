"""The linear title model as data: weights of hashed letter groups, no text of any title.

Turns encoded titles into labels. A file holds the labels, the columns in use, their weights (float16: they
were rounded before anything was measured) and the intercepts, as NumPy arrays without pickle. Time rule:
none. Null rule: a title without a known letter group, and one that the model puts into its class of titles
that say nothing, has no label.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from features.errors import ContractError
from features.titles.encoding import COLUMNS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["ABSTAIN", "TitleModel", "shipped"]

ABSTAIN = ""
"""The class of titles that say nothing about what is asked."""


@dataclass(frozen=True)
class TitleModel:
    """One decision per label and title: sum of the weights of its letter groups, plus the intercept.

    labels: (c,) text, sorted. columns: (k,) int32, rising. weights: (k, c) float16. intercepts: (c,) float64.
    """

    labels: NDArray[np.str_]
    columns: NDArray[np.int32]
    weights: NDArray[np.float16]
    intercepts: NDArray[np.float64]

    def decisions(self, groups: csr_matrix) -> NDArray[np.float64]:
        """(titles, labels); the label with the largest one wins. groups: from `presence`."""
        return self._decide(self._held(groups))

    def label(self, groups: csr_matrix) -> NDArray[np.str_]:
        """One label per title, (titles,); ABSTAIN where the title says nothing. groups: from `presence`."""
        held = self._held(groups)
        known = np.diff(held.indptr) > 0
        return np.where(known, self.labels[self._decide(held).argmax(axis=1)], ABSTAIN)

    def _decide(self, held: csr_matrix) -> NDArray[np.float64]:
        decided: NDArray[np.float64] = held @ self._exact_weights + self.intercepts
        return decided

    def _held(self, groups: csr_matrix) -> csr_matrix:
        """Which of the model's columns each title holds."""
        from scipy.sparse import csr_matrix

        places = self._places[groups.indices]
        known = places >= 0
        ends = np.concatenate([[0], np.cumsum(known)])[groups.indptr]
        return csr_matrix(
            (np.ones(ends[-1]), places[known], ends), shape=(groups.shape[0], len(self.columns))
        )

    @cached_property
    def _exact_weights(self) -> NDArray[np.float64]:
        return self.weights.astype(np.float64)

    @cached_property
    def _places(self) -> NDArray[np.int32]:
        """The model's column by the encoder's, -1 where it has none."""
        places = np.full(COLUMNS, -1, dtype=np.int32)
        places[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        return places

    def save(self, file: Path) -> None:
        """Write the arrays, compressed."""
        np.savez_compressed(
            file,
            allow_pickle=False,
            labels=self.labels,
            columns=self.columns,
            weights=self.weights,
            intercepts=self.intercepts,
        )

    @classmethod
    def load(cls, file: Path) -> TitleModel:
        """Read what `save` wrote. ContractError when the file is absent, damaged or something else."""
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
                model = cls(*(arrays[name] for name in ("labels", "columns", "weights", "intercepts")))
        except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
            raise ContractError(
                f"no title model in {file}", got=error, fix="install again, or train it again"
            ) from error
        if model.weights.shape != (len(model.columns), len(model.labels)):
            raise ContractError(f"{file} holds arrays that do not fit together", got=model.weights.shape)
        return model


@cache
def shipped(task: str) -> TitleModel:
    """The model that comes with the package: "seniority" or "department"."""
    with as_file(files("features.titles") / "data" / f"{task}.npz") as file:
        return TitleModel.load(file)
