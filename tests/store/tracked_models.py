"""A workspace with tables and tracked models as training leaves them, made small and by hand."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from features.catalogue import Catalogue
from features.contract import CONTRACT_VERSION
from features.feature import Feature
from features.settings import IntentLabelSettings, LabelSettings, ServingSettings
from features.tables import Attribute, Tables
from features.workspace import Manifest, TableFiles, Workspace
from models.bundle import NAMES, Bundle, CardFacts, Kind, save
from models.calibration import Calibration
from models.making import make_bundle, with_audit, with_settings
from training.audit.finding import Audit
from training.tracking.registered import RegisteredModels

LABELS = LabelSettings(intent=IntentLabelSettings(event="won", horizon_days=60))
SERVING = ServingSettings(grade_cuts=(0.05, 0.2, 0.5))
CLEAN = Audit(rows=60, events=30, columns=2, checked={}, findings=())


def bundle(
    kind: Kind,
    *,
    seed: int = 1,
    attributes: tuple[Attribute, ...] = (),
    serving: ServingSettings | None = SERVING,
    audit: Audit | None = CLEAN,
) -> Bundle:
    """A bundle of two features that differs by seed; without `serving`, its card names no settings, and
    without `audit` it was never audited."""
    catalogue = Catalogue(tuple(_feature(name) for name in ("employees", "company_age")), (), (), attributes)
    X = np.random.default_rng(seed).normal(size=(60, 2))
    data = lightgbm.Dataset(X, (X[:, 0] > 0).astype(float), feature_name=list(catalogue.names))
    settings = {
        "objective": "binary",
        "num_leaves": 3,
        "min_data_in_leaf": 5,
        "verbose": -1,
        "num_threads": 1,
    }
    made = make_bundle(
        lightgbm.train(settings, data, 3),
        kind=kind,
        catalogue=catalogue,
        calibration=Calibration(slope=1.0, intercept=0.0),
        population=X,
        facts=CardFacts(
            meaning={"en": "Chance.", "zh": "概率。"},
            horizon_days=90 if kind == "intent" else None,
            label="by hand",
            cutoff="2026-01-01T00:00:00Z",
            base_rate=0.5,
            counts={"rows": 60},
            metrics={},
            parameters={},
            data_fingerprint="0" * 64,
            provenance={},
        ),
    )
    if audit is not None:
        made = with_audit(made, audit.to_json())
    return made if serving is None else with_settings(made, labels=LABELS, serving=serving)


def _feature(name: str) -> Feature:
    return Feature(
        name,
        group="firmographic",
        kind="number",
        table="accounts",
        aggregation="latest",
        sentence_en="{value}",
        sentence_zh="{value}",
        null_rule="missing",
        idea=name,
    )


def ingest(
    workspace: Workspace,
    *,
    attributes: tuple[Attribute, ...] = (),
    fingerprint: str = "0" * 64,
    known: str = "2026-01-01",
) -> None:
    """One account, known since a day, and a manifest that says so."""
    accounts = Tables.from_frames(
        {"accounts": pd.DataFrame({"account_id": ["a"], "known_at": [pd.Timestamp(known)]})}
    )

    def fill(folder: Path) -> Manifest:
        pq.write_table(accounts.sources["accounts"], folder / "accounts.parquet")
        return Manifest(
            contract_version=CONTRACT_VERSION,
            snapshot="one-account",
            fingerprint=fingerprint,
            workspace="by hand",
            time_zone="Europe/Berlin",
            tables={"accounts": TableFiles(rows=1, files=("accounts.parquet",))},
            attributes=attributes,
            current_value_only={},
            data_through=None,
            quarantine={},
            channels=(),
            created_by="test",
        )

    workspace.replace(fill)


def client(workspace: Workspace) -> Any:
    # Importing it takes seconds, which tests of other things need not wait for.
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=workspace.mlflow_uri, registry_uri=workspace.mlflow_uri)


def register(workspace: Workspace, trained: Bundle, *, name: str = "by hand") -> int:
    """A run, a version and the alias `challenger` for one model alone; the version's number."""
    registered = RegisteredModels(workspace)
    version = registered.register(trained, run_id=run_of(workspace, trained), name=name, tags={})
    registered.challenge(version)
    return version.number


def run_of(workspace: Workspace, trained: Bundle) -> str:
    """A run that holds a bundle."""
    tracking = client(workspace)
    run = str(tracking.create_run(_experiment(tracking, workspace)).info.run_id)
    with tempfile.TemporaryDirectory() as folder:
        tracking.log_artifacts(run, str(save(trained, Path(folder) / "bundle")), "bundle")
    return run


def log(workspace: Workspace, trained: Bundle, *, name: str) -> int:
    """Track a bundle as `train` does, without metrics and plots; the version's number."""
    # It imports matplotlib, for the plots.
    from training.tracking.track import Tracker

    page = workspace.home / "report.html"
    page.write_text("<p>report</p>")
    training: Any = SimpleNamespace(bundle=trained, counts={"rows": 60})
    tracker = Tracker(workspace, name=name)
    run_id = tracker.log(training, metrics={}, figures={}, report=page)
    tracker.register({trained.kind: (trained, run_id)}, tags={})
    return RegisteredModels(workspace).versions(trained.kind)[0].number


def forget_models(workspace: Workspace) -> None:
    for model in client(workspace).search_registered_models():
        client(workspace).delete_registered_model(model.name)


def reset_aliases(workspace: Workspace) -> None:
    """No champions; the newest versions are the challengers."""
    with closing(sqlite3.connect(workspace.home / "mlflow.db")) as connection, connection:
        connection.execute("DELETE FROM registered_model_aliases")
        connection.execute(
            "INSERT INTO registered_model_aliases (alias, version, name)"
            " SELECT 'challenger', max(version), name FROM model_versions GROUP BY name"
        )


def _experiment(tracking: Any, workspace: Workspace) -> str:
    present = tracking.get_experiment_by_name("spearfish")
    if present is not None:
        return str(present.experiment_id)
    return str(tracking.create_experiment("spearfish", artifact_location=workspace.artifacts.as_uri()))


def artifacts(workspace: Workspace) -> Path:
    """The folder of the experiment's runs."""
    location = client(workspace).get_experiment_by_name("spearfish").artifact_location
    return Path(location.removeprefix("file://"))


def champions(workspace: Workspace, kinds: Iterable[Kind] = ("fit", "intent")) -> list[int | None]:
    """The champion's version of each kind, as MLflow says."""
    models = {model.name: model.aliases for model in client(workspace).search_registered_models()}
    found = [models.get(NAMES[kind], {}).get("champion") for kind in kinds]
    return [None if number is None else int(number) for number in found]


FIT, FIT_2, INTENT = bundle("fit"), bundle("fit", seed=2), bundle("intent")
"""What the fixture `workspace` holds: versions 1 and 2 of the fit model, version 1 of the intent model."""
