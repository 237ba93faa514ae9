"""Tracking on a real MLflow in SQLite: parameters, metrics, plots, model, bundle, version, alias."""

from __future__ import annotations

import re
from datetime import datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from features.workspace import Workspace
from models.bundle import load
from training.backtesting.evaluate import evaluate
from training.contributions import Contributions
from training.fit import Training, Untrained
from training.plots import beeswarm, curves
from training.report import write_report
from training.tracking.registered import BUNDLE_ARTIFACT, FINGERPRINT_TAG
from training.tracking.track import EXPERIMENT, Tracker, artifact_location
from training.tracking.versions import CHALLENGER
from training.train import TrainReport

# SHAP's beeswarm calls what matplotlib is about to deprecate.
pytestmark = pytest.mark.filterwarnings("ignore:The set_\\w+ function:PendingDeprecationWarning")


@pytest.fixture(scope="module")
def tracked(
    fit_training: Training, tmp_path_factory: pytest.TempPathFactory, one_curve: None
) -> tuple[Workspace, str, Path]:
    workspace = Workspace(tmp_path_factory.mktemp("tracked"))
    metrics = evaluate(fit_training.learned.later, replicates=100)
    absent = Untrained("intent", "there is no activity", {})
    page = write_report(
        workspace,
        [fit_training, absent],
        metrics={"fit": metrics},
        cutoff=datetime.fromisoformat("2025-01-01"),
        name="a market",
    )
    figures = {"curves": curves(fit_training.learned.later), "beeswarm": beeswarm(fit_training)}
    tracker = Tracker(workspace, name="a market")
    run_id = tracker.log(fit_training, metrics=metrics, figures=figures, report=page)
    tracker.register({"fit": (fit_training.bundle, run_id)}, tags={})
    return workspace, run_id, page


def test_a_run_holds_everything(tracked: tuple[Workspace, str, Path], fit_training: Training) -> None:
    from mlflow import MlflowClient

    workspace, run_id, page = tracked
    client = MlflowClient(tracking_uri=workspace.mlflow_uri, registry_uri=workspace.mlflow_uri)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["num_leaves"] == str(fit_training.settings.num_leaves)
    assert 0.5 < run.data.metrics["roc_auc"] < 1
    assert run.data.metrics["roc_auc_low"] < run.data.metrics["roc_auc"] < run.data.metrics["roc_auc_high"]
    assert run.data.tags["data_fingerprint"] == fit_training.bundle.card["data_fingerprint"]
    names = {item.path for item in client.list_artifacts(run_id)}
    assert {"plots", BUNDLE_ARTIFACT, "booster", page.name} <= names
    location = client.get_experiment_by_name(EXPERIMENT).artifact_location
    assert location == workspace.artifacts.absolute().as_uri()


def test_a_feature_without_any_value_is_drawn_without_a_warning(fit_training: Training) -> None:
    told = Contributions.of(fit_training)
    told.rows[:, np.abs(told.values).mean(axis=0).argmax()] = np.nan
    assert beeswarm(fit_training, contributions=told).axes


def test_the_version_is_the_challenger_and_its_bundle_the_trained_one(
    tracked: tuple[Workspace, str, Path], fit_training: Training, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    workspace, run_id, _ = tracked
    client = MlflowClient(tracking_uri=workspace.mlflow_uri, registry_uri=workspace.mlflow_uri)
    version = client.get_model_version_by_alias("icp_fit", CHALLENGER)
    assert version.run_id == run_id
    assert version.tags["workspace"] == "a market"
    assert version.tags[FINGERPRINT_TAG] == fit_training.bundle.fingerprint
    client.download_artifacts(run_id, BUNDLE_ARTIFACT, str(tmp_path))
    assert load(tmp_path / BUNDLE_ARTIFACT).fingerprint == fit_training.bundle.fingerprint


def test_the_logged_booster_takes_doubles_and_gives_probabilities(
    tracked: tuple[Workspace, str, Path], fit_training: Training, tmp_path: Path
) -> None:
    import mlflow
    from mlflow import MlflowClient

    workspace, run_id, _ = tracked
    client = MlflowClient(tracking_uri=workspace.mlflow_uri, registry_uri=workspace.mlflow_uri)
    model = mlflow.pyfunc.load_model(client.download_artifacts(run_id, "booster", str(tmp_path)))
    inputs = model.metadata.get_input_schema()
    assert {str(column.type) for column in inputs.inputs} == {"DataType.double"}
    frame = pd.DataFrame(fit_training.rows.X[:5], columns=list(fit_training.bundle.catalogue.names))
    chances = np.asarray(model.predict(frame))
    assert ((chances > 0) & (chances < 1)).all()


def test_the_report_is_one_page_that_loads_nothing(
    tracked: tuple[Workspace, str, Path], fit_training: Training
) -> None:
    page = tracked[2].read_text(encoding="utf-8")
    assert "data:image/svg+xml" in page
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", page)
    assert fit_training.bundle.version in page
    assert "there is no activity" in page


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        (None, "file:///home/workspace/artifacts"),
        ("sqlite:////shared/mlflow.db", "file:///shared/artifacts"),
        ("postgresql://mlflow@database/mlflow", "file:///home/workspace/artifacts"),
        ("http://mlflow:5000", None),
    ],
)
def test_artifacts_lie_beside_the_database_or_where_the_server_decides(
    monkeypatch: pytest.MonkeyPatch, uri: str | None, location: str | None
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert artifact_location(Workspace(Path("/home/workspace"))) == location


@pytest.mark.parametrize(
    ("uri", "artifacts", "sentence"),
    [
        (
            "http://mlflow:5000",
            "mlflow-artifacts:/1",
            "tracked by http://mlflow:5000; that server keeps the artifacts, in mlflow-artifacts:/1",
        ),
        (
            "sqlite:////home/mlflow.db",
            "file:///home/artifacts",
            "tracked in sqlite:////home/mlflow.db; the artifacts are in file:///home/artifacts",
        ),
    ],
)
def test_the_report_says_where_the_artifacts_are(uri: str, artifacts: str, sentence: str) -> None:
    report = TrainReport(datetime.fromisoformat("2025-01-01"), (), (), Path("report.html"), uri, artifacts)
    page = StringIO()
    Console(width=200, file=page).print(report)
    assert sentence in page.getvalue()
    document = report.to_json()
    assert (document["tracking_uri"], document["artifacts"]) == (uri, artifacts)
