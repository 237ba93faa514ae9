"""Simulated markets whose best possible ranker is known.

Turns settings into canonical tables and, apart from them, the true chance of every opportunity to be won
and of every account to open one. Time rule: chances follow from what is known strictly before the moment.
Null rule: a missing fact is a level with an effect of its own.
"""

from __future__ import annotations

from training.market.settings import MarketSettings
from training.market.vocabulary import INFORMATIVE, NOISE
from training.market.write import MarketReport, Truth, read_truth, simulate

__all__ = ["INFORMATIVE", "NOISE", "MarketReport", "MarketSettings", "Truth", "read_truth", "simulate"]
