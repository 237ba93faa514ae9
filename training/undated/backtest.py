"""Backtest of a table without dates: won and lost rows in, metrics over repeated folds out.

Turns opportunities with an outcome, and what is known of their accounts, into rows that are judged by models
which learned from other rows only; rows that are equal in every column, as those of one account are, stay on
one side, and are drawn together for intervals. Time rule: none can be kept, and the report says that time was
not tested. Null rule: an opportunity without an outcome is open and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from time import perf_counter

import numpy as np
import pandas as pd

from features.catalogue import Catalogue, learn_catalogue
from features.errors import ConfigError, ContractError, suggestion
from features.mapping import Config
from features.settings import GRADES
from features.tables import Tables
from features.workspace import Workspace
from models.card import Kind, ModelKey
from models.grades import GradeCuts, Reference
from training.backtesting.backtest import backtest
from training.backtesting.directions import WITHOUT_DIRECTIONS
from training.backtesting.evaluate import grade_conversion, measure
from training.backtesting.report import BacktestReport
from training.fit import matrix, narrowed, select_features
from training.labels import left_out, next_cutoff, require_dateless
from training.learning.enough import require_telling
from training.learning.folds import Positions, Split, equal_rows, stratified_splits
from training.learning.learn import Progress, Rows
from training.learning.monotone import directions, require_directions
from training.learning.small import learn_small
from training.undated.learning_curve import CurveReport, learning_curve
from training.undated.peers import BASELINES, Peer
from training.undated.report import ColumnsReport, UndatedReport

__all__ = ["backtest_undated", "backtest_workspace", "column_choices", "undated_curve", "undated_rows"]

_LATEST = """
SELECT opportunity_id, account_id, outcome = 'won' AS won
FROM (
    SELECT * FROM opportunities
    WHERE withdrawn_at IS NULL AND ($1 IS NULL OR product = $1)
    QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY known_at DESC) = 1
)
WHERE outcome IS NOT NULL AND NOT list_contains($2, coalesce(lower(type), ''))
    AND account_id IN (SELECT account_id FROM accounts WHERE withdrawn_at IS NULL)
