"""What a backtest found, as data, as frames, as tables in a terminal and as a file of predictions.

Turns measured predictions into JSON, pandas frames, a Parquet file and tables. Time rule: none. Null rule: a
figure that is undefined (a grade without accounts) is null in JSON, NaN in frames and a dash in tables. No
figure stands without its interval and what the base rate, or no knowledge, would give.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group

from models.card import Kind, ModelKey
from training.backtesting.evaluate import Estimate, Measured
from training.backtesting.warning import Warnings
from training.undated.peers import BASELINES

__all__ = ["PROBABILITIES", "RANKERS", "BacktestReport", "Followed", "conversion_lines", "figures", "finite"]

RANKERS = {
    "probability": "Spearfish",
    "ours": "Spearfish",
    **{peer.column: peer.title for peer in BASELINES},
    "logistic_regression_tuned": "logistic regression, tuned, on our columns",
    "recent_activity": "actions in the last 30 days",
    "recency": "days since the last action",
    "without_directions": "Spearfish without the declared monotone effects",
}
"""The columns of predictions that are measured, in words: the model, then what it has to beat, among which
is ours where another one is tested."""

PROBABILITIES = tuple(name for name in RANKERS if name not in ("recent_activity", "recency"))
"""Those that hold probabilities; the others only rank."""


@dataclass(frozen=True)
class Followed:
    """What became of what was asked: rows, how many have an outcome, how many of these have the event.

    The rest is still open: censored, and left out of every figure.
    """

    asked: int
    known: int
    events: int

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Followed:
        """Of predictions with a column label, NaN while open."""
        label = rows["label"]
        return cls(len(rows), int(label.notna().sum()), int(label.sum()))

    @property
    def open(self) -> int:
        return self.asked - self.known

    @property
    def sentence(self) -> str | None:
        """What the open ones may do to the figures; None when there are none."""
        if not self.open:
            return None
        low, high = self.events / self.asked, (self.events + self.open) / self.asked
        return (
            f"{self.open:,} of {self.asked:,} opportunities are still open and left out of every figure; the "
            f"rate among closed ones is {self.events / max(1, self.known):.1%}, of all it would be {low:.1%} "
            f"if every open one is lost and {high:.1%} if every one is won"
        )

    def to_json(self) -> dict[str, Any]:
        return {"asked": self.asked, "known": self.known, "open": self.open, "events": self.events}


@dataclass(frozen=True)
class BacktestReport:
    """predictions: cutoff, account_id, probability, label, grade, decile and the baselines, one row per
    account (for fit: opportunity) and cutoff. measured: means over cutoffs. single_seed_roc_auc: of one seed
    alone, mean over seeds. followed: what became of all that was asked. warning: days before the event; None
    for fit and where nothing happened. newest_fact: when the newest fact of the tables became known, naive
    UTC. assumed: by source, what the mapping assumes of consent. title: what people call the model. key: of
    the model that was judged; None for that of its kind without a name."""

    event: str
    horizon_days: int
    top_k: int
    seeds: int
    predictions: pd.DataFrame
    measured: Measured
    grades: pd.DataFrame
    deciles: pd.DataFrame
    single_seed_roc_auc: Estimate | None
    followed: Followed
    learned_from: Mapping[datetime, Mapping[str, int]]
    newest_fact: datetime
    kind: Kind = "intent"
    key: ModelKey | None = None
    title: str = "Spearfish"
    warning: Warnings | None = None
    development: bool = False
    assumed: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def note(self) -> str | None:
        """What to mind where outcomes of the last horizon may be missing; None where all could be known."""
        if self.kind == "fit":
            return self.followed.sentence
        last = max(self.learned_from) + timedelta(days=self.horizon_days)
        gap = last - self.newest_fact
        if gap <= timedelta(seconds=1):
            return None
        return (
            f"the last horizon ends {_day(last)}, {_how_long(gap)} after the newest fact "
            f"({_day(self.newest_fact)}); events in between count as if they had not happened"
        )

    @property
    def base_rate(self) -> float:
        """The share of measured rows with the event."""
        return float(self.predictions["label"].mean())

    @property
    def _key(self) -> str:
        """What the tested model is called in JSON."""
        return "estimator" if "ours" in self.predictions.columns else "spearfish"

    def name_of(self, ranker: str) -> str:
        """What people call a ranker."""
        return self._title if ranker == "probability" else RANKERS.get(ranker, ranker)

    @property
    def _title(self) -> str:
        return self.title if self.key is None else f"{self.title} {self.key}"

    def metrics(self) -> pd.DataFrame:
        """One row per ranker and metric: ranker, metric, value, low, high, base."""
        return _tidy(self.measured.estimates)

    def differences(self) -> pd.DataFrame:
        """As `metrics`, of ours minus each other ranker, paired."""
        return _tidy(self.measured.ahead)

    def days_of_warning(self) -> pd.DataFrame:
        """One row per ranker and figure, as `metrics`; without rows where warning was not counted."""
        return _tidy({} if self.warning is None else self.warning.estimates)

    def write_predictions(self, path: Path) -> None:
        """Write cutoff, account_id, probability, label as Parquet; for fit also opportunity_id, as_of."""
        path.parent.mkdir(parents=True, exist_ok=True)
        own = ["opportunity_id", "as_of"] if self.kind == "fit" else []
        columns = ["cutoff", "account_id", *own, "probability", "label"]
        self.predictions[columns].to_parquet(path, index=False)

    def to_json(self) -> dict[str, Any]:
        """Every figure; undefined ones are null."""
        estimates = {ranker: figures(metrics) for ranker, metrics in self.measured.estimates.items()}
        single = self.single_seed_roc_auc
        return {
            "model": self.key or self.kind,
            "title": self._title,
            "event": self.event,
            "horizon_days": self.horizon_days,
            "top_k": self.top_k,
            "seeds": self.seeds,
            "development": self.development,
            "base_rate": finite(self.base_rate),
            "cutoffs": [self._cutoff(moment) for moment in self.learned_from],
            "newest_fact": f"{self.newest_fact.isoformat()}Z",
            "note": self.note,
            **({"notes": list(self.notes)} if self.notes else {}),
            **({"consent_assumed": dict(self.assumed)} if self.assumed else {}),
            "followed": self.followed.to_json(),
            "metrics": {self._key: estimates.pop("probability"), **estimates},
            f"{self._key}_minus": {ranker: figures(lead) for ranker, lead in self.measured.ahead.items()},
            "single_seed_roc_auc": None if single is None else figures({"roc_auc": single})["roc_auc"],
            "grades": conversion_lines(self.grades),
            "deciles": conversion_lines(self.deciles),
            "warning": None if self.warning is None else self._warning(self.warning),
        }

    def _warning(self, found: Warnings) -> dict[str, Any]:
        return {
            "accounts_a_week": {
                f"{moment.isoformat()}Z": count for moment, count in found.capacities.items()
            },
            "events": len(found.frame),
            "events_out_of_reach": found.out_of_reach,
            "figures": {ranker: figures(told) for ranker, told in found.estimates.items()},
            f"{self._key}_minus": {ranker: figures(told) for ranker, told in found.ahead.items()},
        }

    def _cutoff(self, moment: datetime) -> dict[str, Any]:
        rows = self.predictions[self.predictions["cutoff"] == pd.Timestamp(moment)]
        return {
            "cutoff": f"{moment.isoformat()}Z",
            "accounts": len(rows),
            "events": int(rows["label"].sum()),
            "learned_from": dict(self.learned_from[moment]),
        }

    def __rich__(self) -> Group:
        from training.backtesting.shown import shown

        return shown(self)


def figures(metrics: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    """By name: value, low, high and base; undefined ones are None."""
    return {
        name: {key: finite(value) for key, value in estimate.to_json().items()}
        for name, estimate in metrics.items()
    }


def conversion_lines(conversion: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """By decile or grade, what became of its accounts; undefined figures are None."""
    return {
        str(label): {str(name): finite(value) for name, value in line.items()}
        for label, line in conversion.iterrows()
    }


def _tidy(table: Mapping[str, Mapping[str, Estimate]]) -> pd.DataFrame:
    return pd.DataFrame(list(_cells(table)), columns=["ranker", "metric", "value", "low", "high", "base"])


def _cells(table: Mapping[str, Mapping[str, Estimate]]) -> Iterator[tuple[object, ...]]:
    for ranker, metrics in table.items():
        for name, one in metrics.items():
            yield ranker, name, one.value, one.low, one.high, one.base


def _day(moment: datetime) -> str:
    """The day, with the time unless it is midnight."""
    at_midnight = moment == moment.replace(hour=0, minute=0, second=0)
    return moment.date().isoformat() if at_midnight else f"{moment.isoformat()}Z"


def _how_long(gap: timedelta) -> str:
    seconds = int(gap.total_seconds())
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    unit, count = next((unit, seconds // length) for unit, length in units if seconds >= length)
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def finite(value: float) -> float | None:
    """The number, or None when it is not finite: JSON has no NaN."""
    return float(value) if math.isfinite(value) else None
