"""The gate's verdict: which checks a model passed, with figures, intervals and base rates.

Turns checks into one verdict per model, as a release and MLflow keep it. Time rule: a verdict names the
moment and the served model that it was found against. Null rule: a check that does not apply, such as the
comparison of a first release or the calibration of few rows, is neither passed nor failed and says why; a
comparison that could not be made because rows are missing has failed: what is served stays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from training.backtesting.evaluate import Estimate

__all__ = ["CheckName", "GateCheck", "Verdict", "figure"]

CheckName = Literal["comparison", "calibration"]
Outcome = Literal["passed", "failed", "does not apply"]


@dataclass(frozen=True)
class GateCheck:
    """One thing that a model had to show.

    sentence: what was found, with figures, interval and base rate. figures: the same for machines.
    """

    name: CheckName
    outcome: Outcome
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "outcome": self.outcome,
            "sentence": self.sentence,
            "figures": dict(self.figures),
        }


@dataclass(frozen=True)
class Verdict:
    """What the gate found of one model.

    model: its name, such as icp_fit. fingerprint: of its bundle; champion: of the served one that answers
    most of its rows, if any.
    """

    model: str
    fingerprint: str
    champion: str | None
    at: datetime
    checks: tuple[GateCheck, ...]

    @property
    def failed(self) -> tuple[GateCheck, ...]:
        return tuple(check for check in self.checks if check.outcome == "failed")

    @property
    def outcome(self) -> Literal["passed", "refused"]:
        return "refused" if self.failed else "passed"

    def lines(self) -> Sequence[str]:
        """What people read, one line per check."""
        return [f"{self.model}, {check.name}: {check.outcome}: {check.sentence}" for check in self.checks]

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "fingerprint": self.fingerprint,
            "champion": self.champion,
            "at": f"{self.at.isoformat()}Z",
            "outcome": self.outcome,
            "checks": [check.to_json() for check in self.checks],
        }


def figure(estimate: Estimate) -> dict[str, float | None]:
    """An estimate as JSON; what is undefined is null."""
    told = {"value": estimate.value, "low": estimate.low, "high": estimate.high, "base": estimate.base}
    return {name: value if math.isfinite(value) else None for name, value in told.items()}
