"""A small simulated market and the models trained on it, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
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
def quick(config: Config) -> Config:
    """Trees alone, which learn faster than the mixture for few rows."""
    fit = config.model.fit.model_copy(update={"few_rows": 0, "max_rounds": 30})
    return config.model_copy(update={"model": config.model.model_copy(update={"fit": fit})})


@pytest.fixture(scope="module")
def quick_peers() -> Iterator[None]:
    """Other people's histogram boosting with a tenth of its trees, which take longer than all else."""
    with pytest.MonkeyPatch.context() as patch:
        fewer = partial(HistGradientBoostingClassifier, max_iter=10)
        patch.setattr("training.undated.peers.HistGradientBoostingClassifier", fewer)
        yield


@pytest.fixture
def without_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictions alone, without the rankings of every week, of which `test_warning` is."""
    monkeypatch.setattr("training.backtesting.backtest.days_of_warning", lambda *_, **__: pd.DataFrame())


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Tables:
    directory = simulate(MARKET, directory=tmp_path_factory.mktemp("market") / "small").directory
    return market_tables(directory, config=config)


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[Tables], Tables]:
    """Puts tables into files, as an ingest does: of those in memory every connection makes a copy."""

    def store(tables: Tables) -> Tables:
        files = {}
        with tables.connect() as connection:
            for name in tables.sources:
                files[name] = (tmp_path / f"{name}.parquet",)
                pq.write_table(connection.execute(f"FROM {name}").to_arrow_table(), *files[name])
        return replace(tables, sources=files)

    return store


@pytest.fixture(scope="session")
def fit_training(market: Tables, config: Config) -> Training:
    trained = train_fit(market, cutoff=MARKET.end, config=config)
    assert isinstance(trained, Training)
    return trained


@pytest.fixture(scope="session")
def fit_curve(fit_training: Training) -> dict[str, Any]:
    """The learning curve of the fit model, of which each point is several models."""
    from training.report.learning_curve import curve_section

    found = curve_section(fit_training)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def one_curve(fit_training: Training, fit_curve: dict[str, Any]) -> Iterator[None]:
    """Every page of the fit model shows the same curve, whatever else it tells: it is computed once."""
    from training.report.learning_curve import curve_section

    def told(training: Training) -> dict[str, Any] | None:
        same = training.rows is fit_training.rows and training.learned is fit_training.learned
        return fit_curve if same and training.settings is fit_training.settings else curve_section(training)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.report.model.curve_section", told)
        yield


@pytest.fixture(scope="session")
def intent_training(market: Tables, config: Config) -> Training:
    return train_intent(market, cutoff=MARKET.end, config=config)
