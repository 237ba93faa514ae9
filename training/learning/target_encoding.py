"""Target encoding: categories as the log-odds of their rows, and trees over these put back into levels.

Turns the codes of a category into smoothed log-odds, so that a wide category splits like a number, and then
each split at a threshold into the set of levels on its left: the model stays a booster over the codes, and
its lookup tables need no place of their own. Time rule: none; a row is encoded by rows of other folds only,
or it would see its own label. Null rule: a missing value is a level; a level that was never seen has the
base rate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.booster import merge_boosters

__all__ = ["Encoding", "encoded_out_of_fold", "fit_encoding"]

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

_STRENGTH = 20.0
"""A level counts as if it had this many more rows of the base rate."""

_TREE = re.compile(r"(Tree=\d+\n)(.*?)(?=\n\nTree=|\n\n*end of trees)", flags=re.DOTALL)
_CATEGORICAL = 1
_BITS = 32


@dataclass(frozen=True)
class Encoding:
    """tables: by column, the log-odds of each code, then of a missing value."""

    tables: dict[int, Matrix]

    def encode(self, X: Matrix) -> Matrix:
        """A copy of X in which the columns hold log-odds instead of codes."""
        encoded = X.copy()
        for column, table in self.tables.items():
            encoded[:, column] = table[_positions(X[:, column], table)]
        return encoded

    def compiled(self, text: str) -> str:
        """The text of a booster grown on encoded columns as that of one over the codes, of the same margins.

        A split at a threshold becomes the set of codes at or below it. LightGBM sends a missing category to
        the right; where its log-odds belong to the left, the sides change places.
        """
        over_codes = _TREE.sub(lambda match: match[1] + self._over_codes(match[2]), text)
        # Merging notes the sizes of the trees anew, by which LightGBM finds them.
        return merge_boosters([over_codes])

    def _over_codes(self, tree: str) -> str:
        fields = dict(line.split("=", 1) for line in tree.splitlines() if line)
        if "split_feature" not in fields:
            return tree
        splits = _Splits.of(fields)
        for node, column in enumerate(splits.features):
            if column in self.tables:
                splits.divide(node, table=self.tables[column])
        splits.write(fields)
        return "\n".join(f"{name}={value}" for name, value in fields.items())


def fit_encoding(X: Matrix, *, label: Labels, levels: dict[int, int]) -> Encoding:
    """Smoothed log-odds of every code. levels: by column, how many codes there are, any other included."""
    return Encoding({column: _table(X[:, column], label, codes=codes) for column, codes in levels.items()})


def encoded_out_of_fold(
    X: Matrix, *, label: Labels, levels: dict[int, int], fold: NDArray[np.int64]
) -> Matrix:
    """X with each row encoded by the rows of other folds. fold: int (n,), at least two different ones."""
    encoded = X.copy()
    for one in np.unique(fold):
        own, others = fold == one, fold != one
        encoded[own] = fit_encoding(X[others], label=label[others], levels=levels).encode(X[own])
    return encoded


def _table(values: Matrix, label: Labels, *, codes: int) -> Matrix:
    position = np.where(np.isnan(values), codes, values).astype(np.int64)
    base = (label.sum() + 0.5) / (len(label) + 1.0)
    rows = np.bincount(position, minlength=codes + 1)
    events = np.bincount(position, weights=label, minlength=codes + 1)
    rate = (events + _STRENGTH * base) / (rows + _STRENGTH)
    # Nine digits: the last bits of a machine's logarithm do not make another model.
    return np.array([float(f"{odds:.9g}") for odds in np.log(rate / (1.0 - rate))])


def _positions(values: Matrix, table: Matrix) -> NDArray[np.int64]:
    return np.where(np.isnan(values), len(table) - 1, values).astype(np.int64)


@dataclass
class _Splits:
    """The inner nodes of one tree, as LightGBM's text has them."""

    features: list[int]
    thresholds: list[str]
    decisions: list[int]
    left: list[str]
    right: list[str]
    sets: list[list[int]]

    @classmethod
    def of(cls, fields: dict[str, str]) -> _Splits:
        bounds = _whole(fields.get("cat_boundaries", "0"))
        words = _whole(fields.get("cat_threshold", ""))
        return cls(
            features=_whole(fields["split_feature"]),
            thresholds=fields["threshold"].split(),
            decisions=_whole(fields["decision_type"]),
            left=fields["left_child"].split(),
            right=fields["right_child"].split(),
            sets=[words[start:end] for start, end in pairwise(bounds)],
        )

    def divide(self, node: int, *, table: Matrix) -> None:
        below = table <= float(self.thresholds[node])
        if below[-1]:
            self.left[node], self.right[node] = self.right[node], self.left[node]
            below = ~below
        self.thresholds[node], self.decisions[node] = str(len(self.sets)), _CATEGORICAL
        self.sets.append(_bits(np.flatnonzero(below[:-1]).tolist()))

    def write(self, fields: dict[str, str]) -> None:
        columns: dict[str, Sequence[object]] = {
            "threshold": self.thresholds,
            "decision_type": self.decisions,
            "left_child": self.left,
            "right_child": self.right,
            "cat_boundaries": np.cumsum([0, *map(len, self.sets)]).tolist(),
            "cat_threshold": [word for words in self.sets for word in words],
        }
        fields["num_cat"] = str(len(self.sets))
        written = (name for name in columns if self.sets or name in fields)
        fields |= {name: " ".join(map(str, columns[name])) for name in written}


def _whole(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def _bits(codes: Sequence[int]) -> list[int]:
    """A set of codes as words of 32 bits, at least one."""
    words = [0] * (max(codes, default=0) // _BITS + 1)
    for code in codes:
        words[code // _BITS] |= 1 << code % _BITS
    return words
