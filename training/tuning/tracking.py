"""Tuning in MLflow: one run per tuning, and below it one run per trial.

Turns trials into nested runs of an experiment of their own, beside the trainings. Time rule: MLflow's own
times are provenance. Null rule: a parameter that is none is told as None; an interrupted tuning is told as
killed, and its trials stay.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Self

from features.workspace import Workspace
from models.card import ModelKey, registered_name
from training.backtesting.evaluate import Measured
from training.ownership import IDENTITY_TAG, make_identity, owner_tags
from training.tracking.registered import RegisteredModels
from training.tracking.track import artifact_location

__all__ = ["EXPERIMENT", "TuningRun"]

EXPERIMENT = "spearfish tuning"
_PARENT = "mlflow.parentRunId"


class TuningRun:
    """The run of one tuning, for as long as a block runs. run_id: of it."""

    def __init__(
        self, workspace: Workspace, *, model: ModelKey, name: str, facts: Mapping[str, object]
    ) -> None:
        self._registered = RegisteredModels(workspace, create=True)
        self._client = self._registered.client
        self._tags = owner_tags(make_identity(workspace), name=name)
        with self._registered.faults():
            self._experiment = self._found(workspace)
            self._end_forgotten()
            self.run_id = self._started(f"tune {registered_name(model)}", tags=self._tags)
            self._log(self.run_id, parameters=facts, metrics={})

    def _found(self, workspace: Workspace) -> str:
        present = self._client.get_experiment_by_name(EXPERIMENT)
        if present is not None:
            return str(present.experiment_id)
        made = self._client.create_experiment(EXPERIMENT, artifact_location=artifact_location(workspace))
        return str(made)

    def _end_forgotten(self) -> None:
        """Whoever calls holds the workspace's lock: a run that still seems to run was killed."""
        running = f"attributes.status = 'RUNNING' and tags.{IDENTITY_TAG} = '{self._tags[IDENTITY_TAG]}'"
        for run in self._client.search_runs([self._experiment], filter_string=running):
            self._client.set_terminated(run.info.run_id, status="KILLED")

    def _started(self, name: str, *, tags: Mapping[str, str]) -> str:
        run = self._client.create_run(self._experiment, run_name=name, tags=dict(tags))
        return str(run.info.run_id)

    def _log(self, run_id: str, *, parameters: Mapping[str, object], metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        self._client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
            params=[Param(name, str(value)) for name, value in parameters.items()],
        )

    def trial(
        self, search: str, number: int, parameters: Mapping[str, Any], figures: Mapping[str, float]
    ) -> None:
        """Log one trial as a run below this one."""
        with self._registered.faults():
            tags = self._tags | {_PARENT: self.run_id, "search": search}
            run_id = self._started(f"{search}, trial {number}", tags=tags)
            self._log(run_id, parameters=parameters, metrics=figures)
            self._client.set_terminated(run_id)

    def judged(self, measured: Measured, *, parameters: Mapping[str, object]) -> None:
        """Log what was chosen and the nested figures, and end the run."""
        metrics = {
            f"{column}_{name}{suffix}": value
            for column, told in (
                *measured.estimates.items(),
                ("tuned_minus_untuned", measured.ahead["untuned"]),
            )
            for name, one in told.items()
            for suffix, value in (("", one.value), ("_low", one.low), ("_high", one.high))
        }
        with self._registered.faults():
            chosen = {f"chosen_{name}": value for name, value in parameters.items()}
            self._log(self.run_id, parameters=chosen, metrics=metrics)
            self._client.set_terminated(self.run_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Say that the tuning was broken off, if it was."""
        if kind is not None:
            with self._registered.faults():
                self._client.set_terminated(self.run_id, status="KILLED")
