"""Two markets, simulated once: blocks in memory for statistics, files of a small one for its tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from simulated_markets import SMALL, Market, simulate_market

from features.tables import Attribute, Tables
from training.market import simulate
from training.market.vocabulary import ATTRIBUTES


@pytest.fixture(scope="session")
def market() -> Market:
    """10,000 accounts."""
    return simulate_market(seed=11, blocks=10)


@pytest.fixture(scope="session")
def market_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(SMALL, directory=tmp_path_factory.mktemp("market") / "small").directory


@pytest.fixture(scope="session")
def frames(market_directory: Path) -> dict[str, pd.DataFrame]:
    attributes = tuple(Attribute(name, kind, name) for name, kind in ATTRIBUTES.items())
    tables = Tables({path.stem: (path,) for path in market_directory.glob("*.parquet")}, attributes)
    return {name: tables.read(name) for name in tables.sources}
