"""What a backtest found, as data, as a table in a terminal and as a file of predictions.

Turns measured predictions into JSON, a Parquet file and tables. Time rule: none. Null rule: a figure that
is undefined (a grade without accounts) is null in JSON and a dash in the table.
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
from rich.table import Table
from rich.text import Text

from features.privacy.counts import assumed_sentences
from training.evaluate import Estimate, Measured

__all__ = ["RANKERS", "BacktestReport", "finite"]

RANKERS = {
    "probability": "Spearfish",
    "logistic_regression": "logistic regression, as it comes",
    "logistic_regression_logarithms": "logistic regression on logarithms",
    "logistic_regression_tuned": "the same, tuned, on our columns",
    "recent_activity": "actions in the last 30 days",
    "recency": "days since the last action",
}
"""The columns of predictions that are measured, in words: the model, then what it has to beat."""

_SHOWN = ("roc_auc", "pr_auc", "precision_at_k", "recall_at_k")


@dataclass(frozen=True)
class BacktestReport:
    """predictions: cutoff, account_id, probability, label, grade and the baselines, one row per account and
    cutoff. measured: means over cutoffs. single_seed_roc_auc: of one seed alone, mean over seeds.
    newest_fact: when the newest fact of the tables became known, naive UTC. assumed: by source, what the
    mapping assumes of consent."""

    event: str
    horizon_days: int
    top_k: int
    seeds: int
    predictions: pd.DataFrame
    measured: Measured
    grades: pd.DataFrame
    single_seed_roc_auc: float
    learned_from: Mapping[datetime, Mapping[str, int]]
    newest_fact: datetime
    development: bool = False
    assumed: Mapping[str, str] = field(default_factory=dict)

    @property
    def note(self) -> str | None:
        """What to mind where outcomes of the last horizon may be missing; None where all could be known."""
        last = max(self.learned_from) + timedelta(days=self.horizon_days)
        gap = last - self.newest_fact
        if gap <= timedelta(seconds=1):
            return None
        return (
            f"the last horizon ends {_day(last)}, {_how_long(gap)} after the newest fact "
            f"({_day(self.newest_fact)}); events in between count as if they had not happened"
        )

    def write_predictions(self, path: Path) -> None:
        """Write cutoff, account_id, probability, label as Parquet."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.predictions[["cutoff", "account_id", "probability", "label"]].to_parquet(path, index=False)

    def to_json(self) -> dict[str, Any]:
        """Every figure; undefined ones are null."""
        estimates, ahead = (
            {
                ranker: {name: _estimate(estimate) for name, estimate in metrics.items()}
                for ranker, metrics in table.items()
            }
            for table in (self.measured.estimates, self.measured.ahead)
        )
        return {
            "event": self.event,
            "horizon_days": self.horizon_days,
            "top_k": self.top_k,
            "seeds": self.seeds,
            "development": self.development,
            "cutoffs": [self._cutoff(moment) for moment in self.learned_from],
            "newest_fact": f"{self.newest_fact.isoformat()}Z",
            "note": self.note,
            **({"consent_assumed": dict(self.assumed)} if self.assumed else {}),
            "metrics": {"spearfish": estimates.pop("probability"), **estimates},
            "spearfish_minus": ahead,
            "single_seed_roc_auc": finite(self.single_seed_roc_auc),
            "grades": {
                str(grade): {str(name): finite(value) for name, value in row.items()}
                for grade, row in self.grades.iterrows()
            },
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
        moments = ", ".join(moment.date().isoformat() for moment in self.learned_from)
        events = int(self.predictions["label"].sum())
        about = (
            f"{len(self.predictions):,} predictions at {moments}; {events:,} times "
            f"{self.event.replace('_', ' ')} within {self.horizon_days} days"
        )
        notes = [Text(f"Mind: {self.note}")] if self.note else []
        notes += map(Text, assumed_sentences(self.assumed))
        return Group(Text(about), *notes, self._rankers(), Text("\n".join(self._leads())), self._grades())

    def _rankers(self) -> Table:
        table = Table(title="Backtest (mean over cutoffs, 95 % intervals by account)", title_justify="left")
        table.add_column("ranker")
        for name in _SHOWN:
            table.add_column(name.replace("_at_k", f"@{self.top_k}").replace("_", " "), justify="right")
        for ranker, metrics in self.measured.estimates.items():
            table.add_row(RANKERS.get(ranker, ranker), *(str(metrics[name]) for name in _SHOWN))
        return table

    def _leads(self) -> Iterator[str]:
        for ranker, lead in self.measured.ahead.items():
            if ranker.startswith("logistic_regression"):
                verdict = "better" if lead["roc_auc"].low > 0 else "not shown to be better"
                yield f"Spearfish minus {RANKERS[ranker]}, ROC AUC: {lead['roc_auc']}: {verdict}"

    def _grades(self) -> Table:
        table = Table(title="Conversion by grade", title_justify="left")
        for name in ("grade", "accounts", "events", "conversion", "95 % interval", "lift"):
            table.add_column(name, justify="left" if name == "grade" else "right")
        for line in self._grade_lines():
            table.add_row(*line)
        return table

    def _grade_lines(self) -> Iterator[tuple[str, ...]]:
        for grade, row in self.grades.iterrows():
            interval = "-" if math.isnan(row["low"]) else f"{row['low']:.2%} to {row['high']:.2%}"
            conversion = "-" if math.isnan(row["conversion"]) else f"{row['conversion']:.2%}"
            lift = "-" if math.isnan(row["lift"]) else f"{row['lift']:.1f}"
            accounts, events = f"{int(row['accounts']):,}", f"{int(row['events']):,}"
            yield str(grade), accounts, events, conversion, interval, lift


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


def _estimate(estimate: Estimate) -> dict[str, float | None]:
    return {name: finite(value) for name, value in estimate.to_json().items()}
