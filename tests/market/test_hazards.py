"""Hazards change what they are said to change, and nothing else; chances stay true under each of them."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_markets import Market, assert_follows

from features.errors import ConfigError
from training.market import MarketSettings
from training.market.arrow import PRODUCT, SECOND_PRODUCT, block_tables
from training.market.block import Block, simulate_block
from training.market.hazards import LEAKING_FIELD, leaked
from training.market.settings import DAY, HAZARDS, Hazard


@pytest.fixture(scope="module")
def blocks() -> dict[Hazard | None, Block]:
    return {
        hazard: simulate_block(MarketSettings(accounts=1_000, seed=12, hazard=hazard), block=0)
        for hazard in (None, *HAZARDS)
    }


@pytest.mark.parametrize("hazard", HAZARDS)
def test_wins_and_openings_follow_their_true_chances(
    hazard: Hazard, blocks: dict[Hazard | None, Block]
) -> None:
    market = Market(MarketSettings(accounts=1_000, seed=12, hazard=hazard), [blocks[hazard]])
    assert_follows(*market.deals())
    assert_follows(*market.openings(steps=range(1, 35, 3)))


@pytest.mark.parametrize("hazard", ["missing_at_random", "missing_not_at_random"])
def test_more_is_missing_of_any_or_of_large_companies(
    hazard: Hazard, blocks: dict[Hazard | None, Block]
) -> None:
    whole, gaps = (blocks[one].accounts.numbers["employees"] for one in (None, hazard))
    known, emptied = (np.asarray(np.isnan(values).all(axis=1)) for values in (whole, gaps))
    known, large = ~known, whole[:, 0] > np.nanmedian(whole[:, 0])
    shares = [emptied[known & side].mean() for side in (large, ~large)]
    assert (shares[0] > 4 * shares[1]) == (hazard == "missing_not_at_random")
    assert min(shares[0], emptied[known].mean()) > 0.2


def test_late_facts_are_known_late(blocks: dict[Hazard | None, Block]) -> None:
    delays = [
        blocks[one].activities.known_at - blocks[one].activities.occurred_at for one in (None, "late_facts")
    ]
    shares = [(delay > 5 * DAY).mean() for delay in delays]
    assert shares[0] < 0.08
    assert shares[1] == pytest.approx(0.5, abs=0.02)


def test_few_customers_are_few(blocks: dict[Hazard | None, Block]) -> None:
    wins = [int(blocks[one].deals.won.sum()) for one in (None, "few_customers")]
    assert wins[1] < wins[0] / 3


def test_drift_raises_the_chances_over_time(blocks: dict[Hazard | None, Block]) -> None:
    def growth(block: Block) -> float:
        return float(block.opening_chance[28:].mean() / block.opening_chance[4:12].mean())

    assert growth(blocks["drift"]) > 1.3 * growth(blocks[None])


def test_two_products_are_sold_to_different_companies(blocks: dict[Hazard | None, Block]) -> None:
    settings = MarketSettings(accounts=1_000, seed=12, hazard="several_products")
    deals = blocks["several_products"].deals
    assert 0.3 < deals.second.mean() < 0.6
    products = block_tables(blocks["several_products"], settings=settings, number=0)["opportunities"]
    assert set(products["product"].to_pylist()) == {PRODUCT, SECOND_PRODUCT}
    assert not blocks[None].deals.second.any()


def test_the_leaking_field_tells_what_became_of_the_account(blocks: dict[Hazard | None, Block]) -> None:
    values = leaked(np.ones((4, 2)), opened=np.array([1, 2]), won=np.array([2]))
    assert np.isnan(values[[0, 3]]).all()
    assert values[[1, 2]].tolist() == [[0.0, 0.0], [1.0, 1.0]]
    settings = MarketSettings(accounts=1_000, seed=12, hazard="leaking_field")
    block, deals = blocks["leaking_field"], blocks["leaking_field"].deals
    told = block_tables(block, settings=settings, number=0)["accounts"].to_pandas()
    known = told.groupby("account_id")[LEAKING_FIELD].first()
    opened = deals.account[deals.created_at < settings.end_seconds]
    assert set(np.flatnonzero(known.notna())) <= set(opened.tolist())
    for name in ("employees", "remote_share"):
        assert np.array_equal(
            block.accounts.numbers[name], blocks[None].accounts.numbers[name], equal_nan=True
        )


def test_a_hazard_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="hazard"):
        MarketSettings(hazard="bad weather")
