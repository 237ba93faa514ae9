"""What a model was not told of an account, and what lies beyond all that it learned from.

Turns a row of features into the account's columns that are known, those that are missing, and numbers outside
the range of the training. Only what the model reads counts: a column without a split and without a line is
left out. Time rule: ranges are those of the rows that the trees were trained on. Null rule: a column whose
features are all NaN is missing; behaviour is never missing, none of it is a fact as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.declare_accounts import STANDARD
from features.feature import FORMULA, Feature, Language
from features.wording import english_label
from models.bundle import Bundle

__all__ = ["Beyond", "Input", "InputsTold", "KnownInputs"]

_SPLITS = re.compile(r"^split_feature=(.*)$", flags=re.MULTILINE)
_RANGES = re.compile(r"^feature_infos=(.*)$", flags=re.MULTILINE)
_KNOWN, _MISSING, _UNSEEN = range(3)
_MOST_PATTERNS = 1_000
"""Combinations of known and missing columns whose words are kept, a kilobyte each."""
_DERIVED = "growth"
"""An aggregation that may be missing although its column is known."""


@dataclass(frozen=True)
class Input:
    """A column of accounts that a model reads. name: as tables and requests call it."""

    name: str
    label_en: str
    label_zh: str

    def __hash__(self) -> int:
        # Of one string: what was told of a row is looked up by a dozen of these.
        return hash(self.name)

    def label(self, language: Language) -> str:
        """The name as people read it."""
        return self.label_zh if language == "zh" else self.label_en


@dataclass(frozen=True)
class Beyond:
    """A number outside what a model learned from. limit: the end of that range which it is beyond."""

    declared: Feature
    cell: float
    limit: float

    @property
    def above(self) -> bool:
        """Above the range, and not below it."""
        return self.cell > self.limit


@dataclass(frozen=True)
class InputsTold:
    """Of one row: known and missing columns of the account, numbers beyond, and categories never met.

    behaviour: whether the model reads anything beside the account's columns.
    """

    known: tuple[Input, ...]
    missing: tuple[Input, ...]
    beyond: tuple[Beyond, ...]
    unseen: tuple[Input, ...]
    behaviour: bool


class KnownInputs:
    """What a bundle's model reads. Worked out once; safe to share between threads."""

    def __init__(self, bundle: Bundle) -> None:
        self._catalogue = bundle.catalogue
        read = _read(bundle)
        self._low, self._high = _ranges(bundle)
        self._low[~read], self._high[~read] = -np.inf, np.inf
        columns_of = _account_columns(bundle.catalogue, read=read)
        self._read = [column for columns in columns_of.values() for column in columns]
        self._places = {
            name: [self._read.index(column) for column in columns] for name, columns in columns_of.items()
        }
        self._inputs = {name: _input(bundle.catalogue, name) for name in columns_of}
        self._levels = np.array(
            [len(one.levels) if one.kind == "category" else math.inf for one in bundle.catalogue.features]
        )
        features = bundle.catalogue.features
        self._seen: dict[bytes, InputsTold] = {}
        self._behaviour = any(read[place] for place, one in enumerate(features) if one.table != "accounts")

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The columns of accounts that the model reads, in the catalogue's order."""
        return tuple(self._inputs.values())

    def told(self, X: NDArray[np.float64]) -> Iterator[InputsTold]:
        """What was told of each row and what was not. X: float64 (n, k) in the catalogue's order."""
        read = X[:, self._read]
        states = np.where(
            np.isnan(read), _MISSING, np.where(read >= self._levels[self._read], _UNSEEN, _KNOWN)
        )
        outside = (self._low > X) | (self._high < X)
        for row, state, beyond in zip(X, states, outside, strict=True):
            told = self._told_by(state)
            columns = np.flatnonzero(beyond).tolist()
            yield replace(told, beyond=tuple(self._beyond(row, one) for one in columns)) if columns else told

    def _told_by(self, state: NDArray[np.int_]) -> InputsTold:
        """What the states of the columns that are read say, without numbers beyond: most rows are alike."""
        pattern = state.tobytes()
        told = self._seen.get(pattern)
        if told is None:
            if len(self._seen) >= _MOST_PATTERNS:
                self._seen.clear()
            self._seen[pattern] = told = self._worked_out(state.tolist())
        return told

    def _worked_out(self, states: list[int]) -> InputsTold:
        own = {name: [states[place] for place in places] for name, places in self._places.items()}
        missing = {name for name, found in own.items() if all(one == _MISSING for one in found)}
        never_met = {name for name, found in own.items() if _UNSEEN in found}
        return InputsTold(
            known=self._named(own.keys() - missing - never_met),
            missing=self._named(missing),
            beyond=(),
            unseen=self._named(never_met),
            behaviour=self._behaviour,
        )

    def _named(self, names: Set[str]) -> tuple[Input, ...]:
        return tuple(one for name, one in self._inputs.items() if name in names) if names else ()

    def _beyond(self, row: NDArray[np.float64], column: int) -> Beyond:
        above = row[column] > self._high[column]
        limit = float((self._high if above else self._low)[column])
        return Beyond(self._catalogue.features[column], float(row[column]), limit)


def _read(bundle: Bundle) -> NDArray[np.bool_]:
    """bool (k,): whether a tree splits on the column, or a line of the linear part is not flat."""
    read = np.zeros(len(bundle.catalogue.names), dtype=bool)
    for found in _SPLITS.findall(bundle.booster_text):
        read[[int(column) for column in found.split()]] = True
    for column, line in enumerate(bundle.linear.lines if bundle.linear else ()):
        read[column] |= any((line.weight, line.slope, line.missing, *line.levels))
    return read


def _ranges(bundle: Bundle) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the largest value of each number at training, float64 (k,) each; infinite where unknown.

    LightGBM writes a number as [least:largest], a category as codes and a constant column as none.
    """
    count = len(bundle.catalogue.names)
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    told = _RANGES.search(bundle.booster_text)
    for column, (feature, text) in enumerate(
        zip(bundle.catalogue.features, told[1].split() if told else (), strict=False)
    ):
        if feature.kind == "number" and text.startswith("["):
            low[column], high[column] = map(float, text.strip("[]").split(":"))
    return low, high


def _account_columns(catalogue: Catalogue, *, read: NDArray[np.bool_]) -> dict[str, list[int]]:
    """The columns of the matrix that tell whether each column of accounts is known."""
    found: dict[str, list[int]] = {}
    for column, feature in enumerate(catalogue.features):
        if feature.table == "accounts" and feature.aggregation != _DERIVED and read[column]:
            name = feature.name if feature.aggregation == FORMULA else feature.subject or feature.name
            found.setdefault(name, []).append(column)
    return found


def _input(catalogue: Catalogue, name: str) -> Input:
    for attribute in (*STANDARD, *catalogue.attributes):
        if attribute.name == name:
            return Input(name, attribute.label, attribute.label_zh or attribute.label)
    return Input(name, english_label(name), english_label(name))
