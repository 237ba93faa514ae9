"""The market that the tests of training learn from."""

from __future__ import annotations

from training.market.settings import MarketSettings

MARKET = MarketSettings(accounts=1_000, seed=5)
