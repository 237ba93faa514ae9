"""Learns the title models, and makes data of them.

Turns labelled titles, and titles that were given no label, into a scikit-learn pipeline and that into a
`TitleModel` which gives exactly the same labels. Time rule: none. Null rule: the empty label is the class of
titles that say nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from features.titles.encoding import letter_groups
from features.titles.model import TitleModel
from features.titles.normalising import fold

__all__ = ["CHOSEN", "TRIES", "export", "fit"]

_SEED: Final = 7


# scikit-learn ships no types, so its classes are Any to the checker; an estimator has to be one of them, or
# pipelines, cloning and its own checks do not know it.
class InTwoTitles(VarianceThreshold):  # type: ignore[misc]  # a base without types
    """Keeps the letter groups of at least two titles: what is one person's or one company's name goes."""

    def fit(self, X: csr_matrix, y: object = None) -> InTwoTitles:
        share = 1.0 / X.shape[0]
        self.threshold = 1.5 * share * (1.0 - 1.5 * share)
        super().fit(X, y)
        return self


def _words() -> CountVectorizer:
    return CountVectorizer(preprocessor=fold, token_pattern=r"\S+", binary=True, dtype=np.float64)


def _letters(low: int, high: int) -> CountVectorizer:
    return CountVectorizer(
        preprocessor=fold, analyzer="char_wb", ngram_range=(low, high), binary=True, dtype=np.float64
    )


def _machine(strength: float, balanced: bool = True) -> LinearSVC:
    return LinearSVC(
        C=strength, class_weight="balanced" if balanced else None, max_iter=5000, random_state=_SEED
    )


def _hashed(strength: float) -> Pipeline:
    return make_pipeline(letter_groups(), InTwoTitles(), _machine(strength))


TRIES: Final[dict[str, Callable[[], Pipeline]]] = {
    "always the most common label": lambda: make_pipeline(_words(), DummyClassifier()),
    "words, naive Bayes (complement)": lambda: make_pipeline(_words(), ComplementNB()),
    "words, linear SVM": lambda: make_pipeline(_words(), _machine(0.1)),
    "letters 2-5 tf-idf, linear SVM": lambda: make_pipeline(
        _letters(2, 5), TfidfTransformer(), _machine(1.0)
    ),
    "letters 2-4, logistic regression": lambda: make_pipeline(
        _letters(2, 4), LogisticRegression(C=1.0, class_weight="balanced", max_iter=300)
    ),
    "letters 2-4, linear SVM": lambda: make_pipeline(_letters(2, 4), _machine(0.1)),
    "letters 2-5, linear SVM": lambda: make_pipeline(_letters(2, 5), _machine(0.1)),
    "letters 2-5, linear SVM, not balanced": lambda: make_pipeline(_letters(2, 5), _machine(0.1, False)),
    "letters 2-6 hashed, in two titles, linear SVM, C = .03": lambda: _hashed(0.03),
    "letters 2-6 hashed, in two titles, linear SVM, C = .1": lambda: _hashed(0.1),
    "letters 2-6 hashed, in two titles, linear SVM, C = .3": lambda: _hashed(0.3),
}
"""What was tried, by name; compared by cross-validation inside the training part."""

CHOSEN: Final = "letters 2-6 hashed, in two titles, linear SVM, C = .1"


def fit(titles: pd.DataFrame) -> Pipeline:
    """The chosen pipeline, fitted to columns text and label; its weights are rounded as they are shipped."""
    pipeline = TRIES[CHOSEN]()
    pipeline.fit(titles["text"], titles["label"])
    machine = pipeline[-1]
    machine.coef_ = machine.coef_.astype(np.float16).astype(np.float64)
    return pipeline


def export(pipeline: Pipeline) -> TitleModel:
    """The fitted pipeline as data."""
    machine = pipeline[-1]
    return TitleModel(
        labels=np.asarray(machine.classes_, dtype=np.str_),
        columns=pipeline[1].get_support(indices=True).astype(np.int32),
        weights=machine.coef_.T.astype(np.float16),
        intercepts=machine.intercept_,
    )
