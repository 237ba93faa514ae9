"""Matching and intervals of what became of lists: against published numbers, by hand, and by simulation."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from models.list_outcomes import LADDER, LEAST_ACCOUNTS, Matched, Matching, compared, plain, wilson


@pytest.mark.parametrize(("hits", "of"), [(0, 7), (1, 20), (35, 70), (70, 70), (3, 100_000)])
def test_an_interval_is_that_of_wilson(hits: int, of: int) -> None:
    found, told = wilson(hits / of, of), binomtest(hits, of).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((told.low, told.high), abs=1e-12)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("rate", [1e-12, 2e-9, 1e-5])
@pytest.mark.parametrize("count", [1.004, 20.0, 5e6])
def test_the_interval_of_a_small_rate_is_not_rounded_away(rate: float, count: float) -> None:
    """The lower end is the smaller root of a quadratic; here by fractions, where nothing rounds."""
    z, p, n = Fraction(norm.ppf(0.975)), Fraction(rate), Fraction(count)
    half_square = p * (1 - p) / n + z * z / (4 * n * n)
    root = Fraction((Decimal(half_square.numerator) / Decimal(half_square.denominator)).sqrt())
    expected = (p + z * z / (2 * n) - z * root) / (1 + z * z / n)
    found = wilson(rate, count)
    assert found.low == pytest.approx(float(expected), rel=1e-6)
    assert 0 < found.low <= found.value <= found.high
    assert compared((rate, count), (rate, count)).verdict in ("unclear", "not_enough")


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe 1998, "Interval estimation for the difference between independent proportions", table II,
        # method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_a_difference_has_the_published_interval(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = plain(*first, other_hits=second[0], other_of=second[1]).difference
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_a_ratio_joins_both_intervals_on_the_scale_of_logarithms() -> None:
    found = plain(20, 100, other_hits=10, other_of=100).ratio
    assert found is not None
    left, right = wilson(0.2, 100), wilson(0.1, 100)
    assert found.value == pytest.approx(2)
    below = np.sqrt(np.log(0.2 / left.low) ** 2 + np.log(right.high / 0.1) ** 2)
    above = np.sqrt(np.log(left.high / 0.2) ** 2 + np.log(0.1 / right.low) ** 2)
    assert (found.low, found.high) == pytest.approx((2 * np.exp(-below), 2 * np.exp(above)))
    assert plain(0, 100, other_hits=10, other_of=100).ratio is None
    assert plain(10, 100, other_hits=0, other_of=100).ratio is None


def test_nothing_is_said_of_few_accounts_or_of_no_win() -> None:
    few, enough = LEAST_ACCOUNTS - 1, LEAST_ACCOUNTS
    assert plain(few, few, other_hits=0, other_of=1_000).verdict == "not_enough"
    assert plain(enough, enough, other_hits=0, other_of=1_000).verdict == "higher"
    assert plain(0, 1_000, other_hits=enough, other_of=enough).verdict == "lower"
    assert plain(0, 1_000, other_hits=0, other_of=1_000).verdict == "not_enough"
    assert plain(50, 100, other_hits=45, other_of=100).verdict == "unclear"
    # A thousand accounts of which a few weigh nearly everything are few.
    assert compared((1.0, 1_000.0), (0.0, few + 0.5)).verdict == "not_enough"
    nobody = plain(0, 0, other_hits=3, other_of=40)
    assert (nobody.first, nobody.difference, nobody.ratio) == (None, None, None)
    assert nobody.verdict == "not_enough"


def matched(*moments: list[tuple[tuple[int, ...], int, bool, bool]]) -> Matched:
    """Of each moment: facts, number, whether accepted, whether won."""
    matching = Matching()
    for rows in moments:
        facts, number, accepted, won = (np.array(column) for column in zip(*rows, strict=True))
        matching.add(facts.astype(np.int32), number=number, accepted=accepted, opened=won, won=won)
    return matching.matched()


BANK, BANK_ABROAD, FARM = (0, 1, 1, 2, 0, 0), (0, 1, 2, 2, 0, 0), (0, 2, 1, 2, 0, 0)
FARM_OF_NOBODY = (1, 2, 1, 2, 0, 0)


def test_strata_are_exact_while_half_of_the_accepted_find_somebody() -> None:
    both = matched([(BANK, 0, True, True), (FARM, 1, True, False), (BANK, 2, False, False)])
    assert (both.strata, both.matched, both.alone) == (LADDER[0], 1, 1)
    # Country goes first, then industry: it is told which facts are left.
    abroad = matched([(BANK, 0, True, True), (FARM, 1, True, False), (BANK_ABROAD, 2, False, False)])
    assert (abroad.strata, abroad.matched) == (LADDER[1], 1)
    assert "country" not in abroad.strata
    farmers = matched([(BANK, 0, True, True), (BANK, 1, True, True), (FARM, 2, False, False)])
    assert (farmers.strata, farmers.matched) == (("moment", "worked", "size", "activity", "deal"), 2)
    # Nobody is compared with another moment.
    apart = matched([(BANK, 0, True, True)], [(BANK, 1, False, True)])
    assert (apart.strata, apart.matched, apart.alone, apart.rows) == (("moment", "worked"), 0, 1, 0)
    assert apart.won.difference is None
    # Nor with those whom sales does not work.
    unworked = matched([(FARM, 0, True, True), (FARM_OF_NOBODY, 1, False, False)])
    assert (unworked.matched, unworked.alone) == (0, 1)


def test_an_account_at_several_moments_counts_as_one() -> None:
    """Two accepted at each of two moments, the same three comparable accounts at both: each weighs 1/3."""
    rows = [(BANK, number, False, number == 10) for number in (10, 11, 12)]
    found = matched(
        [(BANK, 0, True, True), (BANK, 1, True, False), *rows],
        [(BANK, 2, True, False), (BANK, 3, True, False), *rows],
    )
    assert (found.rows, found.accounts) == (6, 3)
    assert found.effective == pytest.approx(3)
    told = wilson(1 / 3, 3)
    assert found.won.second is not None
    assert vars(found.won.second) == pytest.approx(vars(told))


def test_no_moment_at_all_is_nobody() -> None:
    found = Matching().matched()
    assert (found.accepted, found.matched, found.rows, found.effective) == (0, 0, 0, 0.0)
    assert found.won.verdict == "not_enough"


def drawn_market(random: np.random.Generator, *, lift: float) -> Matched:
    """Strata that differ in how often they win and in how many of them are accepted, at two moments."""
    matching = Matching()
    chance, share = np.array([0.02, 0.06, 0.15, 0.3]), np.array([0.02, 0.05, 0.1, 0.3])
    stratum = random.integers(0, 4, 3_000)
    facts = np.column_stack([stratum, *(np.zeros(3_000, dtype=np.int64),) * 5]).astype(np.int32)
    number = np.arange(3_000)
    for _ in range(2):
        accepted = random.random(3_000) < share[stratum] / 2
        won = random.random(3_000) < chance[stratum] * np.where(accepted, lift, 1.0)
        matching.add(facts, number=number, accepted=accepted, opened=won, won=won)
    return matching.matched()


def test_without_an_effect_the_interval_holds_none_in_95_of_100_draws() -> None:
    """The accepted are drawn at random within strata, and win no more often: unweighted they seem to."""
    random = np.random.default_rng(7)
    held, differences = [], []
    for _ in range(600):
        found = drawn_market(random, lift=1.0).won.difference
        assert found is not None
        held.append(found.low <= 0 <= found.high)
        differences.append(found.value)
    # Within strata outcomes vary less than binomially: the interval is a little wide, never narrow.
    assert 0.935 <= np.mean(held) <= 0.99
    # Three standard errors of the mean.
    assert abs(np.mean(differences)) < 3 * np.std(differences) / np.sqrt(len(differences))


def test_an_effect_that_was_put_in_is_found() -> None:
    random = np.random.default_rng(8)
    found = [drawn_market(random, lift=2.0).won for _ in range(100)]
    # Among the accepted 18 % would win: shares 0.02, 0.05, 0.1 and 0.3 of the chances, summed.
    expected = (0.02 * 0.02 + 0.05 * 0.06 + 0.1 * 0.15 + 0.3 * 0.3) / 0.47
    differences = [one.difference.value for one in found if one.difference is not None]
    assert np.mean(differences) == pytest.approx(expected, abs=0.02)
    assert np.mean([one.verdict == "higher" for one in found]) > 0.9
