"""Folds without dates: equal rows stay together, classes are spread, and too few rows are refused."""

from __future__ import annotations

import numpy as np
import pytest

from features.errors import NotEnoughDataError
from training.learning.folds import equal_rows, stratified_splits


def drawn(*, rows: int = 600) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    X = random.integers(0, 6, (rows, 3)).astype(float)
    X[random.random(rows) < 0.1, 0] = np.nan
    return X, (random.random(rows) < 0.3).astype(np.int64)


def test_rows_are_equal_where_every_cell_is():
    X, _ = drawn()
    groups = equal_rows(X)
    said = ["|".join(map(str, row)) for row in (X + 0.0).tolist()]
    assert len(set(zip(said, groups.tolist(), strict=True))) == len(set(said)) == groups.max() + 1
    assert equal_rows(np.array([[0.0], [-0.0]])).tolist() == [0, 0]


@pytest.mark.parametrize("repeats", [1, 3])
def test_each_row_is_judged_once_per_repeat_and_never_beside_its_equals(repeats: int):
    X, y = drawn()
    groups = equal_rows(X)
    splits = stratified_splits(y, groups=groups, folds=4, repeats=repeats, seed=1)
    assert [split.fold for split in splits] == [0, 1, 2, 3] * repeats
    judged = np.concatenate([split.judge for split in splits])
    np.testing.assert_array_equal(np.bincount(judged), np.full(len(y), repeats))
    for split in splits:
        assert not set(groups[split.learn]) & set(groups[split.judge])
        assert abs(y[split.judge].mean() - y.mean()) < 0.06


def test_repeats_differ_and_a_seed_gives_the_same_folds():
    X, y = drawn()
    groups = equal_rows(X)
    one, two, other = (
        stratified_splits(y, groups=groups, folds=4, repeats=2, seed=seed) for seed in (1, 1, 9)
    )
    assert [split.judge.tolist() for split in one] == [split.judge.tolist() for split in two]
    assert one[0].judge.tolist() != one[4].judge.tolist()
    assert one[0].judge.tolist() != other[0].judge.tolist()


def test_a_class_that_cannot_be_in_every_fold_is_refused_with_counts():
    groups, y = np.arange(50), np.zeros(50, dtype=np.int64)
    y[:9] = 1
    groups[:8] = 0
    with pytest.raises(NotEnoughDataError, match="2 different among 9 rows with the event"):
        stratified_splits(y, groups=groups, folds=3, seed=0)
