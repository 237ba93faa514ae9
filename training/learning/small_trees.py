"""Small trees for small tables: rows and folds in, boosters of several kinds out.

Turns rows into boosters that differ in how they look for a split: at the best threshold, at thresholds drawn
at random, over target-encoded categories, and of one feature alone. Their mean errs less than any of them.
Time rule: none. Null rule: NaN is a value of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.settings import LearningSettings
from models.booster import canonical_text
from training.learning.learn import lightgbm_parameters
from training.learning.monotone import directions
from training.learning.target_encoding import Encoding, encoded_out_of_fold, fit_encoding

__all__ = ["KINDS", "STRONGEST", "Table", "TreeKind", "Tried", "grow_all", "nothing_grown", "try_out"]

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

_PATIENCE = 40
_WIDE = 3
"""Categories of at least so many levels are encoded."""


@dataclass(frozen=True)
class TreeKind:
    """A way to grow trees. leaves: at most, where rows are enough. parameters: beside the common ones."""

    name: str
    leaves: int
    encoded: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)


# Drawn for each split, not for each tree: the feature that tells most is then seldom out of reach.
_DRAWN_FOR_SPLITS = {"feature_fraction": 1.0, "feature_fraction_bynode": 0.5}

STRONGEST = (
    TreeKind("trees", leaves=12, parameters=_DRAWN_FOR_SPLITS),
    TreeKind("trees over encoded categories", leaves=12, encoded=True, parameters=_DRAWN_FOR_SPLITS),
)
"""What errs least where features matter together; where the truth is nearly their sum, all kinds do."""

KINDS = (
    *STRONGEST,
    TreeKind(
        "trees with random thresholds", leaves=16, parameters={"extra_trees": True, "learning_rate": 0.1}
    ),
    # A sum of steps of single features: between the straight lines and trees that combine features.
    TreeKind("single splits", leaves=2, encoded=True, parameters={"learning_rate": 0.1}),
)


@dataclass(frozen=True)
class Table:
    """X: float64 (n, k) in catalogue order. label: int (n,). fold: int (n,), the same for equal rows.

    weight: float64 (n,) of mean 1, by how much each row counts for trees and lines; None for all alike.
    """

    X: Matrix
    label: Labels
    fold: NDArray[np.int64]
    catalogue: Catalogue
    settings: LearningSettings
    weight: Matrix | None = None

    def part(self, rows: NDArray[np.bool_]) -> Table:
        """Some of the rows, (n,) True where a row is one of them."""
        return replace(
            self,
            X=self.X[rows],
            label=self.label[rows],
            fold=self.fold[rows],
            weight=None if self.weight is None else self.weight[rows],
        )

    @property
    def wide(self) -> dict[int, int]:
        """By column, the number of codes of each wide category."""
        return {
            position: len(feature.levels) + 1
            for position, feature in enumerate(self.catalogue.features)
            if feature.kind == "category" and len(feature.levels) >= _WIDE
        }


@dataclass(frozen=True)
class Tried:
    """margins: float64 (n,) of every row by boosters that did not see it. rounds: their best length."""

    kind: TreeKind
    margins: Matrix
    rounds: int


def try_out(table: Table, *, kind: TreeKind) -> Tried:
    """Grow on all folds but one, each in turn, and predict that one.

    How long the trees that judge a fold are grown follows from the other folds: what a fold says of its own
    best length flatters it, on 80 rows of noise by a tenth in ROC AUC.
    """
    grown = [(own, *_stopped_early(table, kind=kind, own=own)) for own in _folds(table)]
    best = np.array([booster.best_iteration for _, booster, _ in grown], dtype=np.float64)
    margins = np.empty(len(table.label))
    for at, (own, booster, judged) in enumerate(grown):
        rounds = max(1, round(float(np.delete(best, at).mean())))
        while booster.current_iteration() < rounds and not booster.update():
            pass
        margins[own] = booster.predict(judged, raw_score=True, num_iteration=rounds, num_threads=1)
    return Tried(kind, margins, max(1, round(float(best.mean()))))


def grow_all(table: Table, *, kind: TreeKind, rounds: int, members: int) -> list[str]:
    """The texts of `members` boosters of all rows that differ in their seed, over the catalogue's columns."""
    X, encoding = _encoded(table, kind=kind)
    data = _dataset(X, table=table, kind=kind)
    boosters = (
        lightgbm.train(_parameters(table, kind=kind, member=member), data, num_boost_round=rounds)
        for member in range(members)
    )
    return [encoding.compiled(canonical_text(booster)) for booster in boosters]


