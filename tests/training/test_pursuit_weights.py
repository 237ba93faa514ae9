"""Deals weighed by pursuit: whom the model then ranks well, what its card says, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from trained_market import MARKET

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from features.feature import Feature
from features.label_settings import FitLabelSettings
from features.mapping import Config
from features.settings import FitLearningSettings, TuningSettings
from features.tables import Tables
from training.backtesting.evaluate import Measured, roc_auc
from training.backtesting.questions import ask
from training.fit import Training, fit_rows, train_fit
from training.gate import rehearsal
from training.gate.rehearsal import rehearse
from training.labels import fit_labels
from training.labels.population import pursued_accounts
from training.labels.won_lost import pursued_by
from training.learning.learn import Learned, Rows, learn
from training.learning.pursuit import Pursuit, pursuit_facts
from training.learning.splits import time_folds
from training.meanings import label_notes
from training.tuning.nested import judge_nested, outer_folds

YEAR_END = datetime.fromisoformat("2024-01-01")
QUICK = FitLearningSettings(num_leaves=2, members=1, folds=1, min_rounds=4, max_rounds=30, crossed_folds=0)


def weighed(config: Config) -> Config:
    fit = config.labels.fit.model_copy(update={"weights": "pursuit"})
    return config.model_copy(update={"labels": config.labels.model_copy(update={"fit": fit})})


@dataclass(frozen=True)
class Kinds:
    """1,000 accounts of kind 0, of which 9 in 10 are pursued within 2023, and 6,000 of kind 1, of which 1 in
    10: 900 deals stand beside 600. The more of x, the more wins in kind 0 and the fewer in kind 1."""

    X: NDArray[np.float64]
    won: NDArray[np.int64]
    pursued: NDArray[np.bool_]
    accounts: pd.DataFrame

    @property
    def deals(self) -> Rows:
        """Alike. A deal is won or lost on the day on which it is opened."""
        names = ("kind", "x")
        features = (
            Feature(name, "firmographic", "number", "accounts", "latest", "", "", name, "") for name in names
        )
        frame = self.accounts[self.pursued].assign(label_known_at=self.accounts["as_of"])
        return Rows(frame.reset_index(drop=True), self.X[self.pursued], Catalogue(tuple(features)))

    def weighed(self, *, taken_up: pd.Timestamp | None = None) -> Rows:
        """By whom sales had pursued. taken_up: when it takes up two thirds of those it had passed over."""
        since = self.accounts["as_of"].where(self.pursued)
        if taken_up is not None:
            more = ~self.pursued & (np.arange(len(since)) % 3 > 0)
            since = since.mask(more, taken_up)
        pursuit = Pursuit(
            lambda cutoff: self.accounts.assign(pursued=(since < cutoff).astype("int64")), lambda _: self.X
        )
        return self.deals.weighed(pursuit, cutoff=YEAR_END)


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    random = np.random.default_rng(4)
    kind = np.repeat([0.0, 1.0], [1_000, 6_000])
    X = np.column_stack([kind, random.uniform(-1.0, 1.0, len(kind))])
    won = (random.random(len(kind)) < 0.5 + 0.4 * X[:, 1] * np.where(kind == 0, 1, -1)).astype(np.int64)
    pursued = random.random(len(kind)) < np.where(kind == 0, 0.9, 0.1)
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 365, len(kind)), unit="D")
    accounts = pd.DataFrame({"account_id": [f"a{n}" for n in range(len(kind))], "as_of": days, "label": won})
    return Kinds(X, won, pursued, accounts)


def test_weights_turn_the_order_of_accounts_that_sales_passed_over(kinds: Kinds) -> None:
    # Trees of one split have no room for both kinds: alike, the deals of kind 0 have their way; weighed,
    # those of kind 1, each of which counts (0.9 / 0.1) ** 0.25 = 1.73 times as much, and all of them 1,039.
    alike, rows = kinds.deals, kinds.weighed()
    X, won, pursued, kind = kinds.X, kinds.won, kinds.pursued, kinds.X[:, 0]
    assert rows.weight is not None
    usual = [rows.weight[X[pursued, 0] == one].mean() for one in (0, 1)]
    assert usual[1] / usual[0] == pytest.approx(9**0.25, rel=0.02)
    passed_over = ~pursued & (kind == 1)
    plain, ours = (
        roc_auc(won[passed_over], probabilities=learn(one, settings=QUICK).probabilities(X[passed_over]))
        for one in (alike, rows)
    )
    assert plain < 0.4
    assert ours > 0.6


def test_whom_sales_took_up_later_changes_nothing_that_is_told_of_an_earlier_moment(kinds: Kinds) -> None:
    # The later slice begins in November, the outer folds of a tuning in spring and before; in December sales
    # takes up most of those that it had passed over, which turns the weights of the training.
    usual, knowing = kinds.weighed(), kinds.weighed(taken_up=pd.Timestamp("2023-12-01"))
    assert usual.weight is not None
    assert knowing.weight is not None
    assert np.abs(usual.weight - knowing.weight).max() > 0.2
    first, second = (learn(rows, settings=QUICK) for rows in (usual, knowing))
    assert first.folds[0].starts < datetime.fromisoformat("2023-12-01")
    pd.testing.assert_frame_equal(first.later, second.later)
    assert first.rounds == second.rounds
    assert first.booster_text != second.booster_text
    told = [nested(rows) for rows in (usual, knowing)]
    assert told[0].estimates == told[1].estimates
    # Taken up before the slices begin, it changes both.
    before = kinds.weighed(taken_up=pd.Timestamp("2023-02-01"))
    assert not learn(before, settings=QUICK).later.equals(first.later)
    assert nested(before).estimates != told[0].estimates


def nested(rows: Rows) -> Measured:
    tuning = TuningSettings(outer_folds=2, inner_folds=1, later_share=0.3)
    outer = outer_folds(rows, settings=QUICK, tuning=tuning)
    return judge_nested(rows, outer=outer, tuned=[QUICK] * 2, untuned=QUICK, top_k=10, replicates=20)


def test_where_nobody_had_been_passed_over_yet_deals_count_alike_in_an_earlier_slice(kinds: Kinds) -> None:
    rows = kinds.weighed()

    def nothing_known(account_id: pd.Series[str], *, cutoff: datetime) -> NDArray[np.float64]:
        raise NotEnoughDataError("too little was known", got=cutoff)

    fold = time_folds(rows.frame, folds=1)[0]
    weight = replace(rows, weigh=nothing_known).weight_in(fold)
    assert weight is not None
    assert (weight == 1.0).all()


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
    cutoff, labels = datetime.fromisoformat("2024-06-01"), weighed(config).labels.fit
    seen: list[Rows] = []

    def learned(rows: Rows, **_: object) -> Learned:
        seen.append(rows)
        return trained.learned

    monkeypatch.setattr(rehearsal, "learn_rows", learned)

    def of(tables: Tables) -> Training:
        """The training as if it had learned from these tables; its own weights know of later days."""
        told, weight = fit_labels(tables, cutoff=cutoff, settings=labels), trained.rows.weight
        assert weight is not None
        seen = fit_rows(tables, labels=told, catalogue=trained.rows.catalogue)
        return replace(trained, rows=replace(trained.rows, weight=weight[::-1].copy(), weigh=seen.weigh))

    for one in (trained, of(taken_up(market, known_at=cutoff + timedelta(days=1)))):
        assert rehearse(one, cutoff=cutoff, smallest=5) is not None
    first, second = (np.asarray(rows.weight) for rows in seen)
    assert np.ptp(first) > 0.5
    assert np.array_equal(first, second)
    # Had all been taken up by then, there would be nothing to weigh by, and no rehearsal.
    pursuit, before = trained.rows.weigh, taken_up(market, known_at=cutoff - timedelta(days=1))
    assert isinstance(pursuit, Pursuit)
    everybody = Pursuit(partial(pursued_by, before, settings=labels), pursuit.features)
    knowing = replace(trained, rows=replace(trained.rows, weigh=everybody))
    assert rehearse(knowing, cutoff=cutoff, smallest=5) is None


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
