"""Deals weighed by pursuit: whom the model then ranks well, what its card says, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from trained_market import MARKET

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from features.feature import Feature
from features.label_settings import FitLabelSettings
from features.mapping import Config
from features.settings import FitLearningSettings
from features.tables import Tables
from training.backtesting.evaluate import roc_auc
from training.backtesting.questions import ask
from training.fit import Training, train_fit
from training.gate import rehearsal
from training.gate.rehearsal import rehearse
from training.labels import fit_labels
from training.labels.population import pursued_accounts
from training.learning.learn import Learned, Rows, learn
from training.learning.pursuit import pursuit_facts, weighed_by_pursuit
from training.meanings import label_notes


def weighed(config: Config) -> Config:
    fit = config.labels.fit.model_copy(update={"weights": "pursuit"})
    return config.model_copy(update={"labels": config.labels.model_copy(update={"fit": fit})})


def test_weights_turn_the_order_of_accounts_that_sales_passed_over() -> None:
    # 1,000 accounts of kind 0, of which 9 in 10 were pursued, and 6,000 of kind 1, of which 1 in 10: 900
    # deals stand beside 600. The more of x, the more wins in kind 0 and the fewer in kind 1. Trees of one
    # split have no room for both: alike, the deals of kind 0 have their way; weighed, those of kind 1, each
    # of which counts (0.9 / 0.1) ** 0.25 = 1.73 times as much, and all of them 1,039.
    random = np.random.default_rng(4)
    kind = np.repeat([0.0, 1.0], [1_000, 6_000])
    X = np.column_stack([kind, random.uniform(-1.0, 1.0, len(kind))])
    won = (random.random(len(kind)) < 0.5 + 0.4 * X[:, 1] * np.where(kind == 0, 1, -1)).astype(np.int64)
    pursued = random.random(len(kind)) < np.where(kind == 0, 0.9, 0.1)
    catalogue = Catalogue(
        tuple(
            Feature(name, "firmographic", "number", "accounts", "latest", "", "", name, "")
            for name in ("kind", "x")
        )
    )
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 365, len(kind)), unit="D")
    accounts = pd.DataFrame({"account_id": [f"a{n}" for n in range(len(kind))], "as_of": days, "label": won})
    deals = accounts[pursued].assign(label_known_at=accounts["as_of"]).reset_index(drop=True)
    alike = Rows(deals, X[pursued], catalogue)
    rows = weighed_by_pursuit(alike, accounts=accounts.assign(pursued=pursued.astype(int)), X=X)
    assert rows.weight is not None
    usual = [rows.weight[X[pursued, 0] == one].mean() for one in (0, 1)]
    assert usual[1] / usual[0] == pytest.approx(9**0.25, rel=0.02)
    settings = FitLearningSettings(num_leaves=2, members=1, folds=1, max_rounds=30, crossed_folds=0)
    passed_over = ~pursued & (kind == 1)
    plain, ours = (
        roc_auc(won[passed_over], probabilities=learn(one, settings=settings).probabilities(X[passed_over]))
        for one in (alike, rows)
    )
    assert plain < 0.4
    assert ours > 0.6


@pytest.fixture(scope="module")
def trained(market: Tables, config: Config) -> Training:
    found = train_fit(market, cutoff=MARKET.end, config=weighed(config))
    assert isinstance(found, Training)
    return found


def test_the_card_and_the_backtest_know_of_the_weights(
    market: Tables, config: Config, trained: Training
) -> None:
    config = weighed(config)
    card = trained.bundle.card
    facts, weight = card["pursuit"], trained.rows.weight
    assert weight is not None
    assert weight.mean() == pytest.approx(1.0)
    assert 1.0 < facts["counts_as"] < len(weight)
    assert facts == pursuit_facts(trained.rows, accounts=fit_labels_of(market, config))
    assert facts["accounts"] == MARKET.accounts
    assert card["label"].endswith("weighed by how rarely accounts of their kind were pursued")
    assert any("the level of their probabilities" in note for note in label_notes(card))
    asked = ask(market, kind="fit", cutoff=datetime.fromisoformat("2024-03-01"), config=config)
    assert asked.own_rows.weight is not None


def taken_up(market: Tables, *, known_at: datetime) -> Tables:
    """The market where sales opened a deal with everybody, known at that moment."""
    deals = market.read("opportunities")
    everybody = market.read("accounts")[["account_id"]].drop_duplicates()
    new = everybody.merge(deals.drop(columns="account_id").head(1), how="cross")
    new = new.assign(opportunity_id="new_" + new["account_id"], known_at=known_at, created_at=known_at)
    found = Tables.from_frames({"opportunities": pd.concat([deals, new.assign(outcome=None)])})
    return replace(market, sources={**market.sources, **found.sources})


def test_a_rehearsal_weighs_by_whom_sales_had_pursued_by_then(
    market: Tables, config: Config, trained: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the training's own weights know of later days must not matter either.
    cutoff, labels = datetime.fromisoformat("2024-06-01"), weighed(config).labels.fit
    weight = trained.rows.weight
    assert weight is not None
    knowing = replace(trained, rows=replace(trained.rows, weight=weight[::-1].copy()))
    seen: list[Rows] = []

    def learned(rows: Rows, **_: object) -> Learned:
        seen.append(rows)
        return trained.learned

    monkeypatch.setattr(rehearsal, "learn_rows", learned)
    later = taken_up(market, known_at=cutoff + timedelta(days=1))
    for one, tables in ((trained, market), (knowing, later)):
        assert rehearse(one, tables=tables, labels=labels, cutoff=cutoff, smallest=5) is not None
    first, second = (np.asarray(rows.weight) for rows in seen)
    assert np.ptp(first) > 0.5
    assert np.array_equal(first, second)
    # Had all been taken up by then, there would be nothing to weigh by, and no rehearsal.
    before = taken_up(market, known_at=cutoff - timedelta(days=1))
    assert rehearse(trained, tables=before, labels=labels, cutoff=cutoff, smallest=5) is None


def fit_labels_of(market: Tables, config: Config) -> pd.DataFrame:
    pursued = fit_labels(market, cutoff=MARKET.end, settings=config.labels.fit).pursued
    assert pursued is not None
    return pursued


def test_what_weights_cannot_go_with_is_refused(market: Tables) -> None:
    with pytest.raises(ValidationError, match='goes with against = "lost"'):
        FitLabelSettings(weights="pursuit", against="universe")
    everybody = pd.Series([f"{one}" for one in market.read("accounts")["account_id"]])
    with pytest.raises(NotEnoughDataError, match="did not pursue"):
        pursued_accounts(market, cutoff=MARKET.end, dealt_with=everybody, settings=FitLabelSettings())
