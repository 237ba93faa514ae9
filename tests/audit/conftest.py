"""A small market whose tables leak nothing."""

from __future__ import annotations

import pytest

from features.mapping import Config, load_config
from features.tables import Tables
from training.checks.market import market_tables
from training.checks.results import ROOT
from training.market.settings import MarketSettings
from training.market.write import simulate

MARKET = MarketSettings(accounts=1_000, seed=21)


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config(ROOT / "configs" / "simulated_market.toml")


@pytest.fixture(scope="session")
def settings() -> MarketSettings:
    return MARKET


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Tables:
    folder = simulate(MARKET, directory=tmp_path_factory.mktemp("audited") / "market").directory
    return market_tables(folder, config=config)
