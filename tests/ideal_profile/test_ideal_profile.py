"""The ideal customer profile: what was planted is found, what was not is not; figures are of later data."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from planted_profile import mid_sized, mid_sized_with_salesforce, planted, same_for_all

from models.profile import Profile, percent
from training.ideal_profile import learn_profile
from training.ideal_profile.checking import adjusted, figures, two_sided
from training.ideal_profile.conditions import between, conditions_of, holding, is_flag, is_level
from training.learning.learn import Rows
from training.learning.splits import time_folds


def test_a_planted_combination_is_found_with_the_figures_of_later_accounts() -> None:
    rows = planted(mid_sized_with_salesforce)
    profile = learn_profile(rows)
    best = profile.traits[0]
    assert best.words() == "51 to 200 people and uses salesforce"
    assert best.words("zh") == "员工51至200人，使用salesforce"
    later = rows.frame.iloc[time_folds(rows.frame, folds=1, later_share=0.4)[0].later]
    facts = pd.DataFrame(rows.X, columns=list(rows.catalogue.names)).loc[later.index]
    meets = later[facts["employees"].between(51, 200) & (facts["technologies_salesforce"] == 1)]
    assert (best.later.accounts, best.later.won) == (len(meets), meets["label"].sum())
    assert (profile.later.accounts, profile.later.won) == (len(later), later["label"].sum())
    assert best.later.low < 0.5 < best.later.high
    rate, base = percent(meets["label"].mean()), percent(later["label"].mean())
    assert profile.sentence(best) == f"{best.words()}: won {rate} of {len(meets)}, all {base}"


def test_a_market_in_which_nothing_tells_gives_none_beyond_chance() -> None:
    rows, random = planted(same_for_all, accounts=500), np.random.default_rng(3)
    markets, with_traits = 40, 0
    for _ in range(markets):
        shuffled = rows.frame.assign(label=random.permutation(rows.frame["label"].to_numpy()))
        with_traits += bool(learn_profile(Rows(shuffled, rows.X, rows.catalogue)).traits)
    # At one in twenty, seven or more of forty happen once in three hundred times.
    assert with_traits <= 6


def test_ten_columns_that_say_the_same_are_one_trait() -> None:
    rows = planted(mid_sized, copies=True)
    profile = learn_profile(rows)
    speak_for = [trait for trait in profile.traits if trait.direction == "for"]
    assert 1 <= len(speak_for) <= 3
    inside = [
        np.all([holding(each, rows.X, catalogue=rows.catalogue) for each in trait.conditions], axis=0)
        for trait in speak_for
    ]
    assert all((a & b).sum() <= 0.75 * (a | b).sum() for a, b in combinations(inside, 2))


def test_every_condition_of_a_combination_is_needed() -> None:
    profile = learn_profile(planted(mid_sized))
    assert "51 to 200 people" in [trait.words() for trait in profile.traits]
    assert all(len(trait.conditions) <= 3 for trait in profile.traits)


def test_an_account_counts_once_and_on_one_side() -> None:
    rows = planted(mid_sized, accounts=900)
    twice = pd.concat([rows.frame, rows.frame.assign(as_of=rows.frame["as_of"] + pd.Timedelta(days=1))])
    doubled = Rows(twice.reset_index(drop=True), np.vstack([rows.X, rows.X]), rows.catalogue)
    profile = learn_profile(doubled)
    fold = time_folds(doubled.frame, folds=1, later_share=0.4)[0]
    earlier, later = (set(doubled.frame["account_id"].iloc[side]) for side in (fold.earlier, fold.later))
    assert profile.earlier.accounts == len(earlier)
    assert profile.later.accounts == len(later - earlier)


def test_a_history_too_short_to_cut_says_so() -> None:
    rows = planted(mid_sized, accounts=12)
    profile = learn_profile(rows)
    assert profile.traits == ()
    assert "too little history" in profile.missing_en
    assert profile.missing_zh
    assert profile.earlier.accounts == 12


def test_it_comes_back_from_json_as_it_was() -> None:
    profile = learn_profile(planted(mid_sized_with_salesforce))
    assert Profile.from_json(json.loads(json.dumps(profile.to_json()))) == profile


def test_shares_speak_of_all_accounts_where_those_without_a_win_were_drawn() -> None:
    rows = planted(mid_sized_with_salesforce)
    plain, drawn = learn_profile(rows), learn_profile(rows, basis="known", stands_for=9.0)
    share = plain.later.rate / (plain.later.rate + 9 * (1 - plain.later.rate))
    assert drawn.later.rate == pytest.approx(share)
    # The odds of a win are nine times lower; which traits hold is the same.
    assert [one.words() for one in drawn.traits] == [one.words() for one in plain.traits]
    assert "of such known accounts" in drawn.sentence(drawn.traits[0])
    assert "此类已知客户中赢得" in drawn.sentence(drawn.traits[0], language="zh")


def test_an_account_that_was_drawn_twice_stands_for_twice_as_many() -> None:
    rows = planted(mid_sized, accounts=900)
    drawn = rows.frame["label"] == 0
    twice = Rows(
        pd.concat([rows.frame, rows.frame[drawn]], ignore_index=True),
        np.vstack([rows.X, rows.X[drawn.to_numpy()]]),
        rows.catalogue,
    )
    once = learn_profile(rows, basis="known", stands_for=4.0).later
    again = learn_profile(twice, basis="known", stands_for=2.0).later
    assert once.rate == pytest.approx(again.rate, rel=0.15)


def test_two_of_three_are_won_by_chance_as_often_as_counting_says() -> None:
    won = np.array([1, 1, 0, 0, 0, 0])
    inside = np.array([True, True, True, False, False, False])
    assert two_sided(inside, won=won) == pytest.approx(2 * comb(4, 1) / comb(6, 3))


def test_chances_are_adjusted_for_their_number() -> None:
    # By hand: 0.01 x 3 / 1, 0.03 x 3 / 2, 0.04 x 3 / 3, each at most the next.
    assert adjusted([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert adjusted([]) == []


@pytest.mark.parametrize(("miss", "low", "high"), [(0.05, 0.2366, 0.7634), (0.01, 0.1842, 0.8158)])
def test_the_interval_is_wilson_s(miss: float, low: float, high: float) -> None:
    # At a half, the bounds are 1/2 -+ z / (2 sqrt(n + z^2)).
    found = figures(10, 5, miss=miss)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert figures(0, 0).high == 1.0


CATALOGUE = planted(same_for_all, accounts=50).catalogue


@pytest.mark.parametrize(
    ("condition", "english", "chinese"),
    [
        (
            between(CATALOGUE.feature("employees"), low=51, high=201, whole=True),
            "51 to 200 people",
            "员工51至200人",
        ),
        (
            between(CATALOGUE.feature("employees"), low=1001, high=None, whole=True),
            "1,001 or more people",
            "员工1,001及以上人",
        ),
        (
            between(CATALOGUE.feature("employees"), low=None, high=51, whole=True),
            "at most 50 people",
            "员工不超过50人",
        ),
        (
            between(CATALOGUE.feature("remote_share"), low=0.1, high=0.25, whole=False),
            "share of remote staff 0.1 to under 0.25",
            "远程占比0.1至不足0.25",
        ),
        (
            between(CATALOGUE.feature("remote_share"), low=None, high=40e6, whole=False),
            "share of remote staff below 40 million",
            "远程占比低于4,000万",
        ),
        (is_level(CATALOGUE.feature("industry"), "software"), "industry software", "行业为software"),
        (
            is_flag(CATALOGUE.feature("technologies_salesforce"), yes=True),
            "uses salesforce",
            "使用salesforce",
        ),
        (
            is_flag(CATALOGUE.feature("technologies_salesforce"), yes=False),
            "does not use salesforce",
            "未使用salesforce",
        ),
        (is_flag(CATALOGUE.feature("partner"), yes=True), "is a partner", "是合作伙伴"),
        (is_flag(CATALOGUE.feature("partner"), yes=False), "not “is a partner”", "非“是合作伙伴”"),
    ],
)
def test_conditions_read_well(condition: object, english: str, chinese: str) -> None:
    assert (condition.words_en, condition.words_zh) == (english, chinese)


def test_a_missing_value_meets_no_condition() -> None:
    rows = planted(same_for_all, accounts=50)
    empty = np.full((1, len(rows.catalogue.names)), np.nan)
    for condition in conditions_of(rows.catalogue, rows.X):
        assert not holding(condition, empty, catalogue=rows.catalogue).any()


@pytest.mark.parametrize("feature", ["employees", "remote_share"])
def test_the_bands_of_a_number_cover_it(feature: str) -> None:
    rows = planted(same_for_all, accounts=400)
    own = [each for each in conditions_of(rows.catalogue, rows.X) if each.feature == feature]
    met = np.stack([holding(each, rows.X, catalogue=rows.catalogue) for each in own])
    assert met.any(axis=0).all()
    assert len({(each.low, each.high) for each in own}) == len(own)
    assert all(
        replace(each, words_en="") != replace(other, words_en="") for each, other in combinations(own, 2)
    )
