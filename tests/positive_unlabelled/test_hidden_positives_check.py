"""The check of hidden positives on one small pair of markets, and its summary by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from training.checks.hidden_positives import (
    AtRandom,
    BySelection,
    check_at_random,
    check_by_selection,
    summarise,
)


def test_hidden_at_random_the_ranking_is_that_of_the_plain_classifier(tmp_path: Path) -> None:
    found = check_at_random(3, accounts=2_000, folder=tmp_path, label_rate=0.5)
    assert found.recall_ours == found.recall_plain > 1.5 * found.base
    assert found.low < found.estimated < found.high
    assert found.known + found.hidden < 2_000
    assert not found.tries


def test_hidden_by_selection_both_ranking_and_range_hold(tmp_path: Path) -> None:
    found = check_by_selection(3, accounts=2_000, folder=tmp_path, label_rate=0.5)
    assert found.recall_ours > 1.15 * found.recall_plain
    assert found.recall_best > found.recall_ours
    assert abs(found.level_ours - 1.0) < abs(found.level_plain - 1.0)
    assert found.range_low <= found.range_truth <= found.range_high


def test_the_summary_is_a_mean_with_students_interval() -> None:
    at_random = [
        AtRandom(seed, 100, 0.5, 10, 10, 0.05, 0.2, 0.2, estimated, 8.0, 12.0)
        for seed, estimated in enumerate((9.0, 10.0, 13.0))
    ]
    by_selection = [
        BySelection(seed, 100, 30, 10, 0.05, 0.1, 0.14, ours, 0.18, 0.3, 1.1, 0.0, 40.0, truth)
        for seed, (ours, truth) in enumerate(((0.15, 20), (0.16, 30), (0.17, 50)))
    ]
    at_random[0] = replace(at_random[0], tries={"recall, bagging": 0.2})
    told = summarise(at_random, by_selection)
    assert told["tries"] == {"recall, bagging": {"markets": 1, "mean": 0.2, "low": None, "high": None}}
    # Off by .1, 0 and .3; ours over plain 1.5, 1.6 and 1.7, with t(2) = 4.303: 4.303 * .1 / sqrt(3).
    assert told["at_random"]["number_off_by"]["mean"] == pytest.approx(0.4 / 3)
    assert told["at_random"]["number_within_20_percent"] == pytest.approx(2 / 3)
    assert told["at_random"]["interval_held"] == 1.0
    assert told["by_selection"]["ours_over_plain"]["low"] == pytest.approx(1.6 - 0.2484, abs=1e-4)
    assert told["by_selection"]["ours_less_won_lost_weighted"]["mean"] == pytest.approx(0.02)
    assert told["range_where_no_profile_always_wins"]["held"] == pytest.approx(2 / 3)
    assert summarise(at_random[:1], by_selection[:1])["by_selection"]["recall_ours"]["low"] is None


def test_what_lost_can_be_tried_again(tmp_path: Path) -> None:
    random = check_at_random(4, accounts=1_000, folder=tmp_path, label_rate=0.5, tries=True).tries
    selection = check_by_selection(4, accounts=1_000, folder=tmp_path, label_rate=0.5, tries=True).tries
    assert all(0 <= value <= 1 for name, value in (random | selection).items() if name.startswith("recall"))
    assert {name.split(", ")[0] for name in random} == {"recall", "number off by"}
    assert {name.split(", ")[0] for name in selection} == {"recall"}
