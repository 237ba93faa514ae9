"""Tracking: every training is a run in MLflow, and its bundle a version of a registered model.

Turns a trained model into parameters, metrics, plots, the raw booster with an all-double signature, the
bundle's files, and a registered version that carries the alias `challenger`. Time rule: none; MLflow's own
times are provenance. Null rule: none.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import lightgbm
from matplotlib.figure import Figure
from sqlalchemy.engine import make_url

from features.workspace import Workspace
from models.bundle import Bundle, save
from models.card import ModelKey
from training.backtesting.evaluate import Estimate
from training.fit import Training
from training.gate.held_out import HELD_OUT_ARTIFACT, HeldOut
from training.ownership import make_identity, owner_tags
from training.plots import png_once
from training.tracking.registered import BOOSTER, BUNDLE_ARTIFACT, FINGERPRINT_TAG, RegisteredModels
from training.tracking.registration import EXPERIMENT, register_training, settle

__all__ = ["EXPERIMENT", "Tracker", "artifact_location"]


PLOTS = "plots"


class Tracker:
    """Writes trainings to the MLflow of a workspace.

    SQLite inside the workspace by default, with the artifacts beside it; MLFLOW_TRACKING_URI is honoured.
    name: of the workspace; its runs and versions carry it, for people.
    artifacts: where MLflow keeps the files of the runs: an address; a tracking server decides it.
    """

    def __init__(self, workspace: Workspace, *, name: str) -> None:
        self._tags, self._name = owner_tags(make_identity(workspace), name=name), name
        # A client of its own: MLflow's global address would redirect every other workspace of the process.
        self._registered = RegisteredModels(workspace, create=True)
        self._client = self._registered.client
        with self._registered.faults():
            experiment = self._experiment(workspace)
        self._experiment_id = str(experiment.experiment_id)
        self.artifacts = str(experiment.artifact_location)

    def log(
        self,
        training: Training,
        *,
        metrics: Mapping[str, Estimate],
        figures: Mapping[str, Figure],
        report: Path,
        held: HeldOut | None = None,
    ) -> str:
        """Log one trained model; returns the run's identifier. held: what it held out, for the gate."""
        bundle, client = training.bundle, self._client
        with self._registered.faults():
            tags = _tags(bundle) | self._tags
            run = client.create_run(self._experiment_id, run_name=bundle.name, tags=tags)
            run_id = str(run.info.run_id)
            client.log_batch(run_id, metrics=_metrics(training, metrics), params=_parameters(bundle))
            client.log_artifact(run_id, str(report))
            with tempfile.TemporaryDirectory() as folder:
                client.log_artifacts(run_id, str(_save_plots(figures, Path(folder) / PLOTS)), PLOTS)
                path = save(bundle, Path(folder) / BUNDLE_ARTIFACT)
                client.log_artifacts(run_id, str(path), BUNDLE_ARTIFACT)
                client.log_artifacts(run_id, str(_save_booster(bundle, Path(folder) / BOOSTER)), BOOSTER)
                if held is not None:
                    rows = held.save(Path(folder) / HELD_OUT_ARTIFACT)
                    client.log_artifacts(run_id, str(rows), HELD_OUT_ARTIFACT)
            client.set_terminated(run_id)
        return run_id

    def register(
        self,
        logged: Mapping[ModelKey, tuple[Bundle, str]],
        *,
        tags: Mapping[str, str],
        asked: Collection[ModelKey] | None = None,
    ) -> None:
        """Make versions of the bundles, each with its run, and call them the challengers: all or none.

        A model that was asked for and is not among them loses its challenger. tags: what each version notes
        beside. asked: None for all.
        """
        register_training(self._registered, logged, name=self._name, tags=tags, asked=asked)

    def settle(self) -> None:
        """Finish, or take back, what killed trainings left behind."""
        settle(self._registered)

    def _experiment(self, workspace: Workspace) -> Any:
        present = self._client.get_experiment_by_name(EXPERIMENT)
        if present is not None:
            return present
        made = self._client.create_experiment(EXPERIMENT, artifact_location=artifact_location(workspace))
        return self._client.get_experiment(made)


def artifact_location(workspace: Workspace) -> str | None:
    """Where the artifacts of a new experiment go; None where a tracking server decides.

    Without a location, MLflow would put those of a database into the current folder.
    """
    scheme = urlsplit(workspace.mlflow_uri).scheme
    if scheme in {"http", "https"}:
        return None
    if scheme == "sqlite":
        database = Path(str(make_url(workspace.mlflow_uri).database))
        return (database.absolute().parent / workspace.artifacts.name).as_uri()
    return workspace.artifacts.absolute().as_uri()


def _save_plots(figures: Mapping[str, Figure], folder: Path) -> Path:
    folder.mkdir()
    for name, figure in figures.items():
        (folder / f"{name}.png").write_bytes(png_once(figure))
    return folder


def _save_booster(bundle: Bundle, folder: Path) -> Path:
    """The raw booster as an MLflow model that takes doubles and returns probabilities.

    It is the trees alone, before calibration and without a linear part: its metadata say so.
    """
    import mlflow.lightgbm
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    columns = Schema([ColSpec("double", name) for name in bundle.catalogue.names])
    mlflow.lightgbm.save_model(
        lightgbm.Booster(model_str=bundle.booster_text),
        str(folder),
        signature=ModelSignature(inputs=columns, outputs=Schema([ColSpec("double")])),
        metadata={"holds": "the trees alone", "whole_model": "the artifact folder bundle"},
        # Named, because MLflow would otherwise load the model in a new process to find out.
        pip_requirements=[f"lightgbm=={lightgbm.__version__}"],
    )
    return folder


def _tags(bundle: Bundle) -> dict[str, str]:
    card = bundle.card
    return {
        "data_fingerprint": card["data_fingerprint"],
        "cutoff": card["cutoff"],
        FINGERPRINT_TAG: bundle.fingerprint,
    }


def _parameters(bundle: Bundle) -> list[Any]:
    from mlflow.entities import Param

    return [Param(name, str(value)) for name, value in bundle.card["parameters"].items()]


def _metrics(training: Training, metrics: Mapping[str, Estimate]) -> list[Any]:
    from mlflow.entities import Metric

    values = {
        f"{name}{suffix}": value
        for name, estimate in metrics.items()
        for suffix, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high))
    }
    values |= {f"count_{name}": float(count) for name, count in training.counts.items()}
    values["base_rate"] = training.bundle.card["base_rate"]
    now = int(time.time() * 1000)
    return [Metric(name, value, now, 0) for name, value in values.items()]
