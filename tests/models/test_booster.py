"""Averaged boosters are one booster: the same scores, exact explanations, one text."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
from small_world import CATALOGUE, World, make, train

from features.errors import BundleError
from models.booster import NativeBooster, booster_feature_names, canonical_text, merge_boosters
from models.scoring import Scorer


def test_the_raw_score_of_merged_boosters_is_the_mean_of_their_raw_scores(world: World) -> None:
    members = [train(world, seed=seed, rounds=rounds) for seed, rounds in ((1, 40), (2, 25), (3, 60))]
    merged = NativeBooster(merge_boosters(members))
    mean = np.mean([member.predict(world.X, raw_score=True) for member in members], axis=0)
    assert np.abs(merged.margins(world.X) - mean).max() < 1e-12
    contributions = np.mean([member.predict(world.X, pred_contrib=True) for member in members], axis=0)
    assert np.abs(merged.contributions(world.X) - contributions).max() < 1e-12
    assert np.abs(merged.contributions(world.X).sum(axis=1) - mean).max() < 1e-12


def test_a_merged_booster_is_served_like_any_other(world: World) -> None:
    bundle = make(merge_boosters([train(world, seed=seed) for seed in (1, 2)]), world)
    bundle.verify()
    answer = Scorer(bundle).explain_row(world.X[0])
    shown = [reason.contribution for reason in (*answer.reasons_for, *answer.reasons_against)]
    assert abs(answer.baseline + sum(shown) + answer.other - answer.logit) < 1e-9


def test_one_member_keeps_every_bit(booster: lightgbm.Booster, world: World) -> None:
    alone = NativeBooster(merge_boosters([booster]))
    assert (alone.margins(world.X) == booster.predict(world.X, raw_score=True)).all()


def test_merging_does_not_depend_on_the_form_of_the_members(world: World) -> None:
    members = [train(world, seed=seed) for seed in (1, 2)]
    assert merge_boosters(members) == merge_boosters([canonical_text(member) for member in members])


def test_the_text_is_free_of_the_number_of_threads_and_parameters(world: World) -> None:
    one, two = (canonical_text(train(world, rounds=5, threads=threads)) for threads in (1, 2))
    assert one == two
    assert "num_threads" not in one
    assert canonical_text(one) == one
    assert booster_feature_names(one) == CATALOGUE.names


def test_a_booster_that_stopped_early_is_cut_at_its_best_iteration(world: World) -> None:
    booster = train(world)
    booster.best_iteration = 10
    native = NativeBooster(canonical_text(booster))
    assert (native.margins(world.X) == booster.predict(world.X, raw_score=True, num_iteration=10)).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"objective": "regression"}, "other objective"),
        ({"linear_tree": True}, "linear trees"),
        ({"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}, "random forest"),
        ({"names": True}, "other feature_names"),
    ],
)
def test_boosters_of_another_kind_are_refused(
    world: World, booster: lightgbm.Booster, settings: dict[str, object], words: str
) -> None:
    names = list(CATALOGUE.names[::-1] if settings.pop("names", False) else CATALOGUE.names)
    data = lightgbm.Dataset(np.nan_to_num(world.X), world.y, feature_name=names)
    other = lightgbm.train({"objective": "binary", "num_threads": 1, "verbose": -1} | settings, data, 3)
    with pytest.raises(BundleError, match=words):
        merge_boosters([booster, other])


@pytest.mark.parametrize("text", ["", "tree\nversion=v4\n", "tree\nend of trees\n"])
def test_a_text_without_trees_is_refused(text: str) -> None:
    with pytest.raises(BundleError, match="no complete tree"):
        canonical_text(text)
    with pytest.raises(BundleError):
        NativeBooster("nonsense")


def test_nothing_to_merge_is_an_error() -> None:
    with pytest.raises(BundleError, match="no boosters"):
        merge_boosters([])
