"""Measures against the truth: by hand, and a planted leak that ranks better than anything honest could."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training.backtesting.means import mean_of
from training.checks.hazards import LEFT_IN, MARKETS, beats_the_best, summarise
from training.checks.interval_coverage import USED
from training.checks.interval_coverage import summarise as summarise_coverage
from training.checks.interval_tries import TRIES
from training.checks.truth import calibration_error, coverage

CHANCES = np.arange(40) / 40


def test_the_calibration_error_is_the_mean_gap_of_twentieths() -> None:
    assert calibration_error(CHANCES, truth=CHANCES) == 0
    assert calibration_error(CHANCES, truth=CHANCES + 0.03) == pytest.approx(0.03)
    # Half of the bins are .02 too high, half .04 too low.
    truth = CHANCES + np.where(np.arange(40) < 20, -0.02, 0.04)
    assert calibration_error(CHANCES, truth=truth) == pytest.approx(0.03)


def test_coverage_asks_for_the_mean_of_each_twentieth() -> None:
    truth = CHANCES + 0.05 * (np.arange(40) >= 30)
    found = coverage(CHANCES[::-1], low=CHANCES[::-1] - 0.02, high=CHANCES[::-1] + 0.02, truth=truth[::-1])
    assert found.held.tolist() == [True] * 15 + [False] * 5
    assert found.each.tolist() == [1.0] * 15 + [0.0] * 5
    assert found.width == pytest.approx(0.04)


def rows(*, leak: float) -> pd.DataFrame:
    random = np.random.default_rng(1)
    truth = 1 / (1 + np.exp(-random.normal(-1, 1, 3_000)))
    label = (random.random(3_000) < truth).astype(np.int64)
    return pd.DataFrame(
        {
            "account_id": np.arange(3_000).astype(str),
            "label": label,
            "truth": truth,
            "probability": np.clip(truth + random.normal(0, 0.02, 3_000) + leak * label, 0.001, 0.999),
        }
    )


@pytest.mark.parametrize(("leak", "found"), [(0.0, False), (0.2, True)])
def test_a_model_that_beats_the_best_possible_ranker_has_leaked(leak: float, found: bool) -> None:
    assert beats_the_best(rows(leak=leak)) == found


@pytest.mark.parametrize("name", TRIES)
def test_every_try_holds_the_probability(name: str) -> None:
    told = rows(leak=0.0)[:400].assign(probability=lambda one: one["truth"])
    low, high = TRIES[name](told)(np.linspace(-4, 3, 15))
    chance = 1 / (1 + np.exp(-np.linspace(-4, 3, 15)))
    assert ((low <= chance) & (chance <= high)).all()
    assert (high - low).max() > 0.01


def test_a_mean_over_markets_has_the_interval_of_student() -> None:
    # Standard error .1 / 3 ** .5 = .057735; with two degrees of freedom 4.302653 of them on each side.
    assert mean_of([0.7, 0.8, 0.9]) == pytest.approx({"mean": 0.8, "low": 0.551586, "high": 1.048414})
    assert mean_of([0.7]) == {"mean": 0.7, "low": None, "high": None}


@pytest.mark.parametrize(
    ("shares", "low", "high"),
    [
        # On the scale of logits 1.386294 on each side of which .248414 / (.8 * .2) = 1.552588.
        ([0.7, 0.8, 0.9], 0.458522, 0.949735),
        # Nothing but 1 in eight markets: .025 ** (1 / 8).
        ([1.0] * 8, 0.630575, 1.0),
        ([0.0] * 8, 0.0, 0.369425),
    ],
)
def test_the_interval_of_a_share_is_one_of_shares(shares: list[float], low: float, high: float) -> None:
    found = mean_of(shares, share=True)
    assert found == pytest.approx({"mean": np.mean(shares), "low": low, "high": high}, abs=1e-5)


def test_coverage_is_a_mean_over_judged_markets_and_names_its_worst_and_its_top_bin() -> None:
    facts = {
        "kind": "fit",
        "events": 9,
        "design_effect": 1.0,
        "error": 0.01,
        "base_rate": 0.3,
        "learner": "lines",
    }
    own = {**facts, "way": USED, "each": 0.8, "width": 0.1}
    bins = ([True, False, True], [True, False, True], [True, True, False], [True, False, False])
    held = (0.6, 0.8, 0.9, 0.9)
    found = [
        {**own, "judged": judged, "held": one, "bins": each}
        for judged, one, each in zip((1, 1, 2, 3), held, bins, strict=True)
    ]
    fit = summarise_coverage(found)["fit"]
    told = fit["ways"][USED]
    assert fit["learners"] == {"lines": 4}
    # Judged markets have .7, .9 and .9; their bins (1, 0, 1), (1, 1, 0) and (1, 0, 0).
    assert told["coverage"]["mean"] == pytest.approx(2.5 / 3)
    assert told["coverage_by_bin"] == [1.0, 0.333, 0.333]
    assert (told["worst_bin"]["bin"], told["top_bin"]["bin"]) == (2, 3)
    assert told["worst_bin"]["mean"] == told["top_bin"]["mean"] == pytest.approx(1 / 3)
    assert 0 < told["worst_bin"]["low"] < 1 / 3 < told["worst_bin"]["high"] < 1


def test_hazards_are_means_over_markets() -> None:
    names = ("base_rate", "model", "best", "gap", "calibration_error", "coverage", "width")
    hazards = [
        {"hazard": "none", "kind": "fit", "beats_the_best": beats, **dict.fromkeys(names, 0.5)}
        for beats in (False, True)
    ]
    told = summarise(hazards)[0]
    assert (told["beats_the_best"], told["markets"], told["gap"]["mean"]) == (1, 2, 0.5)
    left_in = [
        {**one, "hazard": LEFT_IN, "named": named, "others": others}
        for one, named, others in zip(hazards, (True, False), (2, 1), strict=True)
    ]
    plain, asked = summarise([*hazards, *left_in])
    assert "audit_names_the_leak" not in plain
    assert (asked["audit_names_the_leak"], asked["audit_blocks_others"]) == (1, 3)


def test_every_hazard_that_was_asked_for_is_checked() -> None:
    wanted = {"leaking_field", "drift", "selection", "missing_at_random", "missing_not_at_random"}
    assert wanted | {"late_facts", "few_customers", "several_products", "none"} <= set(MARKETS)
