"""Tuning of a workspace's model: tables and a time budget in, a file of parameters and a report out.

Turns what was known before a cutoff into searches on forward-in-time folds, one for each outer fold and one
on all rows, whose choice is written. Time rule: everything rests on rows with `known_at < cutoff`; an outer
fold tunes on labels known when its later slice starts. Null rule: a model of few rows chooses its own
parameters, and tuning it is refused. The file appears whole, at the end, or not at all; what was tried stays
in the workspace, and the same command goes on from there.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna

from features.catalogue import learn_catalogue
from features.errors import ConfigError, InputError, NotEnoughDataError
from features.mapping import Config
from features.settings import LearningSettings
from features.tables import Tables
from features.tuned import TUNED
from features.workspace import Workspace
from models.card import Kind, ModelKey, kind_of
from training.backtesting.dates import require_enabled, require_history
from training.fit import fit_rows, intent_rows, select_features
from training.labels import fit_labels, next_cutoff, require_past
from training.learning.enough import require_telling
from training.learning.few_rows import are_few
from training.learning.learn import Progress, Rows, require_both_classes
from training.learning.monotone import require_directions
from training.tuning.nested import Outer, judge_nested, outer_folds
from training.tuning.parameters import require_writable, write_parameters
from training.tuning.report import SearchFacts, TuneReport
from training.tuning.searching import Clock, Found, Search, open_storage
from training.tuning.space import of_settings, with_parameters
from training.tuning.tracking import TuningRun

__all__ = ["tune", "tuning_rows"]

_SEARCHING = 0.8
"""The share of the budget for trials; the rest is for judging what they chose."""

_ALL = "all rows"


@dataclass(frozen=True)
class _Budget:
    seconds: float
    trials: int
    clock: Clock


def tune(
    workspace: Workspace,
    *,
    config: Config,
    model: ModelKey = "intent",
    minutes: float,
    cutoff: datetime | None = None,
    out: Path | None = None,
    trials: int | None = None,
    progress: Progress | None = None,
    clock: Clock = time.monotonic,
) -> TuneReport:
    """Choose parameters within `minutes` and write them to `out`, by default `tuned.toml` in the workspace.

    model: its key, such as fit or fit.emea. cutoff: naive UTC; only what was known before it is used.
    Default: just after the newest known fact. trials: the most per search; default: the config's.
    Raises NotEnoughDataError, with counts, when there is too little to tune on, InputError when another
    tuning of the workspace is at work, ConfigError before the search when `out` cannot be written.
    """
    config, kind = config.of_model(model), kind_of(model)
    if minutes <= 0:
        raise ConfigError("--minutes is no time", got=minutes, allowed="more than 0")
    workspace.manifest()
    file = out or workspace.home / "tuned.toml"
    require_writable(file)
    with workspace.lease() as manifest, _alone(workspace):
        manifest.require_dated("tune")
        tables = workspace.tables(manifest)
        moment = cutoff or next_cutoff(tables)
        require_past(moment, tables=tables)
        rows = tuning_rows(tables, kind=kind, cutoff=moment, config=config)
        budget = _Budget(minutes * 60.0 * _SEARCHING, trials or config.tuning.trials, clock)
        facts = {"minutes": minutes, "seed": config.tuning.seed, "data_fingerprint": manifest.fingerprint}
        with TuningRun(workspace, model=model, name=config.workspace.name, facts=facts) as run:
            return _tuned(
                workspace,
                rows,
                config=config,
                model=model,
                cutoff=moment,
                fingerprint=manifest.fingerprint,
                budget=budget,
                minutes=minutes,
                file=file,
                run=run,
                progress=progress,
            )


def tuning_rows(tables: Tables, *, kind: Kind, cutoff: datetime, config: Config) -> Rows:
    """The rows that would train the model at `cutoff`. Raises NotEnoughDataError where tuning is vain."""
    settings = _settings(config, kind=kind)
    catalogue = learn_catalogue(tables, cutoff=cutoff, declared=config.features)
    selected = select_features(catalogue, kind=kind, settings=settings, keep=config.origins.keep)
    require_directions(selected, settings, where=f"[model.{kind}]")
    if kind == "intent":
        require_history(tables, cutoff=cutoff, settings=config.labels.intent)
        rows = intent_rows(tables, cutoff=cutoff, config=config, catalogue=selected)
    else:
        require_enabled(config, kind=kind)
        _require_lost(config)
        labels = fit_labels(tables, cutoff=cutoff, settings=config.labels.fit, seed=settings.seed)
        rows = fit_rows(tables, labels=labels, catalogue=selected)
    require_both_classes(rows.label)
    require_telling(rows)
    if are_few(rows, settings=settings):
        events = int(rows.label.sum())
        raise NotEnoughDataError(
            "a model of so few rows chooses its own parameters: there is nothing to tune",
            got=f"{events:,} rows with the event, {len(rows.label) - events:,} without",
            allowed=f"at least {settings.few_rows} of each, as [model.{kind}] few_rows says",
            fix="train without tuning, or load a longer history",
        )
    return rows


def _require_lost(config: Config) -> None:
    if config.labels.fit.against != "lost":
        raise ConfigError(
            "a fit model that tells wins from the universe cannot be tuned: nobody knows who is no customer",
            got=f'[labels.fit] against = "{config.labels.fit.against}"',
            allowed='against = "lost"',
            fix="train with the settings as they are",
        )


def _settings(config: Config, *, kind: Kind) -> LearningSettings:
    return config.model.fit if kind == "fit" else config.model.intent


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """One tuning of a workspace at a time; the lock goes with the process, however it ends."""
    with (workspace.home / "tuning.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "another tuning of this workspace is at work", got=workspace.home, fix="wait until it ends"
            ) from None
        yield


def _tuned(
    workspace: Workspace,
    rows: Rows,
    *,
    config: Config,
    model: ModelKey,
    cutoff: datetime,
    fingerprint: str,
    budget: _Budget,
    minutes: float,
    file: Path,
    run: TuningRun,
    progress: Progress | None,
) -> TuneReport:
    settings, tuning = _settings(config, kind=kind_of(model)), config.tuning
    outer = outer_folds(rows, settings=settings, tuning=tuning)
    searches = _searches(
        workspace,
        rows,
        outer=outer,
        config=config,
        model=model,
        fingerprint=fingerprint,
        cutoff=cutoff,
        run=run,
    )
    found = _search_all(searches, budget=budget, progress=progress)
    *inner, whole = [with_parameters(settings, one.chosen.parameters) for one in found]
    nested = judge_nested(
        rows,
        outer=outer,
        tuned=inner,
        untuned=settings,
        top_k=config.backtest.top_k,
        replicates=config.backtest.replicates,
    )
    report = TuneReport(
        model=model,
        cutoff=cutoff,
        parameters=of_settings(whole),
        untuned=of_settings(settings),
        searches=tuple(_facts(search, one) for search, one in zip(searches, found, strict=True)),
        nested=nested,
        base_rate=_base_rate(rows, outer),
        minutes=minutes,
        seed=tuning.seed,
        data_fingerprint=fingerprint,
        run_id=run.run_id,
        file=file,
        top_k=config.backtest.top_k,
    )
    run.judged(nested, parameters=report.parameters)
    about = report.about()
    told = {**report.parameters, "tuned_through": about["cutoff"]}
    write_parameters(file, model=model, parameters=told, about=about)
    return report


def _base_rate(rows: Rows, outer: Sequence[Outer]) -> float:
    """Of the later slices that the nested figures are of: the mean over them, as the figures are."""
    return float(sum(rows.label[one.fold.later].mean() for one in outer) / len(outer))


def _searches(
    workspace: Workspace,
    rows: Rows,
    *,
    outer: Sequence[Outer],
    config: Config,
    model: ModelKey,
    fingerprint: str,
    cutoff: datetime,
    run: TuningRun,
) -> tuple[Search, ...]:
    """One per outer fold, then one on all rows."""
    tuning = config.tuning
    settings = _settings(config, kind=kind_of(model)).model_copy(
        update={"folds": tuning.inner_folds, "members": 1}
    )
    storage: optuna.storages.RDBStorage = open_storage(workspace.home / "tuning.db")
    parts = [(f"before {one.fold.starts.date().isoformat()}", one.rows) for one in outer] + [(_ALL, rows)]
    rests_on = [model, fingerprint, cutoff.isoformat(), settings.model_dump(mode="json")]
    rests_on += [config.labels.model_dump(mode="json"), tuning.model_dump(mode="json", exclude={"trials"})]
    return tuple(
        Search(
            name=_name([*rests_on, label, part.catalogue.fingerprint]),
            label=label,
            rows=part,
            settings=settings,
            storage=storage,
            seed=tuning.seed,
            tell=run.trial,
        )
        for label, part in parts
    )


def _name(rests_on: Sequence[Any]) -> str:
    """Another study for other data or other settings: their losses could not be compared."""
    return hashlib.sha256(json.dumps(rests_on, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _search_all(searches: Sequence[Search], *, budget: _Budget, progress: Progress | None) -> list[Found]:
    """Each search gets an equal share of the time that is left when it starts."""
    end, found = budget.clock() + budget.seconds, []
    for done, search in enumerate(searches):
        if progress:
            progress("search", done, len(searches))
        share = (end - budget.clock()) / (len(searches) - done)
        found.append(search.run(seconds=share, trials=budget.trials, clock=budget.clock))
    if progress:
        progress("search", len(searches), len(searches))
    return found


def _facts(search: Search, found: Found) -> SearchFacts:
    return SearchFacts(
        name=search.label,
        trials=len(found.tried),
        rows=len(search.rows.frame),
        events=int(search.rows.label.sum()),
        chosen={name: found.chosen.parameters[name] for name in TUNED},
        leaves=found.chosen.leaves,
        untuned_leaves=found.untuned.leaves,
    )
