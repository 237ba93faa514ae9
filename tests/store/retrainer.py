"""A training that is made by hand, for the tests of `retrain`: what it registers, and how it is run."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import tracked_models
from tracked_models import FIT, LABELS, SERVING

from features.errors import NotEnoughDataError
from features.mapping import Config, WorkspaceSettings, load_config
from features.settings import GateSettings
from features.workspace import Workspace
from models.bundle import Bundle
from training.gate.held_out import HELD_OUT_ARTIFACT, HeldOut
from training.labels import next_cutoff
from training.learned_from import LEARNED_FROM_TAG, learned_from
from training.retrain import LOG, Retraining, retrain
from training.tracking.registered import RegisteredModels
from training.tracking.registration import register_training

CONFIG = load_config(Path(__file__).parents[2] / "configs" / "simulated_market.toml").model_copy(
    update={
        "workspace": WorkspaceSettings(name="by hand", time_zone="Europe/Berlin"),
        "labels": LABELS,
        "serving": SERVING,
        "gate": GateSettings(replicates=100),
    }
)


def true_rows() -> pd.DataFrame:
    """Held-out rows of accounts that the tables lack, with true probabilities."""
    random = np.random.default_rng(0)
    chance = random.uniform(0.05, 0.95, size=400)
    moments = np.array(["2025-01-01", "2025-02-01"], dtype="datetime64[us]").repeat(200)
    return pd.DataFrame(
        {
            "key": [f"{number:032x}" for number in range(400)],
            "as_of": moments,
            "label": (random.random(400) < chance).astype(np.int64),
            "label_known_at": moments,
            "slice": np.repeat([0, 1], 200),
            "probability": chance,
        }
    )


class Trainer:
    """Instead of a training: registers what it is given, as `train` does, and counts."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace, self.folder, self.made, self.bundle = workspace, folder, 0, FIT
        self.asked: tuple[str, ...] | None = None
        self.others: tuple[Bundle, ...] = ()

    def __call__(
        self, workspace: Workspace, *, config: Config, models: tuple[str, ...] | None = None, **_: Any
    ) -> None:
        self.made, self.asked = self.made + 1, models
        wanted = [one for one in (self.bundle, *self.others) if models is None or one.key in models]
        if not wanted:
            raise NotEnoughDataError("no model can be had", got="too few wins")
        register(workspace, *wanted, folder=self.folder / str(self.made), config=config, asked=models)


def register(
    workspace: Workspace,
    *bundles: Bundle,
    folder: Path,
    config: Config = CONFIG,
    asked: tuple[str, ...] | None = None,
) -> None:
    logged = {one.key: (one, tracked_models.run_of(workspace, one)) for one in bundles}
    for bundle, run_id in logged.values():
        held = HeldOut(true_rows(), bundle.fingerprint, CONFIG.gate, secret=b"made")
        kept = held.save(folder / bundle.key)
        tracked_models.client(workspace).log_artifacts(run_id, str(kept), HELD_OUT_ARTIFACT)
    learned = learned_from(
        config,
        data_fingerprint=workspace.manifest().fingerprint,
        cutoff=next_cutoff(workspace.tables()),
    )
    register_training(
        RegisteredModels(workspace),
        logged,
        name="by hand",
        tags={LEARNED_FROM_TAG: learned},
        asked=asked,
    )


def drift(*models: str) -> Any:
    """models: the registered names of those that drifted."""
    return SimpleNamespace(
        drifted=bool(models), drifted_models=models, sentence="drift", to_json=dict, lines=lambda: ()
    )


def run(workspace: Workspace, **settings: Any) -> Retraining:
    return retrain(workspace, config=CONFIG, who="cron", **settings)


def logged(workspace: Workspace) -> list[str]:
    lines = (workspace.home / LOG).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["outcome"] for line in lines]
