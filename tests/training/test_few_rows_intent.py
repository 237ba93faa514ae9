"""Intent from forty accounts with the event: it trains and says how sure it is; below, what is missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from trained_market import MARKET

from features.errors import NotEnoughDataError
from features.mapping import Config
from features.settings import LearningSettings
from features.tables import Tables
from training.checks.few_intent import Sampled, check_intent, compared
from training.fit import train_intent
from training.labels import label_snapshots
from training.learning.small import SmallLearned
from training.undated.peers import BASELINES

FEW = 40


@pytest.fixture(scope="module")
def reduced(market: Tables, config: Config) -> Callable[..., Tables]:
    """The market of so many accounts with the event of intent, and of so many without."""
    frame = label_snapshots(market, cutoff=MARKET.end, settings=config.labels.intent).frame
    had = frame.groupby("account_id")["label"].max().sort_index()

    def reduce(*, events: int, others: int) -> Tables:
        kept = [*had.index[had == 1][:events], *had.index[had == 0][:others]]
        with market.connect() as connection:
            sources = {
                name: connection.execute(
                    f"SELECT * FROM {name} WHERE list_contains($1, account_id)", [kept]
                ).to_arrow_table()
                for name in market.sources
                if "account_id" in connection.execute(f"FROM {name} LIMIT 0").to_arrow_table().column_names
            }
        return replace(market, sources=sources)

    return reduce


def of_few(config: Config, *, few_rows: int) -> Config:
    # Without the hundreds of features of engagement, whose number takes most of the time.
    groups = ("firmographic", "technographic", "relationship", "outreach", "topics")
    intent = config.model.intent.model_copy(update={"few_rows": few_rows, "groups": groups})
    return config.model_copy(update={"model": config.model.model_copy(update={"intent": intent})})


@pytest.mark.parametrize("few_rows", [0, LearningSettings().few_rows])
def test_forty_accounts_with_the_event_train_and_say_how_sure_they_are(
    reduced: Callable[..., Tables], config: Config, few_rows: int
) -> None:
    """By either learner: the bounds around a chance are wide, and hold the rate of all rows."""
    training = train_intent(
        reduced(events=FEW, others=FEW), cutoff=MARKET.end, config=of_few(config, few_rows=few_rows)
    )
    assert isinstance(training.learned, SmallLearned) is (few_rows > 0)
    assert training.counts["accounts_with_event"] == FEW
    sure = training.bundle.intervals
    assert sure is not None
    assert sure.accounts <= 2 * FEW
    middle = len(sure.logits) // 2
    low, high = (1 / (1 + np.exp(-bound[middle])) for bound in (sure.lows, sure.highs))
    assert 0.0 < low < training.rows.label.mean() * 1.5
    assert high - low > 0.02


def test_thirty_nine_are_refused_with_what_is_missing(reduced: Callable[..., Tables], config: Config) -> None:
    with pytest.raises(NotEnoughDataError) as caught:
        train_intent(reduced(events=FEW - 1, others=FEW), cutoff=MARKET.end, config=config)
    told = caught.value.sentence()
    assert "39 accounts with the event" in told
    assert "at least 40 of each" in told
    assert "1 more accounts with the event are missing" in told


KEYS = pd.DataFrame({"account_id": list("abcd"), "label": [1, 0, 1, 0], "truth": [0.5, 0.25, 0.5, 0.25]})
TOLD = {
    # Of the four pairs of an event and none: all are in order; then three, as .5 stands above .4.
    "few_rows": [np.array([0.9, 0.2, 0.6, 0.1]), np.array([0.8, 0.5, 0.4, 0.1])],
    # None is in order; then three again.
    "trees": [np.array([0.1, 0.6, 0.2, 0.9]), np.array([0.8, 0.5, 0.4, 0.1])],
}


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    sampled = Sampled(accounts=[80, 82], rows=[800, 900], events=[50, 60], told=TOLD)
    return compared(sampled, keys=KEYS, replicates=300)


def test_figures_are_means_over_samples(found: dict[str, Any]) -> None:
    assert (found["accounts"], found["rows"], found["events"]) == (81, 850, 55)
    assert (found["samples"], found["judged_rows"], found["base_rate"]) == (2, 4, 0.5)
    assert found["roc_auc"]["few_rows"]["value"] == pytest.approx((1 + 3 / 4) / 2)
    assert found["roc_auc"]["trees"]["value"] == pytest.approx((0 + 3 / 4) / 2)
    assert found["roc_auc"]["best"]["value"] == 1.0
    surprise = [
        -truth * math.log(chance) - (1 - truth) * math.log(1 - chance)
        for told in TOLD["few_rows"]
        for chance, truth in zip(told, KEYS["truth"], strict=True)
    ]
    assert found["log_loss"]["few_rows"]["value"] == pytest.approx(np.mean(surprise))


def test_leads_are_paired_and_intervals_know_of_samples_and_of_accounts(found: dict[str, Any]) -> None:
    lead = found["few_rows_minus"]["trees"]["roc_auc"]
    assert lead["value"] == pytest.approx(0.5)
    # Of two samples, one with a lead of 1 and one of 0, each twice in a quarter of the replicates.
    assert (lead["low"], lead["high"]) == (0.0, 1.0)
    assert found["roc_auc"]["best"]["low"] == found["roc_auc"]["best"]["high"] == 1.0
    assert set(found["few_rows_minus"]) == {"trees"}


def test_a_check_of_one_small_market_samples_even_classes(config: Config, tmp_path: Path) -> None:
    (size,) = check_intent(
        config,
        folder=tmp_path,
        seeds=[440],
        accounts=260,
        judged_accounts=600,
        sizes=(40, 100_000),
        draws=1,
        peers=BASELINES[:1],
    )
    assert (size["accounts_with_event"], size["samples"]) == (40, 1)
    assert size["accounts"] == 80
    ahead = size["few_rows_minus"]
    assert set(ahead) == {"trees", "base_rate", "logistic_regression"}
    assert size["log_loss"]["best"]["value"] < size["log_loss"]["few_rows"]["value"]
