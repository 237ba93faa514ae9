"""The question of a backtest at one cutoff: what may be learned from, and what is asked.

Turns tables and a cutoff into labelled rows with every feature, and into the rows to predict. Time rule: what
is learned from was known at the cutoff; a row to predict reads facts with `known_at < as_of` only, and brings
no label. For intent, the population at the cutoff is asked for; for fit, every opportunity opened in the
days that follow, as its account was known when it was opened. Null rule: none; nothing to ask is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from features.catalogue import Catalogue, learn_catalogue
from features.errors import NotEnoughDataError
from features.mapping import Config
from features.settings import LearningSettings
from features.tables import Tables
from models.booster import Matrix
from models.card import Kind
from training.fit import columns_of, fit_rows, intent_rows, matrix, narrowed, select_features
from training.labels import (
    fit_followed,
    fit_labels,
    fit_population,
    intent_outcomes,
    intent_population,
)
from training.learning.learn import Rows

__all__ = ["Question", "ask", "with_labels"]

_REFERENCE_ROWS = 100_000


@dataclass(frozen=True)
class Question:
    """What is learned from and what is asked at one cutoff.

    rows: labelled, with every feature. allowed: the features that a model of this kind may see; selected:
    those of them that the config lets ours see. asked: account_id, as_of, for fit also opportunity_id.
    X: every feature of what is asked. reference: every feature of the accounts that grades compare with.
    """

    kind: Kind
    cutoff: datetime
    rows: Rows
    allowed: Catalogue
    selected: Catalogue
    asked: pd.DataFrame
    X: Matrix
    reference: Matrix
    settings: LearningSettings

    @property
    def catalogue(self) -> Catalogue:
        """Every feature, in the order of X."""
        return self.rows.catalogue

    @property
    def own_rows(self) -> Rows:
        """The rows with the features that our model may see."""
        return narrowed(self.rows, self.selected)

    @property
    def allowed_rows(self) -> Rows:
        """The rows with all features that a model of this kind may see."""
        return narrowed(self.rows, self.allowed)

    def own(self, X: Matrix) -> Matrix:
        """The columns of X that our model may see."""
        return np.ascontiguousarray(X[:, columns_of(self.selected, self.catalogue)])

    def open_to_all(self, X: Matrix) -> Matrix:
        """The columns of X that a model of this kind may see."""
        return np.ascontiguousarray(X[:, columns_of(self.allowed, self.catalogue)])


def ask(tables: Tables, *, kind: Kind, cutoff: datetime, config: Config) -> Question:
    """The question at `cutoff`. Raises NotEnoughDataError where nothing can be learned from or asked."""
    settings = (config.model.fit if kind == "fit" else config.model.intent).model_copy(
        update={"members": config.backtest.seeds}
    )
    catalogue = learn_catalogue(tables, cutoff=cutoff, declared=config.features)
    keep = config.origins.keep
    everything = settings.model_copy(update={"leave_out": (), "groups": None})
    selected = select_features(catalogue, kind=kind, settings=settings, keep=keep)
    rows = _rows(tables, kind=kind, cutoff=cutoff, config=config, catalogue=catalogue, learned=selected)
    asked = _asked(tables, kind=kind, cutoff=cutoff, config=config)
    X = matrix(tables, asked, catalogue=catalogue)
    return Question(
        kind=kind,
        cutoff=cutoff,
        rows=rows,
        allowed=select_features(catalogue, kind=kind, settings=everything, keep=keep),
        selected=selected,
        asked=asked,
        X=X,
        reference=X
        if kind == "intent"
        else _graded(tables, cutoff=cutoff, catalogue=catalogue, config=config),
        settings=settings,
    )


def _rows(
    tables: Tables,
    *,
    kind: Kind,
    cutoff: datetime,
    config: Config,
    catalogue: Catalogue,
    learned: Catalogue,
) -> Rows:
    if kind == "intent":
        return intent_rows(tables, cutoff=cutoff, config=config, catalogue=catalogue)
    labels = fit_labels(tables, cutoff=cutoff, settings=config.labels.fit, seed=config.model.fit.seed)
    return fit_rows(tables, labels=labels, catalogue=catalogue, learned=learned)


def _asked(tables: Tables, *, kind: Kind, cutoff: datetime, config: Config) -> pd.DataFrame:
    if kind == "intent":
        asked = intent_population(tables, as_of=cutoff, settings=config.labels.intent)
    else:
        asked = _followed(tables, cutoff=cutoff, config=config).drop(columns="label")
    if asked.empty:
        raise NotEnoughDataError(
            "there is nothing to predict at a cutoff",
            got=f"no {'opportunity opened after' if kind == 'fit' else 'account known at'} "
            f"{cutoff.isoformat()}Z",
            fix="choose another cutoff",
        )
    return asked


def _followed(tables: Tables, *, cutoff: datetime, config: Config) -> pd.DataFrame:
    until = cutoff + timedelta(days=config.backtest.fit_window_days)
    return fit_followed(tables, created_from=cutoff, created_until=until, settings=config.labels.fit)


def _graded(tables: Tables, *, cutoff: datetime, catalogue: Catalogue, config: Config) -> Matrix:
    """The accounts that the grades of a fit model would compare with."""
    accounts = fit_population(tables, as_of=cutoff, settings=config.labels.fit)
    if len(accounts) > _REFERENCE_ROWS:
        accounts = accounts.sample(_REFERENCE_ROWS, random_state=0).sort_index()
    return matrix(tables, accounts, catalogue=catalogue)


def with_labels(tables: Tables, predicted: pd.DataFrame, *, kind: Kind, config: Config) -> pd.DataFrame:
    """`predicted` (cutoff and what was asked) with what happened: label float64, NaN while still open."""
    cutoffs = [moment.to_pydatetime() for moment in predicted["cutoff"].unique()]
    if kind == "intent":
        outcomes = intent_outcomes(tables, as_of=cutoffs, settings=config.labels.intent)
        labels = outcomes.rename(columns={"as_of": "cutoff"})
        return predicted.merge(labels, on=["cutoff", "account_id"], how="left", validate="one_to_one")
    labels = pd.concat(
        [
            _followed(tables, cutoff=cutoff, config=config)[["opportunity_id", "label"]].assign(cutoff=cutoff)
            for cutoff in cutoffs
        ]
    ).astype({"cutoff": predicted["cutoff"].dtype})
    return predicted.merge(labels, on=["cutoff", "opportunity_id"], how="left", validate="one_to_one")
