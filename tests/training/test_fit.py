"""Training: what it learns from, what it refuses, and that doing it again gives the same bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from trained_market import MARKET

from features.catalogue import FIT_GROUPS
from features.errors import ConfigError, NotEnoughDataError
from features.mapping import Config
from features.tables import Tables
from models.bundle import Bundle
from models.making import with_audit
from models.scoring import Scorer
from training.audit.finding import Audit
from training.backtesting.evaluate import Estimate
from training.fit import Training, Untrained, train_fit, train_intent
from training.labels import known_accounts
from training.train import TrainedModel


def with_learning(config: Config, kind: str, **changes: object) -> Config:
    changed = getattr(config.model, kind).model_copy(update=changes)
    return config.model_copy(update={"model": config.model.model_copy(update={kind: changed})})


def test_training_twice_gives_the_same_bundle(
    market: Tables, config: Config, fit_training: Training, intent_training: Training
) -> None:
    again = train_fit(market, cutoff=MARKET.end, config=config)
    assert isinstance(again, Training)
    assert again.bundle.fingerprint == fit_training.bundle.fingerprint
    repeated = train_intent(market, cutoff=MARKET.end, config=config)
    assert repeated.bundle.fingerprint == intent_training.bundle.fingerprint


def test_the_fit_model_sees_firmographic_and_technographic_features_only(fit_training: Training) -> None:
    assert {feature.group for feature in fit_training.bundle.catalogue.features} == set(FIT_GROUPS)


def test_the_models_rank_later_rows_better_than_chance(
    fit_training: Training, intent_training: Training
) -> None:
    assert fit_training.bundle.card["metrics"]["later_slices_roc_auc"] > 0.55
    assert intent_training.bundle.card["metrics"]["later_slices_roc_auc"] > 0.65


def test_a_figure_that_rows_do_not_define_is_null_in_json(fit_training: Training) -> None:
    """As the slope of a calibration where the classes are apart without an error."""
    audited = replace(fit_training, bundle=with_audit(fit_training.bundle, Audit(1, 1, 1, {}, ()).to_json()))
    nan = float("nan")
    told = TrainedModel(audited, {"calibration_slope": Estimate(nan, nan, nan, 1.0)}, run_id="r").to_json()
    read = json.loads(json.dumps(told, allow_nan=False))["later_slices"]["calibration_slope"]
    assert read == {"value": None, "low": None, "high": None, "base": 1.0}


@pytest.mark.parametrize("which", ["fit_training", "intent_training"])
def test_bundles_are_whole(which: str, request: pytest.FixtureRequest) -> None:
    training: Training = request.getfixturevalue(which)
    bundle = Bundle.from_bytes(training.bundle.to_bytes())
    bundle.verify()
    scores = Scorer(bundle).score(training.rows.X[:50])
    assert scores.contributions is not None
    assert np.abs(scores.baseline + scores.contributions.sum(axis=1) - scores.logit).max() < 1e-9
    assert sum(training.counts.values()) > 0


def test_the_mean_prediction_on_later_rows_is_their_rate(intent_training: Training) -> None:
    later = intent_training.learned.later
    assert later["probability"].mean() == pytest.approx(later["label"].mean(), rel=0.02)


def test_the_reference_population_is_everybody_known(market: Tables, fit_training: Training) -> None:
    assert fit_training.bundle.reference.rows == len(known_accounts(market, as_of=MARKET.end))


def test_a_workspace_without_losses_has_no_fit_model(market: Tables, config: Config) -> None:
    opportunities = market.read("opportunities")
    wins = Tables.from_frames(
        {
            "accounts": market.read("accounts"),
            "opportunities": opportunities[opportunities["outcome"] == "won"],
        },
        attributes=market.attributes,
    )
    found = train_fit(wins, cutoff=MARKET.end, config=config)
    assert isinstance(found, Untrained)
    assert "no lost opportunity" in found.reason
    assert found.counts["used"] > 0


def test_fit_can_be_switched_off(market: Tables, config: Config) -> None:
    labels = config.labels.model_copy(update={"fit": config.labels.fit.model_copy(update={"enabled": False})})
    found = train_fit(market, cutoff=MARKET.end, config=config.model_copy(update={"labels": labels}))
    assert isinstance(found, Untrained)
    assert "switches it off" in found.reason


def test_one_class_only_is_an_error_with_counts(market: Tables, config: Config) -> None:
    opportunities = market.read("opportunities")
    losses = Tables.from_frames(
        {
            "accounts": market.read("accounts"),
            "opportunities": opportunities[opportunities["outcome"] != "won"],
        },
        attributes=market.attributes,
    )
    with pytest.raises(NotEnoughDataError, match=r"one class only .got 0 rows with the event"):
        train_fit(losses, cutoff=MARKET.end, config=config)


@pytest.mark.parametrize("cutoff", [MARKET.end - timedelta(days=9_000), MARKET.end - timedelta(days=1_000)])
def test_too_little_history_is_an_error_with_counts(market: Tables, config: Config, cutoff: datetime) -> None:
    with pytest.raises(NotEnoughDataError, match=r"horizon is longer than|28 more accounts with the event"):
        train_intent(market, cutoff=cutoff, config=config)


def test_a_group_that_fit_may_not_see_is_an_error(market: Tables, config: Config) -> None:
    with pytest.raises(ConfigError, match="engagement"):
        train_fit(
            market,
            cutoff=MARKET.end,
            config=with_learning(config, "fit", groups=("firmographic", "engagement")),
        )


def test_outreach_can_be_switched_off_and_features_left_out(market: Tables, config: Config) -> None:
    groups = ("firmographic", "engagement", "relationship")
    narrowed = with_learning(config, "intent", groups=groups, leave_out=("engagement_*",), max_rounds=5)
    catalogue = train_intent(market, cutoff=MARKET.end, config=narrowed).bundle.catalogue
    assert {feature.group for feature in catalogue.features} == set(groups)
    assert not [name for name in catalogue.names if name.startswith("engagement_")]


def test_a_rising_feature_never_lowers_the_probability(market: Tables, config: Config) -> None:
    risen = with_learning(config, "fit", rising=("employees",), max_rounds=40)
    training = train_fit(market, cutoff=MARKET.end, config=risen)
    assert isinstance(training, Training)
    column = training.bundle.catalogue.index("employees")
    X = np.repeat(training.rows.X[:20], 50, axis=0)
    X[:, column] = np.tile(np.geomspace(1, 100_000, 50), 20)
    logits = Scorer(training.bundle).score(X, contributions=False).logit.reshape(20, 50)
    assert (np.diff(logits, axis=1) >= 0).all()
    assert (np.ptp(logits, axis=1) > 0).any()


def test_a_planted_future_signal_brings_no_lift(
    market: Tables, config: Config, intent_training: Training, stored: Callable[[Tables], Tables]
) -> None:
    """A burst of activity at every account that will open a deal, known only once it is opened."""
    opened = market.read("opportunities").drop_duplicates("opportunity_id")
    burst = pd.DataFrame(
        {
            "activity_id": "planted" + opened["opportunity_id"],
            "account_id": opened["account_id"],
            "channel": "web_visit",
            "direction": "inbound",
            "occurred_at": opened["created_at"] - pd.Timedelta(days=20),
            "known_at": pd.Timestamp(MARKET.end),
            "quantity": 1_000,
        }
    )
    frames = {name: market.read(name) for name in market.sources}
    frames["activities"] = pd.concat([frames["activities"], burst], ignore_index=True)
    planted = stored(Tables.from_frames(frames, attributes=market.attributes))
    again = train_intent(planted, cutoff=MARKET.end, config=config)
    assert again.bundle.fingerprint == intent_training.bundle.fingerprint
