"""What a model says of many rows, in columns: scores, and the strongest reasons with their contributions.

Turns a matrix of features into a table with the numbers and the sentences that single answers hold: the same
bits, without an object for each of them. `models.explanation` says what a reason is; a test holds the two
together. Time rule: the matrix was built for its moments. Null rule: a row with fewer reasons has nulls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.feature import Language
from models.explanation import MOST_REASONS
from models.ideas import Ideas
from models.known_inputs import InputsTold
from models.scoring import Scorer, Scores
from serving.inputs import inputs_read

__all__ = ["HALF_COLUMNS", "Teller"]

Matrix = NDArray[np.float64]
Places = NDArray[np.intp]
_SIDES = ("for", "against")
_NUMBERS = ("probability", "low", "high", "score", "logit")
_REASONS = tuple(
    (f"{side}_{number}", f"{side}_{number}_contribution")
    for side in _SIDES
    for number in range(1, MOST_REASONS + 1)
)

HALF_COLUMNS = pa.schema(
    [
        *((name, pa.float64()) for name in ("probability", "low", "high", "score")),
        ("grade", pa.string()),
        *((name, pa.float64()) for name in ("logit", "baseline", "other")),
        *(column for said, share in _REASONS for column in ((said, pa.string()), (share, pa.float64()))),
        ("inputs", pa.string()),
        ("model", pa.string()),
        ("fingerprint", pa.string()),
    ]
)
"""Of one half of an answer; `for_1` is the sentence of the strongest reason, `for_1_contribution` its share
of the logit, which is baseline + all contributions + other."""


class _Chosen(NamedTuple):
    """Places of ideas, (n, slots), -1 for none: first those that speak for, then those against."""

    ideas: Places
    totals: Matrix
    others: list[float]


class Teller:
    """Speaks for one model."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._ideas = Ideas(scorer.bundle.catalogue)

    def told(self, X: Matrix, *, language: Language) -> pa.Table:
        """`HALF_COLUMNS` of each row of a matrix (n, k)."""
        scores = self._scorer.score(X)
        assert scores.contributions is not None
        chosen = self._chosen(scores.contributions)
        columns = self._numbers(scores) | self._reasons(X, scores.contributions, chosen, language=language)
        columns["other"] = pa.array(chosen.others, pa.float64())
        columns["inputs"] = pa.array(self._inputs(X, language=language), pa.string())
        return pa.table([columns[name] for name in HALF_COLUMNS.names], schema=HALF_COLUMNS)

    def _numbers(self, scores: Scores) -> dict[str, pa.Array]:
        bundle, rows = self._scorer.bundle, len(scores.logit)
        told = {name: pa.array(getattr(scores, name)) for name in _NUMBERS}
        same = {"baseline": scores.baseline, "model": bundle.name, "fingerprint": bundle.fingerprint}
        told |= {name: pa.repeat(value, rows) for name, value in same.items()}
        return told | {"grade": pa.array(scores.grade.tolist(), pa.string())}

    def _chosen(self, contributions: Matrix) -> _Chosen:
        totals = self._ideas.sums(contributions)
        strongest_first = np.argsort(-np.abs(totals), axis=1, kind="stable")
        ranked = np.take_along_axis(totals, strongest_first, axis=1)
        ideas = np.hstack([_first(ranked > 0, strongest_first), _first(ranked < 0, strongest_first)])
        rows = np.arange(len(totals))[:, np.newaxis]
        left = totals.copy()
        left[np.broadcast_to(rows, ideas.shape)[ideas >= 0], ideas[ideas >= 0]] = 0.0
        # Exactly rounded, so that zeros in the place of those shown change nothing.
        others = list(map(math.fsum, left.tolist()))
        return _Chosen(ideas, np.where(ideas >= 0, totals[rows, ideas], np.nan), others)

    def _reasons(
        self, X: Matrix, contributions: Matrix, chosen: _Chosen, *, language: Language
    ) -> dict[str, pa.Array]:
        columns = self._speaking(contributions, chosen.ideas)
        sentences, places = self._sentences(X, columns, language=language)
        words, found = pa.array(sentences, pa.string()), {}
        for slot, (said, share) in enumerate(_REASONS):
            nobody = columns[:, slot] < 0
            found[said] = words.take(pa.array(places[:, slot], mask=nobody))
            found[share] = pa.array(chosen.totals[:, slot], mask=nobody)
        return found

    def _speaking(self, contributions: Matrix, ideas: Places) -> Places:
        """The column that speaks for each chosen idea, (n, slots): its strongest, the first by name of
        several."""
        found = np.full(ideas.shape, -1, dtype=np.intp)
        half = ideas.shape[1] // 2
        for place, idea in enumerate(self._ideas.each):
            columns = np.array(idea.columns, dtype=np.intp)
            for side, strongest in ((slice(0, half), np.argmax), (slice(half, None), np.argmin)):
                rows, slots = np.nonzero(ideas[:, side] == place)
                if len(rows):
                    best = strongest(contributions[rows[:, np.newaxis], columns], axis=1)
                    found[:, side][rows, slots] = columns[best]
        return found

    def _sentences(self, X: Matrix, columns: Places, *, language: Language) -> tuple[Sequence[str], Places]:
        """Every sentence once, and which one each slot has, (n, slots)."""
        sentences = list[str]()
        places = np.zeros(columns.shape, dtype=np.intp)
        order = np.argsort(columns, axis=None, kind="stable")
        speaking = columns.ravel()[order]
        starts = np.searchsorted(speaking, np.arange(X.shape[1] + 1))
        for column, feature in enumerate(self._scorer.bundle.catalogue.features):
            slots = order[starts[column] : starts[column + 1]]
            if len(slots):
                cells, found = np.unique(X[slots // columns.shape[1], column], return_inverse=True)
                places.ravel()[slots] = found + len(sentences)
                sentences.extend(feature.sentence(cell, language=language) for cell in cells.tolist())
        return sentences, places

    def _inputs(self, X: Matrix, *, language: Language) -> list[str | None]:
        kind = self._scorer.bundle.kind
        seen: dict[int, tuple[InputsTold, str | None]] = {}
        found = list[str | None]()
        for told in self._scorer.inputs.told(X):
            # Rows of one pattern share one object; it is kept, so that its name is not given to another.
            if id(told) not in seen:
                seen[id(told)] = told, inputs_read(told, kind=kind, language=language).sentence
            found.append(seen[id(told)][1])
        return found


def _first(wanted: NDArray[np.bool_], order: Places) -> Places:
    """The first few wanted ones of each row in an order, (n, MOST_REASONS), -1 where there are fewer."""
    turn = np.cumsum(wanted, axis=1)
    found = np.full((len(order), MOST_REASONS), -1, dtype=np.intp)
    rows, columns = np.nonzero(wanted & (turn <= MOST_REASONS))
    found[rows, turn[rows, columns] - 1] = order[rows, columns]
    return found
