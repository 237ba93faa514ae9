"""What lookalikes must beat: the same industry, cosine on encoded firmographics, and won against all.

Turns a universe and seeds into a score for every account, by means that know nothing of `models.lookalikes`.
Time rule: none, the universe is of one moment. Null rule: a number that is not known is the mean, a word that
is not known is no word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.preprocessing import normalize

from features.universe import Universe
from models.positive_unlabelled.base import default_learner

__all__ = ["BASELINES", "encoded_plainly", "scores_of"]

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

_RARE: Final = 5


def encoded_plainly(universe: Universe) -> Any:
    """Sparse (n, k): standardised logarithms, a flag for each word, TF-IDF of texts."""
    blocks = []
    for attribute in universe.attributes:
        cells = universe.rows.column(attribute.name)
        if attribute.type in ("number", "boolean"):
            numbers = cells.cast("float64").to_numpy()
            scale = np.sign(numbers) * np.log1p(np.abs(numbers))
            spread = np.nanstd(scale)
            standard = np.nan_to_num((scale - np.nanmean(scale)) / (spread if spread > 0 else 1.0))
            blocks.append(sp.csr_matrix(standard[:, None]))
            continue
        told = cells.to_pylist()
        if attribute.type == "text":
            texts = [text or "" for text in told]
            words = TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=3, max_df=0.5)
            blocks.append(words.fit_transform(texts))
            continue
        lists = [[] if cell is None else [cell] if isinstance(cell, str) else cell for cell in told]
        if any(lists):
            flags = CountVectorizer(
                analyzer=list, binary=True, min_df=min(_RARE, len(lists)), dtype=np.float64
            )
            blocks.append(flags.fit_transform(lists))
    return sp.hstack(blocks).tocsr()


def _random(universe: Universe, X: Any, seeds: Integers, *, seed: int) -> Doubles:
    return np.random.default_rng([seed, 1]).random(len(universe))


def _same_industry(universe: Universe, X: Any, seeds: Integers, *, seed: int) -> Doubles:
    """Accounts of the seeds' commonest industry first, in random order within each."""
    chance = _random(universe, X, seeds, seed=seed)
    if "industry" not in universe.rows.column_names:
        return chance
    industry = np.array(universe.rows.column("industry").to_pylist(), dtype=object)
    counts = {name: float((industry[seeds] == name).sum()) for name in set(industry[seeds]) - {None}}
    return np.array([counts.get(name, 0.0) for name in industry]) + chance


def _cosine(universe: Universe, X: Any, seeds: Integers, *, seed: int) -> Doubles:
    """With the middle of the seeds."""
    even = normalize(X)
    return np.asarray(even @ np.asarray(even[seeds].mean(axis=0)).ravel(), dtype=np.float64)


def _won_against_all(universe: Universe, X: Any, seeds: Integers, *, seed: int) -> Doubles:
    """A classifier for which every other account is a "no"."""
    label = np.zeros(len(universe), dtype=np.int64)
    label[seeds] = 1
    dense = X.astype(np.float32)
    return np.asarray(default_learner(seed=seed).fit(dense, label).predict_proba(dense)[:, 1])


BASELINES: Final[dict[str, Callable[..., Doubles]]] = {
    "random": _random,
    "same industry": _same_industry,
    "cosine on firmographics": _cosine,
    "won against all": _won_against_all,
}


def scores_of(name: str, universe: Universe, X: Any, *, seeds: Integers, seed: int = 0) -> Doubles:
    """float64 (n,): of the baseline of this name. X: of `encoded_plainly`."""
    return BASELINES[name](universe, X, seeds, seed=seed)
