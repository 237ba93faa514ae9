"""One declaration in the config is all it takes: the feature is in batches, requests, models and reasons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from trained_market import MARKET

from features.errors import ConfigError
from features.mapping import Config, load_config
from features.point_in_time import FeatureEngine, RecordEngine
from features.tables import Attribute, Tables
from models.bundle import Bundle
from models.explanation import Reasons
from training.fit import Training, select_features, train_intent

TEN_LINES = """
[[features]]
name = "long_visit_count_14d"
group = "engagement"
formula = "coalesce(sum(quantity), 0)"
where = "channel = 'web_visit' AND seconds >= 300"
window_days = 14
unit = "visits"
sentence_en = "{value} web visits of five minutes or more in the last 14 days"
sentence_zh = "过去14天内{value}次五分钟以上的网站访问"
"""

NAME = "long_visit_count_14d"
CONFIG = Path(__file__).parents[2] / "configs" / "simulated_market.toml"


def with_lines(folder: Path, lines: str) -> Config:
    """The simulated market's config with some lines more."""
    file = folder / "market.toml"
    file.write_text(CONFIG.read_text(encoding="utf-8") + lines, encoding="utf-8")
    return load_config(file)


@pytest.fixture(scope="module")
def own_config(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Config:
    loaded = with_lines(tmp_path_factory.mktemp("own"), TEN_LINES)
    return config.model_copy(update={"features": loaded.features})


@pytest.fixture(scope="module")
def training(market: Tables, own_config: Config) -> Training:
    return train_intent(market, cutoff=MARKET.end, config=own_config)


def test_the_model_learns_from_it_and_its_bundle_carries_it(training: Training) -> None:
    bundle = Bundle.from_bytes(training.bundle.to_bytes())
    bundle.verify()
    assert NAME in bundle.catalogue.names
    assert NAME in bundle.booster_text
    assert training.rows.X[:, bundle.catalogue.index(NAME)].max() > 0


def test_fit_models_do_not_see_behaviour_that_was_declared(training: Training, own_config: Config) -> None:
    fit = select_features(training.bundle.catalogue, kind="fit", settings=own_config.model.fit)
    assert NAME not in fit.names


def test_batch_single_account_and_record_agree_with_counting_by_hand(
    training: Training, market: Tables
) -> None:
    catalogue, as_of = training.bundle.catalogue, pd.Timestamp(MARKET.end)
    visits = market.read("activities").query("channel == 'web_visit' and seconds >= 300")
    recent = visits[(visits["known_at"] < as_of) & (visits["occurred_at"] >= as_of - pd.Timedelta(days=14))]
    expected = recent.groupby("account_id")["quantity"].sum()
    accounts = [*expected.index[:5], market.read("accounts")["account_id"].iloc[0]]
    keys = pd.DataFrame({"account_id": accounts, "as_of": as_of}).astype({"as_of": "datetime64[us]"})
    with FeatureEngine(market, catalogue, resident=True) as engine:
        batch = engine.build(keys)
        assert batch[NAME].tolist() == [expected.get(account, 0) for account in accounts]
        records = RecordEngine(catalogue)
        names = ("accounts", "contacts", "activities", "intent_topics", "opportunities")
        frames = {name: market.read(name) for name in names}
        for row, account in enumerate(accounts):
            bits = batch.iloc[row].to_numpy().tobytes()
            assert engine.build_one(account, MARKET.end).tobytes() == bits
            tables = alone(frames, account, attributes=market.attributes)
            assert records.build_one(tables, account, MARKET.end).tobytes() == bits
        records.close()


def alone(frames: dict[str, pd.DataFrame], account: str, *, attributes: tuple[Attribute, ...]) -> Tables:
    """The rows of one account, as a request brings them."""
    own = {name: frame[frame["account_id"] == account] for name, frame in frames.items()}
    return Tables.from_frames(own, attributes=attributes)


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [(2.0, "2 web visits of five minutes or more in the last 14 days", "过去14天内2次五分钟以上的网站访问")],
)
def test_reasons_tell_its_sentence(training: Training, value: float, english: str, chinese: str) -> None:
    catalogue = training.bundle.catalogue
    rows, contributions = np.zeros((1, len(catalogue.names))), np.zeros((1, len(catalogue.names)))
    rows[0, catalogue.index(NAME)], contributions[0, catalogue.index(NAME)] = value, 0.4
    (((reason,), against, other),) = Reasons(catalogue).of(rows, contributions=contributions)
    assert (reason.feature, reason.value, reason.contribution) == (NAME, "2", 0.4)
    assert (reason.sentence(), reason.sentence("zh")) == (english, chinese)
    assert (against, other) == ((), 0.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[[features]]", "[[feature]]", "features"),
        ("window_days", "window_day", "window_days"),
        ('group = "engagement"', 'group = "engagment"', "engagement"),
        ("window_days = 14", "window_days = 0", "window_days"),
        ('group = "engagement"', 'group = "firmographic"', "activities only"),
        ("{value} web visits", "web visits", "must hold {value}"),
        ("{value} web visits", "{value} {x}", "no other braces"),
        ('name = "long', 'name = "Long', "name"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in TEN_LINES
    with pytest.raises(ConfigError) as caught:
        with_lines(tmp_path, TEN_LINES.replace(old, new))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", [NAME, "web_visit_count_7d"])
def test_a_name_that_exists_is_refused(market: Tables, config: Config, tmp_path: Path, name: str) -> None:
    lines = TEN_LINES + TEN_LINES.replace(NAME, name)
    twice = config.model_copy(update={"features": with_lines(tmp_path, lines).features})
    with pytest.raises(ConfigError, match="exists already"):
        train_intent(market, cutoff=MARKET.end, config=twice)


def test_the_readme_shows_these_ten_lines():
    readme = Path(__file__).parents[2] / "README.md"
    assert TEN_LINES.strip() in readme.read_text(encoding="utf-8")