def nothing_grown(table: Table) -> str:
    """The text of a booster that says 0 of every row."""
    parameters = lightgbm_parameters(table.settings) | {
        "min_data_in_leaf": len(table.label) + 1,
        "boost_from_average": False,
    }
    data = lightgbm.Dataset(
        table.X, label=table.label, feature_name=list(table.catalogue.names), params={"verbosity": -1}
    )
    return canonical_text(lightgbm.train(parameters, data, num_boost_round=1))


def _folds(table: Table) -> list[NDArray[np.bool_]]:
    return [table.fold == one for one in np.unique(table.fold)]


def _stopped_early(
    table: Table, *, kind: TreeKind, own: NDArray[np.bool_]
) -> tuple[lightgbm.Booster, Matrix]:
    """A booster of the rows beside `own`, as long as is best for those, and those as it reads them."""
    beside, judge = table.part(~own), table.part(own)
    X, encoding = _encoded(beside, kind=kind)
    judged = encoding.encode(judge.X)
    data = _dataset(X, table=beside, kind=kind)
    booster = lightgbm.train(
        _parameters(beside, kind=kind),
        data,
        num_boost_round=table.settings.max_rounds,
        valid_sets=[_dataset(judged, table=judge, kind=kind, reference=data)],
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
        keep_training_booster=True,
    )
    return booster, judged


def _encoded(table: Table, *, kind: TreeKind) -> tuple[Matrix, Encoding]:
    """What the trees learn from, and how to read other rows."""
    levels = table.wide if kind.encoded else {}
    X = encoded_out_of_fold(table.X, label=table.label, levels=levels, fold=table.fold) if levels else table.X
    return X, fit_encoding(table.X, label=table.label, levels=levels)


def _dataset(
    X: Matrix, *, table: Table, kind: TreeKind, reference: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    """The rows of a table as the trees read them, X."""
    categories = (at for at, feature in enumerate(table.catalogue.features) if feature.kind == "category")
    return lightgbm.Dataset(
        X,
        label=table.label,
        weight=table.weight,
        reference=reference,
        feature_name=list(table.catalogue.names),
        categorical_feature=[at for at in categories if not (kind.encoded and at in table.wide)],
        params={"max_bin": table.settings.max_bin, "verbosity": -1, "num_threads": 1},
        free_raw_data=False,
    )


def _parameters(table: Table, *, kind: TreeKind, member: int = 0) -> dict[str, Any]:
    """Fewer rows bear fewer leaves, and leaves of fewer rows."""
    rows = len(table.label)
    own = {
        "learning_rate": 0.05,
        "num_leaves": min(kind.leaves, max(4, rows // 250)),
        "min_data_in_leaf": int(np.clip(rows // 100, 5, 20)),
        "min_sum_hessian_in_leaf": float(np.clip(rows / 2000, 0.5, 1.0)),
        "min_data_per_group": int(np.clip(rows // 40, 5, 50)),
        "cat_smooth": float(np.clip(rows // 100, 5, 20)),
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "lambda_l2": 5.0,
        "monotone_constraints": directions(table.catalogue, table.settings),
    }
    return lightgbm_parameters(table.settings, member=member) | own | dict(kind.parameters)