ORDER BY opportunity_id"""


def backtest_workspace(
    workspace: Workspace,
    *,
    config: Config,
    kind: Kind = "intent",
    cutoffs: Sequence[datetime] = (),
    development: bool = False,
    key: ModelKey | None = None,
    progress: Progress | None = None,
) -> BacktestReport | UndatedReport:
    """Backtest a workspace: at past cutoffs, or by folds where the outcomes have no dates.

    key: of the model, where the config is that of a named one; reports are called by it. Raises as `backtest`
    and `backtest_undated` do, and ContractError for cutoffs, or a named intent model, of outcomes without
    dates: folds judge the model of wins and losses, whatever `kind` is.
    """
    with workspace.lease() as manifest:
        if "opportunities" in manifest.undated:
            if cutoffs:
                manifest.require_dated("a backtest at given cutoffs")
            if key is not None and kind == "intent":
                manifest.require_dated(f"a backtest of {key}")
            tables = workspace.tables(manifest)
            return backtest_undated(
                tables, config=config, development=development, key=key or "fit", progress=progress
            )
    return backtest(
        workspace,
        config=config,
        kind=kind,
        cutoffs=cutoffs,
        development=development,
        key=key,
        progress=progress,
    )


def undated_curve(
    workspace: Workspace, *, config: Config, draws: int = 10, progress: Progress | None = None
) -> dict[str, CurveReport]:
    """The learning curve of each choice of columns, beside logistic regression.

    Raises ContractError where outcomes have dates: samples drawn at random would hide how time tells.
    """
    with workspace.lease() as manifest:
        if "opportunities" not in manifest.undated:
            raise ContractError(
                "a learning curve is drawn at random, but opportunities have dates",
                fix="use `spearfish backtest`, whose cutoffs learn from more and more rows",
            )
        rows = undated_rows(workspace.tables(manifest).without_times(), config=config)
    return {
        name: learning_curve(
            narrowed(rows, catalogue),
            settings=config.model.fit,
            draws=draws,
            peers=BASELINES[:2],
            seed=config.undated.seed,
            progress=progress,
        )
        for name, catalogue in column_choices(rows.catalogue, config=config).items()
    }


def undated_rows(tables: Tables, *, config: Config) -> Rows:
    """Every opportunity that was won or lost, with all that a fit model may know of its account.

    tables: without times. What the outcomes themselves tell of an account (its earlier wins) is not among
    the features: nothing says which came first.
    """
    moment = next_cutoff(tables)
    catalogue = learn_catalogue(tables, cutoff=moment, declared=config.features)
    selected = select_features(catalogue, kind="fit", settings=config.model.fit, keep=config.origins.keep)
    require_directions(selected, config.model.fit, where="[model.fit]")
    labels = config.labels.fit
    require_dateless(tables, settings=labels)
    if labels.weights == "pursuit":
        raise ConfigError(
            "[labels.fit] weights of a table without dates",
            got='"pursuit"',
            allowed='"none"',
            fix="remove it, or ingest opportunities with their dates beside accounts that nobody pursued",
        )
    left = [kind for kind, _ in labels.excluded_deal_types]
    with tables.connect() as connection:
        every = connection.execute(_LATEST, [labels.product, left]).to_arrow_table().to_pandas()
        every["as_of"] = pd.Series(moment, index=every.index, dtype="datetime64[us]")
        found = every[left_out(connection, every, settings=labels).isna()].reset_index(drop=True)
    frame = found.assign(label_known_at=found["as_of"], label=found["won"].astype(np.int64))
    return Rows(frame.drop(columns="won"), matrix(tables, frame, catalogue=selected), selected)


def column_choices(catalogue: Catalogue, *, config: Config) -> dict[str, Catalogue]:
    """The features of each choice in [undated.columns], by its name; all of them where there is none.

    Raises ConfigError for a name that no feature has.
    """
    choices = config.undated.columns or {"all": ("*",)}
    return {name: _chosen(catalogue, patterns, choice=name) for name, patterns in choices.items()}


def _chosen(catalogue: Catalogue, patterns: tuple[str, ...], *, choice: str) -> Catalogue:
    lacking = [one for one in patterns if not any(fnmatchcase(name, one) for name in catalogue.names)]
    if lacking:
        raise ConfigError(
            f"[undated.columns] {choice}: no feature is called so",
            got=", ".join(map(repr, lacking)),
            allowed="names of columns with values that are common enough to learn from",
            fix=_mended(lacking, catalogue=catalogue),
        )
    kept = (one for one in catalogue.features if any(fnmatchcase(one.name, pattern) for pattern in patterns))
    return replace(catalogue, features=tuple(kept))


def _mended(lacking: Sequence[str], *, catalogue: Catalogue) -> str:
    """A column that is there has no value, or none that is common: no other name would help."""
    there = {attribute.name for attribute in catalogue.attributes}
    misspelt = [name for name in lacking if name not in there]
    close = (suggestion(misspelt[0], catalogue.names) or "") if misspelt else ""
    return close or "leave out what is empty here, and correct what is misspelt"


def backtest_undated(
    tables: Tables,
    *,
    config: Config,
    development: bool = False,
    peers: Sequence[Peer] = BASELINES,
    key: ModelKey = "fit",
    progress: Progress | None = None,
) -> UndatedReport:
    """Judge the learner by folds, for each choice of columns, beside `peers` on the same rows.

    tables: with times or without; none is read. development: the folds for choosing, not the reported ones.
    key: of the model whose config it is.
    Raises NotEnoughDataError when there is too little to learn from.
    """
    rows = undated_rows(tables.without_times(), config=config)
    settings = config.undated
    seed = settings.development_seed if development else settings.seed
    reports = {
        name: _judged(
            narrowed(rows, catalogue),
            config=config,
            seed=seed,
            peers=peers,
            progress=progress,
            what=f"backtest {name}",
        )
        for name, catalogue in column_choices(rows.catalogue, config=config).items()
    }
    return UndatedReport(
        reports,
        folds=settings.folds,
        repeats=settings.repeats,
        seed=seed,
        development=development,
        assumed=tables.assumed,
        key=key,
        about=config.labels.fit,
    )


def _judged(
    rows: Rows, *, config: Config, seed: int, peers: Sequence[Peer], progress: Progress | None, what: str
) -> ColumnsReport:
    require_telling(rows)
    groups, folds = equal_rows(rows.X), config.undated
    splits = stratified_splits(rows.label, groups=groups, folds=folds.folds, repeats=folds.repeats, seed=seed)
    parts = []
    for done, split in enumerate(splits):
        if progress:
            progress(what, done, len(splits))
        parts.append(_predicted(rows, split, peers=peers, config=config))
    if progress:
        progress(what, len(splits), len(splits))
    return _measured(rows, parts, groups=groups, peers=peers, config=config)


@dataclass(frozen=True)
class _Part:
    """What is said of the judged rows of one fold, how long each took, and what was averaged."""

    predictions: pd.DataFrame
    seconds: dict[str, float]
    parts: tuple[str, ...]


def _predicted(rows: Rows, split: Split, *, peers: Sequence[Peer], config: Config) -> _Part:
    """What is said of the judged rows by models that learned from the others."""
    learn = Rows(rows.frame.iloc[split.learn], rows.X[split.learn], rows.catalogue)
    new, started = rows.X[split.judge], perf_counter()
    learned = learn_small(learn, settings=config.model.fit)
    told, seconds = {"probability": learned.probabilities(new)}, {"probability": perf_counter() - started}
    if _constrained(rows.catalogue, config=config):
        started, free = perf_counter(), config.model.fit.model_copy(update={"rising": (), "falling": ()})
        told[WITHOUT_DIRECTIONS] = learn_small(learn, settings=free).probabilities(new)
        seconds[WITHOUT_DIRECTIONS] = perf_counter() - started
    for peer in peers:
        started = perf_counter()
        told[peer.column] = peer(
            learn.X, label=learn.label, new=new, catalogue=rows.catalogue, seconds=seconds["probability"]
        )
        seconds[peer.column] = perf_counter() - started
    scores = Reference.of(told["probability"]).scores(told["probability"])
    judged = rows.frame.iloc[split.judge][["opportunity_id", "account_id", "label"]].reset_index(drop=True)
    frame = judged.assign(
        repeat=split.repeat,
        fold=split.fold,
        position=split.judge,
        **told,
        grade=GradeCuts(config.serving.grade_cuts).grades(scores),
        decile=np.clip(np.ceil((100.0 - scores) / 10.0), 1, 10).astype(int).astype(str),
    )
    return _Part(frame, seconds, learned.parts)


def _constrained(catalogue: Catalogue, *, config: Config) -> bool:
    """Whether some of these features may only raise, or only lower, the chance, and the cost is asked."""
    return config.backtest.monotone_cost and any(directions(catalogue, config.model.fit))


def _measured(
    rows: Rows, parts: Sequence[_Part], *, groups: Positions, peers: Sequence[Peer], config: Config
) -> ColumnsReport:
    """Means over the folds, with intervals by group of equal rows, which holds every row of its accounts."""
    predictions = pd.concat([part.predictions for part in parts], ignore_index=True)
    told = predictions.assign(
        account_id=groups[predictions["position"]],
        cutoff=predictions["repeat"] * config.undated.folds + predictions["fold"],
    )
    rankers = ["probability", *(peer.column for peer in peers)]
    if WITHOUT_DIRECTIONS in predictions.columns:
        rankers.append(WITHOUT_DIRECTIONS)
    settings, replicates = config.backtest, config.backtest.replicates
    return ColumnsReport(
        features=rows.catalogue.names,
        rows=len(rows.frame),
        events=int(rows.label.sum()),
        different_rows=len(np.unique(groups)),
        top_k=settings.top_k,
        predictions=predictions.drop(columns="position").assign(group=told["account_id"]),
        measured=measure(
            told, columns=rankers, probabilities=rankers, top_k=settings.top_k, replicates=replicates
        ),
        grades=grade_conversion(told, grades=GRADES, replicates=replicates),
        deciles=grade_conversion(
            told.assign(grade=told["decile"]),
            grades=[str(decile) for decile in range(1, 11)],
            replicates=replicates,
        ),
        seconds={name: float(np.mean([part.seconds[name] for part in parts])) for name in rankers},
        parts=tuple(" + ".join(part.parts) for part in parts),
    )
