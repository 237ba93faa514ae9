"""Censoring: snapshots that were watched for a part of their horizon.

Turns what had happened by the cutoff into rows with weights. Where nothing has happened to an account yet,
the row counts as two: as one with the event, by the chance that it still happens within the horizon after as
many days without it, and as one without, by the rest (Efron 1967 redistributes to the right like this; the
chance is Kaplan and Meier's, over all snapshots). So every date has the same expected share of events, and
a column that stands in for the date tells nothing. Weights 1 / (chance to have been watched) would not do
that: of the latest dates they keep the rows with the event alone. Time rule: an event counts when it was
known before the cutoff. Null rule: an account without an event is censored, never negative.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.labels.reading import days
from training.labels.survival import survival

__all__ = ["in_parts"]

_INSTANT = 0.5 / 86_400.0
"""Half a second in days: an event in the very second in which watching ended was not seen."""


def in_parts(happened: pd.DataFrame, *, cutoff: datetime, horizon: timedelta) -> pd.DataFrame:
    """The rows of snapshots whose window has not ended at the cutoff: account_id, as_of, label, weight.

    happened: account_id, as_of, happened_at (NaT where nothing has), of whole and of running windows. Rows
    of weight 0 are left out; those of one account and date add up to 1.
    """
    running = happened["as_of"] + horizon > pd.Timestamp(cutoff)
    if not running.any():
        return _rows(happened[running], label=1, weight=np.empty(0))
    whole_days = horizon / timedelta(days=1)
    watched = np.minimum(days(pd.Timestamp(cutoff) - happened["as_of"]), whole_days)
    seen = happened["happened_at"].notna().to_numpy()
    until = days(happened["happened_at"] - happened["as_of"])
    curve = survival(np.where(seen, until, watched - _INSTANT), ended=seen)
    left, whole = curve.reaching(watched), curve.reaching(np.array([whole_days]))
    coming = np.where(left > 0.0, 1.0 - whole / np.where(left > 0.0, left, 1.0), 0.0)
    positive = np.where(seen, 1.0, coming)
    parts = [
        _rows(happened[running], label=label, weight=weight[running.to_numpy()])
        for label, weight in ((1, positive), (0, 1.0 - positive))
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows[rows["weight"] > 0.0].sort_values(["as_of", "account_id", "label"], ignore_index=True)


def _rows(happened: pd.DataFrame, *, label: int, weight: NDArray[np.float64]) -> pd.DataFrame:
    return happened[["account_id", "as_of"]].assign(label=label, weight=weight)
