"""The estimators keep scikit-learn's interface, and find what was planted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from few_rows_checks import FEW_ROWS
from planted import Planted, planted
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from features.errors import InputError, NotEnoughDataError
from models.positive_unlabelled import HiddenAtRandomClassifier, PursuitWeightedClassifier, out_of_fold
from models.positive_unlabelled.base import default_learner

LEARNER = LogisticRegression()


def refused(estimator: Any) -> dict[str, str]:
    """The checks that the defaults cannot pass, and why; one that passes after all fails the suite."""
    if getattr(estimator, "label_rate", 1.0) is not None:
        return {}
    why = "which share of the positives is known cannot be measured below 100 rows of each kind: it refuses"
    return dict.fromkeys(
        (*FEW_ROWS, "check_positive_only_tag_during_fit", "check_fit_check_is_fitted", "check_n_features_in"),
        why,
    )


@parametrize_with_checks(
    [
        HiddenAtRandomClassifier(),
        HiddenAtRandomClassifier(label_rate=1.0),
        PursuitWeightedClassifier(),
        HiddenAtRandomClassifier(LEARNER, label_rate=1.0),
        PursuitWeightedClassifier(LEARNER),
    ],
    expected_failed_checks=refused,
)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("learner", [LEARNER, default_learner().set_params(n_estimators=40)])
def test_at_random_only_the_level_moves(learner: Any) -> None:
    world = planted(rows=4_000, label_rate=0.4)
    plain = learner.fit(world.X, world.labelled).predict_proba(world.X)[:, 1]
    ours = HiddenAtRandomClassifier(learner, label_rate=0.4).fit(world.X, world.labelled)
    found = ours.predict_proba(world.X)[:, 1]
    assert np.array_equal(np.argsort(found, kind="stable"), np.argsort(plain, kind="stable"))
    assert found.mean() == pytest.approx(world.positive.mean(), rel=0.1)


def test_the_label_rate_is_estimated_where_some_always_win() -> None:
    world = planted(rows=10_000, label_rate=0.4, always=True)
    found = HiddenAtRandomClassifier(default_learner()).fit(world.X, world.labelled)
    assert found.label_rate_ == pytest.approx(0.4, rel=0.15)


def pursued_world(rows: int = 6_000) -> tuple[Planted, np.ndarray, np.ndarray]:
    """Winning rises with the first column; pursuit falls with it, and touches nearly nobody at its end."""
    world = planted(rows=rows, label_rate=1.0)
    propensity = np.where(world.X[:, 0] > 0.5, 0.1, 0.6)
    pursued = np.random.default_rng(1).random(rows) < propensity
    return world, pursued, (world.positive.astype(bool) & pursued).astype(int)


@pytest.mark.parametrize("learner", [LEARNER, default_learner().set_params(n_estimators=40)])
def test_by_selection_ranking_and_level_improve(learner: Any) -> None:
    world, pursued, won = pursued_world()
    ours = PursuitWeightedClassifier(learner).fit(world.X, won, pursued=pursued)
    found, plain = ours.predict_proba(world.X)[:, 1], out_of_fold(learner, world.X, won)
    off, off_plain = (np.abs(scores - world.chance).mean() for scores in (found, plain))
    assert off < 0.08
    assert off_plain > 0.25
    ranked, ranked_plain = (np.corrcoef(scores, world.chance)[0, 1] for scores in (found, plain))
    assert ranked > 0.9 > ranked_plain
    assert ours.propensities_[world.X[:, 0] > 0.5].mean() == pytest.approx(0.1, abs=0.08)


def test_without_pursuit_nothing_is_weighed() -> None:
    world = planted(rows=500, label_rate=0.5)
    ours = PursuitWeightedClassifier(LEARNER).fit(world.X, world.labelled)
    plain = LogisticRegression().fit(world.X, world.labelled)
    assert np.array_equal(ours.predict_proba(world.X), plain.predict_proba(world.X))
    assert (ours.propensities_ == 1.0).all()


def test_the_smallest_propensity_is_bounded() -> None:
    world, pursued, won = pursued_world(rows=1_000)
    ours = PursuitWeightedClassifier(LEARNER, clip=0.3).fit(world.X, won, pursued=pursued)
    assert ours.propensities_.min() == 0.3


@pytest.mark.parametrize(
    ("estimator", "labels", "extra", "named"),
    [
        (PursuitWeightedClassifier(LEARNER), [1, 1, 0, 0], {"pursued": [1, 0, 1, 0]}, "not pursued"),
        (PursuitWeightedClassifier(LEARNER), [1, 1, 0, 0], {"pursued": [1, 1, 0, 0]}, "no loss"),
        (PursuitWeightedClassifier(LEARNER, clip=0.0), [1, 1, 0, 0], {}, "clip"),
        (PursuitWeightedClassifier(LEARNER, flattening=2.0), [1, 1, 0, 0], {}, "flattening"),
        (HiddenAtRandomClassifier(LEARNER, label_rate=0.0), [1, 1, 0, 0], {}, "label_rate"),
        (HiddenAtRandomClassifier(LEARNER), [1, 1, 0, 0], {}, "known positives"),
        (HiddenAtRandomClassifier(LEARNER), [1, 1, 1, 1], {}, "one class"),
        (HiddenAtRandomClassifier(LEARNER), [0, 1, 2, 2], {}, "two labels"),
    ],
)
def test_what_cannot_be_learned_is_refused(
    estimator: Any, labels: list[int], extra: dict[str, Any], named: str
) -> None:
    with pytest.raises((InputError, NotEnoughDataError), match=named):
        estimator.fit(np.arange(8.0).reshape(4, 2), labels, **extra)
