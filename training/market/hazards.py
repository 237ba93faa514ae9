"""Hazards of real data, each switched on alone: what a model must bear in the simulated market.

Turns settings into changes of chances, of what is empty, of what becomes known late, and of what a field
gives away. Time rule: chances still follow from what is known strictly before a moment, so the best possible
ranker stays known under every hazard; only the leaking field, which no chance looks at, breaks the rule.
Null rule: an emptied cell is a missing fact, with the effect that missing facts have.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from training.market.settings import MarketSettings
from training.market.truth import FirmographicFacts, Flags, Floats, Integers
from training.market.vocabulary import SECTOR_OF_INDUSTRY, technology

__all__ = [
    "LEAKING_FIELD",
    "emptied",
    "lateness",
    "leaked",
    "measured_days_before",
    "opening_shift",
    "second_product",
    "sold_as_second",
    "win_shift",
]

LEAKING_FIELD: Final = "is_subsidiary"
"""Sales fills it in when a deal is opened and corrects it at its end; every version shows the last value."""

_DRIFT_OF_WINNING, _DRIFT_OF_OPENING, _DRIFT_OF_COMPETITOR = 0.9, 0.7, -1.0
_FEW_WINS, _FEW_OPENINGS = -1.4, -0.5
_EMPTY_SHARE, _EMPTY_OF_LARGE, _LARGE = 0.35, 0.7, 0.6
_SECOND_SHARE: Final = np.array((0.3, 0.6, 0.6, 0.5))  # digital, industrial, public and local, missing

Late = tuple[float, int, int]


def win_shift(facts: FirmographicFacts, *, settings: MarketSettings) -> Floats:
    """What a hazard adds to the log-odds (n,) of winning."""
    added = np.zeros(len(facts.moments))
    if settings.hazard == "drift":
        passed = _passed(facts.moments, settings=settings)
        competitor = facts.technologies[:, technology("competitor_suite")] & facts.technologies_known
        added += _DRIFT_OF_WINNING * (passed - 0.5) + _DRIFT_OF_COMPETITOR * passed * competitor
    if settings.hazard == "few_customers":
        added += _FEW_WINS
    return added


def opening_shift(moment: int, *, settings: MarketSettings) -> float:
    """What a hazard adds to the log-odds of opening an opportunity."""
    if settings.hazard == "drift":
        return float(_DRIFT_OF_OPENING * (_passed(np.array([moment]), settings=settings)[0] - 0.5))
    return _FEW_OPENINGS if settings.hazard == "few_customers" else 0.0


def _passed(moments: Integers, *, settings: MarketSettings) -> Floats:
    """How much of the history has passed: 0 at its start, 1 at its end."""
    return (moments - settings.start_seconds) / (settings.end_seconds - settings.start_seconds)


def emptied(generator: np.random.Generator, *, values: Floats, settings: MarketSettings) -> Flags:
    """Which further cells (n, V) are empty: at random, or where the value is large."""
    accounts = len(values)
    if settings.hazard == "missing_at_random":
        empty = generator.random(accounts) < _EMPTY_SHARE
    elif settings.hazard == "missing_not_at_random":
        first = values[:, 0]
        empty = (first > np.nanquantile(first, _LARGE)) & (generator.random(accounts) < _EMPTY_OF_LARGE)
    else:
        empty = np.zeros(accounts, dtype=np.bool_)
    return np.repeat(empty[:, None], values.shape[1], axis=1)


def lateness(settings: MarketSettings) -> Late:
    """Share of the activities that become known late, and after how many days at least and at most."""
    return (0.5, 5, 45) if settings.hazard == "late_facts" else (0.08, 2, 12)


def measured_days_before(settings: MarketSettings) -> tuple[int, int]:
    """How many days before it becomes known a fact is measured, at least and at most."""
    return (60, 400) if settings.hazard == "late_facts" else (7, 60)


def second_product(facts: FirmographicFacts, *, uniform: Floats, settings: MarketSettings) -> Flags:
    """Which opportunities (n,) are about a second product."""
    if settings.hazard != "several_products":
        return np.zeros(len(uniform), dtype=np.bool_)
    sector = np.array((*SECTOR_OF_INDUSTRY, 3))[facts.industry]
    return np.asarray(uniform < _SECOND_SHARE[sector], dtype=np.bool_)


def sold_as_second(log_odds: Floats) -> Floats:
    """Log-odds of winning with the second product: what speaks for the first speaks against it."""
    return np.asarray(-1.6 - 0.7 * (log_odds + 1.2), dtype=np.float64)


def leaked(values: Floats, *, opened: Integers, won: Integers) -> Floats:
    """The leaking field (n, V): 1 where an account has won a deal, 0 where it only opened one, else empty.

    opened, won: rows of the accounts of deals that were opened, and that were won, by the end of the market.
    """
    told = np.full_like(values, np.nan)
    told[opened] = 0.0
    told[won] = 1.0
    return told
