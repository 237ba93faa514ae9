"""Real companies: the protocol is followed to the letter, and no choice reads a later label."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.ingest import ingest
from features.mapping import Config, load_config
from features.tables import Tables
from features.workspace import Workspace
from training.backtesting.backtest import backtest, predict_at
from training.backtesting.report import BacktestReport


@pytest.fixture(scope="module")
def config(shared_data: Path) -> Config:
    path = Path(__file__).parents[2] / "configs" / "hubspot_free_tier.toml"
    loaded = load_config(path, overrides={"folder": str(shared_data / "hubspot_free_tier")})
    quick = loaded.backtest.model_copy(update={"monotone_cost": False})
    return loaded.model_copy(update={"backtest": quick})


@pytest.fixture(scope="module")
def workspace(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("hubspot"))
    ingest(config, workspace=made)
    return made


@pytest.fixture(scope="module")
def report(workspace: Workspace, config: Config) -> BacktestReport:
    return backtest(workspace, config=config)


def test_the_population_is_every_company_that_is_no_customer_yet(
    report: BacktestReport, shared_data: Path
) -> None:
    folder = shared_data / "hubspot_free_tier"
    customers = pd.read_csv(folder / "customers.csv", dtype={"id": str}, parse_dates=["CLOSEDATE"])
    others = pd.read_csv(folder / "noncustomers.csv", dtype={"id": str})
    everybody = set(customers["id"]) | set(others["id"])
    for cutoff, rows in report.predictions.groupby("cutoff"):
        already = set(customers.loc[customers["CLOSEDATE"] < cutoff, "id"])
        assert set(rows["account_id"]) == everybody - already
        horizon = customers["CLOSEDATE"].between(cutoff, cutoff + pd.Timedelta(days=30), inclusive="left")
        assert set(rows.loc[rows["label"] == 1, "account_id"]) == set(customers.loc[horizon, "id"])
    assert report.predictions["label"].sum() == 69


@pytest.mark.parametrize(
    ("metric", "published"), [("roc_auc", 0.782), ("pr_auc", 0.045), ("precision_at_k", 0.083)]
)
def test_the_activity_heuristic_has_the_figures_of_the_protocol(
    report: BacktestReport, metric: str, published: float
) -> None:
    assert round(report.measured.estimates["recent_activity"][metric].value, 3) == published


def test_the_figures_reach_their_floors(report: BacktestReport) -> None:
    ours = report.measured.estimates["probability"]
    assert ours["roc_auc"].value >= 0.88
    assert ours["pr_auc"].value >= 0.065
    assert report.measured.ahead["logistic_regression"]["roc_auc"].low > 0.0


def test_no_prediction_reads_a_later_outcome(workspace: Workspace, config: Config) -> None:
    """Every company becomes a customer at the cutoff, or none ever does: nothing changes."""
    cutoff = config.backtest.development_cutoffs[0]
    tables = workspace.tables()
    frames = {name: tables.read(name) for name in tables.sources}
    known = frames["opportunities"][frames["opportunities"]["known_at"] < pd.Timestamp(cutoff)]
    accounts = frames["accounts"]["account_id"].unique()
    everybody = pd.DataFrame({"account_id": accounts, "opportunity_id": "later" + accounts, "outcome": "won"})
    for column in ("known_at", "created_at", "closed_at"):
        everybody[column] = pd.Timestamp(cutoff)
    made = [
        predict_at(
            Tables.from_frames(frames | {"opportunities": opportunities}, attributes=tables.attributes),
            cutoff=cutoff,
            config=config,
        ).frame
        for opportunities in (known, pd.concat([known, everybody], ignore_index=True))
    ]
    pd.testing.assert_frame_equal(made[0], made[1], check_exact=True)
    pd.testing.assert_frame_equal(
        made[0], predict_at(tables, cutoff=cutoff, config=config).frame, check_exact=True
    )
