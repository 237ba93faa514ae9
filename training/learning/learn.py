"""Learning: a float64 matrix and labelled rows in, one booster and its calibration out.

Turns rows into gradient boosted trees whose number is found by early stopping on later time slices, whose
calibration is fitted on the same later slices, and which are then grown again on all rows. Time rule: a
slice is predicted only from rows whose label was known when it starts, weighed by what was known then. Null
rule: NaN is a value of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from features.settings import LearningSettings
from models.booster import canonical_text, merge_boosters
from models.calibration import Calibration, fit_calibration, probabilities
from models.linear import LinearPart
from models.margin import MarginModel
from training.learning.crossing import calibrate_crossed, crossed_splits, told_again
from training.learning.linear import fit_linear_part
from training.learning.monotone import directions
from training.learning.rows import Parts, Rows
from training.learning.splits import Fold, Positions, keep_negatives, time_folds

__all__ = [
    "Judged",
    "Learned",
    "Parts",
    "Progress",
    "Rows",
    "judge",
    "learn",
    "lightgbm_parameters",
    "require_both_classes",
]

Matrix = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

# One thread per booster and several boosters at once: the same bits on any machine, and no threads that
# wait for each other (two threads in one booster took three times as long on a busy machine).
_AT_ONCE = 2
_LARGEST_SCALING = 1.5


@dataclass(frozen=True)
class Learned:
    """A booster grown on all rows, and what was found on the later slices.

    members: the boosters of single seeds, whose average `booster_text` is. rounds: trees of every member.
    linear: what all of them were grown upon, if anything.
    later: the rows of the later slices (account_id, as_of, label, position in the input, fold,
    probability), predicted by boosters that saw earlier rows only.
    crossed: all rows (account_id, as_of, label, probability), predicted by boosters that did not see their
    accounts; None where the later slices hold enough events.
    """

    booster_text: str
    members: tuple[str, ...]
    calibration: Calibration
    rounds: int
    folds: tuple[Fold, ...]
    later: pd.DataFrame
    linear: LinearPart | None = None
    crossed: pd.DataFrame | None = None

    def probabilities(self, X: Matrix) -> NDArray[np.float64]:
        """Calibrated probabilities of rows, float64 (n,)."""
        model = MarginModel(self.booster_text, linear=self.linear)
        return probabilities(self.calibration.logits(model.margins(X)))

    def member_margins(self, X: Matrix) -> Iterator[Matrix]:
        """The margins (n,) of each seed alone."""
        return (MarginModel(text, linear=self.linear).margins(X) for text in self.members)


def learn(
    rows: Rows,
    *,
    settings: LearningSettings,
    progress: Progress | None = None,
    what: str = "grow trees",
) -> Learned:
    """Find the number of rounds and the calibration on later slices, then grow on all rows.

    Where later slices hold few events, the calibration comes from all rows (`training.learning.crossing`).
    Raises NotEnoughDataError when one class is missing or the history is too short.
    """
    judged, grower = _judged(rows, settings=settings, progress=progress, what=what, more=settings.members)
    earlier = [len(fold.earlier) for fold in judged.folds]
    final = _scaled(judged.rounds, rows=len(rows.frame), earlier=earlier)
    everything = np.arange(len(rows.frame), dtype=np.int64)
    grown = grower.grow([_Slice(everything, None, rows.weight)], rounds=final)[0]
    calibration, crossed = _calibrated(grower, judged, rounds=final)
    members = tuple(map(canonical_text, grown.boosters))
    return Learned(
        merge_boosters(members),
        members,
        calibration,
        final,
        judged.folds,
        told_again(judged.later, was=judged.calibration, now=calibration),
        grown.linear,
        crossed,
    )


def _calibrated(grower: _Grower, judged: Judged, *, rounds: int) -> tuple[Calibration, pd.DataFrame | None]:
    """The line of the later slices; where these hold few events, that of all rows, crossed by accounts."""
    rows, settings = grower.rows, grower.settings
    splits = crossed_splits(rows.frame, later=judged.folds, settings=settings)
    if not splits:
        return judged.calibration, None
    grower.total += len(splits) * settings.members
    grown = grower.grow([_Slice(split.learn, None, rows.weight) for split in splits], rounds=rounds)
    margins = [
        _mean_margin(one, rows.X[split.judge], rounds=rounds)
        for one, split in zip(grown, splits, strict=True)
    ]
    return calibrate_crossed(rows.frame, splits=splits, margins=margins, later=judged.folds)


@dataclass(frozen=True)
class Judged:
    """What later slices say of settings, without a model of all rows.

    rounds: of every member, before it is scaled to all rows. leaves: of all trees of a model so long, what
    an explanation has to go through. The rest as in `Learned`.
    """

    calibration: Calibration
    rounds: int
    leaves: int
    folds: tuple[Fold, ...]
    later: pd.DataFrame


def judge(rows: Rows, *, settings: LearningSettings) -> Judged:
    """The first half of `learn`: find the number of rounds and the calibration on later slices.

    Raises NotEnoughDataError when one class is missing or the history is too short.
    """
    return _judged(rows, settings=settings, progress=None, what="", more=0)[0]


def _judged(
    rows: Rows, *, settings: LearningSettings, progress: Progress | None, what: str, more: int
) -> tuple[Judged, _Grower]:
    require_both_classes(rows.label)
    folds = time_folds(rows.frame, folds=settings.folds)
    grower = _Grower(rows, settings, progress, what, total=len(folds) * settings.members + more)
    slices = [_Slice(fold.earlier, fold.later, rows.weight_in(fold)) for fold in folds]
    tried = grower.grow(slices, rounds=settings.max_rounds)
    rounds = _mean_rounds([grown.boosters for grown in tried], settings=settings)
    margins = [
        _mean_margin(grown, rows.X[fold.later], rounds=rounds)
        for grown, fold in zip(tried, folds, strict=True)
    ]
    label = np.concatenate([rows.label[fold.later] for fold in folds])
    calibration = fit_calibration(np.concatenate(margins), labels=label)
    later = _later_rows(rows, folds, margins, calibration)
    leaves = rounds * settings.num_leaves * settings.members
    return Judged(calibration, rounds, leaves, folds, later), grower


def require_both_classes(label: NDArray[np.int64]) -> None:
    """NotEnoughDataError, with counts, unless both classes are there."""
    events = int(label.sum())
    if events in (0, len(label)):
        raise NotEnoughDataError(
            "one class only: there is nothing to tell apart" if len(label) else "no row to learn from",
            got=f"{events} rows with the event, {len(label) - events} without",
            allowed="rows of both classes",
            fix="load a longer history, or choose another event, horizon or cutoff",
        )


def lightgbm_parameters(settings: LearningSettings, *, member: int = 0) -> dict[str, Any]:
    """The parameters as LightGBM takes them; `member` shifts the seed."""
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.num_leaves,
        "min_data_in_leaf": settings.min_data_in_leaf,
        "min_sum_hessian_in_leaf": settings.min_sum_hessian_in_leaf,
        "feature_fraction": settings.feature_fraction,
        "bagging_fraction": settings.bagging_fraction,
        "bagging_freq": 1,
        "lambda_l1": settings.lambda_l1,
        "lambda_l2": settings.lambda_l2,
        "path_smooth": settings.path_smooth,
        "max_bin": settings.max_bin,
        "cat_smooth": 20.0,
        "cat_l2": 20.0,
        "min_data_per_group": 50,
        "seed": settings.seed + 1000 * member,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


@dataclass(frozen=True)
class _Slice:
    """Rows to grow on, later ones to stop early on, and the weights (n,) of all rows; None for all alike."""

    earlier: Positions
    later: Positions | None
    weight: Matrix | None


@dataclass(frozen=True)
class _Grown:
    """The boosters of all members, and the linear part that they were grown upon."""

    boosters: list[lightgbm.Booster]
    linear: LinearPart | None


@dataclass
class _Grower:
    """Grows boosters on some of the rows and tells how far it is."""

    rows: Rows
    settings: LearningSettings
    progress: Progress | None
    what: str
    total: int
    done: int = 0

    def grow(self, slices: Sequence[_Slice], *, rounds: int) -> list[_Grown]:
        """The members grown on each slice; where later rows are given, each stops early on them."""
        bases = [self._linear(one) for one in slices]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            jobs = [
                [
                    pool.submit(self._grow, one, rounds, member, base)
                    for member in range(self.settings.members)
                ]
                for one, base in zip(slices, bases, strict=True)
            ]
            return [
                _Grown([self._told(job) for job in members], base)
                for members, base in zip(jobs, bases, strict=True)
            ]

    def _linear(self, one: _Slice) -> LinearPart | None:
        if self.settings.linear_strength is None:
            return None
        kept = self._kept(one.earlier)
        return fit_linear_part(
            self.rows.X[kept],
            label=self.rows.label[kept],
            catalogue=self.rows.catalogue,
            strength=self.settings.linear_strength,
            directions=directions(self.rows.catalogue, self.settings),
            weight=None if one.weight is None else one.weight[kept],
        )

    def _told(self, job: Future[lightgbm.Booster]) -> lightgbm.Booster:
        booster = job.result()
        self.done += 1
        if self.progress:
            self.progress(self.what, self.done, self.total)
        return booster

    def _grow(self, one: _Slice, rounds: int, member: int, base: LinearPart | None) -> lightgbm.Booster:
        # Only with everybody: a model that is to judge accounts must not see parts of theirs.
        everybody = len(one.earlier) == len(self.rows.frame)
        data = self._dataset(self._kept(one.earlier), weights=one.weight, base=base, parts=everybody)
        stop = lightgbm.early_stopping(self.settings.patience, verbose=False)
        booster: lightgbm.Booster = lightgbm.train(
            lightgbm_parameters(self.settings, member=member)
            | {"monotone_constraints": directions(self.rows.catalogue, self.settings)},
            data,
            num_boost_round=rounds,
            valid_sets=[]
            if one.later is None
            else [self._dataset(one.later, weights=one.weight, base=base, reference=data)],
            callbacks=[] if one.later is None else [stop],
        )
        return booster

    def _kept(self, positions: Positions) -> Positions:
        limit = self.settings.negatives_per_positive
        return keep_negatives(
            self.rows.label, positions=positions, per_positive=limit, seed=self.settings.seed
        )

    def _weight(self, parts: Parts, *, kept: NDArray[np.int64]) -> Matrix:
        """Of whole rows without the event some were dropped: the parts without it weigh less by as much."""
        share = float((kept == 0).sum() / (self.rows.label == 0).sum())
        return np.where(parts.label == 0, parts.weight * share, parts.weight)

    def _dataset(
        self,
        positions: Positions,
        *,
        weights: Matrix | None,
        base: LinearPart | None,
        reference: lightgbm.Dataset | None = None,
        parts: bool = False,
    ) -> lightgbm.Dataset:
        catalogue, X, label = self.rows.catalogue, self.rows.X[positions], self.rows.label[positions]
        weight = None if weights is None else weights[positions]
        if parts and self.rows.parts is not None:
            weight = np.concatenate([np.ones(len(label)), self._weight(self.rows.parts, kept=label)])
            X, label = np.vstack([X, self.rows.parts.X]), np.append(label, self.rows.parts.label)
        return lightgbm.Dataset(
            X,
            label=label,
            weight=weight,
            init_score=None if base is None else base.margins(X),
            reference=reference,
            feature_name=list(catalogue.names),
            categorical_feature=[
                position for position, feature in enumerate(catalogue.features) if feature.kind == "category"
            ],
            params={"max_bin": self.settings.max_bin, "verbosity": -1, "num_threads": 1},
        )


def _mean_rounds(tried: Sequence[Sequence[lightgbm.Booster]], *, settings: LearningSettings) -> int:
    """The mean of the best numbers of trees, steadier than any single one, within the configured bounds."""
    best = [booster.best_iteration for boosters in tried for booster in boosters]
    return int(np.clip(round(float(np.mean(best))), settings.min_rounds, settings.max_rounds))


def _mean_margin(grown: _Grown, X: Matrix, *, rounds: int) -> Matrix:
    margins = [
        booster.predict(X, raw_score=True, num_iteration=rounds, num_threads=1) for booster in grown.boosters
    ]
    mean: Matrix = np.mean(margins, axis=0)
    return mean if grown.linear is None else mean + grown.linear.margins(X)


def _scaled(rounds: int, *, rows: int, earlier: Sequence[int]) -> int:
    """More rows bear more trees: by the square root of how many more, at most half as many again."""
    growth = float(np.sqrt(rows / np.mean(earlier)))
    return max(1, round(rounds * min(growth, _LARGEST_SCALING)))


def _later_rows(
    rows: Rows, folds: Sequence[Fold], margins: Sequence[Matrix], calibration: Calibration
) -> pd.DataFrame:
    positions = np.concatenate([fold.later for fold in folds])
    frame = rows.frame.iloc[positions][["account_id", "as_of", "label"]].reset_index(drop=True)
    return frame.assign(
        position=positions,
        fold=np.repeat(np.arange(len(folds)), [len(fold.later) for fold in folds]),
        probability=probabilities(calibration.logits(np.concatenate(margins))),
    )
