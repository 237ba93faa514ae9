"""How long a list should be: the formula, its interval, and the curve of expected wins."""

from __future__ import annotations

import math

import numpy as np
import pytest

from features.errors import InputError, NotEnoughDataError
from models.list_size import (
    Estimate,
    market_size,
    over_days,
    rate_of,
    target_accounts,
    wins_curve,
)
from models.planning import LEAST_RATE, Goal


@pytest.mark.parametrize("rate", [0.0, 1e-302, LEAST_RATE / 2, 1.01, math.nan])
def test_a_rate_that_no_list_could_be_planned_by_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="win rate is no share"):
        Goal(5, 8.0, win_rate=rate)
    largest = target_accounts(
        reps=10**9,
        wins_per_rep=1e9,
        win_rate=Estimate.given(LEAST_RATE),
        account_to_opportunity=Estimate.given(LEAST_RATE),
    )
    assert math.isfinite(largest.value)


def test_accounts_are_reps_times_wins_over_both_rates() -> None:
    found = target_accounts(
        reps=5,
        wins_per_rep=8,
        win_rate=Estimate.given(0.2),
        account_to_opportunity=Estimate.given(0.1),
    )
    assert found == Estimate(pytest.approx(2000), pytest.approx(2000), pytest.approx(2000))


def test_a_rate_has_the_interval_of_wilson() -> None:
    found = rate_of("the win rate", hits=20, of=100)
    # Wilson 1927 by hand: centre (.2 + z2/200) / (1 + z2/100), half width beside it, z = 1.959964.
    assert found == Estimate(0.2, pytest.approx(0.13337, abs=1e-5), pytest.approx(0.28883, abs=1e-5))


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match=r"the win rate cannot be told.*0 of 12"):
        rate_of("the win rate", hits=0, of=12)


@pytest.mark.parametrize(("reps", "wins"), [(0, 1.0), (3, 0.0), (3, math.nan), (3, math.inf)])
def test_a_goal_of_nothing_is_refused(reps: int, wins: float) -> None:
    with pytest.raises(InputError, match="must be above zero"):
        target_accounts(
            reps=reps,
            wins_per_rep=wins,
            win_rate=Estimate.given(0.2),
            account_to_opportunity=Estimate.given(0.1),
        )


def test_the_interval_of_the_list_holds_the_true_number_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    win_rate, opening, draws = 0.25, 0.06, 1_000
    truth = 40 / (win_rate * opening)
    held = 0
    for deals, accounts in zip(
        generator.binomial(120, win_rate, draws), generator.binomial(900, opening, draws), strict=True
    ):
        found = target_accounts(
            reps=4,
            wins_per_rep=10,
            win_rate=rate_of("a", hits=int(deals), of=120),
            account_to_opportunity=rate_of("b", hits=int(accounts), of=900),
        )
        held += found.low <= truth <= found.high
    # Of 1,000 draws .95 +- three standard errors.
    assert 0.929 < held / draws < 0.975


def test_chances_over_a_longer_span() -> None:
    found = over_days(np.array([0.0, 0.1, 1.0]), horizon_days=30, days=90)
    assert found == pytest.approx([0.0, 1 - 0.9**3, 1.0])


def test_the_curve_begins_with_what_brings_most() -> None:
    opens, wins = np.array([0.1, 0.5, 0.2]), np.array([0.5, 0.2, 0.5])
    curve = wins_curve((opens, opens / 2, opens * 2), (wins, wins, wins))
    assert curve.order.tolist() == [1, 2, 0]
    assert curve.marginal == pytest.approx([0.1, 0.1, 0.05])
    assert curve.wins == pytest.approx([0.1, 0.2, 0.25])
    assert curve.low == pytest.approx([0.05, 0.1, 0.125])
    assert curve.high == pytest.approx([0.2, 0.4, 0.5])
    assert [curve.accounts_for(goal) for goal in (0.05, 0.15, 0.24, 0.26)] == [1, 2, 3, None]


def test_an_empty_curve_is_enough_for_nothing() -> None:
    nothing = np.empty(0)
    assert wins_curve((nothing,) * 3, (nothing,) * 3).accounts_for(1.0) is None


def test_the_size_of_a_market() -> None:
    assert market_size(users=20_000, units_each=1.5, unit_price=99.0) == 2_970_000.0
