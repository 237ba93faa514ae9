"""Boosters as text: LightGBM's own model format in, margins and exact contributions out.

Turns the text of one booster into raw margins (log-odds before calibration) and TreeSHAP contributions,
and averages boosters that differ by seed into one booster, so that an ensemble is served, explained and
stored like a single model. Time rule: none, a booster knows nothing of time. Null rule: NaN is a value of
its own that every split sends one way.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from typing import cast

import lightgbm
import numpy as np
from numpy.typing import NDArray

from features.errors import BundleError

__all__ = ["Matrix", "NativeBooster", "booster_feature_names", "canonical_text", "merge_boosters"]

Matrix = NDArray[np.float64]

_END = "end of trees\n"
_TREE = re.compile(r"^Tree=\d+\n", flags=re.MULTILINE)
_OUTPUTS = re.compile(r"^(leaf_value|internal_value)=(.*)$", flags=re.MULTILINE)
_SHARED = ("version", "num_class", "num_tree_per_iteration", "max_feature_idx", "objective", "feature_names")

# A chunk keeps the lock short, so that single rows get their turn while a batch is being scored.
_CHUNK_ROWS = 4096
# Below this many rows, waking further threads costs more than it saves.
_ROWS_WORTH_THREADS = 256


def canonical_text(booster: lightgbm.Booster | str) -> str:
    """The text of a booster without what does not change a score: parameters, paths, importances.

    A booster that stopped early is cut at its best iteration. Training on two threads and on eight then
    gives one text, and one fingerprint.
    """
    text = booster if isinstance(booster, str) else cast(str, booster.model_to_string())
    body, end, _ = text.partition(_END)
    if not end or not _TREE.search(body):
        raise BundleError(
            "booster text holds no complete tree",
            got=f"{len(text)} characters",
            allowed="the text of a trained LightGBM booster",
            fix="pass booster.model_to_string() of a booster with at least one tree",
        )
    return body + end


def booster_feature_names(text: str) -> tuple[str, ...]:
    """The names of the columns that a booster was trained on, in order."""
    return tuple(_header(text).get("feature_names", "").split())


def merge_boosters(
    members: Sequence[lightgbm.Booster | str], *, weights: Sequence[float] | None = None
) -> str:
    """One booster whose raw score is the mean of its members' raw scores, or their sum by `weights`.

    Every leaf of every member is scaled alike and all trees stand in one text. TreeSHAP is linear in the
    trees, so the contributions of the merged booster are exact for the averaged model too.

    members: boosters of one objective over the same columns; they may differ in seed, rows and length.
    Raises BundleError when the members differ in more than that.
    """
    texts = [canonical_text(member) for member in members]
    if not texts:
        raise BundleError("no boosters to average", allowed="one or more", fix="pass at least one booster")
    _require_alike(texts)
    divisors = [float(len(texts))] * len(texts) if weights is None else [1.0 / one for one in weights]
    trees = [
        tree for text, divisor in zip(texts, divisors, strict=True) for tree in _scaled_trees(text, divisor)
    ]
    numbered = [f"Tree={position}\n{tree}" for position, tree in enumerate(trees)]
    # LightGBM finds each tree by these sizes, in bytes.
    sizes = " ".join(str(len(tree.encode())) for tree in numbered)
    header = re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", _split(texts[0])[0], flags=re.MULTILINE)
    return header + "".join(numbered) + _END


class NativeBooster:
    """A booster ready to score. Safe to share between threads.

    text: LightGBM's model text. threads: for batches; None means all cores. One row always takes one
    thread: p99 0.1 ms against 12 ms.
    """

    def __init__(self, text: str, *, threads: int | None = None) -> None:
        try:
            self._booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise BundleError(
                f"booster text cannot be read: {error}", fix="train again; the file is damaged"
            ) from error
        self._threads = threads or 0
        # LightGBM recomputes the depth of each tree at the start of every call for contributions; a second
        # call that meets a depth half recomputed reserves too little memory.
        self._lock = threading.Lock()

    @property
    def columns(self) -> int:
        """How many columns a row has."""
        return cast(int, self._booster.num_feature())

    def margins(self, X: Matrix) -> Matrix:
        """Raw scores, float64 (n,): log-odds before calibration."""
        if len(X) == 0:
            return np.empty(0)
        return np.concatenate([self._predict(rows, raw_score=True) for rows in _chunks(X)])

    def contributions(self, X: Matrix) -> Matrix:
        """float64 (n, k + 1), log-odds before calibration; last column is the base value.

        Exact TreeSHAP over the training paths, Lundberg et al. 2020.
        """
        if len(X) == 0:
            return np.empty((0, self.columns + 1))
        return np.concatenate([self._predict(rows, pred_contrib=True) for rows in _chunks(X)])

    def _predict(self, rows: Matrix, **what: bool) -> Matrix:
        threads = self._threads if len(rows) >= _ROWS_WORTH_THREADS else 1
        with self._lock:
            return cast(Matrix, self._booster.predict(rows, num_threads=threads, **what))


def _chunks(X: Matrix) -> Iterator[Matrix]:
    for start in range(0, len(X), _CHUNK_ROWS):
        yield X[start : start + _CHUNK_ROWS]


def _split(text: str) -> tuple[str, list[str]]:
    header, *trees = _TREE.split(text.removesuffix(_END))
    return header, trees


def _header(text: str) -> dict[str, str]:
    lines = text.partition("Tree=")[0].splitlines()
    return {key: value for key, separator, value in (line.partition("=") for line in lines) if separator}


def _scaled_trees(text: str, divisor: float) -> list[str]:
    def divide(match: re.Match[str]) -> str:
        return f"{match[1]}=" + " ".join(repr(float(value) / divisor) for value in match[2].split())

    return [_OUTPUTS.sub(divide, tree) for tree in _split(text)[1]]


def _require_alike(texts: Sequence[str]) -> None:
    first = _header(texts[0])
    for text in texts:
        header = _header(text)
        differing = [key for key in _SHARED if header.get(key) != first.get(key)]
        if differing or "average_output" in text.splitlines() or "\nis_linear=1" in text:
            raise BundleError(
                "boosters cannot be averaged into one",
                got=f"other {', '.join(differing)}" if differing else "a random forest or linear trees",
                allowed="boosted trees with constant leaves, one objective and the same columns in order",
                fix="train every member with the same parameters and columns; only seeds may differ",
            )
