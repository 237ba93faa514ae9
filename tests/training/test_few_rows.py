"""Learning from few rows with dates: who learns, what later rows are judged by, and accounts kept whole."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from trained_market import MARKET

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from features.feature import Feature
from features.mapping import Config
from features.settings import FitLearningSettings
from training.checks.few_rows import check_market, summarise
from training.fit import Training
from training.learning.few_rows import are_few, learn_few, learn_rows
from training.learning.learn import Rows
from training.learning.small import SmallLearned
from training.market.settings import MarketSettings
from training.market.write import simulate

SETTINGS = FitLearningSettings(max_rounds=30)
START = datetime.fromisoformat("2024-01-01")


def rows_of(*, events: int, others: int, seed: int = 3) -> Rows:
    """Rows a day apart in which the first column tells the event and the second one nothing."""
    random, count = np.random.default_rng(seed), events + others
    label = np.zeros(count, dtype=np.int64)
    label[np.linspace(0, count - 1, events).astype(int)] = 1
    X = np.column_stack([label + random.normal(size=count), random.normal(size=count)])
    moments = pd.to_datetime([START + timedelta(days=day) for day in range(count)])
    frame = pd.DataFrame(
        {
            "account_id": [f"account-{number // 2}" for number in range(count)],
            "as_of": moments,
            "label": label,
            "label_known_at": moments + timedelta(days=5),
        }
    )
    features = tuple(
        Feature(name, "firmographic", "number", "accounts", "latest", "", "", name, "") for name in ("a", "b")
    )
    return Rows(frame, X, Catalogue(features))


@pytest.mark.parametrize(
    ("events", "others", "limit", "few"),
    [(40, 60, 41, True), (60, 40, 41, True), (40, 60, 40, False), (40, 60, 0, False)],
)
def test_the_rarer_class_decides(events: int, others: int, limit: int, few: bool) -> None:
    settings = SETTINGS.model_copy(update={"few_rows": limit})
    assert are_few(rows_of(events=events, others=others), settings=settings) is few


def test_forty_wins_and_forty_losses_are_learned_and_judged_on_later_rows_alone() -> None:
    rows = rows_of(events=40, others=40)
    learned = learn_rows(rows, settings=SETTINGS)
    assert isinstance(learned, SmallLearned)
    (fold,) = learned.folds
    assert rows.frame["label_known_at"].iloc[fold.earlier].max() <= fold.starts
    assert list(learned.later["position"]) == list(fold.later)
    assert len(fold.later) == 28  # the newest 35 %
    assert learned.later["probability"].between(0, 1).all()


def test_what_is_told_of_later_rows_does_not_depend_on_their_labels() -> None:
    rows = rows_of(events=60, others=60)
    told = learn_few(rows, settings=SETTINGS)
    later = rows.frame["as_of"] >= told.folds[0].starts
    turned = rows.frame.assign(label=rows.frame["label"].where(~later, 1 - rows.frame["label"]))
    again = learn_few(Rows(turned, rows.X, rows.catalogue), settings=SETTINGS)
    assert list(again.later["probability"]) == list(told.later["probability"])


def test_noise_is_drawn_to_the_base_rate() -> None:
    rows = rows_of(events=50, others=150)
    noise = Rows(rows.frame, rows.X[:, [1, 1]] * [1.0, -1.0], rows.catalogue)
    chances = learn_few(noise, settings=SETTINGS).probabilities(noise.X)
    assert np.abs(chances - 0.25).max() < 0.12


def test_too_short_a_history_is_refused_with_counts() -> None:
    rows = rows_of(events=40, others=40)
    order = np.argsort(-rows.label, kind="stable")
    first_wins = rows.frame.assign(label=rows.label[order])
    with pytest.raises(NotEnoughDataError, match="too little history"):
        learn_few(Rows(first_wins, rows.X, rows.catalogue), settings=SETTINGS)


def test_the_fit_model_of_a_small_market_is_learned_so(fit_training: Training) -> None:
    assert isinstance(fit_training.learned, SmallLearned)


def test_a_check_of_one_market_names_what_each_learner_reaches(config: Config, tmp_path: Path) -> None:
    judged_on = simulate(MarketSettings(accounts=2_000, seed=2), directory=tmp_path / "judged").directory
    found = check_market(MARKET.accounts, seed=1, folder=tmp_path, judged_on=judged_on, config=config)
    assert found["best_log_loss"] < min(found["few_rows_log_loss"], found["trees_log_loss"])
    (size,) = summarise([found, {**found, "trees_log_loss": found["trees_log_loss"] + 0.2}])
    expected = found["trees_log_loss"] - found["few_rows_log_loss"] + 0.1
    assert size["log_loss_better_by"]["mean"] == pytest.approx(expected)
    # Two seeds a distance d apart: a half interval of t(1 degree) * d / 2 = 12.7062 * 0.1.
    assert size["log_loss_better_by"]["high"] - expected == pytest.approx(1.27062, abs=1e-4)
