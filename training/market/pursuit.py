"""Other worlds, where winners hide: sales pursued only some kinds of account, and some profiles always win.

Turns facts as known at a moment into log-odds of winning and of being pursued, by what the settings ask for;
without a switch, winning is that of `training.market.truth` to the bit. Time rule: none of its own; callers
hand in what was known strictly before the moment. Null rule: a missing fact is a level with an effect of its
own; an account whose technologies are not known is of no profile that always wins.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features.errors import InputError
from training.market.hazards import win_shift
from training.market.settings import MarketSettings
from training.market.truth import FirmographicFacts, Flags, Floats, win_log_odds
from training.market.vocabulary import REGIONS, SECTOR_OF_INDUSTRY, technology

__all__ = ["always_wins", "pursuit_log_odds", "winning_log_odds"]

_ALWAYS: Final = 40.0
"""Log-odds whose chance is 1 in 64 bits."""

_DIGITAL: Final = 0
_PROFILE_EMPLOYEES: Final = (40.0, 1_500.0)
_SIZE_EDGES: Final = (40.0, 250.0, 1_500.0)

# Sales goes for large companies nearby; wins come from companies of middle size, and rather from afar.
_PURSUED_BY_SIZE: Final = np.array((-1.2, -0.6, 0.3, 1.2, -0.4))  # under each edge, larger, missing
_PURSUED_BY_REGION: Final = np.array((0.9, -0.4, -1.6, -0.4))  # AMER, EMEA, APAC, missing
_WINNING_BY_REGION: Final = np.array((-0.5, 0.2, 0.6, 0.0))
_PURSUED: Final = -4.4


def winning_log_odds(facts: FirmographicFacts, *, settings: MarketSettings) -> Floats:
    """Log-odds (n,) that an opportunity opened at the moment will be won, in the world of the settings."""
    result = win_log_odds(facts)
    if settings.hazard is not None:
        result = result + win_shift(facts, settings=settings)
    if settings.pursued_by_kind:
        result = result + _by_region(facts, effects=_WINNING_BY_REGION)
    if settings.some_always_win:
        result = np.where(always_wins(facts), _ALWAYS, result)
    return result


def always_wins(facts: FirmographicFacts) -> Flags:
    """Digital companies of middle size that run a CRM platform and a data warehouse (n,)."""
    smallest, largest = _PROFILE_EMPLOYEES
    digital = np.array((*(sector == _DIGITAL for sector in SECTOR_OF_INDUSTRY), False))[facts.industry]
    both = facts.technologies[:, [technology("crm_platform"), technology("data_warehouse")]].all(axis=1)
    middle = (facts.employees >= smallest) & (facts.employees < largest)
    flags: Flags = digital & both & middle & facts.technologies_known
    return flags


def pursuit_log_odds(facts: FirmographicFacts) -> Floats:
    """Log-odds (n,) that sales opens an opportunity in a step of 30 days: by size and region alone."""
    band = np.searchsorted(np.array(_SIZE_EDGES), facts.employees, side="right")
    band = np.where(np.isnan(facts.employees), len(_SIZE_EDGES) + 1, band)
    result: Floats = _PURSUED + _PURSUED_BY_SIZE[band] + _by_region(facts, effects=_PURSUED_BY_REGION)
    return result


def _by_region(facts: FirmographicFacts, *, effects: Floats) -> Floats:
    """The effect of each account's region (n,); the last one, reached by code -1, is that of none known."""
    if facts.region is None:
        raise InputError("facts without regions", allowed=f"codes of {', '.join(REGIONS)} or -1")
    result: Floats = effects[facts.region]
    return result
