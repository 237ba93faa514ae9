"""Texts of companies as points: what a company says of itself, how it begins, and how it ends.

Turns texts into float32 coordinates: TF-IDF of words (of signs and their pairs in Chinese, Japanese and
Korean) and a truncated SVD, for each of three views, since descriptions begin with the business and end with
the place. All of it is learned from the texts themselves, offline. Time rule: texts are those known at the
moment that is asked for. Null rule: an account without a text lies in the middle of all that have one, so
that its text speaks neither for nor against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

__all__ = ["LEAST_TEXTS", "TextSpace"]

Floats = NDArray[np.float32]
Text = str | None

LEAST_TEXTS: Final = 50
"""Fewer texts have no vocabulary in common that would tell anything."""

_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = rf"(?u)(?:(?![{_SIGNS}])\w){{2,}}|[{_SIGNS}]{{1,2}}"
_SENTENCE_END = re.compile(r"(?<=[\w)\]])[.!?]\s+(?=[A-Z0-9])|[。！？]\s*")


def _whole(text: str) -> str:
    return text


def _sentences(text: str) -> list[str]:
    return [part for part in _SENTENCE_END.split(text.strip().rstrip(".。!?！？ ")) if part.strip()]


def _beginning(text: str) -> str:
    return next(iter(_sentences(text)), "")


def _end(text: str) -> str:
    found = _sentences(text)
    return found[-1] if len(found) > 1 else ""


@dataclass(frozen=True)
class _Kind:
    """A view. weight: of its length beside that of the whole text, chosen on clusters that are not
    reported."""

    part: Callable[[str], str]
    dimensions: int
    weight: float


_VIEWS: Final = (_Kind(_whole, 400, 1.0), _Kind(_beginning, 200, 0.7), _Kind(_end, 100, 0.7))


@dataclass(frozen=True)
class _View:
    kind: _Kind
    words: TfidfVectorizer
    turn: NDArray[np.float32]
    middle: Floats

    def embed(self, texts: Sequence[Text]) -> Floats:
        known = np.array([bool(text) for text in texts])
        found = np.zeros((len(texts), self.turn.shape[1]), dtype=np.float32)
        if known.any():
            told = self.words.transform([self.kind.part(text) for text in texts if text])
            points = normalize(np.asarray(told @ self.turn))
            found[known] = (points - self.middle) * np.float32(self.kind.weight)
        return found

    def word_weights(self, texts: Sequence[str], weights: Floats) -> tuple[Any, NDArray[np.str_]]:
        """What each word of each text adds to the product with `weights` (k,), and the words."""
        told = self.words.transform([self.kind.part(text) for text in texts])
        lengths = np.linalg.norm(np.asarray(told @ self.turn), axis=1)
        scale = self.kind.weight / np.where(lengths > 0, lengths, 1.0)
        each = told.multiply(np.asarray(self.turn @ weights)[None, :]).multiply(scale[:, None]).tocsr()
        return each, self.words.get_feature_names_out()


@dataclass(frozen=True)
class TextSpace:
    """Views learned from texts, ready to embed others."""

    views: tuple[_View, ...]

    @property
    def dimensions(self) -> int:
        return sum(view.turn.shape[1] for view in self.views)

    @classmethod
    def learn(cls, texts: Sequence[Text]) -> TextSpace | None:
        """The space of texts, in an order that does not depend on chance; None for too few of them."""
        known = [text for text in texts if text]
        if len(known) < LEAST_TEXTS:
            return None
        views = [view for kind in _VIEWS if (view := _learned(kind, known)) is not None]
        return cls(tuple(views)) if views else None

    def embed(self, texts: Sequence[Text]) -> Floats:
        """float32 (n, dimensions). An empty text is 0 everywhere."""
        return np.hstack([view.embed(texts) for view in self.views])

    def telling_words(self, text: str, weights: Floats, *, most: int = 4) -> list[tuple[str, float]]:
        """The words that add most to the product of the text's point with `weights` (dimensions,), and how
        much each adds; those that take most away for negative ones first where `weights` are turned."""
        total: dict[str, float] = {}
        start = 0
        for view in self.views:
            stop = start + view.turn.shape[1]
            each, words = view.word_weights([text], weights[start:stop])
            for column, value in zip(each.indices, each.data, strict=True):
                total[str(words[column])] = total.get(str(words[column]), 0.0) + float(value)
            start = stop
        ranked = sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(word, value) for word, value in ranked[:most] if value > 0]


def _learned(kind: _Kind, texts: Sequence[str]) -> _View | None:
    parts = [kind.part(text) for text in texts]
    words = TfidfVectorizer(
        sublinear_tf=True,
        dtype=np.float32,
        stop_words="english",
        token_pattern=_WORD,
        min_df=3,
        max_df=0.5,
        max_features=100_000,
    )
    try:
        told = words.fit_transform(parts)
    except ValueError:
        # No word is in three texts and in less than half of them: nothing that texts could share.
        return None
    dimensions = min(kind.dimensions, min(told.shape) - 1)
    if dimensions < 1:
        return None
    svd = TruncatedSVD(dimensions, n_iter=4, random_state=0).fit(told)
    turn = np.ascontiguousarray(svd.components_.T, dtype=np.float32)
    points = normalize(np.asarray(told @ turn))
    return _View(kind, words, turn, points.mean(axis=0).astype(np.float32))
