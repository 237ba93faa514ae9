"""Days of warning, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from trained_market import MARKET

from features.catalogue import learn_catalogue
from features.mapping import Config
from features.tables import Tables
from training.backtesting.warning import days_of_warning, hand_over, measure_warning
from training.labels import intent_population

WEEK = pd.Timedelta(days=7)
START = pd.Timestamp("2024-01-01")


def weeks(*scores: dict[str, float]) -> list[pd.DataFrame]:
    return [
        pd.DataFrame(
            {
                "account_id": list(told),
                "week": START + number * WEEK,
                "score": list(told.values()),
                "random": np.arange(len(told)),
            }
        )
        for number, told in enumerate(scores)
    ]


def test_each_week_the_best_that_were_not_flagged_are_handed_over() -> None:
    told = weeks({"a": 3, "b": 2, "c": 1}, {"a": 9, "b": 1, "c": 2}, {"b": 1, "d": 5})
    assert hand_over(told, ranker="score", capacity=1) == {
        "a": START,
        "c": START + WEEK,
        "d": START + 2 * WEEK,
    }


def test_equal_accounts_are_ordered_by_chance_not_by_their_name() -> None:
    assert set(hand_over(weeks({"a": 1, "b": 1, "c": 1}), ranker="score", capacity=1)) == {"c"}


def events(days: dict[str, list[float]], *, reachable: list[bool] | None = None) -> pd.DataFrame:
    size = len(next(iter(days.values())))
    return pd.DataFrame(
        {
            "cutoff": START,
            "account_id": [f"a{number}" for number in range(size)],
            "happened_at": START + 10 * WEEK,
            "reachable": [True] * size if reachable is None else reachable,
            **days,
        }
    )


def test_figures_by_hand() -> None:
    told = events(
        {
            "probability": [0.0, 10.0, 30.0, 50.0, 99.0],
            "recent_activity": [0.0, 0.0, 0.0, 20.0, 99.0],
            "random": [0.0, 0.0, 0.0, 0.0, 99.0],
        },
        reachable=[True, True, True, True, False],
    )
    found = measure_warning([told], capacities={START.to_pydatetime(): 2}, replicates=200)
    assert found is not None
    ours = {name: one.value for name, one in found.estimates["probability"].items()}
    # Of 0, 10, 30 and 50 the least that half do not exceed is 10; of those warned of, 30.
    assert ours == {
        "median_days": 10.0,
        "mean_days": 22.5,
        "share_warned": 0.75,
        "median_days_if_warned": 30.0,
    }
    assert found.ahead["recent_activity"]["mean_days"].value == 22.5 - 5.0
    # Either warned of three of the four, by 10, 30 and 30 days earlier.
    assert found.ahead["recent_activity"]["median_days_earlier"].value == 30.0
    assert found.estimates["probability"]["share_warned"].base == 0.0
    assert (len(found.frame), found.out_of_reach) == (4, 1)


def test_equal_rankings_differ_by_nothing_in_every_replicate() -> None:
    days = np.random.default_rng(1).uniform(0, 90, 50).tolist()
    told = events({"probability": days, "recent_activity": days, "random": days})
    found = measure_warning([told], capacities={}, replicates=200)
    assert found is not None
    assert {(one.low, one.value, one.high) for one in found.ahead["recent_activity"].values()} == {
        (0.0, 0.0, 0.0)
    }
    median = found.estimates["probability"]["median_days"]
    assert median.low < np.quantile(days, 0.5, method="inverted_cdf") == median.value < median.high


def test_without_events_there_is_nothing_to_warn_of() -> None:
    told = events({"probability": [1.0], "random": [0.0]}, reachable=[False])
    assert measure_warning([told], capacities={}) is None


def test_a_week_reads_nothing_that_became_known_later(
    market: Tables, config: Config, stored: Callable[[Tables], Tables]
) -> None:
    """What the first two weeks rank by is the same whatever follows the second one's first second."""
    cutoff = MARKET.end - timedelta(days=90)
    until = cutoff + timedelta(days=7)
    four_weeks = config.labels.intent.model_copy(update={"horizon_days": 28})
    labels = config.labels.model_copy(update={"intent": four_weeks})
    config = config.model_copy(update={"labels": labels})
    catalogue = learn_catalogue(market, cutoff=cutoff)
    seen: list[NDArray[np.float64]] = []

    def predict(X: NDArray[np.float64]) -> NDArray[np.float64]:
        seen.append(X)
        return np.zeros(len(X))

    for tables in (market, stored(market.known_before(until))):
        days_of_warning(
            tables, cutoff=cutoff, catalogue=catalogue, predict=predict, capacity=20, config=config
        )
    populations = [
        intent_population(market, as_of=week, settings=config.labels.intent) for week in (cutoff, until)
    ]
    early = sum(map(len, populations))
    np.testing.assert_array_equal(seen[0][:early], seen[1][:early])
    assert not np.array_equal(seen[0][early : 2 * early], seen[1][early : 2 * early], equal_nan=True)
