"""What a tuning found, as data, as tables in a terminal and as the [about] of its file.

Turns searches and the nested judgement into JSON and tables. Time rule: the nested figures are of later
slices that no choice saw; those of the search itself flatter, and are not shown. Null rule: a figure that is
undefined is null in JSON, a dash in tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from models.card import ModelKey, registered_name
from training.backtesting.directions import WITHOUT_DIRECTIONS, cost_line
from training.backtesting.evaluate import Measured
from training.backtesting.metrics import PROBABILITY_METRICS, RANKING_METRICS
from training.backtesting.report import figures

__all__ = ["SearchFacts", "TuneReport"]


@dataclass(frozen=True)
class SearchFacts:
    """One search. trials: judged ones, earlier runs included. rows, events: that it tuned on. leaves: of the
    chosen trees and of the untuned ones, when each grows one booster."""

    name: str
    trials: int
    rows: int
    events: int
    chosen: Mapping[str, Any]
    leaves: int
    untuned_leaves: int


@dataclass(frozen=True)
class TuneReport:
    """What `tune` chose. parameters: in the file; untuned: what the config says. searches: one per outer
    fold, then the one on all rows, which chose. nested: tuned (probability) and untuned on later slices."""

    model: ModelKey
    cutoff: datetime
    parameters: Mapping[str, Any]
    untuned: Mapping[str, Any]
    searches: tuple[SearchFacts, ...]
    nested: Measured
    base_rate: float
    minutes: float
    seed: int
    data_fingerprint: str
    run_id: str
    file: Path
    top_k: int

    @property
    def settled(self) -> str:
        """What the nested figures say of tuning, in one sentence."""
        lead = self.nested.ahead["untuned"]["log_loss"]
        verdict = (
            "tuning helps" if lead.high < 0 else "tuning harms" if lead.low > 0 else "no difference is shown"
        )
        return f"Tuned minus untuned, log loss on later slices that no choice saw: {lead}: {verdict}"

    def about(self) -> dict[str, Any]:
        """For the file; the same for the same data, settings, seed and trials."""
        chosen = self.searches[-1]
        return {
            "cutoff": self.cutoff.replace(tzinfo=UTC),
            "data_fingerprint": self.data_fingerprint,
            "seed": self.seed,
            "minutes": self.minutes,
            "trials": sum(search.trials for search in self.searches),
            "trials_of_the_choice": chosen.trials,
            "leaves": chosen.leaves,
            "untuned_leaves": chosen.untuned_leaves,
            "base_rate": self.base_rate,
            "untuned_parameters": {
                name: False if value is None else value for name, value in self.untuned.items()
            },
            "nested": self._nested(),
        }

    def _nested(self) -> dict[str, Any]:
        return {
            "tuned": figures(self.nested.estimates["probability"]),
            "untuned": figures(self.nested.estimates["untuned"]),
            "tuned_minus_untuned": figures(self.nested.ahead["untuned"]),
        }

    def to_json(self) -> dict[str, Any]:
        """Every figure; undefined ones are null."""
        cost = self.nested.ahead.get(WITHOUT_DIRECTIONS)
        return {
            "model": self.model,
            "parameters": dict(self.parameters),
            **self.about(),
            "cutoff": f"{self.cutoff.isoformat()}Z",
            "untuned_parameters": dict(self.untuned),
            **({} if cost is None else {"monotone_cost": figures(cost)}),
            "searches": [dict(vars(search)) for search in self.searches],
            "run_id": self.run_id,
            "file": str(self.file),
        }

    def __rich__(self) -> Group:
        trials = ", ".join(f"{search.trials:,} {search.name}" for search in self.searches)
        return Group(
            Text(
                f"{registered_name(self.model)} tuned on facts before {self.cutoff.date().isoformat()};"
                f" trials: {trials}"
            ),
            self._parameters(),
            self._figures(),
            Text(self.settled),
            *map(Text, cost_line(self.nested)),
            Text(f"parameters: {self.file}; learn with them by `spearfish train --parameters {self.file}`"),
        )

    def _parameters(self) -> Table:
        table = Table(title="Parameters", title_justify="left")
        for name in ("parameter", "config", "chosen"):
            table.add_column(name, justify="left" if name == "parameter" else "right")
        for name, value in self.parameters.items():
            if name in self.untuned:
                table.add_row(name.replace("_", " "), _told(self.untuned[name]), _told(value))
        chosen = self.searches[-1]
        table.add_row("leaves of all trees", f"{chosen.untuned_leaves:,}", f"{chosen.leaves:,}")
        return table

    def _figures(self) -> Table:
        table = Table(
            title="On later slices that no choice saw (mean over them, 95 % intervals by account; "
            f"base rate {self.base_rate:.2%})"
        )
        table.title_justify = "left"
        for name in ("metric", "tuned", "untuned", "tuned minus untuned", "no knowledge"):
            table.add_column(name, justify="left" if name == "metric" else "right")
        for line in self._lines():
            table.add_row(*line)
        return table

    def _lines(self) -> Iterator[tuple[str, ...]]:
        tuned, untuned = (self.nested.estimates[name] for name in ("probability", "untuned"))
        for name in (*RANKING_METRICS, *PROBABILITY_METRICS):
            title = name.replace("_at_k", f"@{self.top_k}").replace("_", " ")
            lead = self.nested.ahead["untuned"][name]
            yield title, str(tuned[name]), str(untuned[name]), str(lead), f"{tuned[name].base:.3f}"


def _told(value: object) -> str:
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
