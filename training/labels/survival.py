"""Times that have not ended yet: Kaplan and Meier's curve, and what it tells.

Turns durations, some of them still running, into the share that lasts longer than any time. Time rule:
durations are what was known at the cutoff. Null rule: a duration that has not ended is censored, not dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Survival", "TimeToClose", "survival", "time_to_close"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Survival:
    """The share that lasts longer than a time. times: days at which something ended, rising; after: the share
    that lasts longer than each."""

    times: Floats
    after: Floats

    def reaching(self, days: Floats) -> Floats:
        """The share (n,) that lasts at least as long as each of `days` (n,)."""
        return np.concatenate([[1.0], self.after])[np.searchsorted(self.times, days, side="left")]


@dataclass(frozen=True)
class TimeToClose:
    """The percentile of the time from opening to closing. `censored` says whether open ones counted."""

    days: float
    percentile: float
    censored: bool


def survival(days: Floats, *, ended: NDArray[np.bool_]) -> Survival:
    """Kaplan and Meier 1958: S(t) = prod(1 - ended at t / still running just before t).

    days: float64 (n,), how long, or how long so far; ended: bool (n,).
    """
    times, events = np.unique(days[ended], return_counts=True)
    at_risk = len(days) - np.searchsorted(np.sort(days), times, side="left")
    after = np.asarray(np.cumprod(1.0 - events / at_risk), dtype=np.float64)
    return Survival(times, after)


def time_to_close(days: Floats, *, closed: NDArray[np.bool_], percentile: float = 0.9) -> TimeToClose | None:
    """The percentile of the time to close when some opportunities are still open.

    days: float64 (n,), time to close, or time open so far; closed: bool (n,). None when nothing closed.
    It is the first t with S(t) <= 1 - percentile. Where so many never close that S stays above, the
    percentile of the closed ones alone is taken and `censored` is False.
    """
    if not closed.any():
        return None
    curve = survival(days, ended=closed)
    reached = np.flatnonzero(curve.after <= 1.0 - percentile + 1e-12)
    if len(reached):
        return TimeToClose(float(curve.times[reached[0]]), percentile, True)
    among_closed = np.quantile(days[closed], percentile, method="inverted_cdf")
    return TimeToClose(float(among_closed), percentile, False)
