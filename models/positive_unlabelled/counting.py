"""How many positives are hidden: a number where the level can be known, otherwise the range.

Turns scores, labels and what else is known of the level into a count with its interval and the assumption
that it rests on. Time rule: scores are out of fold. Null rule: without an assumption there is no estimate,
only the range that the data allow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.estimator_errors import UnfitValueError
from models.positive_unlabelled.base import Floats
from models.positive_unlabelled.label_rate import largest_label_share

__all__ = ["Audit", "HiddenPositives", "count_hidden"]

_Z = 1.959964
_FINDS_PROFILES = 1_000
"""Known positives from which on the ranking found the profiles that always win, on simulated markets."""

_SOME_ALWAYS_WIN = "some profiles always win: the largest share of known positives is the label rate"
_MAYBE_NOT_FOUND = (
    "; from {known:,} known positives the ranking may not have found them, and then the number is too large"
)


@dataclass(frozen=True)
class Audit:
    """A random sample of rows without a label that somebody looked at: how many, and how many positives."""

    accounts: int
    positives: int

    def __post_init__(self) -> None:
        if not (0 <= self.positives <= self.accounts and self.accounts):
            raise UnfitValueError(
                "the audit sample does not add up",
                got=f"{self.positives} positives of {self.accounts} accounts",
                allowed="0 to as many positives as accounts, and at least one account",
            )


@dataclass(frozen=True)
class HiddenPositives:
    """estimate: None where the level is not identifiable. low, high: 95 % interval, or the range that the
    data allow. rests_on: the assumption, in a sentence."""

    estimate: float | None
    low: float
    high: float
    rests_on: str


def count_hidden(
    scores: Floats,
    *,
    labelled: NDArray[np.int64],
    some_always_win: bool = False,
    label_rate: float | None = None,
    audit: Audit | None = None,
    known: int | None = None,
    unlabelled: int | None = None,
    seed: int = 0,
) -> HiddenPositives:
    """How many rows without a label are positives, where labels are missing at random.

    scores: (n,), out-of-fold chances of a known label; labelled: (n,), 1 for known positives.
    known, unlabelled: how many of each there are where the rows are samples of them; else as many as rows.
    some_always_win: the assumption that some profiles always are positive (Elkan and Noto 2008; Scott 2015).
    label_rate: the known share of the positives that is labelled. audit: a sample that was looked at.
    Raises UnfitValueError for more than one of the three, or a label rate outside of (0, 1].
    """
    if (label_rate is not None) + (audit is not None) + some_always_win > 1:
        raise UnfitValueError(
            "several sources of the level", allowed="one of some_always_win, label_rate and audit"
        )
    rows = (int(labelled.sum()), int(len(labelled) - labelled.sum()))
    known, unlabelled = (given or own for given, own in zip((known, unlabelled), rows, strict=True))
    if audit is not None:
        return _by_audit(audit, unlabelled=unlabelled)
    if label_rate is not None:
        return _by_label_rate(label_rate, known=known)
    drawn = largest_label_share(scores, labelled=labelled, seed=seed)
    share = drawn.among(known / rows[0], others=unlabelled / rows[1])
    most = min(_hidden(known, share.low), unlabelled)
    if some_always_win:
        found = known >= _FINDS_PROFILES
        return HiddenPositives(
            min(_hidden(known, share.value), most),
            _hidden(known, share.high) if found else 0.0,
            most,
            _SOME_ALWAYS_WIN + ("" if found else _MAYBE_NOT_FOUND.format(known=known)),
        )
    return HiddenPositives(
        None,
        0.0,
        most,
        "no profile needs to win always: the data allow any number in the range;"
        " the level needs a known label rate or an audit sample",
    )


def _hidden(known: int, label_rate: float) -> float:
    """Positives that are not known, when `known` are the share `label_rate` of all."""
    return known * (1.0 / label_rate - 1.0)


def _by_label_rate(label_rate: float, *, known: int) -> HiddenPositives:
    if not 0.0 < label_rate <= 1.0:
        raise UnfitValueError("label_rate", got=label_rate, allowed="above 0, at most 1")
    estimate = _hidden(known, label_rate)
    # Failures before the k-th success: variance k (1 - p) / p^2.
    half = _Z * float(np.sqrt(known * (1.0 - label_rate))) / label_rate
    return HiddenPositives(
        estimate,
        max(estimate - half, 0.0),
        estimate + half,
        f"a known label rate of {label_rate:.3g}",
    )


def _by_audit(audit: Audit, *, unlabelled: int) -> HiddenPositives:
    """Clopper and Pearson 1934, scaled to all rows without a label."""
    from scipy.stats import binomtest

    found = binomtest(audit.positives, audit.accounts)
    interval = found.proportion_ci(method="exact")
    return HiddenPositives(
        unlabelled * audit.positives / audit.accounts,
        unlabelled * float(interval.low),
        unlabelled * float(interval.high),
        f"an audit of {audit.accounts:,} accounts without a label, {audit.positives:,} of them positive",
    )
