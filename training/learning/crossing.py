"""Crossing: all rows predicted by models that did not see their accounts, and a calibration from them.

Where the later time slices hold few events, the line that they give is mostly chance. Turns folds of accounts
and their margins into a calibration whose slope rests on all rows and whose level follows the later slices as
far as these surely differ. Time rule: a fold's model may have seen later rows of other accounts, never the
account itself; so it says how far margins can be believed, and the later slices say what has changed since.
Null rule: none of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.settings import LearningSettings
from models.calibration import Calibration, fit_calibration, probabilities
from training.learning.folds import Split
from training.learning.splits import Fold, Positions

__all__ = ["calibrate_crossed", "crossed_splits", "told_again"]

_ENOUGH_LATER = 1000
"""Rows of the rarer class in the later slices whose line needs no help."""

_SURE = 2.0
"""Standard errors from which the level of the later slices is believed, and the more the further beyond."""

Vector = NDArray[np.float64]


def crossed_splits(
    frame: pd.DataFrame, *, later: Sequence[Fold], settings: LearningSettings
) -> tuple[Split, ...]:
    """Folds of accounts to calibrate on; none where the later slices, or the settings, say so.

    frame: account_id, label. There are fewer folds where a class has fewer accounts, and none below two.
    """
    label = frame["label"].to_numpy(dtype=np.int64)
    if settings.crossed_folds == 0 or _rarer(label[_positions(later)]) >= _ENOUGH_LATER:
        return ()
    account = np.asarray(pd.factorize(frame["account_id"], sort=True)[0], dtype=np.int64)
    folds = min(settings.crossed_folds, *(len(np.unique(account[label == one])) for one in (0, 1)))
    if folds < 2:
        return ()
    events = np.asarray(np.bincount(account, weights=label), dtype=np.float64)
    own = _dealt(events, folds=folds, seed=settings.seed)[account]
    return tuple(
        Split(0, fold, np.flatnonzero(own != fold), np.flatnonzero(own == fold)) for fold in range(folds)
    )


def calibrate_crossed(
    frame: pd.DataFrame, *, splits: Sequence[Split], margins: Sequence[Vector], later: Sequence[Fold]
) -> tuple[Calibration, pd.DataFrame]:
    """The calibration, and all rows with what it makes of them: account_id, as_of, label, probability.

    margins: of the rows that each split judges.
    """
    margin = np.empty(len(frame))
    for split, own in zip(splits, margins, strict=True):
        margin[split.judge] = own
    label = frame["label"].to_numpy(dtype=np.int64)
    line = fit_calibration(margin, labels=label)
    newest = _positions(later)
    account = frame["account_id"].to_numpy()[newest]
    shift = _shift(line.logits(margin[newest]), label=label[newest], account=account)
    line = Calibration(line.slope, line.intercept + shift)
    told = frame[["account_id", "as_of", "label"]].reset_index(drop=True)
    return line, told.assign(probability=probabilities(line.logits(margin)))


def told_again(rows: pd.DataFrame, *, was: Calibration, now: Calibration) -> pd.DataFrame:
    """Rows with a probability of one calibration as another one tells them."""
    if was == now:
        return rows
    chance = rows["probability"].to_numpy()
    margins = (np.log(chance) - np.log1p(-chance) - was.intercept) / was.slope
    return rows.assign(probability=probabilities(now.logits(margins)))


def _shift(logits: Vector, *, label: Positions, account: NDArray[np.object_]) -> float:
    """What the level of rows has changed by, in log-odds: drawn to zero as far as it may be chance.

    One step of Newton's method for the level and its error with the rows of an account taken together; the
    positive part of James and Stein's estimator with a limit of its own.
    """
    told = probabilities(logits)
    variance = float((told * (1 - told)).sum())
    beyond = pd.Series(label - told).groupby(account).sum().to_numpy()
    change = float(beyond.sum()) / variance
    error = float(np.sqrt((beyond**2).sum())) / variance
    return change * max(0.0, 1.0 - (_SURE * error / change) ** 2) if change else 0.0


def _dealt(events: Vector, *, folds: int, seed: int) -> Positions:
    """A fold for each account, (n,): shuffled, those with the most events first, dealt out one by one."""
    shuffled = np.random.default_rng(seed).permutation(len(events))
    fold = np.empty(len(events), dtype=np.int64)
    fold[shuffled[np.argsort(-events[shuffled], kind="stable")]] = np.arange(len(events)) % folds
    return fold


def _positions(later: Sequence[Fold]) -> Positions:
    return np.concatenate([fold.later for fold in later])


def _rarer(label: NDArray[np.int64]) -> int:
    events = int(label.sum())
    return min(events, len(label) - events)
