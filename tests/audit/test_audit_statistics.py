"""The statistics behind findings, against other implementations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, hypergeom
from sklearn.metrics import roc_auc_score

from training.audit.one_class import _all_of
from training.audit.statistics import exact_interval, fold_of, log_loss, rates, roc_auc_interval, shifted


@pytest.mark.parametrize(("count", "among"), [(0, 7), (3, 10), (10, 10), (1, 4_000)])
def test_the_interval_of_a_share_is_exact(count: int, among: int) -> None:
    other = binomtest(count, among).proportion_ci(method="exact")
    assert exact_interval(count, among) == pytest.approx((other.low, other.high))


@pytest.mark.parametrize(("drawn", "same", "among"), [(1, 3, 10), (5, 30, 100), (12, 12, 40), (9, 8, 20)])
def test_the_chance_of_one_class_is_hypergeometric(drawn: int, same: int, among: int) -> None:
    assert _all_of(drawn, same=same, among=among) == pytest.approx(hypergeom.pmf(drawn, among, same, drawn))


def test_the_area_counts_ties_half_and_its_interval_covers() -> None:
    generator, covered = np.random.default_rng(0), 0
    for _ in range(200):
        label = np.repeat([0, 1], [120, 60])
        score = np.round(generator.normal(size=180) + label, 1)
        area, low, high = roc_auc_interval(label, score, groups=np.arange(180))
        assert area == pytest.approx(roc_auc_score(label, score))
        # Two normal variables one standard deviation apart: the area is the normal integral at 1 / sqrt(2).
        covered += low <= 0.7602 <= high
    assert 180 <= covered <= 199


def test_groups_stay_in_one_fold_and_rates_come_from_the_others() -> None:
    groups = np.repeat(np.arange(100), 3)
    folds = fold_of(groups)
    assert all(len(set(folds[groups == group])) == 1 for group in range(100))
    # One bin per group: nothing is known of it in other folds, so every row gets the rate of all others.
    label = (groups % 2).astype(np.int64)
    told = rates(groups, label=label, folds=folds)
    assert [told[folds == fold].std() for fold in range(5)] == pytest.approx([0.0] * 5)


def test_a_shift_adds_what_a_column_tells_and_nothing_when_it_tells_nothing() -> None:
    generator = np.random.default_rng(1)
    first, second, noise = generator.integers(0, 2, (3, 6_000))
    chance = np.select([first + second == 0, first + second == 1], [0.1, 0.4], 0.8)
    label = (generator.random(6_000) < chance).astype(np.int64)
    folds = fold_of(np.arange(6_000))
    base = rates(first, label=label, folds=folds)
    loss = log_loss(label, base).mean()
    assert log_loss(label, shifted(second, label=label, folds=folds, base=base)).mean() < loss - 0.05
    assert log_loss(label, shifted(noise, label=label, folds=folds, base=base)).mean() > loss - 0.001
