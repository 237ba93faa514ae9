"""Worlds in which winners hide: sure profiles win, pursuit goes by size and region, the rest is as ever."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.errors import InputError
from training.market import MarketSettings
from training.market.block import simulate_block
from training.market.firmographics import facts_as_known
from training.market.pursuit import always_wins, pursuit_log_odds, winning_log_odds
from training.market.settings import STEPS
from training.market.truth import chance, win_log_odds

PLAIN = MarketSettings(accounts=1_000, seed=21)
SURE = replace(PLAIN, some_always_win=True)
PURSUED = replace(PLAIN, pursued_by_kind=True)


def test_some_profiles_always_win_and_all_others_as_before() -> None:
    block = simulate_block(SURE, block=0)
    facts = facts_as_known(block.accounts, rows=np.arange(1_000), moments=np.full(1_000, SURE.end_seconds))
    sure = always_wins(facts)
    assert 0.05 < sure.mean() < 0.15
    assert (block.win_chance_at_end[sure] == 1.0).all()
    assert np.array_equal(winning_log_odds(facts, settings=PLAIN), win_log_odds(facts))
    assert np.array_equal(winning_log_odds(facts, settings=SURE)[~sure], win_log_odds(facts)[~sure])
    deals = block.deals
    at_opening = facts_as_known(block.accounts, rows=deals.account, moments=deals.created_at)
    assert deals.won[always_wins(at_opening)].all()


def test_pursuit_goes_by_size_and_region_and_winning_by_region_too() -> None:
    block = simulate_block(PURSUED, block=0)
    facts = facts_as_known(block.accounts, rows=np.arange(1_000), moments=np.full(1_000, PURSUED.end_seconds))
    horizon = 1.0 - (1.0 - chance(pursuit_log_odds(facts))) ** 3
    settled = np.abs(block.opening_chance[STEPS] - horizon) < 1e-12
    assert settled.mean() > 0.8  # the others' facts changed within the two steps before the end
    shift = winning_log_odds(facts, settings=PURSUED) - win_log_odds(facts)
    by_region = {region: set(np.round(shift[facts.region == region], 12)) for region in (-1, 0, 1, 2)}
    assert by_region == {-1: {0.0}, 0: {-0.5}, 1: {0.2}, 2: {0.6}}


def test_deals_follow_the_chance_of_being_pursued() -> None:
    block = simulate_block(PURSUED, block=0)
    steps = range(1, STEPS - 2, 3)
    expected = sum(block.opening_chance[step][block.in_population[step]].sum() for step in steps)
    opened = 0
    for step in steps:
        start, end = PURSUED.step_start(step), PURSUED.step_start(step + 3)
        inside = (block.deals.created_at >= start) & (block.deals.created_at < end)
        some = np.bincount(block.deals.account[inside], minlength=1_000) > 0
        opened += int((some & block.in_population[step]).sum())
    assert abs(opened - expected) < 3.0 * np.sqrt(expected)


def test_facts_without_regions_are_refused() -> None:
    block = simulate_block(PLAIN, block=0)
    facts = facts_as_known(block.accounts, rows=np.arange(5), moments=np.full(5, PLAIN.end_seconds))
    with pytest.raises(InputError, match="regions"):
        pursuit_log_odds(replace(facts, region=None))
