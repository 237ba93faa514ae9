"""The level of a model that learned wins from accounts drawn beside them.

Turns log-odds of drawn rows, where each win stands beside a fixed number of accounts, into log-odds of all
accounts: weights undo the drawing exactly, one straight line takes them up, so that ranking and reasons stay.
Where the share of the good accounts that are known is told, the line is fitted once more to wins known and
hidden; otherwise the level is relative, and what is hidden is told as the range that the data allow. Time
rule: the line rests on rows that their models did not see; who was won is what was known at the cutoff. Null
rule: too few wins to tell anything of the hidden give the whole range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from features.label_settings import FitLabelSettings
from models.calibration import SMALLEST_SLOPE, Calibration
from models.card import HiddenFacts, LevelFacts
from models.positive_unlabelled import Audit, HiddenPositives, count_hidden, out_of_fold
from models.positive_unlabelled.base import default_learner
from training.labels import Universe, distinct_accounts
from training.learning.learn import Learned, Rows

__all__ = ["Level", "find_level", "fit_line"]

Floats = NDArray[np.float64]

_SURE = 1e-12
_TOO_FEW = "too few known wins to tell how many are hidden: any number of the accounts without a win may be"


@dataclass(frozen=True)
class Level:
    """line: from the log-odds of drawn rows to those of all accounts. facts: for the card."""

    line: Calibration
    facts: LevelFacts

    def applied(self, calibration: Calibration) -> Calibration:
        """The calibration with the line behind it."""
        slope, intercept = self.line.slope, self.line.intercept
        return Calibration(slope * calibration.slope, slope * calibration.intercept + intercept)


def find_level(
    learned: Learned, rows: Rows, *, universe: Universe, settings: FitLabelSettings, seed: int
) -> Level:
    """The level of what was learned from `rows`, labelled against the universe."""
    hidden = _hidden(rows, universe=universe, settings=settings, seed=seed)
    rate = None if hidden.estimate is None else universe.won / (universe.won + hidden.estimate)
    judged = learned.later if learned.crossed is None else learned.crossed
    positions = judged["position"] if learned.crossed is None else np.arange(len(judged))
    known = ~rows.frame["won_later"].to_numpy(dtype=bool)[positions]
    chance = np.clip(judged["probability"].to_numpy()[known], _SURE, 1.0 - _SURE)
    logits = np.log(chance) - np.log1p(-chance)
    label = judged["label"].to_numpy(dtype=np.float64)[known]
    weight = np.where(label == 1, 1.0, _each_stands_for(label, universe=universe))
    line = fit_line(logits, target=label, weight=weight)
    if rate is not None:
        line = fit_line(logits, target=_with_hidden(label, line.logits(logits), rate=rate), weight=weight)
    facts = LevelFacts(
        absolute=rate is not None,
        label_rate=rate,
        known=universe.won,
        unlabelled=universe.unlabelled,
        drawn_per_win=universe.per_win,
        hidden=HiddenFacts(
            estimate=hidden.estimate, low=hidden.low, high=hidden.high, rests_on=hidden.rests_on
        ),
    )
    return Level(line, facts)


def fit_line(logits: Floats, *, target: Floats, weight: Floats) -> Calibration:
    """The likeliest rising line from log-odds to those of `target` (shares, 0 to 1), rows by weight.

    As `models.calibration.fit_calibration`: a normal prior on the slope around 1, as strong as one row.
    """
    from scipy.optimize import minimize

    share = weight / weight.sum()
    rate = float(np.clip(share @ target, _SURE, 1.0 - _SURE))

    def loss(line: Floats) -> tuple[float, Floats]:
        slope, intercept = line
        z = slope * logits + intercept
        error = share * (np.exp(-np.logaddexp(0, -z)) - target)
        value = share @ (np.logaddexp(0, z) - target * z) + (slope - 1) ** 2 / (2 * len(logits))
        return float(value), np.array([error @ logits + (slope - 1) / len(logits), error.sum()])

    found = minimize(
        loss,
        x0=np.array([1.0, float(np.log(rate / (1.0 - rate)) - share @ logits)]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(SMALLEST_SLOPE, None), (None, None)],
        options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-12},
    )
    return Calibration(float(found.x[0]), float(found.x[1]))


def _each_stands_for(label: Floats, *, universe: Universe) -> float:
    """How many accounts, per win, a drawn row stands for."""
    drawn_per_win = float((label == 0).sum() / (label == 1).sum())
    return universe.unlabelled / universe.won / drawn_per_win


def _with_hidden(label: Floats, logits: Floats, *, rate: float) -> Floats:
    """The share of positives among rows like this: 1 for wins, else by the chance to be a win that is known.

    Elkan and Noto 2008: (1 - c) / c * p / (1 - p), c the label rate.
    """
    return np.where(label == 1, 1.0, np.minimum((1.0 - rate) / rate * np.exp(logits), 1.0))


def _hidden(rows: Rows, *, universe: Universe, settings: FitLabelSettings, seed: int) -> HiddenPositives:
    """How many accounts without a win would be won, as far as settings and data tell."""
    positions = distinct_accounts(rows.frame, seed=seed)
    label = rows.label[positions]
    audit = None
    if settings.audited is not None:
        audit = Audit(settings.audited.accounts, settings.audited.positives)
    try:
        return count_hidden(
            out_of_fold(default_learner(seed=seed), rows.X[positions], label, seed=seed),
            labelled=label,
            some_always_win=settings.some_always_win,
            label_rate=settings.label_rate,
            audit=audit,
            known=universe.won,
            unlabelled=universe.unlabelled,
            seed=seed,
        )
    except NotEnoughDataError:
        return HiddenPositives(None, 0.0, float(universe.unlabelled), _TOO_FEW)
