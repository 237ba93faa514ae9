"""Calibration where later slices hold few events, and negative sampling undone."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.settings import FitLearningSettings, LearningSettings
from models.calibration import Calibration, fit_calibration
from training.fit import Training
from training.learning.crossing import calibrate_crossed, crossed_splits, told_again
from training.learning.learn import learn
from training.learning.splits import Fold

NEW_YEAR = datetime.fromisoformat("2025-01-01")


def frame(
    rows: int, *, accounts: int, slope: float = 1.0, level: float = 0.0, later: float = 0.0
) -> tuple[pd.DataFrame, np.ndarray, Fold]:
    """Rows with margins, outcomes by a line, the last third with another level; and their margins."""
    random = np.random.default_rng(6)
    margin = random.normal(-1, 1.2, rows)
    newest = np.arange(rows) >= rows * 2 // 3
    chance = 1 / (1 + np.exp(-(slope * margin + level + later * newest)))
    told = pd.DataFrame(
        {
            "account_id": random.integers(0, accounts, rows).astype(str),
            "as_of": [NEW_YEAR + timedelta(days=int(day)) for day in np.arange(rows) // 10],
            "label": (random.random(rows) < chance).astype(np.int64),
        }
    )
    return told, margin, Fold(NEW_YEAR, np.flatnonzero(~newest), np.flatnonzero(newest))


def test_few_events_are_crossed_by_account_and_many_are_not() -> None:
    told, _, fold = frame(900, accounts=300)
    splits = crossed_splits(told, later=[fold], settings=LearningSettings())
    assert np.sort(np.concatenate([split.judge for split in splits])).tolist() == list(range(900))
    for split in splits:
        accounts = [set(told["account_id"].iloc[rows]) for rows in (split.learn, split.judge)]
        assert accounts[0].isdisjoint(accounts[1])
    many, _, fold = frame(20_000, accounts=9_000)
    assert crossed_splits(many, later=[fold], settings=LearningSettings()) == ()
    assert crossed_splits(told, later=[fold], settings=LearningSettings(crossed_folds=0)) == ()


@pytest.mark.parametrize("later", [0.0, 1.0])
def test_the_level_follows_the_later_slice_where_it_surely_differs(later: float) -> None:
    told, margin, fold = frame(6000, accounts=6000, slope=0.7, level=-0.4, later=later)
    splits = crossed_splits(told, later=[fold], settings=LearningSettings())
    line, rows = calibrate_crossed(
        told, splits=splits, margins=[margin[split.judge] for split in splits], later=[fold]
    )
    assert line.slope == pytest.approx(0.7, abs=0.07)
    assert line.intercept == pytest.approx(-0.4 + later, abs=0.12)
    assert rows["label"].tolist() == told["label"].tolist()


def test_told_again_is_what_the_other_line_says_of_the_margin() -> None:
    was, now, margins = Calibration(0.5, -1.0), Calibration(2.0, 0.25), np.array([-3.0, 0.0, 2.0])
    rows = pd.DataFrame({"probability": 1 / (1 + np.exp(-was.logits(margins)))})
    again = told_again(rows, was=was, now=now)["probability"].to_numpy()
    assert again == pytest.approx(1 / (1 + np.exp(-now.logits(margins))))
    assert told_again(rows, was=was, now=was) is rows


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
def test_negatives_kept_at_a_share_are_undone_by_the_log_of_it(share: float) -> None:
    """Keeping a share r of the negatives multiplies the odds by 1 / r: the line gives log r back."""
    random = np.random.default_rng(3)
    logit = random.normal(-3, 1, 400_000)
    label = random.random(len(logit)) < 1 / (1 + np.exp(-logit))
    line = fit_calibration(logit - np.log(share), labels=label)
    assert line.slope == pytest.approx(1, abs=0.02)
    assert line.intercept == pytest.approx(np.log(share), abs=0.06)


def test_on_a_simulated_market_sampling_changes_no_level(intent_training: Training) -> None:
    """Whatever share of the negatives is learned from, the mean probability is the share of events."""
    for per_positive in (1.0, 8.0):
        settings = intent_training.settings.model_copy(
            update={"negatives_per_positive": per_positive, "crossed_folds": 2, "max_rounds": 15}
        )
        learned = learn(intent_training.rows, settings=settings)
        assert learned.crossed is not None
        told, seen = learned.crossed["probability"].mean(), learned.crossed["label"].mean()
        assert told == pytest.approx(seen, rel=0.02)
        kept = per_positive * seen / (1 - seen)
        # Trees start at the odds of the sample, so the line starts near the log of the share that was kept.
        assert learned.calibration.logits(np.array([0.0]))[0] == pytest.approx(np.log(kept), abs=0.35)


def test_the_settings_cross_by_default() -> None:
    assert LearningSettings().crossed_folds == FitLearningSettings().crossed_folds == 5
