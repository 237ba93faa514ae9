"""The margin of a model: its trees and, where it has one, its linear part.

Turns a float64 matrix in contract order into log-odds before calibration and into contributions that add up
to them. Time and null rules: those of the two parts.
"""

from __future__ import annotations

import numpy as np

from models.booster import Matrix, NativeBooster
from models.linear import LinearPart

__all__ = ["MarginModel"]


class MarginModel:
    """A booster and a linear part ready to score. Safe to share between threads.

    booster_text: LightGBM's model text. threads: for batches; None means all cores, one row takes one.
    """

    def __init__(
        self, booster_text: str, *, linear: LinearPart | None = None, threads: int | None = None
    ) -> None:
        self._trees, self._linear = NativeBooster(booster_text, threads=threads), linear

    def margins(self, X: Matrix) -> Matrix:
        """float64 (n,): log-odds before calibration."""
        trees = self._trees.margins(X)
        return trees if self._linear is None else trees + self._linear.margins(X)

    def contributions(self, X: Matrix) -> Matrix:
        """float64 (n, k + 1), log-odds before calibration; last column is the base value.

        TreeSHAP (Lundberg et al. 2020) plus the lines: both are exact, and so is their sum.
        """
        told = self._trees.contributions(X)
        if self._linear is not None and len(X):
            told[:, :-1] += self._linear.contributions(X)
            told[:, -1] += self._linear.intercept
        return np.asarray(told)
