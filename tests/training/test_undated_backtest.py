"""The backtest of a table without dates, from a CSV file to its report."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from features.errors import ConfigError, ContractError, NotEnoughDataError
from features.ingest import ingest
from features.mapping import Config, load_config
from features.settings import FitLearningSettings
from features.workspace import Workspace
from training.cli.cutoffs import with_capacity
from training.undated import backtest as judging
from training.undated.backtest import backtest_workspace, undated_rows
from training.undated.learning_curve import learning_curve
from training.undated.report import UndatedReport

ROWS = 400
CONFIG = """
[workspace]
name = "leads"

[[sources]]
table = "accounts"
path = "{folder}/leads.csv"
undated = true
[sources.columns]
account_id = "id"
[sources.attributes]
visits = { column = "visits", type = "number" }
source = { column = "source", type = "category" }
call_result = { column = "call", type = "category" }

[[sources]]
table = "opportunities"
path = "{folder}/leads.csv"
undated = true
[sources.columns]
opportunity_id = "id"
account_id = "id"
outcome = { column = "won", values = { "1" = "won", "0" = "lost" } }

[model.fit]
max_rounds = 20

[backtest]
replicates = 100

[undated]
folds = 3
repeats = 2
[undated.columns]
early = ["visits", "sour*"]

[parameters]
folder = "."
"""


def write_leads(folder: Path) -> None:
    random = np.random.default_rng(6)
    visits, source = random.poisson(4, ROWS), random.choice(["fair", "web"], ROWS)
    won = random.random(ROWS) < 1 / (1 + np.exp(3 - visits / 2 - (source == "fair")))
    frame = pd.DataFrame({"id": [f"l{row}" for row in range(ROWS)], "visits": visits, "source": source})
    told = frame.assign(call=np.where(won, "sold", "refused"), won=pd.Series(won).astype("Int64"))
    told.loc[0, "won"] = pd.NA
    told.to_csv(folder / "leads.csv", index=False)
    (folder / "leads.toml").write_text(CONFIG, encoding="utf-8")


def read(folder: Path, text: str = "") -> Config:
    path = folder / "leads.toml"
    if text:
        path.write_text(text, encoding="utf-8")
    return load_config(path, overrides={"folder": str(folder)})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Path, UndatedReport]:
    folder = tmp_path_factory.mktemp("leads")
    write_leads(folder)
    workspace = Workspace(folder / "workspace")
    ingest(read(folder), workspace=workspace)
    report = backtest_workspace(workspace, config=read(folder))
    assert isinstance(report, UndatedReport)
    return workspace, folder, report


def test_each_closed_lead_is_judged_once_per_repeat(made):
    _, _, report = made
    predictions = report.predictions
    assert len(predictions) == 2 * (ROWS - 1)
    assert not predictions.duplicated(["repeat", "account_id"]).any()
    assert "l0" not in set(predictions["account_id"])


def test_a_column_that_the_config_does_not_name_is_never_used(made):
    _, _, report = made
    early = report.choices["early"]
    assert early.features == ("source", "visits")
    # The call's result would rank perfectly.
    assert 0.6 < early.measured.estimates["probability"]["roc_auc"].value < 0.95


def test_it_says_that_time_was_not_tested_and_gives_every_figure_an_interval_and_a_base(made, tmp_path: Path):
    _, _, report = made
    told = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert told["time_tested"] is False
    assert (told["model"], told["where"]) == ("fit", {})
    assert told["seeds"] == [20_000, 20_001]
    choice = told["choices"]["early"]
    for metrics in choice["metrics"].values():
        assert all(set(one) == {"value", "low", "high", "base"} for one in metrics.values())
    assert {"histogram_boosting", "lightgbm", "logistic_regression"} <= set(choice["spearfish_minus"])
    assert sum(line["accounts"] for line in choice["deciles"].values()) == 2 * (ROWS - 1)
    console = Console(record=True, width=200, file=StringIO())
    console.print(report)
    assert "Time was not tested" in console.export_text()
    report.write_predictions(tmp_path / "predictions.parquet")
    assert len(pd.read_parquet(tmp_path / "predictions.parquet")) == 2 * (ROWS - 1)


def test_a_named_model_is_judged_under_its_name_on_the_accounts_that_it_is_about(
    made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    workspace, _, whole = made
    named = '[[model.named]]\nname = "fair"\nkind = "fit"\nwhere = { source = "fair" }\n\n[backtest]'
    config = read(tmp_path, CONFIG.replace("[backtest]", named)).of_model("fit.fair")
    early, asked = whole.choices["early"], []
    monkeypatch.setattr(judging, "_judged", lambda rows, **_: asked.append(rows) or early)
    report = backtest_workspace(workspace, config=config, kind="fit", key="fit.fair")
    assert 0 < len(asked[0].frame) < early.rows
    told = report.to_json()
    assert (told["model"], told["where"]) == ("fit.fair", {"source": ["fair"]})
    console = Console(record=True, width=200, file=StringIO())
    console.print(report)
    assert "Model fit.fair: won, among opportunities won or lost; source fair" in console.export_text()
    with pytest.raises(ContractError, match=r"a backtest of intent\.fair needs to know when"):
        backtest_workspace(workspace, config=config, kind="intent", key="intent.fair")


def test_the_folds_for_choosing_are_others(made):
    workspace, folder, report = made
    chosen = backtest_workspace(workspace, config=read(folder), development=True)
    assert isinstance(chosen, UndatedReport)
    assert chosen.to_json()["seeds"] == [100, 101]
    columns = ["repeat", "fold", "account_id"]
    assert not chosen.predictions[columns].equals(report.predictions[columns])


def test_an_outcome_of_the_same_list_is_no_feature(made):
    workspace, folder, _ = made
    rows = undated_rows(workspace.tables().without_times(), config=read(folder))
    assert rows.catalogue.names == ("call_result", "source", "visits")


def test_cutoffs_are_refused_where_nothing_has_a_date(made):
    workspace, folder, _ = made
    with pytest.raises(ContractError, match="a backtest at given cutoffs needs to know when"):
        backtest_workspace(workspace, config=read(folder), cutoffs=[datetime.fromisoformat("2024-01-01")])


def test_what_needs_dates_is_refused(made):
    workspace, folder, _ = made
    config = read(folder)
    with pytest.raises(ConfigError, match="--capacity does nothing where opportunities have no dates"):
        with_capacity(config, 5, kind="intent", workspace=workspace)
    fit = config.labels.fit.model_copy(update={"weights": "pursuit"})
    labels = config.labels.model_copy(update={"fit": fit})
    with pytest.raises(ConfigError, match=r"weights of a table without dates.*allowed \"none\""):
        undated_rows(workspace.tables().without_times(), config=config.model_copy(update={"labels": labels}))


@pytest.mark.parametrize("names", [(), ("visits",)])
def test_rows_that_nothing_tells_apart_are_refused(made, names: tuple[str, ...]):
    workspace, folder, _ = made
    rows = undated_rows(workspace.tables().without_times(), config=read(folder))
    catalogue = replace(rows.catalogue, features=tuple(rows.catalogue.feature(name) for name in names))
    with pytest.raises(NotEnoughDataError, match=f"no feature tells .*got {len(names)} features"):
        learning_curve(
            replace(rows, X=np.zeros((len(rows.label), len(names))), catalogue=catalogue),
            settings=FitLearningSettings(),
        )


def test_an_unknown_column_is_refused_with_a_suggestion(made):
    workspace, folder, _ = made
    config = read(folder, CONFIG.replace('"visits", "sour*"', '"visit"'))
    with pytest.raises(ConfigError, match=r"early: no feature.*got 'visit'.*did you mean 'visits'"):
        backtest_workspace(workspace, config=config)
