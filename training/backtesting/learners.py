"""Who answers the question of a backtest: our model, what it has to beat, or anybody's estimator.

Turns labelled rows into functions from features to a ranking or probabilities. Time rule: all learn from the
same rows, whose labels were known at the cutoff. Null rule: each learner treats missing values in its own
way; rows without the event that were left out of learning are counted back into its probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.booster import Matrix
from training.backtesting.baselines import activity_heuristic, logistic_regression_probabilities, recency
from training.backtesting.questions import Question
from training.learning.few_rows import learn_rows
from training.learning.learn import Learned, Progress
from training.learning.splits import keep_negatives
from training.undated.peers import BASELINES

__all__ = ["Answerer", "Learner", "baseline_answers", "constrained", "our_learner", "undo_sampling"]


@dataclass(frozen=True)
class Answerer:
    """What has learned at one cutoff.

    predict: from every feature of the question's catalogue (n, k) to probabilities (n,). by_seed: to one
    ranking (n,) per seed that was averaged. learned: counts of what it learned from.
    """

    predict: Callable[[Matrix], Matrix]
    by_seed: Callable[[Matrix], Iterator[Matrix]]
    learned: dict[str, int]


Learner = Callable[[Question, Progress | None], Answerer]
"""Learns from the rows of a question."""


def our_learner(question: Question, progress: Progress | None = None) -> Answerer:
    """Our model, trained as `train` does, with the backtest's number of seeds."""
    what = f"backtest {question.cutoff.date().isoformat()}"
    rows = question.own_rows
    learned = learn_rows(rows, settings=question.settings, progress=progress, what=what)
    counts = {"rows": len(rows.frame), "events": int(rows.label.sum()), "rounds": learned.rounds}
    return _answerer(question, learned, counts)


def _answerer(question: Question, learned: Learned, counts: dict[str, int]) -> Answerer:
    return Answerer(
        predict=lambda X: learned.probabilities(question.own(X)),
        by_seed=lambda X: learned.member_margins(question.own(X)),
        learned=counts,
    )


def constrained(question: Question) -> bool:
    """Whether the config declares that some feature may only raise, or only lower, the probability."""
    return bool(question.settings.rising or question.settings.falling)


def without_directions(question: Question, progress: Progress | None = None) -> Answerer:
    """Our model without the declared monotone effects; all else the same."""
    rows, settings = question.own_rows, question.settings
    free = settings.model_copy(update={"rising": (), "falling": ()})
    what = f"backtest {question.cutoff.date().isoformat()} without monotone effects"
    return _answerer(question, learn_rows(rows, settings=free, progress=progress, what=what), {})


def baseline_answers(question: Question) -> dict[str, Matrix]:
    """What each baseline says of what is asked, by its column: heuristics and untuned learners.

    A heuristic without its feature is left out.
    """
    X, catalogue = question.X, question.catalogue
    simple = {
        "recent_activity": activity_heuristic(X, catalogue=catalogue),
        "recency": recency(X, catalogue=catalogue),
    }
    return _untuned(question) | {name: told for name, told in simple.items() if told is not None}


def _untuned(question: Question) -> dict[str, Matrix]:
    rows, settings = question.allowed_rows, question.settings
    new = question.open_to_all(question.X)
    positions = np.arange(len(rows.frame), dtype=np.int64)
    limit = settings.negatives_per_positive
    kept = keep_negatives(rows.label, positions=positions, per_positive=limit, seed=settings.seed)
    told = {}
    for peer in BASELINES:
        chances = peer(rows.X[kept], label=rows.label[kept], new=new, catalogue=rows.catalogue)
        told[peer.column] = undo_sampling(chances, label=rows.label, kept=kept)
    if question.selected.names != question.allowed.names:
        told["logistic_regression_tuned"] = undo_sampling(
            _tuned_regression(question), label=rows.label, kept=kept
        )
    return told


def _tuned_regression(question: Question) -> Matrix:
    rows = question.own_rows
    return logistic_regression_probabilities(
        rows,
        earlier=np.arange(len(rows.frame), dtype=np.int64),
        X=question.own(question.X),
        settings=question.settings,
        strength=0.1,
    )


def undo_sampling(chances: Matrix, *, label: NDArray[np.int64], kept: NDArray[np.int64]) -> Matrix:
    """Probabilities (n,) as if no row without the event had been left out of learning.

    The odds shrink by the share of such rows that was kept (King and Zeng 2001, prior correction).

    >>> label = np.array([1, 0, 0, 0, 0])
    >>> undo_sampling(np.array([0.5]), label=label, kept=np.array([0, 1])).tolist()
    [0.2]
    """
    negatives = len(label) - int(label.sum())
    share = (len(kept) - int(label[kept].sum())) / negatives
    shrunk: Matrix = chances * share / (chances * share + 1.0 - chances)
    return shrunk
