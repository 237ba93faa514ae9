"""What the simulated market must be, written down before the first model was trained on it.

The numbers are the product's requirement, word for word, and are never changed afterwards: the market's
constants are tuned until it meets them, and `tests/market/test_requirements.py` measures it against them.
Bounds are inclusive.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACCOUNTS_BY_DEFAULT",
    "ACTIVITIES_BY_DEFAULT",
    "BEST_ROC_AUC",
    "CLOSED_OPPORTUNITIES_PER_5000_ACCOUNTS",
    "HISTORY_YEARS",
    "HORIZON_DAYS",
    "LOGISTIC_REGRESSION_BELOW_BEST",
    "NOISE_SHARE_OF_COLUMNS",
    "OPENING_SHARE_PER_HORIZON",
    "STEP_DAYS",
    "WIN_RATE",
]

BEST_ROC_AUC: Final = (0.75, 0.82)
"""ROC AUC of the best possible ranker, for winning and for opening alike."""

LOGISTIC_REGRESSION_BELOW_BEST: Final = 0.03
"""Logistic regression stays at least this much ROC AUC below the best, for winning and for opening alike."""

WIN_RATE: Final = (0.20, 0.35)
"""Share of closed opportunities that are won."""

HISTORY_YEARS: Final = 3
"""Years of history."""

STEP_DAYS: Final = 30
"""Days of one step; the chance of opening an opportunity in a step is fixed two steps before."""

HORIZON_DAYS: Final = 90
"""Days in which an account opens an opportunity or not."""

OPENING_SHARE_PER_HORIZON: Final = (0.03, 0.05)
"""Share of accounts that open an opportunity within the horizon; some open more than one in all."""

CLOSED_OPPORTUNITIES_PER_5000_ACCOUNTS: Final = 2_000
"""Some 2,000 closed opportunities per 5,000 accounts."""

NOISE_SHARE_OF_COLUMNS: Final = 0.5
"""Half of the columns have no effect on either chance."""

ACCOUNTS_BY_DEFAULT: Final = 5_000
ACTIVITIES_BY_DEFAULT: Final = 500_000
"""Some 500,000 activities for the default number of accounts."""
