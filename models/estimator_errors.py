"""Errors of estimators: ours, with what was got, allowed and to do, and scikit-learn's ValueError at once.

Turns what an estimator cannot learn from into an error that both callers understand: the command line, which
prints its sentence, and scikit-learn's tools, which expect a ValueError. Time and null rule: none.
"""

from __future__ import annotations

from features.errors import InputError, NotEnoughDataError

__all__ = ["NotEnoughRowsError", "UnfitValueError"]


class NotEnoughRowsError(NotEnoughDataError, ValueError):
    """Too few rows to learn from, or one class only."""


class UnfitValueError(InputError, ValueError):
    """Values or parameters that the estimator cannot use."""
