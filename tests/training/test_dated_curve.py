"""The learning curve of a dated table: samples are of whole accounts, and what comes later judges them."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from label_tables import day, deals
from sklearn.metrics import roc_auc_score
from trained_market import MARKET

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from features.mapping import Config
from features.tables import Tables
from training.backtesting import curve
from training.backtesting.curve import DatedCurve, draw_accounts
from training.backtesting.questions import ask, with_labels
from training.learning.learn import Rows

CUTOFF = MARKET.end - timedelta(days=270)
ROWS = Rows(
    pd.DataFrame(
        {
            # Ten accounts with the event and forty without, two rows of each; the event is in the second.
            "account_id": [f"a{number:02d}" for number in range(50) for _ in range(2)],
            "label": [int(number < 10 and row == 1) for number in range(50) for row in range(2)],
        }
    ),
    np.zeros((100, 0)),
    Catalogue(()),
)


def test_samples_are_whole_accounts_at_the_share_of_the_table():
    *few, everything = draw_accounts(ROWS, sizes=(2, 5, 10, 20), draws=3, seed=1)
    assert [len(samples) for samples in few] == [3, 3]
    for size, samples in zip((2, 5), few, strict=True):
        assert len({tuple(sample) for sample in samples}) == 3
        for sample in samples:
            frame = ROWS.frame.iloc[sample]
            assert (len(frame), int(frame["label"].sum())) == (2 * 5 * size, size)
            assert set(frame.groupby("account_id").size()) == {2}
    assert [one.tolist() for one in everything] == [list(range(100))]


@pytest.fixture(scope="module")
def learned() -> list[Rows]:
    """What each model of the curve learned from, in their order."""
    return []


@pytest.fixture(scope="module")
def drawn(market: Tables, config: Config, learned: list[Rows]) -> DatedCurve:
    """With a learner that takes large accounts for good ones."""

    def learn(rows: Rows, **_: object) -> SimpleNamespace:
        learned.append(rows)
        place = rows.catalogue.index("employees")
        return SimpleNamespace(probabilities=lambda X: np.nan_to_num(X[:, place]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curve, "learn_rows", learn)
        return curve.dated_curve(market, config=config, key="fit", cutoff=CUTOFF, sizes=(45,), draws=2)


def test_all_learn_from_what_was_known_and_are_judged_by_what_followed(
    drawn: DatedCurve, learned: list[Rows], market: Tables, config: Config
):
    assert [len(rows.frame) for rows in learned[2:]] == [drawn.points[-1].rows]
    assert all(rows.frame["label_known_at"].max() <= pd.Timestamp(CUTOFF) for rows in learned)
    question = ask(market, kind="fit", cutoff=CUTOFF, config=config)
    frame = question.asked.assign(
        cutoff=pd.Timestamp(CUTOFF), size=np.nan_to_num(question.X[:, question.catalogue.index("employees")])
    )
    followed = with_labels(market, frame, kind="fit", config=config).dropna(subset=["label"])
    assert (drawn.rows, drawn.base_rate) == (len(followed), pytest.approx(followed["label"].mean()))
    alone = pytest.approx(roc_auc_score(followed["label"], followed["size"]))
    assert [point.ours.value for point in drawn.points] == [alone, alone]


def test_every_figure_has_its_interval_and_its_base_rate(drawn: DatedCurve):
    told = json.loads(json.dumps(drawn.to_json()))
    assert told["time_tested"] is True
    assert 0 < told["base_rate"] < 1
    assert [point["samples"] for point in told["points"]] == [2, 1]
    for point in told["points"]:
        for one in point["roc_auc"].values():
            assert one["low"] < one["value"] < one["high"]


def test_too_few_accounts_are_refused_in_the_words_of_a_training(market: Tables, config: Config):
    early = MARKET.end - timedelta(days=1000)
    with pytest.raises(NotEnoughDataError, match=r"too few rows|too little history"):
        curve.dated_curve(market, config=config, key="fit", cutoff=early, draws=2)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"won": 40, "lost": 200}, "too few rows of one class .*more with the event are missing"),
        ({"won": 90, "lost": 90, "facts": False}, "no feature tells one row from another"),
    ],
    ids=["fewer than forty by then", "accounts without any fact"],
)
def test_what_bears_no_model_is_refused(config: Config, given: dict[str, Any], told: str):
    with pytest.raises(NotEnoughDataError, match=told):
        curve.dated_curve(deals(**given), config=config, key="fit", cutoff=day("2023-07-01"), draws=2)
