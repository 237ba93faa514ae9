"""Both models against the best possible ranker, on one seed: three thousand accounts to learn from."""

from __future__ import annotations

import pytest

from features.mapping import load_config
from training.checks.market import Comparison, check_seed, summarise
from training.checks.results import ROOT

CHANCE = 0.005
"""Two standard errors of the difference of two ROC AUCs on the smaller test market."""


@pytest.fixture(scope="module")
def comparisons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Comparison]:
    config = load_config(ROOT / "configs" / "simulated_market.toml")
    # The ranking does not depend on the calibration.
    intent = config.model.intent.model_copy(update={"crossed_folds": 0})
    config = config.model_copy(update={"model": config.model.model_copy(update={"intent": intent})})
    folder = tmp_path_factory.mktemp("markets")
    found = check_seed(0, accounts=3_000, test_accounts=10_000, folder=folder, config=config)
    return {one.kind: one for one in found}


@pytest.mark.parametrize("kind", ["fit", "intent"])
def test_models_beat_logistic_regression_and_come_close_to_the_best(
    kind: str, comparisons: dict[str, Comparison]
) -> None:
    found = comparisons[kind]
    assert found.model > found.logistic_regression
    assert found.best - found.model < 0.05
    assert found.model < found.best + CHANCE


def test_the_summary_is_a_mean_with_students_interval() -> None:
    seeds = [Comparison("fit", seed, 10, 5, 0.7 + seed / 100, 0.65, 0.8, 0.01) for seed in range(3)]
    found = summarise(seeds)["fit"]
    # Mean .71, standard deviation .01, t(2) = 4.303: half a width of 4.303 * .01 / sqrt(3).
    # The model's is one of shares: on the scale of logits .8954 + .02484 / (.71 * .29) = 1.0160 at most.
    assert found["model"]["mean"] == pytest.approx(0.71)
    assert found["model"]["high"] == pytest.approx(0.7342, abs=1e-4)
    assert found["gap_to_best"]["mean"] == pytest.approx(0.09)
    assert found["ahead_of_logistic_regression"]["low"] == pytest.approx(0.06 - 0.02484, abs=1e-4)
    assert summarise(seeds[:1])["fit"]["model"]["low"] is None
