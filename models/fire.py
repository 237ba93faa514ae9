"""FIRE and what to do next: scores and features in, four parts and a priority out.

FIRE is fit, intent, recency (with past relationship) and engagement. Fit and intent are the models'
scores; recency and engagement follow from features by formulas that anyone can recompute. Time rule: the
features were built for the `as_of` of the answer. Null rule: a part whose model is absent is null; never
engaged and never in contact count as 0 points, not as unknown.

    recency     = 50 * 2^(-days since last engagement / 30)
                + 30 * 2^(-days since last two-way contact / 90)
                + 20 * wins / (wins + losses + 1)
    engagement  = 100 * (1 - 2^(-minutes in 90 days / 60))

So an engagement today is worth 50 points and 25 a month later, and an account with the 60 minutes that a
marketing qualified account needs has half of the engagement points. More minutes, more wins, fewer losses
and fewer days never lower a part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from features.errors import ConfigError, suggestion
from features.settings import DEFAULT_PRIORITIES, GRADES, PRIORITIES, SALES_PRIORITIES, Grade, GradeOrNone

__all__ = ["FIRE_FEATURES", "Fire", "PriorityTable", "fire"]

FIRE_FEATURES = {
    "days_since_last_engagement": "engagement_days_since",
    "days_since_last_two_way_contact": "relationship_days_since_two_way",
    "earlier_wins": "relationship_earlier_wins",
    "earlier_losses": "relationship_earlier_losses",
    "engagement_minutes_90d": "engagement_minutes_90d",
}
"""The raw values behind FIRE and the features that they are read from."""


@dataclass(frozen=True)
class Fire:
    """Four parts, 0 to 100 with one decimal each, and the raw values behind the last two.

    fit, intent: None when there is no such model. Raw values: None when never, or not measured.
    """

    fit: float | None
    intent: float | None
    recency: float
    engagement: float
    days_since_last_engagement: float | None
    days_since_last_two_way_contact: float | None
    earlier_wins: int
    earlier_losses: int
    engagement_minutes_90d: float


def fire(values: Mapping[str, float], *, fit: float | None, intent: float | None) -> Fire:
    """FIRE from features by name; features that the workspace does not have may be absent or NaN.

    fit, intent: scores of the models, 0-100.
    """
    raw = {name: _known(values.get(feature)) for name, feature in FIRE_FEATURES.items()}
    wins, losses = (int(raw[name] or 0) for name in ("earlier_wins", "earlier_losses"))
    minutes = raw["engagement_minutes_90d"] or 0.0
    engaged, contacted = raw["days_since_last_engagement"], raw["days_since_last_two_way_contact"]
    recency = (
        50 * _freshness(engaged, half_life=30)
        + 30 * _freshness(contacted, half_life=90)
        + 20 * wins / (wins + losses + 1)
    )
    return Fire(
        fit=fit,
        intent=intent,
        recency=round(recency, 1),
        engagement=round(100 * (1 - _freshness(minutes, half_life=60)), 1),
        days_since_last_engagement=engaged,
        days_since_last_two_way_contact=contacted,
        earlier_wins=wins,
        earlier_losses=losses,
        engagement_minutes_90d=minutes,
    )


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _freshness(amount: float | None, *, half_life: float) -> float:
    """1 at 0, half of it after each half-life; 0 for never."""
    return 0.0 if amount is None else 2.0 ** (-max(amount, 0.0) / half_life)


_NONE: GradeOrNone = "none"
_ROWS = (*GRADES, _NONE)


@dataclass(frozen=True)
class PriorityTable:
    """What to do with an account, by fit grade and intent grade.

    given: cells that replace the default ones, as `[serving.priority]` holds them: {"A": {"B": "sales"}}.
    Raises ConfigError for unknown grades or priorities, and for a table that routes fit D to sales.

    >>> PriorityTable().priority(fit="A", intent="A"), PriorityTable().priority(fit=None, intent="A")
    ('sales now', 'sales')
    >>> PriorityTable().priority(fit=None, intent=None) is None
    True
    """

    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for fit, row in self.given.items():
            _require("fit grade", fit, _ROWS)
            for intent, priority in row.items():
                _require("intent grade", intent, _ROWS)
                _require("priority", priority, PRIORITIES)
                _require_no_sales_for_d(fit, intent, priority)

    def priority(self, *, fit: Grade | None, intent: Grade | None) -> str | None:
        """The priority; None only when there is neither a fit nor an intent grade."""
        row, column = fit or _NONE, intent or _NONE
        return self.given.get(row, {}).get(column) or DEFAULT_PRIORITIES[row].get(column)


def _require(what: str, got: str, allowed: tuple[str, ...]) -> None:
    if got not in allowed:
        raise ConfigError(
            f"unknown {what} in serving.priority",
            got=repr(got),
            allowed=", ".join(allowed),
            fix=suggestion(got, allowed) or "use one of the allowed words",
        )


def _require_no_sales_for_d(fit: str, intent: str, priority: str) -> None:
    if fit == "D" and priority in SALES_PRIORITIES:
        raise ConfigError(
            "serving.priority routes accounts of fit D to sales",
            got=f"{priority!r} for fit D and intent {intent}",
            allowed=", ".join(word for word in PRIORITIES if word not in SALES_PRIORITIES),
            fix="an account that does not fit is not worth the time, whatever its intent",
        )
