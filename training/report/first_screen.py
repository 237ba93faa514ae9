"""The first screen of a model: what it is, whether it works, how sure that is, and what to do.

Turns figures into four short answers for somebody who reads nothing else. Time rule: figures are of the later
slices. Null rule: without an audit the answer says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from models.card import Kind
from training.audit.finding import Audit
from training.backtesting.evaluate import Estimate
from training.fit import Training
from training.report.rivals import Rivals

__all__ = ["beside", "first_screen", "headline", "sure", "works"]

_EVENT: dict[Kind, str] = {"fit": "were won", "intent": "had the event"}
_SIMPLER = {
    "logistic_regression_logarithms": "a weighted sum of the same facts (logistic regression)",
    "logistic_regression": "a weighted sum of the same facts as they come (logistic regression)",
    "logistic_regression_tuned": "a weighted sum of the chosen facts, tuned (logistic regression)",
    "lightgbm": "standard decision trees, as they come (LightGBM)",
    "histogram_boosting": "standard decision trees, as they come (scikit-learn)",
    "probability": "another model",
    "ours": "Spearfish's own model",
    "recent_activity": "most actions in the last 30 days first",
    "recency": "the latest action first",
}
"""Other ways to rank, for people who build no models."""

_FEW = 100
"""Events below which every figure is rough."""


def first_screen(
    training: Training,
    *,
    metrics: Mapping[str, Estimate],
    grades: pd.DataFrame,
    audit: Audit | None,
    rivals: Rivals | None = None,
) -> dict[str, Any]:
    """The four answers, and the one word and colour that stand for them."""
    later = training.learned.later
    shown = metrics["roc_auc"].low > 0.5
    blocked = audit is not None and audit.blocks
    return {
        **headline(training.kind, grades=grades, base=float(later["label"].mean())),
        "tone": "bad" if blocked or not shown else "good",
        "word": "Blocked" if blocked else "Works" if shown else "Not shown to work",
        "what": _what(training),
        "works": works(metrics["roc_auc"], grades=grades),
        "simpler": "" if rivals is None else beside(rivals),
        "sure": sure(later, metrics=metrics),
        # Every second piece is a command.
        "do": _do(training, works=shown, audit=audit).split("`"),
    }


def headline(kind: Kind, *, grades: pd.DataFrame, base: float) -> dict[str, str | None]:
    """What the large figure says: how often grade A had the event, and all. base: that of all rows."""
    return {
        "event": _EVENT[kind],
        # Few rows say little: then nobody may stand out enough for an A.
        "rate": _percent(_of(grades, "A", "conversion")) if _has(grades, "A") else None,
        "interval": _interval(grades, "A"),
        "base": _percent(base),
    }


def _what(training: Training) -> str:
    card = training.bundle.card
    return (
        f"For each account, {card['meaning']['en']}, with a grade from A (best) to D and the reasons. "
        f"Learned from {len(training.rows.frame):,} examples of "
        f"{training.rows.frame['account_id'].nunique():,} accounts; it happened in {card['base_rate']:.1%}."
    )


def works(auc: Estimate, *, grades: pd.DataFrame) -> str:
    """Grade A beside grade D, and how often the right one of two is ranked first."""
    reached = [grade for grade in ("A", "D") if _has(grades, grade)]
    told = ", those ".join(f"of grade {grade} had the event {_often(grades, grade)}" for grade in reached)
    compared = f"Accounts {told}. " if told else ""
    return (
        f"{compared}Of two accounts, one with the event and one without, the right one is ranked first "
        f"{auc.value:.0%} of the time ({auc.low:.0%} to {auc.high:.0%}; a coin: 50%)."
    )


def beside(rivals: Rivals, *, of: str = "the newest examples") -> str:
    """What the best of the simpler ways reaches on the same rows, and by how much that is less or more.

    of: which rows these are.
    """
    ours = rivals.measured.estimates["probability"]["roc_auc"]
    best, lead = rivals.measured.estimates[rivals.best]["roc_auc"], rivals.lead
    points = f"{100 * abs(lead.value):.1f} points"
    verdict = (
        f"Yes, by {points}"
        if lead.low > 0
        else f"No: a simpler one is {points} better; look at it before you serve this one"
        if lead.high < 0
        else "Not shown: the difference may be chance"
    )
    return (
        f"{verdict} ({100 * lead.low:+.1f} to {100 * lead.high:+.1f}). Of {of} it ranks the "
        f"right one of two first {_shown(ours)}; the best of the simpler ways, "
        f"{_SIMPLER.get(rivals.best, rivals.best)}, {_shown(best)}."
    )


def _shown(auc: Estimate) -> str:
    return f"{auc.value:.0%} of the time ({auc.low:.0%} to {auc.high:.0%})"


def _often(grades: pd.DataFrame, grade: str) -> str:
    return f"{_percent(_of(grades, grade, 'conversion'))} of the time{_interval(grades, grade)}"


def _interval(grades: pd.DataFrame, grade: str) -> str:
    """The interval of a grade's share, in brackets; nothing where no row has the grade."""
    if not _has(grades, grade):
        return ""
    low, high = (_percent(_of(grades, grade, bound)) for bound in ("low", "high"))
    return f" ({low} to {high})"


def _has(grades: pd.DataFrame, grade: str) -> bool:
    return _of(grades, grade, "conversion") is not None


def sure(later: pd.DataFrame, *, metrics: Mapping[str, Estimate], kind: str = "later") -> str:
    """On how much the figures rest, and how far probabilities are off.

    later: label, each example once. kind: of examples, in a word.
    """
    events, error = int(later["label"].sum()), metrics["calibration_error"]
    few = " These are few: read every figure as rough." if events < _FEW else ""
    return (
        f"Checked on {len(later):,} {kind} examples that it had not learned from; it happened in {events:,} "
        f"of them.{few} "
        f"Its probabilities are off by {100 * error.value:.1f} percentage points on average "
        f"({100 * error.low:.1f} to {100 * error.high:.1f})."
    )


def _do(training: Training, *, works: bool, audit: Audit | None) -> str:
    if audit is not None and audit.blocks:
        named = ", ".join(dict.fromkeys(finding.column or "the table" for finding in audit.blocking))
        return f"Do not use it yet: the leakage audit blocks it ({named}). See “Audit” for what to change."
    if not works:
        return (
            "Do not use it yet: its ranking is not shown to beat a coin. Load a longer history; "
            f"`spearfish learning-curve --model {training.key}` shows what more accounts brought so far."
        )
    unheard = "" if audit is not None else " No leakage audit was made."
    return (
        "Serve it with `spearfish promote`; let sales work grade A first, and nurture the rest. Measure "
        f"other dates with `spearfish backtest`.{unheard}"
    )


def _of(grades: pd.DataFrame, grade: str, column: str) -> float | None:
    """A figure of a grade; None where no row has it, so that it is undefined."""
    found = float(grades.loc[[grade], column].iloc[0])
    reached = int(grades.loc[[grade], "accounts"].iloc[0]) > 0
    return found if reached and not math.isnan(found) else None


def _percent(share: float | None) -> str:
    """With more digits where the share is small, as a rare event's is."""
    if share is None:
        return "-"
    digits = 0 if share >= 0.0995 else 1 if share >= 0.00995 else 2
    return f"{share:.{digits}%}" if share else "0%"
