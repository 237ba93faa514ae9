"""Without dates, intervals are drawn by account, equal rows together; so is the cost of monotone effects."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from features.ingest import ingest
from features.mapping import load_config
from features.workspace import Workspace
from training.publishing.undated import undated_figures
from training.undated.backtest import backtest_workspace
from training.undated.peers import TITLES
from training.undated.report import UndatedReport

ACCOUNTS, DEALS, REPLICATES = 130, 3, 100
CONFIG = """
[workspace]
name = "deals"

[[sources]]
table = "accounts"
path = "{folder}/accounts.csv"
undated = true
[sources.columns]
account_id = "id"
[sources.attributes]
visits = { column = "visits", type = "number" }
size = { column = "size", type = "number" }

[[sources]]
table = "opportunities"
path = "{folder}/deals.csv"
undated = true
[sources.columns]
opportunity_id = "deal"
account_id = "id"
outcome = { column = "won", values = { "1" = "won", "0" = "lost" } }

[model.fit]
max_rounds = 10
DIRECTIONS

[backtest]
replicates = 100
MORE

[undated]
folds = 3
repeats = 1
[undated.columns]
visits = ["visits"]
size = ["size"]

[parameters]
folder = "."
"""


def accounts_table() -> pd.DataFrame:
    names, visits = [f"a{number}" for number in range(ACCOUNTS)], np.repeat(np.arange(ACCOUNTS // 2), 2)
    return pd.DataFrame(
        {"id": names, "visits": visits, "size": np.random.default_rng(8).normal(size=ACCOUNTS)}
    )


def write_deals(folder: Path) -> None:
    """Every account has three deals; two accounts each have the same visits, so that their rows are equal."""
    random, accounts = np.random.default_rng(3), accounts_table()
    names, visits = accounts["id"], accounts["visits"]
    chance = 1 / (1 + np.exp(3 - visits / 11 + random.normal(size=ACCOUNTS)))
    deals = pd.DataFrame({"id": np.repeat(names, DEALS), "won": random.random(ACCOUNTS * DEALS)})
    deals["won"] = (deals["won"] < np.repeat(chance, DEALS)).astype(int)
    deals["deal"] = [f"d{number}" for number in range(len(deals))]
    accounts.to_csv(folder / "accounts.csv", index=False)
    deals.to_csv(folder / "deals.csv", index=False)


def judged(folder: Path, *, directions: str = "", more: str = "") -> UndatedReport:
    write_deals(folder)
    text = CONFIG.replace("DIRECTIONS", directions).replace("MORE", more)
    (folder / "deals.toml").write_text(text, encoding="utf-8")
    config = load_config(folder / "deals.toml", overrides={"folder": str(folder)})
    workspace = Workspace(folder / "workspace")
    ingest(config, workspace=workspace)
    report = backtest_workspace(workspace, config=config, kind="fit")
    assert isinstance(report, UndatedReport)
    return report


@pytest.fixture(scope="module")
def bound(tmp_path_factory: pytest.TempPathFactory) -> UndatedReport:
    return judged(tmp_path_factory.mktemp("bound"), directions='falling = ["visits"]')


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> UndatedReport:
    return judged(tmp_path_factory.mktemp("free"))


def slow_bounds(predictions: pd.DataFrame, figure, *, units: pd.Series) -> tuple[float, float]:
    """Whole units are drawn again, with all of their rows, one replicate after the other.

    figure: of one fold's rows, each as often as it was drawn. units: number of each account's unit, from 0.
    """
    rows = predictions.assign(unit=predictions["account_id"].map(units))
    random, count, found = np.random.default_rng(0), rows["unit"].max() + 1, []
    for _ in range(REPLICATES):
        drawn = pd.Series(random.integers(0, count, size=count)).value_counts()
        often = rows["unit"].map(drawn).fillna(0).astype(int)
        again = rows.loc[rows.index.repeat(often)]
        folds = [part for _, part in again.groupby("fold") if part["label"].nunique() == 2]
        found.append(np.mean([figure(part) for part in folds]))
    return float(np.nanquantile(found, 0.025)), float(np.nanquantile(found, 0.975))


def auc(part: pd.DataFrame, *, of: str = "probability") -> float:
    """How often a win is ranked above a loss, pair by pair; ties count half."""
    won, lost = (part.loc[part["label"] == one, of].to_numpy() for one in (1, 0))
    above = np.sign(won[:, None] - lost[None, :])
    return float(((above + 1) / 2).mean())


def surprise(part: pd.DataFrame) -> float:
    told = np.where(part["label"] == 1, part["probability"], 1 - part["probability"])
    return float(-np.log(told).mean())


def units_of(column: str) -> pd.Series:
    """Accounts with the same value are one unit; units are numbered by their value."""
    accounts = accounts_table()
    return pd.Series((accounts[column].rank(method="dense") - 1).astype(int).to_numpy(), index=accounts["id"])


@pytest.mark.parametrize(("column", "units"), [("size", ACCOUNTS), ("visits", ACCOUNTS // 2)])
def test_every_interval_draws_accounts_and_what_equals_them(
    free: UndatedReport, column: str, units: int
) -> None:
    choice, own = free.choices[column], units_of(column)
    assert (choice.rows, choice.different_rows, own.nunique()) == (ACCOUNTS * DEALS, units, units)
    measured = choice.measured
    ours = measured.estimates["probability"]
    assert (ours["roc_auc"].low, ours["roc_auc"].high) == pytest.approx(
        slow_bounds(choice.predictions, auc, units=own)
    )
    expected = slow_bounds(choice.predictions, surprise, units=own)
    assert (ours["log_loss"].low, ours["log_loss"].high) == pytest.approx(expected)
    lead = measured.ahead["lightgbm"]["roc_auc"]
    paired = slow_bounds(choice.predictions, lambda part: auc(part) - auc(part, of="lightgbm"), units=own)
    assert (lead.low, lead.high) == pytest.approx(paired)


@pytest.mark.parametrize("column", ["size", "visits"])
def test_rates_of_grades_and_deciles_are_drawn_so_too(free: UndatedReport, column: str) -> None:
    choice, own = free.choices[column], units_of(column)
    whole = choice.predictions.assign(fold=0)
    for found, name, place in ((choice.grades, "grade", "B"), (choice.deciles, "decile", "3")):
        bounds = slow_bounds(
            whole,
            lambda part, name=name, place=place: part.loc[part[name] == place, "label"].mean(),
            units=own,
        )
        assert (found.loc[place, "low"], found.loc[place, "high"]) == pytest.approx(bounds)


def test_an_account_is_never_on_both_sides_of_a_fold(free: UndatedReport) -> None:
    for column, choice in free.choices.items():
        unit = choice.predictions["account_id"].map(units_of(column))
        assert (choice.predictions.groupby(unit)["fold"].nunique() == 1).all()


def test_what_monotone_effects_cost_is_what_learning_without_them_gives(
    bound: UndatedReport, free: UndatedReport
) -> None:
    choice, other = bound.choices["visits"], free.choices["visits"]
    np.testing.assert_allclose(
        choice.predictions["without_directions"], other.predictions["probability"], rtol=0, atol=1e-12
    )
    cost = choice.measured.ahead["without_directions"]["roc_auc"]
    folds = [part for _, part in choice.predictions.groupby("fold")]
    worse = np.mean([auc(part) - auc(part, of="without_directions") for part in folds])
    assert cost.value == pytest.approx(worse)
    assert worse < -0.1  # visits raise the chance, and were told to lower it
    paired = slow_bounds(
        choice.predictions,
        lambda part: auc(part) - auc(part, of="without_directions"),
        units=units_of("visits"),
    )
    assert (cost.low, cost.high) == pytest.approx(paired)


def test_the_cost_is_told_where_something_is_bound_and_is_no_rival(
    bound: UndatedReport, free: UndatedReport
) -> None:
    # `size` is bound by nothing: learning twice would give the same twice.
    assert "without_directions" not in bound.choices["size"].measured.ahead
    assert "without_directions" not in free.choices["visits"].measured.ahead
    page = StringIO()
    Console(width=300, file=page).print(bound)
    told = page.getvalue()
    assert (
        told.count("What the declared monotone effects change, with minus without, paired: roc auc -0.") == 1
    )
    assert (
        "Rankings (mean over folds, 95 % intervals by account, accounts with equal rows drawn together)"
        in told
    )
    assert "by row" not in told
    document = json.loads(json.dumps(bound.to_json(), allow_nan=False))["choices"]["visits"]
    assert set(document["spearfish_minus"]["without_directions"]["roc_auc"]) == {
        "value",
        "low",
        "high",
        "base",
    }
    assert "spearfish_minus_by_group" not in document


def test_no_cost_is_measured_where_it_is_not_asked_for(tmp_path: Path) -> None:
    report = judged(tmp_path, directions='falling = ["visits"]', more="monotone_cost = false")
    assert "without_directions" not in report.choices["visits"].measured.ahead


def test_published_tables_say_how_intervals_were_drawn(bound: UndatedReport) -> None:
    document = json.loads(json.dumps(bound.to_json(), allow_nan=False))
    page = "\n".join(undated_figures(document, title="Deals"))
    assert "95 % intervals by account, accounts with equal rows drawn together. Time was not tested" in page
    assert "| ranker | ROC AUC | Spearfish minus it | seconds |" in page
    assert page.count("What the declared monotone effects change, ROC AUC, with minus without: -0.") == 1
    rivals = [name for name in bound.choices["size"].measured.ahead if name != "without_directions"]
    assert all(page.count(f"| {TITLES[name]} |") == 2 for name in rivals)


def test_an_older_result_is_published_with_the_intervals_that_it_has() -> None:
    one = {"value": 0.8, "low": 0.7, "high": 0.9}
    lead, by_group = ({"value": 0.1, "low": low, "high": 0.2} for low in (0.05, 0.02))
    choice = {
        "events": 1,
        "rows": 4,
        "base_rate": 0.25,
        "metrics": {name: {"roc_auc": one} for name in ("spearfish", "lightgbm")},
        "spearfish_minus": {"lightgbm": {"roc_auc": lead}},
        "spearfish_minus_by_group": {"lightgbm": by_group},
        "seconds": {"probability": 1.0, "lightgbm": 2.0},
    }
    page = list(undated_figures({"choices": {"all": choice}, "repeats": 1, "folds": 3}, title="Old"))
    assert "95 % intervals by row." in page[0]
    assert page[2].split(" | ")[3] == "the same, equal rows drawn together"
    assert "+0.1000 (+0.0500 to +0.2000) | +0.1000 (+0.0200 to +0.2000)" in page[5]
