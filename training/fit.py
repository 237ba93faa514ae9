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

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import FIT_GROUPS, GROUPS, Catalogue, learn_catalogue
from features.errors import ConfigError, NotEnoughDataError
from features.mapping import Config
from features.point_in_time import build_features
from features.settings import IntentLabelSettings, LearningSettings
from features.tables import Tables
from models.bundle import Bundle, CardFacts, Kind
from models.card import ComparedFacts, TrainingFacts
from models.grades import GradeCuts
from models.making import make_bundle
from training.evaluate import roc_auc
from training.few_rows import learn_rows
from training.labels import FitLabels, fit_labels, intent_labels, intent_population, known_accounts
from training.learn import Learned, Progress, Rows

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
_SMALLEST_CLASS = 20


@dataclass(frozen=True)
class Training:
    """A trained model. rows: what it learned from. counts: of rows, and of what was left out and why."""

    kind: Kind
    bundle: Bundle
    learned: Learned
    rows: Rows
    counts: dict[str, int]
    settings: LearningSettings


@dataclass(frozen=True)
class Untrained:
    """A model that this workspace cannot have, and why, in one sentence."""

    kind: Kind
    reason: str
    counts: dict[str, int]


def train_fit(
    tables: Tables,
    *,
    cutoff: datetime,
    config: Config,
    data_fingerprint: str = "",
    current_value_only: Collection[str] = (),
    progress: Progress | None = None,
) -> Training | Untrained:
    """The chance to win an opportunity, from what was known of the account when it was opened.

    Raises NotEnoughDataError, with counts, when there are losses but too little to learn from.
    """
    if not config.labels.fit.enabled:
        return Untrained("fit", "the config switches it off: [labels.fit] enabled = false", {})
    labels = fit_labels(tables, cutoff=cutoff, settings=config.labels.fit)
    if labels.lost == 0:
        return Untrained("fit", "no lost opportunity is known that wins could differ from", labels.counts)
    settings = config.model.fit
    catalogue = learn_catalogue(
        tables, cutoff=cutoff, current_value_only=current_value_only, declared=config.features
    )
    selected = select_features(catalogue, kind="fit", settings=settings, keep=config.origins.keep)
    rows = fit_rows(tables, labels=labels, catalogue=selected)
    counts = {**labels.counts, "won": int(rows.label.sum()), "lost": int((1 - rows.label).sum())}
    _require_enough(rows, counts=counts)
    learned = learn_rows(rows, settings=settings, progress=progress, what="train the fit model")
    facts = CardFacts(
        meaning={
            "en": "the chance to win an opportunity with this account, if it is pursued",
            "zh": "若跟进该客户，赢得商机的概率",
        },
        horizon_days=None,
        label="won, among opportunities won or lost",
        **_common_facts(rows, learned, settings, cutoff=cutoff, counts=counts, fingerprint=data_fingerprint),
    )
    if tables.origins.several:
        facts["origins"] = _compared(catalogue, selected, kind="fit", settings=settings)
    if tables.assumed:
        facts["consent_assumed"] = dict(tables.assumed)
    population = known_accounts(tables, as_of=cutoff)
    return _training("fit", tables, rows, learned, population=population, facts=facts, config=config)


def train_intent(
    tables: Tables,
    *,
    cutoff: datetime,
    config: Config,
    data_fingerprint: str = "",
    current_value_only: Collection[str] = (),
    progress: Progress | None = None,
) -> Training:
    """The chance that the event happens within the horizon, from snapshots of the past.

    Raises NotEnoughDataError, with counts, when there is too little to learn from.
    """
    labels, settings = config.labels.intent, config.model.intent
    catalogue = learn_catalogue(
        tables, cutoff=cutoff, current_value_only=current_value_only, declared=config.features
    )
    selected = select_features(catalogue, kind="intent", settings=settings, keep=config.origins.keep)
    rows = intent_rows(tables, cutoff=cutoff, config=config, catalogue=selected)
    counts = _intent_counts(rows.frame)
    _require_enough(rows, counts=counts)
    learned = learn_rows(rows, settings=settings, progress=progress, what="train the intent model")
    facts = CardFacts(
        meaning=_intent_meaning(labels),
        horizon_days=labels.horizon_days,
        label=f"{labels.event} within {labels.horizon_days} days",
        **_common_facts(rows, learned, settings, cutoff=cutoff, counts=counts, fingerprint=data_fingerprint),
    )
    if tables.origins.several:
        facts["origins"] = _compared(catalogue, selected, kind="intent", settings=settings)
    if tables.assumed:
        facts["consent_assumed"] = dict(tables.assumed)
    population = intent_population(tables, as_of=cutoff, settings=labels)
    return _training("intent", tables, rows, learned, population=population, facts=facts, config=config)


