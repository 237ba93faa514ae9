"""A small simulated market and the models trained on it, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from trained_market import MARKET

from features.mapping import Config, load_config
from features.tables import Tables
from training.checks.market import market_tables
from training.fit import Training, train_fit, train_intent
from training.market.write import simulate


@pytest.fixture(scope="session")
def config() -> Config:
    """The simulated market's config with quicker training."""
    loaded = load_config(Path(__file__).parents[2] / "configs" / "simulated_market.toml")
    quick = {
        "max_rounds": 30,
        "negatives_per_positive": 4.0,
        "learning_rate": 0.2,
        "folds": 1,
        "crossed_folds": 0,
    }
    model = loaded.model.model_copy(
        update={
            "fit": loaded.model.fit.model_copy(update={"members": 2}),
            "intent": loaded.model.intent.model_copy(update=quick),
        }
    )
    backtest = loaded.backtest.model_copy(update={"seeds": 2, "replicates": 100, "cutoffs": ()})
    intent = loaded.labels.intent.model_copy(update={"history_days": 600})
    labels = loaded.labels.model_copy(update={"intent": intent})
    return loaded.model_copy(update={"model": model, "backtest": backtest, "labels": labels})


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Tables:
    directory = simulate(MARKET, directory=tmp_path_factory.mktemp("market") / "small").directory
    return market_tables(directory, config=config)


@pytest.fixture(scope="session")
def fit_training(market: Tables, config: Config) -> Training:
    trained = train_fit(market, cutoff=MARKET.end, config=config)
    assert isinstance(trained, Training)
    return trained


@pytest.fixture(scope="session")
def intent_training(market: Tables, config: Config) -> Training:
    return train_intent(market, cutoff=MARKET.end, config=config)
