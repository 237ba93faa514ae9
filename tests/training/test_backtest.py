"""The backtest: nothing in a prediction depends on what became known at or after its cutoff."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from trained_market import MARKET

from features.mapping import Config
from features.tables import Tables
from training.backtesting.backtest import backtest_tables, predict_at
from training.backtesting.dates import last_testable_cutoff
from training.backtesting.report import BacktestReport
from training.labels import intent_population, next_cutoff

BASELINES = [
    *("logistic_regression", "logistic_regression_logarithms", "histogram_boosting", "lightgbm"),
    *("recent_activity", "recency"),
]
CUTOFFS = (MARKET.end - timedelta(days=270), MARKET.end - timedelta(days=90))
pytestmark = pytest.mark.usefixtures("quick_peers")


@pytest.fixture(scope="module")
def sparse(config: Config) -> Config:
    """Snapshots every second month: half the rows, and what follows from them in half the time."""
    intent = config.labels.intent.model_copy(update={"step_days": 60})
    return config.model_copy(update={"labels": config.labels.model_copy(update={"intent": intent})})


@pytest.fixture(scope="module")
def report(market: Tables, sparse: Config) -> BacktestReport:
    return backtest_tables(market, config=sparse, cutoffs=CUTOFFS)


def without_later_rows(tables: Tables, cutoff: datetime) -> Tables:
    return tables.known_before(cutoff)


def with_later_outcomes_turned_round(tables: Tables, cutoff: datetime) -> Tables:
    frames = {name: tables.read(name) for name in tables.sources}
    later = frames["opportunities"]["known_at"] >= pd.Timestamp(cutoff)
    turned = frames["opportunities"]["outcome"].map({"won": "lost", "lost": "won"})
    frames["opportunities"].loc[later, "outcome"] = turned[later]
    frames["opportunities"].loc[later, "account_id"] = "A0"
    return Tables.from_frames(frames, attributes=tables.attributes)


@pytest.mark.usefixtures("without_warning")
@pytest.mark.parametrize("change", [without_later_rows, with_later_outcomes_turned_round])
def test_no_prediction_reads_what_became_known_later(
    market: Tables,
    sparse: Config,
    report: BacktestReport,
    change: Callable[[Tables, datetime], Tables],
    stored: Callable[[Tables], Tables],
) -> None:
    cutoff = CUTOFFS[0]
    made = report.predictions[report.predictions["cutoff"] == pd.Timestamp(cutoff)].reset_index(drop=True)
    again = predict_at(stored(change(market, cutoff)), cutoff=cutoff, config=sparse).frame
    columns = ["account_id", *BASELINES, "probability", "grade", "decile"]
    pd.testing.assert_frame_equal(made[columns], again[columns], check_exact=True)


def test_the_population_is_predicted_and_labelled_once(
    market: Tables, sparse: Config, report: BacktestReport
) -> None:
    for cutoff in CUTOFFS:
        rows = report.predictions[report.predictions["cutoff"] == pd.Timestamp(cutoff)]
        population = intent_population(market, as_of=cutoff, settings=sparse.labels.intent)
        assert rows["account_id"].tolist() == population["account_id"].tolist()
    assert set(report.predictions["label"]) == {0, 1}


def test_labels_are_the_openings_of_the_horizon(market: Tables, report: BacktestReport) -> None:
    opened = market.read("opportunities").drop_duplicates("opportunity_id")
    cutoff = pd.Timestamp(CUTOFFS[0])
    inside = (opened["created_at"] >= cutoff) & (opened["created_at"] < cutoff + pd.Timedelta(days=90))
    rows = report.predictions[report.predictions["cutoff"] == cutoff]
    expected = rows["account_id"].isin(opened.loc[inside, "account_id"]).astype(int)
    assert rows["label"].tolist() == expected.tolist()


def test_the_average_of_seeds_is_what_is_measured(report: BacktestReport) -> None:
    rows = report.predictions[report.predictions["cutoff"] == pd.Timestamp(CUTOFFS[1])]
    mean = rows[["seed_0", "seed_1"]].mean(axis=1)
    assert (mean.rank() == rows["probability"].rank()).mean() > 0.999
    single, averaged = report.single_seed_roc_auc, report.measured.estimates["probability"]["roc_auc"]
    assert single is not None
    assert single.low < single.value == pytest.approx(averaged.value, abs=0.05)


def test_grades_cut_the_population_at_each_cutoff(report: BacktestReport) -> None:
    shares = report.predictions.groupby("cutoff")["grade"].value_counts(normalize=True).unstack()
    assert np.allclose(shares["A"], 0.10, atol=0.01)
    assert np.allclose(shares["A"] + shares["B"], 0.30, atol=0.01)
    assert report.grades["accounts"].sum() == len(report.predictions)


def test_the_report_is_json_and_a_file_of_predictions(report: BacktestReport, tmp_path: Path) -> None:
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert set(document["metrics"]) == {"spearfish", *BASELINES}
    assert [one["cutoff"] for one in document["cutoffs"]] == ["2024-04-06T00:00:00Z", "2024-10-03T00:00:00Z"]
    report.write_predictions(tmp_path / "new" / "predictions.parquet")
    written = pd.read_parquet(tmp_path / "new" / "predictions.parquet")
    assert written.columns.tolist() == ["cutoff", "account_id", "probability", "label"]
    assert len(written) == len(report.predictions)


def test_a_named_model_is_called_by_its_key(report: BacktestReport) -> None:
    named = replace(report, key="intent.emea")
    assert (named.to_json()["model"], named.to_json()["title"]) == ("intent.emea", "Spearfish intent.emea")
    assert (report.to_json()["model"], report.name_of("probability")) == ("intent", "Spearfish")
    assert named.name_of("probability") == "Spearfish intent.emea"


def test_without_cutoffs_the_last_whole_horizon_is_tested(market: Tables) -> None:
    newest = next_cutoff(market)
    last = last_testable_cutoff(market, horizon_days=90)
    assert last == last.replace(hour=0, minute=0, second=0)
    assert newest - timedelta(days=91) < last <= newest - timedelta(days=90)


@pytest.mark.parametrize(
    ("newest", "note"),
    [
        ("2024-12-31T23:59:59", None),
        ("2025-02-01", None),
        (
            "2024-12-31T20:59:00",
            "the last horizon ends 2025-01-01, 3 hours after the newest fact (2024-12-31T20:59:00Z)",
        ),
        ("2024-12-31", "the last horizon ends 2025-01-01, 1 day after the newest fact (2024-12-31)"),
        ("2024-12-24", "the last horizon ends 2025-01-01, 8 days after the newest fact (2024-12-24)"),
    ],
)
def test_a_horizon_beyond_the_newest_fact_is_told(
    report: BacktestReport, newest: str, note: str | None
) -> None:
    """The last cutoff is 90 days before 2025-01-01."""
    told, page = replace(report, newest_fact=datetime.fromisoformat(newest)), StringIO()
    Console(width=200, file=page).print(told)
    assert (f"Mind: {note}" in page.getvalue()) == ("Mind:" in page.getvalue()) == (note is not None)
    assert (told.to_json()["note"] or "").startswith(note or "")
    assert (told.to_json()["note"] is None) == (note is None)


def test_the_newest_fact_is_that_of_the_tables(market: Tables, report: BacktestReport) -> None:
    names = ("accounts", "activities", "intent_topics", "opportunities")
    assert pd.Timestamp(report.newest_fact) == max(market.read(name)["known_at"].max() for name in names)
