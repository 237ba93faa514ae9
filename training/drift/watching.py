"""The watch over what is served: the drift of each of its models, and one answer.

Turns a workspace into a report that people, machines and cron can read. Time rule: as of just after the
newest known fact. Null rule: where nothing is served, there is nothing to watch, and that is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.errors import InputError
from features.settings import DriftSettings
from features.workspace import Workspace
from models.choice import in_order, labels_of
from training.drift.measuring import ModelDrift, measure_drift
from training.gate.asking import require_columns, served
from training.labels import next_cutoff

__all__ = ["DriftReport", "watch"]


@dataclass(frozen=True)
class DriftReport:
    """What was found of the models of a release."""

    release: int
    as_of: datetime
    models: tuple[ModelDrift, ...]

    @property
    def drifted(self) -> bool:
        return bool(self.drifted_models)

    @property
    def drifted_models(self) -> tuple[str, ...]:
        """The names of those that did, as they are registered."""
        return tuple(model.model for model in self.models if model.drifted)

    @property
    def sentence(self) -> str:
        told = f"{' and '.join(self.drifted_models)} drifted" if self.drifted else "no drift"
        return f"release {self.release}, as of {self.as_of.isoformat()}Z: {told}"

    def lines(self) -> Iterator[str]:
        for model in self.models:
            yield from model.lines()
        yield self.sentence

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release,
            "as_of": f"{self.as_of.isoformat()}Z",
            "drifted": self.drifted,
            "models": {model.model: model.to_json() for model in self.models},
            "sentence": self.sentence,
        }


def watch(workspace: Workspace, *, settings: DriftSettings | None = None) -> DriftReport:
    """The drift of what is served. Raises InputError when nothing is, ContractError for undated tables."""
    workspace.manifest().require_dated("drift")
    present = served(workspace)
    if present is None:
        raise InputError("nothing is served that could drift", fix="run `spearfish promote` first")
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        as_of = next_cutoff(tables)
        bundles = in_order(map(present.bundle, present.contents), settings=present.release.settings)
        for bundle in bundles:
            require_columns(bundle, manifest)
        limits = settings or DriftSettings()
        models = [
            measure_drift(
                tables,
                bundle,
                labels=labels_of(present.release.settings, key=bundle.key),
                settings=limits,
                as_of=as_of,
            )
            for bundle in bundles
        ]
    return DriftReport(present.release.id, as_of, tuple(models))
