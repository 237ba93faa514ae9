"""Tuning a workspace: its file, its runs, what it refuses, and what a kill leaves."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing, suppress
from pathlib import Path

import pytest

from features.errors import ConfigError, InputError, NotEnoughDataError
from features.ingest import ingest
from features.mapping import Config, load_config
from features.workspace import Workspace
from training.checks.results import ROOT
from training.market.settings import MarketSettings
from training.market.write import simulate
from training.tracking.registered import RegisteredModels
from training.tuning.parameters import use_parameters
from training.tuning.report import TuneReport
from training.tuning.tracking import EXPERIMENT
from training.tuning.tune import _alone, tune

QUICK = """
[labels.intent]
event = "opportunity_created"
horizon_days = 90
step_days = 60

[model.intent]
max_rounds = 10
learning_rate = 0.3
num_leaves = 4
folds = 1
negatives_per_positive = 4.0
crossed_folds = 0

[backtest]
replicates = 100

[tuning]
inner_folds = 1
trials = 2
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config and a workspace of a small market, in which one tuning was killed."""
    folder = tmp_path_factory.mktemp("tuning")
    simulate(MarketSettings(accounts=300, seed=5), directory=folder / "market")
    text = (ROOT / "configs" / "simulated_market.toml").read_text(encoding="utf-8")
    (folder / "market.toml").write_text(text.partition("[labels.intent]")[0] + QUICK, encoding="utf-8")
    ingest(read(folder), workspace=Workspace(folder / "workspace"))
    return folder


def read(folder: Path) -> Config:
    return load_config(folder / "market.toml", overrides={"folder": str(folder / "market")})


@pytest.fixture(scope="module")
def killed(home: Path) -> int:
    """How many trials were judged when `spearfish tune` was killed."""
    command = [
        "tune",
        "--config",
        home / "market.toml",
        "--set",
        f"folder={home / 'market'}",
        "--minutes",
        "9",
    ]
    database = home / "workspace" / "tuning.db"
    started = subprocess.Popen(
        [Path(sys.executable).with_name("spearfish"), *command],
        env=os.environ | {"SPEARFISH_HOME": str(home / "workspace")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while started.poll() is None and judged(database) < 3:
        with suppress(subprocess.TimeoutExpired):
            started.wait(0.05)
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert not list((home / "workspace").glob("*tuned.toml*"))
    return judged(database)


def judged(database: Path) -> int:
    """Judged trials in the database of a process that is at work, or has not begun."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT count(*) FROM trials WHERE state = 'COMPLETE'").fetchone()
        except sqlite3.OperationalError:
            return 0
    return int(row[0])


@pytest.fixture(scope="module")
def report(home: Path, killed: int) -> TuneReport:
    return tune(Workspace(home / "workspace"), config=read(home), minutes=0.01)


def test_a_killed_tuning_goes_on_with_what_it_had_tried(home: Path, killed: int, report: TuneReport) -> None:
    assert killed >= 3
    assert [one.trials for one in report.searches] == [2, 2, 2]
    assert judged(home / "workspace" / "tuning.db") == 6


def test_every_trial_is_a_run_below_the_tuning(home: Path, killed: int, report: TuneReport) -> None:
    client = RegisteredModels(Workspace(home / "workspace")).client
    runs = client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id])
    below = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert len(below) in (6, 7)  # one more where the kill came before the trial counted
    assert all({"log_loss", "leaves"} <= set(run.data.metrics) for run in below)
    tunings = {run.info.run_id: run for run in runs if run not in below}
    assert {run.data.tags["mlflow.parentRunId"] for run in below} == set(tunings)
    assert sorted(run.info.status for run in tunings.values()) == ["FINISHED", "KILLED"]
    nested = tunings[report.run_id].data.metrics
    assert nested["probability_roc_auc"] == report.nested.estimates["probability"]["roc_auc"].value


def test_the_file_tells_what_it_rests_on(home: Path, report: TuneReport) -> None:
    workspace = Workspace(home / "workspace")
    told = tomllib.loads(report.file.read_text(encoding="utf-8"))["about"]["intent"]
    assert told["data_fingerprint"] == workspace.manifest().fingerprint
    assert (told["seed"], told["trials"], told["minutes"]) == (7, 6, 0.01)
    for name in ("tuned", "untuned", "tuned_minus_untuned"):
        assert {"value", "low", "high", "base"} == set(told["nested"][name]["roc_auc"])
    assert 0 < told["base_rate"] < 1
    json.dumps(report.to_json(), allow_nan=False, default=str)


def test_training_reads_the_file(home: Path, report: TuneReport) -> None:
    used = use_parameters(read(home), file=report.file).model.intent
    assert {name: getattr(used, name) for name in report.parameters} == report.parameters
    assert used.tuned_through == report.cutoff


def test_one_tuning_at_a_time(home: Path, report: TuneReport) -> None:
    workspace = Workspace(home / "workspace")
    with _alone(workspace), pytest.raises(InputError, match="another tuning of this workspace is at work"):
        tune(workspace, config=read(home), minutes=0.01)


def test_what_cannot_be_tuned_is_refused(home: Path) -> None:
    config, workspace = read(home), Workspace(home / "workspace")
    with pytest.raises(NotEnoughDataError, match=r"chooses its own parameters.*at least 200 of each"):
        tune(workspace, config=config, model="fit", minutes=1)
    labels = config.labels.fit.model_copy(update={"against": "universe"})
    against = config.model_copy(update={"labels": config.labels.model_copy(update={"fit": labels})})
    with pytest.raises(ConfigError, match="cannot be tuned: nobody knows"):
        tune(workspace, config=against, model="fit", minutes=1)
    with pytest.raises(ConfigError, match="--minutes is no time"):
        tune(workspace, config=config, minutes=0)


def test_a_file_that_cannot_be_written_is_refused_before_the_search(home: Path) -> None:
    def search() -> float:
        raise AssertionError("it searched")

    workspace = Workspace(home / "workspace")
    with pytest.raises(ConfigError, match="is a folder"):
        tune(workspace, config=read(home), minutes=1, out=home / "market", clock=search)
