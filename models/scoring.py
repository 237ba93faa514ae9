"""Scoring: a float64 matrix in contract order in, calibrated probabilities and exact contributions out.

The margin m always comes from the trees' raw score and the linear part, on every path; z = slope * m +
intercept is the logit that is served, and probability = 1 / (1 + exp(-z)) follows from it bit for bit. One
row alone gives the same bits as the same row in any batch. Time rule: the matrix was built for its `as_of`.
Null rule: NaN is missing; infinities are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import BundleError, InputError
from models.booster import Matrix
from models.bundle import Bundle
from models.calibration import probabilities
from models.explanation import Explained, Reasons
from models.grades import GradeCuts
from models.known_inputs import KnownInputs

__all__ = ["Scorer", "Scores"]

_TOLERANCE = 1e-9

_PART = 250
"""Rows that the model speaks of at once while reasons are told: too few for further threads to be woken."""


@dataclass(frozen=True)
class Scores:
    """The scores of n rows over k features.

    logit, probability: float64 (n,). score: float64 (n,), 0-100. grade: A, B, C or D, str (n,).
    low, high: float64 (n,), the interval around each probability; see `models.intervals`.
    contributions: float64 (n, k), log-odds, calibrated; None when not asked for.
    baseline: the logit before any feature speaks; baseline + row sums = logit within 1e-9.
    """

    logit: Matrix
    probability: Matrix
    low: Matrix
    high: Matrix
    score: Matrix
    grade: NDArray[np.str_]
    contributions: Matrix | None
    baseline: float


class Scorer:
    """A bundle ready to score. Loading costs milliseconds; safe to share between threads.

    threads: for batches, None means all cores; one row always takes one.
    cuts: where grades end, for a release that has its own; None means the bundle's.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None, cuts: GradeCuts | None = None) -> None:
        self.bundle = bundle
        self.cuts = cuts or bundle.cuts
        self._model = bundle.margin_model(threads=threads)
        self._levels = {
            column: len(feature.levels)
            for column, feature in enumerate(bundle.catalogue.features)
            if feature.kind == "category"
        }
        self._reasons = Reasons(bundle.catalogue)
        empty = np.full((1, len(bundle.catalogue.names)), np.nan)
        base = self._model.contributions(empty)[:, -1]
        self.baseline = float(bundle.calibration.logits(base)[0])

    @cached_property
    def inputs(self) -> KnownInputs:
        """What the model reads of an account."""
        return KnownInputs(self.bundle)

    def score(self, X: Matrix, *, contributions: bool = True, contract: str | None = None) -> Scores:
        """Scores of a float64 matrix (n, k) in contract order.

        contributions: False saves most of the time. contract: the fingerprint of the catalogue that the
        matrix was built with; a matrix has no column names, so this is how a reordered one is noticed.
        Raises InputError when the matrix is not what the bundle was trained on.
        """
        self._require(X, contract)
        return self._scored(self._model.margins(X), self._model.contributions(X) if contributions else None)

    def _scored(self, margins: Matrix, raw: Matrix | None) -> Scores:
        """The scores of rows. raw: what the model says of them, (n, k + 1)."""
        logit = self.bundle.calibration.logits(margins)
        probability = probabilities(logit)
        score = self.bundle.reference.scores(probability)
        low, high = self.bundle.intervals.bounds(logit)
        return Scores(
            logit=logit,
            probability=probability,
            low=low,
            high=high,
            score=score,
            grade=self.cuts.grades(score),
            contributions=None if raw is None else self._contributions(raw, logit),
            baseline=self.baseline,
        )

    def score_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Scores of a frame whose columns are the contract's, in order; the index is kept.

        Columns of the answer: logit, probability, low, high, score, grade. Raises InputError for other
        columns.
        """
        self._require_columns(tuple(frame.columns))
        scores = self.score(np.ascontiguousarray(frame.to_numpy(dtype=np.float64)), contributions=False)
        return pd.DataFrame(
            {
                "logit": scores.logit,
                "probability": scores.probability,
                "low": scores.low,
                "high": scores.high,
                "score": scores.score,
                "grade": scores.grade,
            },
            index=frame.index,
        )

    def explain(self, X: Matrix, *, contract: str | None = None) -> Iterator[Explained]:
        """The explained answer for each row of a matrix (n, k), in order.

        What is told of a row is made when it is asked for; of many rows, while the model is at the next.
        """
        self._require(X, contract)
        if len(X) <= _PART:
            return self._explained(X, self._said(X))
        ahead = ThreadPoolExecutor(1, thread_name_prefix="score")
        return self._one_ahead(X, ahead=ahead, first=ahead.submit(self._said, X[:_PART]))

    def _one_ahead(
        self, X: Matrix, *, ahead: ThreadPoolExecutor, first: Future[tuple[Matrix, Matrix]]
    ) -> Iterator[Explained]:
        """As `explain`, of several parts. Whoever stops asking costs one part that nobody is told of."""
        coming = first
        with ahead:
            for start in range(0, len(X), _PART):
                said, following = coming.result(), X[start + _PART : start + 2 * _PART]
                if len(following):
                    coming = ahead.submit(self._said, following)
                yield from self._explained(X[start : start + _PART], said)

    def _said(self, X: Matrix) -> tuple[Matrix, Matrix]:
        """What the model says of rows: margins (n,) and raw contributions (n, k + 1)."""
        return self._model.margins(X), self._model.contributions(X)

    def _explained(self, X: Matrix, said: tuple[Matrix, Matrix]) -> Iterator[Explained]:
        scores = self._scored(*said)
        assert scores.contributions is not None
        told = self._reasons.of(X, contributions=scores.contributions)
        known = self.inputs.told(X)
        for position, ((supporting, opposing, other), inputs) in enumerate(zip(told, known, strict=True)):
            score = float(scores.score[position])
            yield Explained(
                probability=float(scores.probability[position]),
                low=float(scores.low[position]),
                high=float(scores.high[position]),
                score=score,
                grade=self.cuts.grade(score),
                logit=float(scores.logit[position]),
                baseline=self.baseline,
                reasons_for=supporting,
                reasons_against=opposing,
                other=other,
                inputs=inputs,
                contributions=scores.contributions[position],
            )

    def explain_row(self, row: Matrix, *, contract: str | None = None) -> Explained:
        """The explained answer for one row, float64 (k,) in contract order."""
        return next(self.explain(row[np.newaxis], contract=contract))

    def unseen_categories(self, X: Matrix) -> dict[str, int]:
        """How many rows hold a category that training never saw, by feature; features with none are left out.

        Such values all score alike, so they should be counted, not just scored.
        """
        names = self.bundle.catalogue.names
        counts = {names[column]: int((X[:, column] == size).sum()) for column, size in self._levels.items()}
        return {name: count for name, count in counts.items() if count}

    def unseen_in(self, row: Matrix) -> list[str]:
        """The features of one row, float64 (k,), that hold a category that training never saw."""
        names = self.bundle.catalogue.names
        return [names[column] for column, size in self._levels.items() if row[column] == size]

    def _contributions(self, raw: Matrix, logit: Matrix) -> Matrix:
        calibrated: Matrix = self.bundle.calibration.slope * raw[:, :-1]
        gap = np.abs(self.baseline + calibrated.sum(axis=1) - logit).max(initial=0)
        if not gap <= _TOLERANCE:
            raise BundleError(
                "contributions do not add up to the logit",
                got=f"a gap of {gap:g}",
                allowed=f"at most {_TOLERANCE:g}",
                fix="roll back to the release before, and report this bundle",
            )
        return calibrated

    def _require(self, X: Matrix, contract: str | None) -> None:
        columns = len(self.bundle.catalogue.names)
        is_matrix = isinstance(X, np.ndarray) and X.dtype == np.float64 and X.ndim == 2
        if not is_matrix or X.shape[1] != columns:
            raise InputError(
                f"matrix does not fit {self.bundle.name}",
                got=f"{X.dtype} {X.shape}" if isinstance(X, np.ndarray) else type(X).__name__,
                allowed=f"a float64 array of shape (n, {columns})",
                fix="build it with the bundle's own catalogue, or use score_frame for a frame",
            )
        own = self.bundle.catalogue.fingerprint
        if contract is not None and contract != own:
            raise InputError(
                f"matrix was built with another catalogue than that of {self.bundle.name}",
                got=contract[:12],
                allowed=own[:12],
                fix="build it with the bundle's own catalogue",
            )
        self._require_values(X)

    def _require_values(self, X: Matrix) -> None:
        names = self.bundle.catalogue.names
        infinite = np.isinf(X).any(axis=0)
        if infinite.any():
            raise InputError(
                f"{names[int(infinite.argmax())]} holds an infinite value",
                allowed="finite numbers; NaN where nothing is known",
                fix="look for a division by zero in the feature",
            )
        for column, size in self._levels.items():
            codes = X[:, column]
            wrong = codes[~np.isnan(codes) & ((codes < 0) | (codes > size) | (codes != np.floor(codes)))]
            if len(wrong):
                raise InputError(
                    f"{names[column]} holds a value that is no category code",
                    got=wrong[0],
                    allowed=f"whole numbers from 0 to {size}, or NaN",
                    fix="build the matrix with the bundle's own catalogue",
                )

    def _require_columns(self, got: tuple[object, ...]) -> None:
        wanted = self.bundle.catalogue.names
        if got == wanted:
            return
        pairs = zip(got, wanted, strict=False)
        at = next((i for i, (one, other) in enumerate(pairs) if one != other), min(len(got), len(wanted)))
        raise InputError(
            f"columns of the frame are not those of {self.bundle.name}",
            got=f"{len(got)} columns, at position {at} {got[at : at + 1]}",
            allowed=f"{len(wanted)} columns, at position {at} {wanted[at : at + 1]}",
            fix="select them in contract order: frame[list(bundle.catalogue.names)]",
        )
