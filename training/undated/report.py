"""What a backtest without dates found: predictions, metrics with intervals, grades and deciles.

Turns its result into tables for people, JSON and a file of predictions. Time rule: none; that time was not
tested is said wherever the figures are. Null rule: a figure that is not defined is null in JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group
from rich.table import Table
from rich.text import Text

from features.label_settings import FitLabelSettings, RowSettings
from features.model_keys import ModelKey
from features.privacy.counts import assumed_sentences
from training.backtesting.directions import competing, cost_line
from training.backtesting.evaluate import Measured
from training.backtesting.report import conversion_lines, figures
from training.meanings import about
from training.undated.peers import TITLES

__all__ = ["INTERVALS", "NOT_TESTED", "ColumnsReport", "UndatedReport", "verdicts"]

NOT_TESTED = (
    "Time was not tested: the table has no dates. What was filled in after the outcome, and what will be "
    "different next year, such folds cannot show; expect less on new rows."
)

INTERVALS = "by account, accounts with equal rows drawn together"
"""What is drawn again for every interval."""

_RANKING = ("roc_auc", "pr_auc", "precision_at_k", "recall_at_k", "lift_at_k")
_PROBABILITY = ("log_loss", "brier", "calibration_slope", "calibration_error")


@dataclass(frozen=True)
class ColumnsReport:
    """One choice of columns.

    predictions: repeat, fold, opportunity_id, account_id, group (of equal rows), label, probability, grade,
    decile and one column per baseline; `without_directions` where monotone effects are declared.
    different_rows: rows that differ in some used column. measured: means over the folds; here as in grades
    and deciles, groups of equal rows are drawn again for the intervals, and the rows of an account are equal.
    seconds: to learn from and predict one fold, by ranker. parts: what the model of each fold is the mean of.
    """

    features: tuple[str, ...]
    rows: int
    events: int
    different_rows: int
    top_k: int
    predictions: pd.DataFrame
    measured: Measured
    grades: pd.DataFrame
    deciles: pd.DataFrame
    seconds: Mapping[str, float]
    parts: tuple[str, ...]

    @property
    def base_rate(self) -> float:
        return self.events / self.rows

    def to_json(self) -> dict[str, Any]:
        """Every figure; undefined ones are null."""
        estimates = dict(self.measured.estimates)
        return {
            "rows": self.rows,
            "different_rows": self.different_rows,
            "events": self.events,
            "base_rate": self.base_rate,
            "features": list(self.features),
            "intervals": INTERVALS,
            "metrics": {"spearfish": figures(estimates.pop("probability"))}
            | {ranker: figures(metrics) for ranker, metrics in estimates.items()},
            "spearfish_minus": {ranker: figures(metrics) for ranker, metrics in self.measured.ahead.items()},
            "seconds": dict(self.seconds),
            "averaged": list(self.parts),
            "grades": conversion_lines(self.grades),
            "deciles": conversion_lines(self.deciles),
        }


@dataclass(frozen=True)
class UndatedReport:
    """By choice of columns. seed: of the first repeat's folds. development: folds for choosing. assumed: by
    source, what the mapping assumes of consent. key: of the model; about: its labels, which say of whom."""

    choices: Mapping[str, ColumnsReport]
    folds: int
    repeats: int
    seed: int
    development: bool = False
    assumed: Mapping[str, str] = field(default_factory=dict)
    key: ModelKey = "fit"
    about: RowSettings = field(default_factory=FitLabelSettings)

    @property
    def predictions(self) -> pd.DataFrame:
        """Of all choices, told apart by the column `columns`."""
        parts = [report.predictions.assign(columns=name) for name, report in self.choices.items()]
        return pd.concat(parts, ignore_index=True)

    def write_predictions(self, path: Path) -> None:
        """Write columns, repeat, fold, account_id, probability, label as Parquet."""
        path.parent.mkdir(parents=True, exist_ok=True)
        names = ["columns", "repeat", "fold", "account_id", "probability", "label"]
        self.predictions[names].to_parquet(path, index=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.key,
            "product": self.about.product,
            "where": {fact: list(values) for fact, values in self.about.where.items()},
            "time_tested": False,
            "note": NOT_TESTED,
            "folds": self.folds,
            "repeats": self.repeats,
            "seeds": [self.seed + repeat for repeat in range(self.repeats)],
            "development": self.development,
            **({"consent_assumed": dict(self.assumed)} if self.assumed else {}),
            "choices": {name: report.to_json() for name, report in self.choices.items()},
        }

    def __rich__(self) -> Group:
        assumed = map(Text, assumed_sentences(self.assumed))
        return Group(self._heading, Text(f"Mind: {NOT_TESTED}"), *assumed, *self._parts())

    @property
    def _heading(self) -> Text:
        return Text(f"Model {self.key}: won, among opportunities won or lost{about(self.about)}")

    def _parts(self) -> Iterator[Text | Table]:
        for name, report in self.choices.items():
            yield Text(
                f"\n{name}: {report.rows:,} rows ({report.different_rows:,} different ones), "
                f"{report.events:,} won, base rate {report.base_rate:.1%}, "
                f"{len(report.features)} features; {self.repeats} x {self.folds} folds, "
                "equal rows kept together"
            )
            yield _ranker_table(report)
            yield _probability_table(report)
            yield Text("\n".join((*verdicts(report.measured), *cost_line(report.measured))))
            yield _conversion_table(report.grades, title="Conversion by grade")
            yield _conversion_table(report.deciles, title="Conversion by decile, best first")


def verdicts(measured: Measured) -> Iterator[str]:
    """How far the model is ahead of each other ranker in ROC AUC, and whether that is certain."""
    for ranker, lead in competing(measured).ahead.items():
        auc = lead["roc_auc"]
        verdict = "better" if auc.low > 0 else "worse" if auc.high < 0 else "not shown to differ"
        yield f"Spearfish minus {TITLES[ranker]}, ROC AUC: {auc}: {verdict}"


def _ranker_table(report: ColumnsReport) -> Table:
    table = Table(title=f"Rankings (mean over folds, 95 % intervals {INTERVALS})", title_justify="left")
    table.add_column("ranker")
    for name in _RANKING:
        table.add_column(name.replace("_at_k", f"@{report.top_k}").replace("_", " "), justify="right")
    for ranker, metrics in competing(report.measured).estimates.items():
        table.add_row(TITLES[ranker], *(str(metrics[name]) for name in _RANKING))
    base = report.measured.estimates["probability"]
    table.add_row("base value", *(f"{base[name].base:.3f}" for name in _RANKING))
    return table


def _probability_table(report: ColumnsReport) -> Table:
    table = Table(title=f"Probabilities (mean over folds, 95 % intervals {INTERVALS})", title_justify="left")
    table.add_column("learner")
    for name in _PROBABILITY:
        table.add_column(name.replace("_", " "), justify="right")
    for ranker, metrics in competing(report.measured).estimates.items():
        table.add_row(TITLES[ranker], *(str(metrics[name]) for name in _PROBABILITY))
    base = report.measured.estimates["probability"]
    table.add_row("base rate for all", *(f"{base[name].base:.3f}" for name in _PROBABILITY))
    return table


def _conversion_table(conversion: pd.DataFrame, *, title: str) -> Table:
    base = conversion["base"].iloc[0]
    table = Table(title=f"{title} (base rate {base:.1%}, lift 1)", title_justify="left")
    for name in ("", "rows", "won", "rate", "95 % interval", "lift", "95 % interval"):
        table.add_column(name, justify="right" if name else "left")
    for label, line in conversion.iterrows():
        counts = f"{int(line['accounts']):,}", f"{int(line['events']):,}"
        rate = f"{line['conversion']:.1%}", f"{line['low']:.1%} to {line['high']:.1%}"
        lift = f"{line['lift']:.2f}", f"{line['lift_low']:.2f} to {line['lift_high']:.2f}"
        table.add_row(str(label), *counts, *rate, *lift)
    return table
