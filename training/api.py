"""The Python API: features, labels and backtests as pandas frames.

Turns a workspace, or tables, into frames for a data scientist's own tools. Time rule: features of a moment
read rows with `known_at < as_of` only; labels stop at a cutoff; a backtest joins what happened after every
prediction is made. Null rule: NaN is a value that was not known.

    from features.mapping import load_config
    from features.workspace import Workspace
    from training.api import backtest_estimator, features, labels

    workspace, config = Workspace.default(), load_config("configs/simulated_market.toml")
    y = labels(workspace, kind="intent", cutoff=datetime(2024, 7, 1), config=config)
    X = features(workspace, keys=y, config=config, kind="intent")
    report = backtest_estimator(RandomForestClassifier(), workspace, config=config)
    report.metrics(), report.differences(), report.days_of_warning(), report.predictions
    learning_curve(workspace, config=config)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from features.catalogue import learn_catalogue
from features.contract import TABLES
from features.errors import InputError
from features.mapping import Config
from features.point_in_time import build_features
from features.tables import Tables
from features.workspace import Workspace
from models.card import Kind, ModelKey, kind_of
from training.backtesting.backtest import backtest_tables
from training.backtesting.curve import SIZES, dated_curve
from training.backtesting.dates import chosen_cutoffs
from training.backtesting.estimators import Preparation, as_frame, estimator_learner
from training.backtesting.report import BacktestReport
from training.fit import select_features, train_fit, train_intent
from training.labels import fit_labels, known_accounts, label_snapshots, require_past
from training.learning.learn import Progress

__all__ = [
    "backtest_estimator",
    "features",
    "labels",
    "learning_curve",
    "market_tables",
    "train_fit",
    "train_intent",
]


def market_tables(folder: Path, *, config: Config) -> Tables:
    """The tables of a simulated market as `training.market.simulate` wrote them, without an ingest.

    They follow the contract already. config: of the market, which says what further columns accounts have.
    """
    return Tables({name: (folder / f"{name}.parquet",) for name in TABLES}, config.attributes)


def features(
    source: Workspace | Tables,
    *,
    config: Config,
    keys: pd.DataFrame | None = None,
    as_of: datetime | None = None,
    cutoff: datetime | None = None,
    kind: Kind | None = None,
) -> pd.DataFrame:
    """Features of accounts as they could have been known.

    keys: columns account_id and as_of (naive UTC), as `labels` returns; or as_of alone, for every account
    known by then. cutoff: which columns and levels there are follows from what was known before it, as in a
    training at that cutoff; default: the newest as_of. What stands in a row never reads past its own as_of.
    kind: what a model of this kind may see by the config, instead of everything.

    Returns one row per key, in their order, indexed by (account_id, as_of): float64 for numbers and flags,
    pandas categories for categories. Raises InputError unless exactly one of keys and as_of is given.
    """
    if (keys is None) is (as_of is None):
        raise InputError(
            "features are of keys or of a moment",
            got="both" if keys is not None else "neither",
            allowed="one of keys and as_of",
        )
    with _opened(source) as tables:
        asked = known_accounts(tables, as_of=as_of) if as_of is not None else _keys(keys)
        moment = cutoff or asked["as_of"].max().to_pydatetime()
        catalogue = learn_catalogue(tables, cutoff=moment, declared=config.features)
        if kind is not None:
            settings = config.model.fit if kind == "fit" else config.model.intent
            catalogue = select_features(catalogue, kind=kind, settings=settings, keep=config.origins.keep)
        built = build_features(tables, asked, catalogue=catalogue)
    return as_frame(built.to_numpy(), catalogue=catalogue, index=built.index)


def _keys(keys: pd.DataFrame | None) -> pd.DataFrame:
    if keys is None or not {"account_id", "as_of"} <= set(keys.columns) or keys.empty:
        raise InputError(
            "keys are not rows with account_id and as_of",
            got="no rows" if keys is not None and keys.empty else "other columns",
            fix="pass what `labels` returns, or a frame with both columns",
        )
    return keys[["account_id", "as_of"]]


def labels(source: Workspace | Tables, *, kind: Kind, cutoff: datetime, config: Config) -> pd.DataFrame:
    """What a model trained at `cutoff` would learn from, by all that was known before it and nothing later.

    Columns: account_id, as_of, label (1 with the event), label_known_at; for fit also opportunity_id. An
    outcome that was not known at the cutoff is not among them. Oldest first. Raises InputError for a cutoff
    after the newest known fact.
    """
    with _opened(source) as tables:
        require_past(cutoff, tables=tables)
        if kind == "intent":
            return label_snapshots(tables, cutoff=cutoff, settings=config.labels.intent).frame
        seed = config.model.fit.seed
        return fit_labels(tables, cutoff=cutoff, settings=config.labels.fit, seed=seed).frame


def backtest_estimator(
    estimator: Any,
    source: Workspace | Tables,
    *,
    config: Config,
    kind: Kind = "intent",
    cutoffs: Sequence[datetime] = (),
    prepare: Preparation = "auto",
    progress: Progress | None = None,
) -> BacktestReport:
    """Backtest any classifier of scikit-learn's interface as our own model is, beside it and the baselines.

    At each cutoff a clone learns from the same rows and features as our model, and predicts the same rows.
    prepare: how it reads them, see `training.backtesting.estimators.estimator_learner`. cutoffs: default, the
    config's, else the last one whose outcomes can be known. Frames: the report's `metrics()`,
    `differences()` (estimator minus each other one, paired), `days_of_warning()`, `grades`, `deciles` and
    `predictions`. Raises InputError for what is no classifier, NotEnoughDataError where a class is missing.
    """
    learner = estimator_learner(estimator, prepare=prepare)
    with _opened(source) as tables:
        moments = chosen_cutoffs(tables, config=config, kind=kind, asked=cutoffs)
        return backtest_tables(
            tables,
            config=config,
            kind=kind,
            cutoffs=moments,
            learner=learner,
            title=type(estimator).__name__,
            progress=progress,
        )


def learning_curve(
    source: Workspace | Tables,
    *,
    config: Config,
    key: ModelKey = "fit",
    cutoff: datetime | None = None,
    sizes: Sequence[int] = SIZES,
    draws: int = 10,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """How well a model of fewer accounts would have ranked what followed a past cutoff: would more data help?

    key: of a model of the config, such as "intent" or "fit.emea". sizes: accounts of the rarer class in a
    sample; the last point learns from all. draws: samples of each size. cutoff: as for `backtest_estimator`.

    Returns one row per size and ranker (`ours`, and a logistic regression that learned from the same):
    accounts, rows and events of a sample on average, how many samples, the ROC AUC with its 95 % interval
    (value, low, high), what chance would get (base), and how many rows judged it, with the share of events
    among them (judged, base_rate). A size that bears no model is left out. Raises NotEnoughDataError where
    not even all accounts bear one, and ConfigError for a model that the config has not.
    """
    own = config.of_model(key)
    with _opened(source) as tables:
        asked = () if cutoff is None else (cutoff,)
        moment = chosen_cutoffs(tables, config=own, kind=kind_of(key), asked=asked)[-1]
        curve = dated_curve(
            tables, config=own, key=key, cutoff=moment, sizes=sizes, draws=draws, progress=progress
        )
    told = [
        {name: getattr(point, name) for name in ("accounts", "rows", "events", "samples")}
        | {"ranker": ranker, **estimate.to_json(), "judged": curve.rows, "base_rate": curve.base_rate}
        for point in curve.points
        for ranker, estimate in (("ours", point.ours), ("logistic_regression_logarithms", point.regression))
    ]
    return pd.DataFrame(told)


@contextmanager
def _opened(source: Workspace | Tables) -> Iterator[Tables]:
    """The tables, kept for as long as the block runs."""
    if isinstance(source, Tables):
        yield source
        return
    with source.lease() as manifest:
        manifest.require_dated("this")
        yield source.tables(manifest)
