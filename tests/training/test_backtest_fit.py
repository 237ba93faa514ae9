"""The backtest of fit: what was opened after the cutoff, judged by what became of it; odd tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from trained_market import MARKET

from features.errors import ConfigError, NotEnoughDataError
from features.mapping import Config
from features.tables import Tables
from training.backtesting.backtest import backtest_tables, predict_at
from training.backtesting.dates import chosen_cutoffs
from training.backtesting.report import BacktestReport, Followed

CUTOFF = MARKET.end - timedelta(days=300)
WINDOW = timedelta(days=180)
pytestmark = pytest.mark.usefixtures("quick_peers")


@pytest.fixture(scope="module")
def constrained(quick: Config) -> Config:
    """A config that declares a direction."""
    fit = quick.model.fit.model_copy(update={"rising": ("employees",), "tuned_through": MARKET.end})
    return quick.model_copy(update={"model": quick.model.model_copy(update={"fit": fit})})


@pytest.fixture(scope="module")
def report(market: Tables, constrained: Config) -> BacktestReport:
    return backtest_tables(market, config=constrained, kind="fit", cutoffs=[CUTOFF])


def opened(market: Tables) -> pd.DataFrame:
    """The latest state of what was opened in the window, of accounts that were known by then."""
    deals = (
        market.read("opportunities").sort_values("known_at").drop_duplicates("opportunity_id", keep="last")
    )
    known = market.read("accounts").groupby("account_id")["known_at"].min()
    inside = deals["created_at"].between(pd.Timestamp(CUTOFF), CUTOFF + WINDOW, inclusive="left")
    return deals[inside & (deals["account_id"].map(known) < deals["created_at"])]


def test_what_was_opened_after_the_cutoff_is_judged_by_its_outcome(
    market: Tables, report: BacktestReport
) -> None:
    deals = opened(market)
    closed = deals[deals["outcome"].notna()].set_index("opportunity_id")["outcome"].eq("won").astype(int)
    told = report.predictions.set_index("opportunity_id")["label"]
    assert told.sort_index().to_dict() == closed.sort_index().to_dict()
    assert report.followed == Followed(len(deals), len(closed), int(closed.sum()))


def test_what_is_still_open_is_counted_and_told(report: BacktestReport) -> None:
    told = replace(report, followed=Followed(asked=50, known=40, events=10))
    assert told.note == (
        "10 of 50 opportunities are still open and left out of every figure; the rate among closed ones is "
        "25.0%, of all it would be 20.0% if every open one is lost and 40.0% if every one is won"
    )
    assert told.to_json()["followed"] == {"asked": 50, "known": 40, "open": 10, "events": 10}
    assert replace(report, followed=Followed(40, 40, 10)).note is None


def test_no_prediction_reads_what_became_known_after_the_deal_was_opened(
    market: Tables, constrained: Config, report: BacktestReport, stored: Callable[[Tables], Tables]
) -> None:
    """Every outcome known after the cutoff is turned round, which no prediction may notice."""
    frames = {name: market.read(name) for name in market.sources}
    later = frames["opportunities"]["known_at"] >= pd.Timestamp(CUTOFF)
    turned = frames["opportunities"]["outcome"].map({"won": "lost", "lost": "won"})
    frames["opportunities"].loc[later, "outcome"] = turned[later]
    changed = stored(Tables.from_frames(frames, attributes=market.attributes))
    made = predict_at(changed, cutoff=CUTOFF, config=constrained, kind="fit").frame
    told = report.predictions.merge(made, on="opportunity_id", suffixes=("", "_again"))
    assert len(told) == len(report.predictions)
    for name in ("probability", "logistic_regression", "histogram_boosting", "lightgbm", "recency", "grade"):
        assert told[name].tolist() == told[f"{name}_again"].tolist()


def test_what_monotone_effects_cost_is_told_in_pairs(report: BacktestReport) -> None:
    cost = report.measured.ahead["without_directions"]
    for name in ("roc_auc", "log_loss"):
        ours, free = (report.measured.estimates[one][name] for one in ("probability", "without_directions"))
        assert cost[name].value == pytest.approx(ours.value - free.value)
    page = StringIO()
    Console(width=250, file=page).print(report)
    assert "What the declared monotone effects change, with minus without, paired: roc auc" in page.getvalue()
    assert "chosen on facts up to 2025-01-01, after 1 of 1 cutoffs, whose figures flatter" in page.getvalue()


def test_every_figure_has_an_interval_and_a_base(report: BacktestReport) -> None:
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    for told in (*document["metrics"].values(), *document["spearfish_minus"].values()):
        for one in told.values():
            assert one["low"] is not None
            assert one["high"] is not None
            assert one["base"] is not None
    for line in (*document["grades"].values(), *document["deciles"].values()):
        assert {"low", "high", "lift_low", "lift_high", "base"} <= set(line)
    assert sum(line["accounts"] for line in document["deciles"].values()) == len(report.predictions)


def test_a_fit_model_that_is_switched_off_is_not_tested(market: Tables, config: Config) -> None:
    off = config.labels.fit.model_copy(update={"enabled": False})
    without = config.model_copy(update={"labels": config.labels.model_copy(update={"fit": off})})
    with pytest.raises(ConfigError, match="no fit model"):
        chosen_cutoffs(market, config=without, kind="fit", asked=(), development=False)


def made_of(market: Tables, **changed: object) -> Tables:
    """The market with columns of accounts and opportunities replaced, and few activities."""
    frames = {name: market.read(name) for name in market.sources}
    frames["activities"] = frames["activities"].head(1_000)
    for name, value in changed.items():
        table, _, column = name.partition("__")
        frames[table][column] = value
    return Tables.from_frames(frames, attributes=market.attributes)


def test_a_column_without_any_value_and_one_without_change_harm_nothing(
    market: Tables, quick: Config
) -> None:
    """Empty until the cutoff, filled for some afterwards; and the same for all."""
    known = market.read("accounts")["known_at"]
    revenue = np.where(known < pd.Timestamp(CUTOFF), np.nan, 7.0)
    tables = made_of(market, accounts__annual_revenue=revenue, accounts__employees=10)
    found = backtest_tables(tables, config=quick, kind="fit", cutoffs=[CUTOFF])
    assert {"histogram_boosting", "lightgbm", "logistic_regression"} <= set(found.measured.estimates)


def test_accounts_without_any_fact_are_refused(market: Tables, quick: Config) -> None:
    frame = market.read("accounts")
    facts = [name for name in frame.columns if name not in ("account_id", "known_at", "withdrawn_at", "name")]
    tables = made_of(market, **{f"accounts__{name}": None for name in facts})
    with pytest.raises(NotEnoughDataError, match="no feature tells one row from another"):
        backtest_tables(tables, config=quick, kind="fit", cutoffs=[CUTOFF])


@pytest.mark.parametrize(("outcome", "said"), [("won", "one class only"), (None, "no row to learn from")])
def test_one_class_alone_is_refused_with_counts(
    market: Tables, config: Config, outcome: str | None, said: str
) -> None:
    tables = made_of(market, opportunities__outcome=outcome)
    with pytest.raises(NotEnoughDataError, match=rf"{said}.*got \d+ rows with the event, 0 without"):
        backtest_tables(tables, config=config, kind="fit", cutoffs=[CUTOFF])
