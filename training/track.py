"""Tracking: every training is a run in MLflow, and its bundle a version of a registered model.

Turns a trained model into parameters, metrics, plots, the raw booster with an all-double signature, the
bundle's files, and a registered version that carries the alias `challenger`. Time rule: none; MLflow's own
times are provenance. Null rule: none.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm
from matplotlib.figure import Figure

from features.workspace import Workspace
from models.bundle import NAMES, Bundle, Kind, save
from training.evaluate import Estimate
from training.fit import Training
from training.registered import (
    BUNDLE_ARTIFACT,
    CHALLENGER,
    FINGERPRINT_TAG,
    RegisteredModels,
    require_server,
)

__all__ = ["BOOSTER", "EXPERIMENT", "Tracker"]

EXPERIMENT = "spearfish"
BOOSTER = "booster"


class Tracker:
    """Writes trainings to the MLflow of a workspace.

    SQLite inside the workspace by default, with the artifacts beside it; MLFLOW_TRACKING_URI is honoured.
    """

    def __init__(self, workspace: Workspace) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # Its migrations otherwise tell of themselves, line by line.
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        require_server(workspace.mlflow_uri)
        from mlflow import MlflowClient

        workspace.home.mkdir(parents=True, exist_ok=True)
        self._faults = RegisteredModels(workspace).faults
        # A client of its own: MLflow's global address would redirect every other workspace of the process.
        with self._faults():
            self._client: Any = MlflowClient(
                tracking_uri=workspace.mlflow_uri, registry_uri=workspace.mlflow_uri
            )
            self._experiment = self._experiment_id(workspace)

    def log(
        self,
        training: Training,
        *,
        metrics: Mapping[str, Estimate],
        figures: Mapping[str, Figure],
        report: Path,
    ) -> str:
        """Log one training and register its bundle; returns the run's identifier."""
        bundle, client = training.bundle, self._client
        with self._faults():
            run = client.create_run(self._experiment, run_name=bundle.name, tags=_tags(bundle))
            run_id = str(run.info.run_id)
            client.log_batch(run_id, metrics=_metrics(training, metrics), params=_parameters(bundle))
            for name, figure in figures.items():
                client.log_figure(run_id, figure, f"plots/{name}.png")
            client.log_artifact(run_id, str(report))
            with tempfile.TemporaryDirectory() as folder:
                path = save(bundle, Path(folder) / BUNDLE_ARTIFACT)
                client.log_artifacts(run_id, str(path), BUNDLE_ARTIFACT)
                client.log_artifacts(run_id, str(_save_booster(bundle, Path(folder) / BOOSTER)), BOOSTER)
            client.set_terminated(run_id)
            self._register(bundle, run_id=run_id)
        return run_id

    def withdraw(self, kind: Kind) -> None:
        """Take the alias `challenger` from a kind that this training could not give."""
        with self._faults():
            for model in self._client.search_registered_models(f"name='{NAMES[kind]}'"):
                if CHALLENGER in model.aliases:
                    self._client.delete_registered_model_alias(NAMES[kind], CHALLENGER)

    def _register(self, bundle: Bundle, *, run_id: str) -> None:
        if not self._client.search_registered_models(f"name='{bundle.name}'"):
            self._client.create_registered_model(bundle.name)
        version = self._client.create_model_version(
            bundle.name,
            f"runs:/{run_id}/{BOOSTER}",
            run_id=run_id,
            tags={FINGERPRINT_TAG: bundle.fingerprint},
        )
        self._client.set_registered_model_alias(bundle.name, CHALLENGER, version.version)

    def _experiment_id(self, workspace: Workspace) -> str:
        present = self._client.get_experiment_by_name(EXPERIMENT)
        if present is not None:
            return str(present.experiment_id)
        # Without a location, MLflow would put artifacts into the current folder.
        location = None if "MLFLOW_TRACKING_URI" in os.environ else workspace.artifacts.absolute().as_uri()
        return str(self._client.create_experiment(EXPERIMENT, artifact_location=location))


def _save_booster(bundle: Bundle, folder: Path) -> Path:
    """The raw booster as an MLflow model that takes doubles and returns probabilities."""
    import mlflow.lightgbm
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    columns = Schema([ColSpec("double", name) for name in bundle.catalogue.names])
    mlflow.lightgbm.save_model(
        lightgbm.Booster(model_str=bundle.booster_text),
        str(folder),
        signature=ModelSignature(inputs=columns, outputs=Schema([ColSpec("double")])),
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