def fit_rows(tables: Tables, *, labels: FitLabels, catalogue: Catalogue) -> Rows:
    """The opportunities that train, with the features of their accounts at creation."""
    return Rows(labels.frame, matrix(tables, labels.frame, catalogue=catalogue), catalogue)


def intent_rows(tables: Tables, *, cutoff: datetime, config: Config, catalogue: Catalogue) -> Rows:
    """The snapshots that train, with their features.

    All are kept up to 600,000 rows; beyond that those of a random sample of the accounts.
    """
    labels = intent_labels(tables, cutoff=cutoff, settings=config.labels.intent)
    frame = _sample_accounts(labels, seed=config.model.intent.seed)
    return Rows(frame, matrix(tables, frame, catalogue=catalogue), catalogue)


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
    return Rows(rows.frame, np.ascontiguousarray(rows.X[:, columns]), selected)


def _training(
    kind: Kind,
    tables: Tables,
    rows: Rows,
    learned: Learned,
    *,
    population: pd.DataFrame,
    facts: CardFacts,
    config: Config,
) -> Training:
    settings = config.model.fit if kind == "fit" else config.model.intent
    reference = _sample(population, size=_REFERENCE_ROWS, seed=settings.seed)
    bundle = make_bundle(
        learned.booster_text,
        kind=kind,
        catalogue=rows.catalogue,
        calibration=learned.calibration,
        population=matrix(tables, reference, catalogue=rows.catalogue),
        facts=facts,
        cuts=GradeCuts(config.serving.grade_cuts),
        linear=learned.linear,
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
) -> TrainingFacts:
    later = learned.later
    auc = roc_auc(later["label"].to_numpy(), probabilities=later["probability"].to_numpy())
    return TrainingFacts(
        cutoff=f"{cutoff.isoformat()}Z",
        base_rate=float(rows.label.mean()),
        counts=counts,
        metrics={"later_slices_roc_auc": auc},
        parameters=settings.model_dump(mode="json") | {"rounds": learned.rounds},
        data_fingerprint=fingerprint,
        provenance={},
    )


def _intent_counts(frame: pd.DataFrame) -> dict[str, int]:
    return {
        "snapshots": frame["as_of"].nunique(),
        "accounts": frame["account_id"].nunique(),
        "rows": len(frame),
        "events": int(frame["label"].sum()),
        "accounts_with_event": frame.loc[frame["label"] == 1, "account_id"].nunique(),
    }


def _intent_meaning(labels: IntentLabelSettings) -> dict[str, str]:
    days = labels.horizon_days
    if labels.event == "won":
        return {
            "en": f"the chance that the account becomes a customer within {days} days",
            "zh": f"该客户在{days}天内成交的概率",
        }
    return {
        "en": f"the chance that the account opens an opportunity within {days} days",
        "zh": f"该客户在{days}天内产生商机的概率",
    }


def _require_enough(rows: Rows, *, counts: dict[str, int]) -> None:
    events = int(rows.label.sum())
    if min(events, len(rows.label) - events) < _SMALLEST_CLASS:
        told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        raise NotEnoughDataError(
            "one class only" if events in (0, len(rows.label)) else "too few rows of one class to learn from",
            got=f"{events:,} rows with the event, {len(rows.label) - events:,} without; {told}",
            allowed=f"at least {_SMALLEST_CLASS} of each",
            fix="load a longer history, or choose a later cutoff, another event or a longer horizon",
        )


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
