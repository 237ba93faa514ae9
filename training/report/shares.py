"""Shares with their intervals, over resampled accounts.

Turns counts of rows into a share of two sums, as events found by all events or observed by expected ones.
Where no row has the event, or all have it, every sample says the same, and the interval is the exact one
instead (Clopper and Pearson 1934; of a count, Garwood 1936), an account counting once. Time rule: none of its
own; rows are of the later slices. Null rule: a share of nothing is undefined (NaN).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from training.backtesting.evaluate import Estimate, grade_conversion, interval, resampled

__all__ = ["conversions", "digits_of", "percent_range", "rate", "ratio", "share_found", "with_exact"]

Vector = NDArray[np.float64]

_MOST_OF_NONE = float(-np.log(0.025))
"""The largest expected count of which seeing none is no rarer than one time in forty."""


def ratio(
    accounts: pd.Series[str], *, part: Vector, whole: Vector, base: float, replicates: int, seed: int = 0
) -> Estimate:
    """Sum of `part` by that of `whole`, both (n,), with a 95 % interval over resampled accounts (n,).

    >>> two = pd.Series(["a", "b"])
    >>> ratio(two, part=np.array([1.0, 1.0]), whole=np.array([2.0, 2.0]), base=1.0, replicates=9).value
    0.5
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.concatenate(
            [
                (weights @ part) / (weights @ whole)
                for weights in resampled(accounts, replicates=replicates, seed=seed)
            ]
        )
    if part.sum() == 0 and whole.sum() > 0:
        return Estimate(0.0, 0.0, _MOST_OF_NONE / float(whole.sum()), base)
    # Samples of one account are all alike, and say nothing of others.
    low, high = interval(drawn[1:]) if accounts.nunique() > 1 else (float("nan"), float("nan"))
    return Estimate(float(drawn[0]), low, high, base)


def rate(rows: pd.DataFrame, *, replicates: int) -> Estimate:
    """The share of rows with the event. rows: account_id, label; at least one."""
    label = rows["label"].to_numpy(dtype=np.float64)
    if label.min() == label.max():
        return Estimate(float(label[0]), *_of_one_class(rows["account_id"], had=label[0] == 1), base=1.0)
    return ratio(rows["account_id"], part=label, whole=np.ones(len(label)), base=1.0, replicates=replicates)


def conversions(rows: pd.DataFrame, *, grades: Sequence[str], replicates: int) -> pd.DataFrame:
    """As `grade_conversion`, with exact intervals for grades of one class. rows: account_id, label, grade."""
    return with_exact(grade_conversion(rows, grades=grades, replicates=replicates), rows=rows)


def with_exact(found: pd.DataFrame, *, rows: pd.DataFrame) -> pd.DataFrame:
    """What `grade_conversion` found of these rows, with exact intervals for grades of one class."""
    told, base = found.copy(), float(rows["label"].mean())
    for grade, part in rows.groupby("grade"):
        if part["label"].nunique() == 1:
            low, high = _of_one_class(part["account_id"], had=part["label"].iloc[0] == 1)
            told.loc[[str(grade)], ["low", "high", "lift_low", "lift_high"]] = (
                [low, high, low / base, high / base] if base else [low, high, np.nan, np.nan]
            )
    return told


def _of_one_class(accounts: pd.Series[str], *, had: bool) -> tuple[float, float]:
    count = accounts.nunique()
    found = stats.binomtest(count if had else 0, count).proportion_ci(0.95, method="exact")
    return float(found.low), float(found.high)


def share_found(later: pd.DataFrame, *, share: float, replicates: int) -> Estimate:
    """Of all events, the part among the best-ranked `share` of the rows; which these are is not drawn again.

    later: account_id, label, probability.
    """
    ordered = later.sort_values("probability", ascending=False, kind="stable")
    label = ordered["label"].to_numpy(dtype=np.float64)
    best = np.arange(len(ordered)) < round(share * len(ordered))
    return ratio(ordered["account_id"], part=label * best, whole=label, base=share, replicates=replicates)


def digits_of(base: float) -> int:
    """How many a percentage needs beside a base rate, which may be that of a rare event."""
    return 1 if base >= 0.02 else 2


def percent_range(one: Estimate, *, digits: int = 0) -> str:
    """As in 41% (35% to 47%); a dash where the rows define none."""
    if np.isnan(one.value):
        return "-"
    shown = f"{one.value:.{digits}%}"
    return shown if np.isnan(one.low) else f"{shown} ({one.low:.{digits}%} to {one.high:.{digits}%})"
