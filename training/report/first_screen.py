"""The first screen of a model: what it is, whether it works, how sure that is, and what to do.

Turns figures into four short answers for somebody who reads nothing else. Time rule: figures are of the later
slices. Null rule: without an audit the answer says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from models.card import Kind
from training.audit.finding import Audit
from training.backtesting.evaluate import Estimate
from training.fit import Training

__all__ = ["first_screen"]

_EVENT: dict[Kind, str] = {"fit": "were won", "intent": "had the event"}
_FEW = 100
"""Events below which every figure is rough."""


def first_screen(
    training: Training, *, metrics: Mapping[str, Estimate], grades: pd.DataFrame, audit: Audit | None
) -> dict[str, Any]:
    """The four answers, and the one word and colour that stand for them."""
    later = training.learned.later
    works = metrics["roc_auc"].low > 0.5
    blocked = audit is not None and audit.blocks
    return {
        "tone": "bad" if blocked or not works else "good",
        "word": "Blocked" if blocked else "Works" if works else "Not shown to work",
        "event": _EVENT[training.kind],
        "rate": _percent(_of(grades, "A", "conversion")),
        "interval": _interval(grades, "A"),
        "base": _percent(float(later["label"].mean())),
        "what": _what(training),
        "works": _works(metrics["roc_auc"], grades=grades),
        "sure": _sure(later, metrics=metrics),
        # Every second piece is a command.
        "do": _do(works=works, audit=audit).split("`"),
    }


def _what(training: Training) -> str:
    card = training.bundle.card
    return (
        f"For each account, {card['meaning']['en']}, with a grade from A (best) to D and the reasons. "
        f"Learned from {len(training.rows.frame):,} rows in which it happened in {card['base_rate']:.1%}."
    )


def _works(auc: Estimate, *, grades: pd.DataFrame) -> str:
    told = [f"of grade {grade} {_had(grades, grade)}" for grade in ("A", "D") if _has(grades, grade)]
    compared = f"Accounts {', those '.join(told)}. " if told else ""
    return (
        f"{compared}Of two accounts, one with the event and one without, the right one is ranked first "
        f"{auc.value:.0%} of the time ({auc.low:.0%} to {auc.high:.0%}; a coin: 50%)."
    )


def _had(grades: pd.DataFrame, grade: str) -> str:
    verb = "had the event " if grade == "A" else ""
    return f"{verb}{_percent(_of(grades, grade, 'conversion'))} of the time{_interval(grades, grade)}"


def _interval(grades: pd.DataFrame, grade: str) -> str:
    """The interval of a grade's share, in brackets; nothing where no row has the grade."""
    if not _has(grades, grade):
        return ""
    low, high = (_percent(_of(grades, grade, bound)) for bound in ("low", "high"))
    return f" ({low} to {high})"


def _has(grades: pd.DataFrame, grade: str) -> bool:
    return _of(grades, grade, "conversion") is not None


def _sure(later: pd.DataFrame, *, metrics: Mapping[str, Estimate]) -> str:
    events, error = int(later["label"].sum()), metrics["calibration_error"]
    few = " These are few: read every figure as rough." if events < _FEW else ""
    return (
        f"Checked on {len(later):,} later rows with {events:,} events that it had not learned from.{few} "
        f"Its probabilities are off by {100 * error.value:.1f} percentage points on average "
        f"({100 * error.low:.1f} to {100 * error.high:.1f})."
    )


def _do(*, works: bool, audit: Audit | None) -> str:
    if audit is not None and audit.blocks:
        named = ", ".join(dict.fromkeys(finding.column or "the table" for finding in audit.blocking))
        return f"Do not use it yet: the leakage audit blocks it ({named}). See “Audit” for what to change."
    if not works:
        return "Do not use it yet: its ranking is not shown to beat a coin. Load a longer history."
    unheard = "" if audit is not None else " No leakage audit was made."
    return (
        "Serve it with `spearfish promote`; let sales work grade A first, and nurture the rest. Measure "
        f"other dates with `spearfish backtest`.{unheard}"
    )


def _of(grades: pd.DataFrame, grade: str, column: str) -> float | None:
    """A figure of a grade; None where no row has it."""
    row = grades.loc[[grade]]
    return None if int(row["accounts"].iloc[0]) == 0 else float(row[column].iloc[0])


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}" if share < 0.0995 else f"{share:.0%}"
