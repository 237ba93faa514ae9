"""Fitting: canonical tables and a cutoff in, a bundle and what is known of it out.

Turns labels and point-in-time features into the two models: fit, from firmographic and technographic
features of opportunities at their creation, and intent, from snapshots. Time rule: everything (features,
levels, labels, reference population) rests on rows with `known_at < cutoff`. Null rule: a workspace without
losses has no fit model, and says why.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import FIT_GROUPS, GROUPS, Catalogue, learn_catalogue
from features.errors import ConfigError
from features.mapping import Config
from features.point_in_time import build_features
from features.settings import LearningSettings
from features.tables import Tables
from models.bundle import Bundle, CardFacts, Kind
from models.card import ComparedFacts, ModelKey, TrainingFacts
from models.grades import GradeCuts
from models.making import make_bundle
from training.backtesting.evaluate import roc_auc
from training.labels import (
    FitLabels,
    IntentLabels,
    fit_labels,
    fit_population,
    intent_population,
    label_snapshots,
)
from training.learning.enough import empty_attributes, idle_features, require_enough, require_snapshots
from training.learning.few_rows import learn_rows
from training.learning.intervals import fit_intervals
from training.learning.learn import Learned, Parts, Progress, Rows
from training.learning.level import Level, find_level
from training.learning.monotone import require_directions
from training.learning.pursuit import Pursuit, pursuit_facts
from training.meanings import about, fit_meaning, intent_meaning

__all__ = [
    "Training",
    "Untrained",
    "columns_of",
    "fit_rows",
    "intent_rows",
    "matrix",
    "narrowed",
    "select_features",
    "train_fit",
    "train_intent",
]

_REFERENCE_ROWS = 100_000
_LARGEST_SAMPLE = 600_000
_NO_LOSS = (
    'no lost opportunity is known that wins could differ from; [labels.fit] against = "universe" tells them'
    " from accounts that nobody won"
)
_FIT_LABELS = {
    "lost": "won, among opportunities won or lost",
    "universe": "won, against accounts drawn from all that were known and not won when the deal was opened",
}
_WEIGHED = {"none": "", "pursuit": "; weighed by how rarely accounts of their kind were pursued"}
_INTENT_NAMES = ("accounts with the event", "accounts without it")


@dataclass(frozen=True)
class Training:
    """A trained model. rows: what it learned from. counts: of rows, and of what was left out and why."""

    kind: Kind
    bundle: Bundle
    learned: Learned
    rows: Rows
    counts: dict[str, int]
    settings: LearningSettings

    @property
    def key(self) -> ModelKey:
        """Which of the models of the config it is."""
        return self.bundle.key


@dataclass(frozen=True)
class Untrained:
    """A model that this workspace cannot have, and why, in one sentence."""

    key: ModelKey
    reason: str
    counts: dict[str, int]


def train_fit(
    tables: Tables,
    *,
    cutoff: datetime,
    config: Config,
    data_fingerprint: str = "",
    progress: Progress | None = None,
) -> Training | Untrained:
    """The chance to win an opportunity, from what was known of the account when it was opened.

    Raises NotEnoughDataError, with counts, when there is too little to learn from.
    """
    settings, wanted = config.model.fit, config.labels.fit
    if not wanted.enabled:
        return Untrained("fit", "the config switches it off: [labels.fit] enabled = false", {})
    labels = fit_labels(tables, cutoff=cutoff, settings=wanted, seed=settings.seed)
    if labels.lost == 0 and labels.universe is None:
        return Untrained("fit", _NO_LOSS, labels.counts)
    catalogue = learn_catalogue(tables, cutoff=cutoff, declared=config.features)
    selected = select_features(catalogue, kind="fit", settings=settings, keep=config.origins.keep)
    require_directions(selected, settings, where="[model.fit]")
    rows = fit_rows(tables, labels=labels, catalogue=selected)
    without = "lost" if labels.universe is None else "unlabelled"
    counts = {**labels.counts, "won": int(rows.label.sum()), without: int((1 - rows.label).sum())}
    empty = empty_attributes(tables, cutoff=cutoff)
    require_enough(rows, counts=counts, names=("won", without), empty=empty)
    learned = learn_rows(rows, settings=settings, progress=progress, what="train the fit model")
    level = None
    if labels.universe is not None:
        level = find_level(learned, rows, universe=labels.universe, settings=wanted, seed=settings.seed)
    facts = CardFacts(
        meaning=fit_meaning(None if level is None else level.facts),
        horizon_days=None,
        label=_FIT_LABELS[wanted.against] + _WEIGHED[wanted.weights] + about(wanted),
        **_common_facts(
            rows,
            learned,
            settings,
            cutoff=cutoff,
            counts=counts,
            fingerprint=data_fingerprint,
            empty=empty,
        ),
    )
    if labels.pursued is not None:
        facts["pursuit"] = pursuit_facts(rows, accounts=labels.pursued)
    if tables.origins.several:
        facts["origins"] = _compared(catalogue, selected, kind="fit", settings=settings)
    if tables.assumed:
        facts["consent_assumed"] = dict(tables.assumed)
    if level is not None:
        facts["level"] = level.facts
    population = fit_population(tables, as_of=cutoff, settings=wanted)
    return _training(
        "fit", tables, rows, learned, population=population, facts=facts, config=config, level=level
    )


def train_intent(
    tables: Tables,
    *,
    cutoff: datetime,
    config: Config,
    data_fingerprint: str = "",
    progress: Progress | None = None,
) -> Training:
    """The chance that the event happens within the horizon, from snapshots of the past.

    Raises NotEnoughDataError, with counts, when there is too little to learn from.
    """
    labels, settings = config.labels.intent, config.model.intent
    catalogue = learn_catalogue(tables, cutoff=cutoff, declared=config.features)
    selected = select_features(catalogue, kind="intent", settings=settings, keep=config.origins.keep)
    require_directions(selected, settings, where="[model.intent]")
    known = label_snapshots(tables, cutoff=cutoff, settings=labels)
    rows = _snapshot_rows(tables, known, config=config, catalogue=selected)
    counts = _intent_counts(rows) | known.counts
    require_snapshots(tables, counts=counts, cutoff=cutoff, settings=labels)
    empty = empty_attributes(tables, cutoff=cutoff)
    require_enough(rows, counts=counts, names=_INTENT_NAMES, accounts=True, empty=empty)
    learned = learn_rows(rows, settings=settings, progress=progress, what="train the intent model")
    facts = CardFacts(
        meaning=intent_meaning(labels),
        horizon_days=labels.horizon_days,
        label=f"{labels.happens} within {labels.horizon_days} days{about(labels)}",
        **_common_facts(
            rows,
            learned,
            settings,
            cutoff=cutoff,
            counts=counts,
            fingerprint=data_fingerprint,
            empty=empty,
        ),
    )
    if tables.origins.several:
        facts["origins"] = _compared(catalogue, selected, kind="intent", settings=settings)
    if tables.assumed:
        facts["consent_assumed"] = dict(tables.assumed)
    population = intent_population(tables, as_of=cutoff, settings=labels)
    return _training("intent", tables, rows, learned, population=population, facts=facts, config=config)


def fit_rows(
    tables: Tables, *, labels: FitLabels, catalogue: Catalogue, learned: Catalogue | None = None
) -> Rows:
    """The opportunities that train, with the features of their accounts at creation.

    learned: what of the catalogue a model may learn from; the chance of being pursued is told from no more.
    """
    rows = Rows(labels.frame, matrix(tables, labels.frame, catalogue=catalogue), catalogue)
    if labels.pursued_at is None:
        return rows
    seen = (learned or catalogue).select(groups=FIT_GROUPS)
    pursuit = Pursuit(labels.pursued_at, partial(matrix, tables, catalogue=seen))
    return rows.weighed(pursuit, cutoff=labels.cutoff)


def intent_rows(tables: Tables, *, cutoff: datetime, config: Config, catalogue: Catalogue) -> Rows:
    """The snapshots that train, with their features, and parts of those whose horizon has not ended.

    All are kept up to 600,000 rows; beyond that those of a random sample of the accounts.
    """
    labels = label_snapshots(tables, cutoff=cutoff, settings=config.labels.intent)
    return _snapshot_rows(tables, labels, config=config, catalogue=catalogue)


def _snapshot_rows(tables: Tables, labels: IntentLabels, *, config: Config, catalogue: Catalogue) -> Rows:
    frame = _sample_accounts(labels.frame, seed=config.model.intent.seed)
    rows = Rows(frame, matrix(tables, frame, catalogue=catalogue), catalogue)
    if labels.parts.empty:
        return rows
    running = labels.parts[labels.parts["account_id"].isin(frame["account_id"].unique())]
    keys = running[["account_id", "as_of"]].drop_duplicates().reset_index(drop=True)
    place = running.merge(keys.assign(place=range(len(keys))), on=["account_id", "as_of"], how="left")
    X = matrix(tables, keys, catalogue=catalogue)[place["place"].to_numpy()]
    return replace(rows, parts=Parts(X, place["label"].to_numpy(), place["weight"].to_numpy()))


def matrix(tables: Tables, keys: pd.DataFrame, *, catalogue: Catalogue) -> NDArray[np.float64]:
    """The features of keys (account_id, as_of) as a float64 matrix (n, k) in catalogue order."""
    built = build_features(tables, keys[["account_id", "as_of"]], catalogue=catalogue)
    return np.ascontiguousarray(built.to_numpy(dtype=np.float64))


def select_features(
    catalogue: Catalogue, *, kind: Kind, settings: LearningSettings, keep: Collection[str] = ()
) -> Catalogue:
    """The features that a model may learn from: of its kind and the config's groups, less those left out.

    Where accounts come from several origins, what cannot be compared between them is left out, too, but for
    `keep` (names with *): from it a model would learn who is in the CRM already.
    """
    allowed: Sequence[str] = FIT_GROUPS if kind == "fit" else GROUPS
    wanted = settings.groups if settings.groups is not None else allowed
    unknown = [group for group in wanted if group not in allowed]
    if unknown:
        raise ConfigError(
            f"[model.{kind}] groups",
            got=", ".join(unknown),
            allowed=", ".join(allowed),
            fix="remove the others",
        )
    selected = catalogue.select(groups=wanted)
    kept = (
        feature
        for feature in selected.features
        if not _named(feature.name, settings.leave_out)
        and (not feature.not_comparable or _named(feature.name, keep))
    )
    return replace(selected, features=tuple(kept))


def _named(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _compared(
    catalogue: Catalogue, selected: Catalogue, *, kind: Kind, settings: LearningSettings
) -> ComparedFacts:
    """What the model would have learned from, were it not for the origins."""
    whole = select_features(catalogue, kind=kind, settings=settings, keep=("*",)).not_comparable
    kept = selected.not_comparable
    return ComparedFacts(left_out={name: why for name, why in whole.items() if name not in kept}, kept=kept)


def columns_of(selected: Catalogue, catalogue: Catalogue) -> NDArray[np.int64]:
    """The positions in `catalogue` of the features of `selected`."""
    return np.array([catalogue.index(name) for name in selected.names], dtype=np.int64)


def narrowed(rows: Rows, selected: Catalogue) -> Rows:
    """The same rows with the features of `selected` only."""
    columns = columns_of(selected, rows.catalogue)
    parts = rows.parts
    if parts is not None:
        parts = replace(parts, X=np.ascontiguousarray(parts.X[:, columns]))
    X = np.ascontiguousarray(rows.X[:, columns])
    return replace(rows, X=X, catalogue=selected, parts=parts)


def _training(
    kind: Kind,
    tables: Tables,
    rows: Rows,
    learned: Learned,
    *,
    population: pd.DataFrame,
    facts: CardFacts,
    config: Config,
    level: Level | None = None,
) -> Training:
    settings = config.model.fit if kind == "fit" else config.model.intent
    reference = _sample(population, size=_REFERENCE_ROWS, seed=settings.seed)
    intervals = fit_intervals(learned)
    bundle = make_bundle(
        learned.booster_text,
        kind=kind,
        catalogue=rows.catalogue,
        calibration=learned.calibration if level is None else level.applied(learned.calibration),
        population=matrix(tables, reference, catalogue=rows.catalogue),
        facts=facts,
        cuts=GradeCuts(config.serving.grade_cuts),
        linear=learned.linear,
        intervals=intervals if level is None else intervals.along(level.line),
    )
    return Training(kind, bundle, learned, rows, facts["counts"], settings)


def _common_facts(
    rows: Rows,
    learned: Learned,
    settings: LearningSettings,
    *,
    cutoff: datetime,
    counts: dict[str, int],
    fingerprint: str,
    empty: Sequence[str],
) -> TrainingFacts:
    later, idle = learned.later, idle_features(rows)
    if empty:
        idle["empty"] = [*idle.get("empty", []), *empty]
    auc = roc_auc(later["label"].to_numpy(), probabilities=later["probability"].to_numpy())
    facts = TrainingFacts(
        cutoff=f"{cutoff.isoformat()}Z",
        base_rate=float(rows.label.mean()),
        counts=counts,
        metrics={"later_slices_roc_auc": auc},
        parameters=settings.model_dump(mode="json") | {"rounds": learned.rounds},
        data_fingerprint=fingerprint,
        provenance={},
    )
    if idle:
        facts["idle"] = idle
    return facts


def _intent_counts(rows: Rows) -> dict[str, int]:
    frame = rows.frame
    counts = {
        "snapshots": frame["as_of"].nunique(),
        "accounts": frame["account_id"].nunique(),
        "rows": len(frame),
        "events": int(frame["label"].sum()),
        "accounts_with_event": frame.loc[frame["label"] == 1, "account_id"].nunique(),
    }
    if rows.parts is None:
        return counts
    return counts | {"rows_still_running": round(float(rows.parts.weight.sum()))}


def _sample(population: pd.DataFrame, *, size: int, seed: int) -> pd.DataFrame:
    return population if len(population) <= size else population.sample(size, random_state=seed).sort_index()


def _sample_accounts(labels: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """All rows of as many random accounts as fit: every rate stays that of the population."""
    if len(labels) <= _LARGEST_SAMPLE:
        return labels
    accounts = np.sort(labels["account_id"].unique())
    size = int(len(accounts) * _LARGEST_SAMPLE / len(labels))
    drawn = np.random.default_rng(seed).choice(accounts, size=size, replace=False)
    return labels[labels["account_id"].isin(drawn)].reset_index(drop=True)
