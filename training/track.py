"""Tracking: every training is a run in MLflow, and its bundle a version of a registered model.

Turns a trained model into parameters, metrics, plots, the raw booster with an all-double signature, the
bundle's files, and a registered version that carries the alias `challenger`. Time rule: none; MLflow's own
times are provenance. Null rule: none.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm
from matplotlib.figure import Figure

from features.workspace import Workspace
from models.bundle import save
from training.evaluate import Estimate
from training.fit import Training
from training.registered import BUNDLE_ARTIFACT, CHALLENGER, FINGERPRINT_TAG

__all__ = ["EXPERIMENT", "Tracker"]

EXPERIMENT = "spearfish"


class Tracker:
    """Writes trainings to the MLflow of a workspace.

    SQLite inside the workspace by default, with the artifacts beside it; MLFLOW_TRACKING_URI is honoured.
    """

    def __init__(self, workspace: Workspace) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        # Its migrations otherwise tell of themselves, line by line.
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        import mlflow

        workspace.home.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(workspace.mlflow_uri)
        mlflow.set_registry_uri(workspace.mlflow_uri)
        self._mlflow: Any = mlflow
        self._client: Any = mlflow.MlflowClient()
        self._experiment = self._experiment_id(workspace)

    def log(
        self,
        training: Training,
        *,
        metrics: Mapping[str, Estimate],
        figures: Mapping[str, Figure],
        report: Path | None = None,
    ) -> str:
        """Log one training and register its bundle; returns the run's identifier."""
        bundle, mlflow = training.bundle, self._mlflow
        with mlflow.start_run(experiment_id=self._experiment, run_name=bundle.name) as run:
            mlflow.log_params(bundle.card["parameters"])
            mlflow.set_tags(
                {
                    "data_fingerprint": bundle.card["data_fingerprint"],
                    "cutoff": bundle.card["cutoff"],
                    FINGERPRINT_TAG: bundle.fingerprint,
                }
            )
            mlflow.log_metrics(_flat(metrics) | {"base_rate": bundle.card["base_rate"]})
            mlflow.log_metrics({f"count_{name}": count for name, count in training.counts.items()})
            for name, figure in figures.items():
                mlflow.log_figure(figure, f"plots/{name}.png")
            if report is not None:
                mlflow.log_artifact(str(report))
            with tempfile.TemporaryDirectory() as folder:
                path = save(bundle, Path(folder) / BUNDLE_ARTIFACT)
                mlflow.log_artifacts(str(path), BUNDLE_ARTIFACT)
            logged = self._log_booster(training)
        self._register(training, run_id=run.info.run_id, logged=logged)
        return str(run.info.run_id)

    def _log_booster(self, training: Training) -> Any:
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, Schema

        bundle = training.bundle
        columns = Schema([ColSpec("double", name) for name in bundle.catalogue.names])
        return self._mlflow.lightgbm.log_model(
            lightgbm.Booster(model_str=bundle.booster_text),
            name="booster",
            signature=ModelSignature(inputs=columns, outputs=Schema([ColSpec("double")])),
            # Named, because MLflow would otherwise load the model in a new process to find out.
            pip_requirements=[f"lightgbm=={lightgbm.__version__}"],
        )

    def _register(self, training: Training, *, run_id: str, logged: Any) -> None:
        bundle = training.bundle
        if not self._client.search_registered_models(f"name='{bundle.name}'"):
            self._client.create_registered_model(bundle.name)
        version = self._client.create_model_version(
            bundle.name,
            logged.model_uri,
            run_id=run_id,
            tags={FINGERPRINT_TAG: bundle.fingerprint},
            model_id=logged.model_id,
        )
        self._client.set_registered_model_alias(bundle.name, CHALLENGER, version.version)

    def _experiment_id(self, workspace: Workspace) -> str:
        present = self._client.get_experiment_by_name(EXPERIMENT)
        if present is not None:
            return str(present.experiment_id)
        # Without a location, MLflow would put artifacts into the current folder.
        location = None if "MLFLOW_TRACKING_URI" in os.environ else workspace.artifacts.absolute().as_uri()
        return str(self._client.create_experiment(EXPERIMENT, artifact_location=location))


def _flat(metrics: Mapping[str, Estimate]) -> dict[str, float]:
    return {
        f"{name}{suffix}": value
        for name, estimate in metrics.items()
        for suffix, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high))
    }
