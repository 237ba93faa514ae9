"""Which cutoffs a backtest takes, and why it refuses others."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from trained_market import MARKET

from features.errors import InputError, NotEnoughDataError
from features.mapping import Config
from features.tables import Tables
from training.backtesting.dates import chosen_cutoffs, evenly
from training.labels import next_cutoff

DAY = timedelta(days=1)


def test_dates_go_up_to_the_last_one() -> None:
    since = datetime.fromisoformat("2024-01-01")
    assert evenly(since, until=since + 30 * DAY, step_days=30) == (since, since + 30 * DAY)
    assert evenly(since, until=since + 29 * DAY, step_days=30) == (since,)


@pytest.mark.parametrize(
    ("days", "step", "said"), [(-1, 30, "end before it starts"), (400, 1, r"too many cutoffs \(got 401")]
)
def test_unfit_dates_are_refused(days: int, step: int, said: str) -> None:
    since = datetime.fromisoformat("2024-01-01")
    with pytest.raises(InputError, match=said):
        evenly(since, until=since + days * DAY, step_days=step)


def test_typed_cutoffs_come_before_those_of_the_config(market: Tables, config: Config) -> None:
    asked = (MARKET.end - 100 * DAY, MARKET.end - 120 * DAY, MARKET.end - 100 * DAY)
    found = chosen_cutoffs(market, config=config, kind="intent", asked=asked, development=False)
    assert found == (MARKET.end - 120 * DAY, MARKET.end - 100 * DAY)


@pytest.mark.parametrize(
    ("before_end", "said"),
    [
        (-30, "the tables end before it"),
        (20, "what followed a cutoff is not known yet"),
        (1250, "the horizon is longer than the data before the cutoff"),
    ],
)
def test_a_cutoff_that_cannot_be_tested_is_refused(
    market: Tables, config: Config, before_end: int, said: str
) -> None:
    asked = (MARKET.end - before_end * DAY,)
    with pytest.raises((InputError, NotEnoughDataError), match=said):
        chosen_cutoffs(market, config=config, kind="intent", asked=asked, development=False)


@pytest.mark.parametrize(
    ("unfinished", "beyond", "told"),
    [(0, 0, None), (0, 1, "all of the 90 days are known"), (8, 0, None), (8, 1, "but 8"), (80, 1, "but 45")],
)
def test_the_whole_horizon_is_known_but_for_the_days_that_the_config_grants(
    market: Tables, config: Config, unfinished: int, beyond: int, told: str | None
) -> None:
    """beyond: seconds after the last possible cutoff, which the refusal names; half of 90 is the least."""
    settings = config.backtest.model_copy(update={"unfinished_days": unfinished})
    patient = config.model_copy(update={"backtest": settings})
    last = next_cutoff(market) - max(90 - unfinished, 45) * DAY
    asked = (last + timedelta(seconds=beyond),)
    if told is None:
        assert chosen_cutoffs(market, config=patient, asked=asked) == asked
        return
    with pytest.raises(InputError, match=f"up to {last.isoformat()}Z, so that .*{told}"):
        chosen_cutoffs(market, config=patient, asked=asked)


def test_without_dates_fit_waits_until_deals_had_time_to_close(market: Tables, config: Config) -> None:
    (found,) = chosen_cutoffs(market, config=config, kind="fit", asked=(), development=False)
    assert found < MARKET.end - config.backtest.fit_window_days * DAY
