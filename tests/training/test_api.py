"""The Python API: frames that read nothing later, and any classifier judged as ours is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from trained_market import MARKET

from features.errors import ConfigError, InputError
from features.mapping import Config
from features.tables import Tables
from training.api import backtest_estimator, features, labels, learning_curve
from training.backtesting import curve
from training.backtesting.dates import chosen_cutoffs
from training.backtesting.estimators import OTHER, estimator_learner
from training.backtesting.report import BacktestReport
from training.labels import next_cutoff
from training.learning.estimator import SpearfishClassifier
from training.learning.learn import Rows

CUTOFF = MARKET.end - timedelta(days=540)
pytestmark = pytest.mark.usefixtures("quick_peers")


@pytest.fixture(scope="module")
def report(market: Tables, config: Config) -> BacktestReport:
    estimator = LogisticRegression(max_iter=2000)
    return backtest_estimator(estimator, market, config=config, kind="fit", cutoffs=[CUTOFF])


def test_features_are_those_that_could_be_known(
    market: Tables, config: Config, stored: Callable[[Tables], Tables]
) -> None:
    earlier = stored(market.known_before(CUTOFF))
    cutoff = next_cutoff(earlier)
    keys = labels(market, kind="fit", cutoff=cutoff, config=config)
    pd.testing.assert_frame_equal(keys, labels(earlier, kind="fit", cutoff=cutoff, config=config))
    told = [
        features(tables, keys=keys, config=config, cutoff=cutoff, kind="fit") for tables in (market, earlier)
    ]
    pd.testing.assert_frame_equal(*told)
    assert list(told[0].index) == list(zip(keys["account_id"], keys["as_of"], strict=True))
    assert (keys["label_known_at"] <= pd.Timestamp(CUTOFF)).all()


def test_categories_are_read_by_their_names(market: Tables, config: Config) -> None:
    found = features(market, as_of=CUTOFF, config=config)
    accounts = market.read("accounts")
    known = accounts[accounts["known_at"] < pd.Timestamp(CUTOFF)].drop_duplicates("account_id", keep="last")
    assert len(found) == len(known)
    told = found["industry"].droplevel("as_of").reindex(known["account_id"]).astype(object)
    matches = (told.to_numpy() == known["industry"].to_numpy()) | (told == OTHER).to_numpy()
    assert matches[known["industry"].notna().to_numpy()].all()


def test_intent_labels_are_snapshots(market: Tables, config: Config) -> None:
    found = labels(market, kind="intent", cutoff=CUTOFF, config=config)
    assert set(found["label"]) == {0, 1}
    assert (found["label_known_at"] - found["as_of"] == pd.Timedelta(days=90)).all()


def test_an_estimator_learns_from_and_is_asked_the_same(report: BacktestReport) -> None:
    """It is a logistic regression on logarithms: the baseline of that name, to the last bit."""
    rows = report.predictions
    np.testing.assert_allclose(
        rows["probability"], rows["logistic_regression_logarithms"], rtol=1e-9, atol=1e-12
    )
    lead = report.measured.ahead["logistic_regression_logarithms"]["roc_auc"]
    assert (lead.low, lead.value, lead.high) == (0.0, 0.0, 0.0)


def test_frames_hold_every_figure_with_interval_and_base(report: BacktestReport) -> None:
    metrics = report.metrics()
    assert metrics.columns.tolist() == ["ranker", "metric", "value", "low", "high", "base"]
    assert metrics.notna().all().all()
    assert {"probability", "ours", "lightgbm", "recency"} <= set(metrics["ranker"])
    assert report.differences()["base"].eq(0).all()
    assert report.days_of_warning().empty
    assert report.title == "LogisticRegression"
    assert set(report.to_json()["metrics"]) >= {"estimator", "ours"}


def test_estimators_get_what_they_can_read(
    market: Tables, config: Config, report: BacktestReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forest gets gaps and a column per level, ours gets categories; neither needs a pipeline."""
    # What our model says beside them is of no matter here, and takes longer than both.
    beside = estimator_learner(LogisticRegression(max_iter=2000))
    monkeypatch.setattr("training.backtesting.backtest.our_learner", beside)
    for estimator in (RandomForestClassifier(20, random_state=0), SpearfishClassifier(smallest_class=20)):
        found = backtest_estimator(estimator, market, config=config, kind="fit", cutoffs=[CUTOFF])
        assert found.predictions["account_id"].tolist() == report.predictions["account_id"].tolist()
        assert found.measured.estimates["probability"]["roc_auc"].value > 0.5
        assert not hasattr(estimator, "classes_")


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (LinearSVC(), "without predict_proba.*CalibratedClassifierCV"),
        (LogisticRegression, "the class.*make one of the class"),
        ("forest", "without fit, predict_proba"),
    ],
)
def test_what_is_no_classifier_is_refused(estimator: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        estimator_learner(estimator)


def test_an_unknown_preparation_is_refused() -> None:
    with pytest.raises(InputError, match="auto, frame, numbers, filled"):
        estimator_learner(LogisticRegression(), prepare="scaled")


def test_features_need_keys_or_a_moment(market: Tables, config: Config) -> None:
    keys = pd.DataFrame({"account_id": ["a"], "when": [CUTOFF]})
    with pytest.raises(InputError, match="got neither; allowed one of keys and as_of"):
        features(market, config=config)
    with pytest.raises(InputError, match="keys are not rows with account_id and as_of"):
        features(market, keys=keys, config=config)


@pytest.mark.parametrize(
    "cutoff", [MARKET.end - timedelta(days=270), None], ids=["given", "the last testable one"]
)
def test_a_learning_curve_is_a_frame(
    market: Tables, config: Config, monkeypatch: pytest.MonkeyPatch, cutoff: datetime | None
) -> None:
    """With a learner that takes large accounts for good ones."""

    def learn(rows: Rows, **_: object) -> SimpleNamespace:
        place = rows.catalogue.index("employees")
        return SimpleNamespace(probabilities=lambda X: np.nan_to_num(X[:, place]))

    monkeypatch.setattr(curve, "learn_rows", learn)
    found = learning_curve(market, config=config, cutoff=cutoff, sizes=(45,), draws=2)
    assert found["ranker"].tolist() == ["ours", "logistic_regression_logarithms"] * 2
    assert found["samples"].tolist() == [2, 2, 1, 1]
    few, many = found["accounts"].iloc[[0, 2]]
    assert few < many
    assert found["value"].between(found["low"], found["high"]).all()
    assert set(found["base"]) == {0.5}
    moment = cutoff or chosen_cutoffs(market, config=config, kind="fit")[-1]
    told = curve.dated_curve(market, config=config, key="fit", cutoff=moment, sizes=(45,), draws=2)
    assert set(found["judged"]) == {told.rows}
    assert set(found["base_rate"]) == {told.base_rate}
    points = told.to_json()["points"]
    for row in found.itertuples():
        (point,) = [one for one in points if one["accounts"] == row.accounts]
        figures = point["roc_auc"]["spearfish" if row.ranker == "ours" else row.ranker]
        assert (row.value, row.low, row.high) == (figures["value"], figures["low"], figures["high"])
        assert (row.rows, row.events) == (point["rows"], point["events"])


def test_a_learning_curve_is_of_a_model_of_the_config(market: Tables, config: Config) -> None:
    with pytest.raises(ConfigError, match=r"declares no such model.*fit\.emea"):
        learning_curve(market, config=config, key="fit.emea")
