"""Backtest: for past cutoffs, what a model would have said and what then happened.

Turns tables and cutoffs into predictions, metrics with intervals and the conversion of each grade and decile,
beside heuristics and untuned learners; for intent also the days of warning. Time rule: a prediction reads
rows with `known_at < as_of` only and learns from rows whose label was known at the cutoff; labels are joined
after every prediction is made. Null rule: a cutoff at which nothing happened is predicted but has no ranking
to measure; an opportunity that is still open has no label, is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.catalogue import learn_catalogue
from features.mapping import Config
from features.settings import GRADES
from features.tables import Tables
from features.workspace import Workspace
from models.booster import Matrix
from models.card import Kind, ModelKey
from models.grades import GradeCuts, Reference
from training.backtesting.dates import chosen_cutoffs
from training.backtesting.evaluate import grade_conversion, mean_roc_auc, measure
from training.backtesting.learners import (
    Answerer,
    Learner,
    baseline_answers,
    constrained,
    our_learner,
    without_directions,
)
from training.backtesting.questions import Question, ask, with_labels
from training.backtesting.report import PROBABILITIES, RANKERS, BacktestReport, Followed
from training.backtesting.warning import Warnings, days_of_warning, measure_warning, usual_capacity
from training.fit import select_features
from training.labels import next_cutoff
from training.learning.enough import require_telling
from training.learning.learn import Progress, require_both_classes
from training.learning.monotone import require_directions

__all__ = ["DECILES", "Prediction", "backtest", "backtest_tables", "one_class_notes", "predict_at"]

DECILES = tuple(str(decile) for decile in range(1, 11))
"""Best first."""


@dataclass(frozen=True)
class Prediction:
    """What was predicted at one cutoff.

    frame: account_id, cutoff, probability, the baselines, grade, decile, and `seed_0`... one ranking per
    seed; for fit also opportunity_id and as_of. learned_from: counts of what the model learned from.
    warned: the days of warning before each event; None for fit.
    """

    frame: pd.DataFrame
    learned_from: dict[str, int]
    warned: pd.DataFrame | None = None
    capacity: int = 0


def backtest(
    workspace: Workspace,
    *,
    config: Config,
    kind: Kind = "intent",
    cutoffs: Sequence[datetime] = (),
    development: bool = False,
    key: ModelKey | None = None,
    progress: Progress | None = None,
) -> BacktestReport:
    """Backtest the workspace's tables at `cutoffs`, by default those of the config.

    development: the cutoffs for choosing instead of the reported ones. Without any cutoff, the last one
    whose outcomes can be known. key: of the model, where the config is that of a named one. Raises
    NotEnoughDataError when there is too little to learn from.
    """
    with workspace.lease() as manifest:
        manifest.require_dated("backtest")
        tables = workspace.tables(manifest)
        moments = chosen_cutoffs(tables, config=config, kind=kind, asked=cutoffs, development=development)
        report = backtest_tables(tables, config=config, kind=kind, cutoffs=moments, progress=progress)
    return replace(report, development=development, key=key)


def backtest_tables(
    tables: Tables,
    *,
    config: Config,
    cutoffs: Sequence[datetime],
    kind: Kind = "intent",
    learner: Learner = our_learner,
    title: str = "Spearfish",
    progress: Progress | None = None,
) -> BacktestReport:
    """As `backtest`, of tables and cutoffs, and of any learner, which people know by its title."""
    moments = sorted(set(cutoffs))
    _require_directions(tables, cutoff=moments[-1], kind=kind, config=config)
    made = [
        predict_at(tables, cutoff=cutoff, config=config, kind=kind, learner=learner, progress=progress)
        for cutoff in moments
    ]
    predicted = pd.concat([one.frame for one in made], ignore_index=True)
    followed = with_labels(tables, predicted, kind=kind, config=config)
    rows = followed[followed["label"].notna()].astype({"label": np.int64}).reset_index(drop=True)
    return BacktestReport(
        kind=kind,
        title=title,
        event="won" if kind == "fit" else config.labels.intent.event,
        horizon_days=config.backtest.fit_window_days if kind == "fit" else config.labels.intent.horizon_days,
        top_k=config.backtest.top_k,
        seeds=config.backtest.seeds,
        predictions=rows,
        **_measured(rows, config=config, progress=progress),
        followed=Followed.of(followed),
        warning=_warning(moments, made, config=config),
        learned_from={moment: one.learned_from for moment, one in zip(moments, made, strict=True)},
        newest_fact=next_cutoff(tables) - timedelta(seconds=1),
        assumed=tables.assumed,
        notes=(*one_class_notes(rows), *_notes(moments, kind=kind, config=config)),
    )


def _require_directions(tables: Tables, *, cutoff: datetime, kind: Kind, config: Config) -> None:
    """ConfigError for a monotone effect of nothing: at the last cutoff, as earlier ones may know less."""
    settings = config.model.fit if kind == "fit" else config.model.intent
    if settings.rising or settings.falling:
        catalogue = learn_catalogue(tables, cutoff=cutoff, declared=config.features)
        selected = select_features(catalogue, kind=kind, settings=settings, keep=config.origins.keep)
        require_directions(selected, settings, where=f"[model.{kind}]")


def one_class_notes(rows: pd.DataFrame) -> Iterator[str]:
    """Cutoffs at which the event happened to nobody, or to everybody. rows: cutoff, label."""
    for moment, labels in rows.groupby("cutoff")["label"]:
        if labels.nunique() < 2:
            yield (
                f"at {pd.Timestamp(str(moment)).date().isoformat()} {int(labels.sum()):,} of {len(labels):,} "
                "rows have the event: one class only, nothing to rank; left out of the means"
            )


def _notes(moments: Sequence[datetime], *, kind: Kind, config: Config) -> Iterator[str]:
    """What else to mind."""
    tuned = (config.model.fit if kind == "fit" else config.model.intent).tuned_through
    early = sum(moment < tuned for moment in moments) if tuned else 0
    if tuned and early:
        yield (
            f"the parameters were chosen on facts up to {tuned.date().isoformat()}, after {early} of "
            f"{len(moments)} cutoffs, whose figures flatter; the nested ones of `spearfish tune` do not"
        )
    if kind == "fit" and config.labels.fit.against == "universe":
        yield (
            "the model tells wins from the universe, and is judged on opportunities that were opened: their "
            "order can be judged so, the level of its probabilities cannot"
        )


def _measured(rows: pd.DataFrame, *, config: Config, progress: Progress | None) -> dict[str, Any]:
    """Everything with an interval: metrics by ranker, grades, deciles, one seed alone."""
    if progress:
        progress("measure with intervals", 0, 1)
    settings, replicates = config.backtest, config.backtest.replicates
    rankers = [name for name in RANKERS if name in rows.columns and rows[name].notna().all()]
    seeds = [name for name in rows.columns if name.startswith("seed_")]
    found = {
        "measured": measure(
            rows, columns=rankers, probabilities=PROBABILITIES, top_k=settings.top_k, replicates=replicates
        ),
        "grades": grade_conversion(rows, grades=GRADES, replicates=replicates),
        "deciles": grade_conversion(rows.assign(grade=rows["decile"]), grades=DECILES, replicates=replicates),
        "single_seed_roc_auc": mean_roc_auc(rows, columns=seeds, replicates=replicates) if seeds else None,
    }
    if progress:
        progress("measure with intervals", 1, 1)
    return found


def _warning(moments: Sequence[datetime], made: Sequence[Prediction], *, config: Config) -> Warnings | None:
    frames = [one.warned for one in made if one.warned is not None]
    if not frames:
        return None
    capacities = {moment: one.capacity for moment, one in zip(moments, made, strict=True)}
    return measure_warning(frames, capacities=capacities, replicates=config.backtest.replicates)


def predict_at(
    tables: Tables,
    *,
    cutoff: datetime,
    config: Config,
    kind: Kind = "intent",
    learner: Learner = our_learner,
    progress: Progress | None = None,
) -> Prediction:
    """Learn at `cutoff` as `train` does, with `backtest.seeds` averaged seeds, and predict what is asked."""
    question = ask(tables, kind=kind, cutoff=cutoff, config=config)
    require_both_classes(question.rows.label)
    require_telling(question.own_rows)
    answerer = learner(question, progress)
    probability = answerer.predict(question.X)
    told: dict[str, Matrix] = {"probability": probability} | baseline_answers(question)
    if learner is not our_learner:
        told["ours"] = our_learner(question, progress).predict(question.X)
    elif config.backtest.monotone_cost and constrained(question):
        told["without_directions"] = without_directions(question, progress).predict(question.X)
    reference = probability if kind == "intent" else answerer.predict(question.reference)
    frame = _asked(question).assign(
        **told,
        grade=GradeCuts(config.serving.grade_cuts).grades(Reference.of(reference).scores(probability)),
        decile=_deciles(probability),
        **{f"seed_{seed}": ranks for seed, ranks in enumerate(answerer.by_seed(question.X))},
    )
    if kind == "fit":
        return Prediction(frame, answerer.learned)
    warned, capacity = _warned(tables, question, answerer, config=config, progress=progress)
    return Prediction(frame, answerer.learned, warned, capacity)


def _asked(question: Question) -> pd.DataFrame:
    """cutoff first, then what identifies a row."""
    asked = question.asked
    if question.kind == "intent":
        return pd.DataFrame({"cutoff": asked["as_of"], "account_id": asked["account_id"]})
    kept = asked[["account_id", "opportunity_id", "as_of"]].reset_index(drop=True)
    kept.insert(0, "cutoff", pd.Series(question.cutoff, index=kept.index, dtype="datetime64[us]"))
    return kept


def _deciles(probability: Matrix) -> list[str]:
    """1 for the best tenth; equal probabilities share the worse one."""
    scores = Reference.of(probability).scores(probability)
    return [str(decile) for decile in np.clip(np.ceil((100.0 - scores) / 10.0), 1, 10).astype(int)]


def _warned(
    tables: Tables, question: Question, answerer: Answerer, *, config: Config, progress: Progress | None
) -> tuple[pd.DataFrame, int]:
    what = f"count days of warning {question.cutoff.date().isoformat()}"
    if progress:
        progress(what, 0, 1)
    capacity = config.backtest.weekly_capacity or usual_capacity(len(question.asked))
    warned = days_of_warning(
        tables,
        cutoff=question.cutoff,
        catalogue=question.catalogue,
        predict=answerer.predict,
        capacity=capacity,
        config=config,
    )
    if progress:
        progress(what, 1, 1)
    return warned, capacity
