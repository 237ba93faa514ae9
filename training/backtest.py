"""Backtest: for past cutoffs, what the intent model would have said and what then happened.

Turns tables and cutoffs into predictions, metrics with intervals and the conversion of each grade, beside
logistic regression and two heuristics. Time rule: a prediction for cutoff c reads rows with `known_at < c`
only and learns from snapshots whose horizon ended by c; labels are joined after every prediction is made.
Null rule: a cutoff at which nothing happened is predicted but has no ranking to measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.catalogue import learn_catalogue
from features.errors import ConfigError
from features.mapping import Config
from features.settings import GRADES, LearningSettings
from features.tables import Tables
from features.workspace import Workspace
from models.booster import Matrix
from models.grades import GradeCuts, Reference
from training.backtest_report import RANKERS, BacktestReport
from training.baselines import activity_heuristic, logistic_regression_probabilities, recency
from training.evaluate import grade_conversion, measure, roc_auc
from training.fit import columns_of, intent_rows, matrix, narrowed, select_features
from training.labels import intent_outcomes, intent_population, next_cutoff, require_past
from training.learn import Learned, Progress, Rows, learn

__all__ = ["Prediction", "backtest", "backtest_tables", "predict_at"]


@dataclass(frozen=True)
class Prediction:
    """What was predicted at one cutoff.

    frame: account_id, cutoff, probability, the baselines, grade, and `seed_0`... one ranking per seed.
    learned_from: counts of what the model learned from.
    """

    frame: pd.DataFrame
    learned_from: dict[str, int]


def backtest(
    workspace: Workspace, *, config: Config, development: bool = False, progress: Progress | None = None
) -> BacktestReport:
    """Backtest the workspace's tables at the config's cutoffs.

    development: the cutoffs for choosing instead of the reported ones. Without cutoffs in the config, the
    last one whose horizon has ended. Raises NotEnoughDataError when there is too little to learn from.
    """
    cutoffs = config.backtest.development_cutoffs if development else config.backtest.cutoffs
    if development and not cutoffs:
        raise ConfigError("[backtest] names no development_cutoffs", fix="add dates to choose on")
    with workspace.lease() as manifest:
        manifest.require_dated("backtest")
        tables = workspace.tables(manifest)
        require_past(*cutoffs, tables=tables, name="[backtest] cutoffs")
        moments = cutoffs or (last_testable_cutoff(tables, horizon_days=config.labels.intent.horizon_days),)
        report = backtest_tables(tables, config=config, cutoffs=moments, progress=progress)
    return replace(report, development=development)


def last_testable_cutoff(tables: Tables, *, horizon_days: int) -> datetime:
    """The last midnight whose horizon has ended by the newest known fact."""
    ended = next_cutoff(tables) - timedelta(days=horizon_days)
    return ended.replace(hour=0, minute=0, second=0)


def backtest_tables(
    tables: Tables, *, config: Config, cutoffs: Sequence[datetime], progress: Progress | None = None
) -> BacktestReport:
    """As `backtest`, of tables and cutoffs."""
    made = [predict_at(tables, cutoff=cutoff, config=config, progress=progress) for cutoff in sorted(cutoffs)]
    rows = _with_labels(tables, pd.concat([one.frame for one in made], ignore_index=True), config=config)
    settings = config.backtest
    rankers = [name for name in RANKERS if name in rows.columns and rows[name].notna().all()]
    if progress:
        progress("measure with intervals", 0, 1)
    measured = measure(rows, columns=rankers, top_k=settings.top_k, replicates=settings.replicates)
    grades = grade_conversion(rows, grades=GRADES, replicates=settings.replicates)
    if progress:
        progress("measure with intervals", 1, 1)
    return BacktestReport(
        event=config.labels.intent.event,
        horizon_days=config.labels.intent.horizon_days,
        top_k=settings.top_k,
        seeds=settings.seeds,
        predictions=rows,
        measured=measured,
        grades=grades,
        single_seed_roc_auc=_single_seed(rows),
        learned_from={moment: one.learned_from for moment, one in zip(sorted(cutoffs), made, strict=True)},
        newest_fact=next_cutoff(tables) - timedelta(seconds=1),
        assumed=tables.assumed,
    )


def predict_at(
    tables: Tables, *, cutoff: datetime, config: Config, progress: Progress | None = None
) -> Prediction:
    """Train at `cutoff` as `train` does, with `backtest.seeds` averaged seeds, and predict its population."""
    settings = config.model.intent.model_copy(update={"members": config.backtest.seeds})
    catalogue = learn_catalogue(tables, cutoff=cutoff, declared=config.features)
    everything = intent_rows(tables, cutoff=cutoff, config=config, catalogue=catalogue)
    keys = intent_population(tables, as_of=cutoff, settings=config.labels.intent)
    X_all = matrix(tables, keys, catalogue=catalogue)
    selected = select_features(catalogue, kind="intent", settings=settings, keep=config.origins.keep)
    rows, X = narrowed(everything, selected), X_all[:, columns_of(selected, catalogue)]
    what = f"backtest {cutoff.date().isoformat()}"
    learned = learn(rows, settings=settings, progress=progress, what=what)
    frame = pd.DataFrame(
        {
            "cutoff": keys["as_of"],
            "account_id": keys["account_id"],
            "probability": learned.probabilities(X),
            "logistic_regression": _logistic(everything, X_all, settings, logarithms=False),
            "logistic_regression_logarithms": _logistic(everything, X_all, settings),
            "recent_activity": activity_heuristic(X_all, catalogue=catalogue),
            "recency": recency(X_all, catalogue=catalogue),
        }
    )
    if selected.names != catalogue.names:
        frame["logistic_regression_tuned"] = _logistic(rows, X, settings, strength=0.1)
    probability = frame["probability"].to_numpy()
    scores = Reference.of(probability).scores(probability)
    frame["grade"] = GradeCuts(config.serving.grade_cuts).grades(scores)
    counts = {"rows": len(rows.frame), "events": int(rows.label.sum()), "rounds": learned.rounds}
    return Prediction(frame.assign(**_by_seed(learned, X)), counts)


def _logistic(
    rows: Rows, X: Matrix, settings: LearningSettings, *, strength: float = 1.0, logarithms: bool = True
) -> Matrix:
    everything = np.arange(len(rows.frame), dtype=np.int64)
    return logistic_regression_probabilities(
        rows, earlier=everything, X=X, settings=settings, strength=strength, logarithms=logarithms
    )


def _by_seed(learned: Learned, X: Matrix) -> dict[str, Any]:
    return {f"seed_{seed}": margins for seed, margins in enumerate(learned.member_margins(X))}


def _with_labels(tables: Tables, predicted: pd.DataFrame, *, config: Config) -> pd.DataFrame:
    cutoffs = [moment.to_pydatetime() for moment in predicted["cutoff"].unique()]
    outcomes = intent_outcomes(tables, as_of=cutoffs, settings=config.labels.intent)
    labels = outcomes.rename(columns={"as_of": "cutoff"})
    return predicted.merge(labels, on=["cutoff", "account_id"], how="left", validate="one_to_one")


def _single_seed(rows: pd.DataFrame) -> float:
    """Mean over seeds and cutoffs of the ROC AUC of one seed alone."""
    seeds = [name for name in rows.columns if name.startswith("seed_")]
    return float(
        np.mean(
            [
                roc_auc(part["label"].to_numpy(), probabilities=part[name].to_numpy())
                for _, part in rows.groupby("cutoff")
                for name in seeds
                if 0 < part["label"].mean() < 1
            ]
        )
    )
