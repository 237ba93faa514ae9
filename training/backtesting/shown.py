"""A backtest as tables in a terminal.

Turns a report into what people read. Time rule: none. Null rule: a figure that is undefined is a dash. Every
figure has its 95 % interval, by account, and every table what the base rate, or no knowledge, would give.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.privacy.counts import assumed_sentences
from training.backtesting.directions import competing, cost_line
from training.backtesting.evaluate import Estimate
from training.backtesting.metrics import PROBABILITY_METRICS, RANKING_METRICS
from training.backtesting.warning import RANDOM

if TYPE_CHECKING:
    from training.backtesting.report import BacktestReport

__all__ = ["shown"]

_WARNINGS = {
    "median_days": "median days",
    "share_warned": "share warned of",
    "mean_days": "mean days",
    "median_days_if_warned": "median days of those warned of",
}


def shown(report: BacktestReport) -> Group:
    """Everything that people should read, in the order in which they should."""
    notes = [Text(f"Mind: {note}") for note in (report.note, *report.notes) if note]
    notes += map(Text, assumed_sentences(report.assumed))
    return Group(Text(_about(report)), *notes, *_parts(report))


def _about(report: BacktestReport) -> str:
    moments = ", ".join(moment.date().isoformat() for moment in report.learned_from)
    events, event = int(report.predictions["label"].sum()), report.event.replace("_", " ")
    what = (
        f"opportunities opened within {report.horizon_days} days after {moments}; {events:,} won"
        if report.kind == "fit"
        else f"predictions at {moments}; {events:,} times {event} within {report.horizon_days} days"
    )
    return f"{len(report.predictions):,} {what} (base rate {report.base_rate:.2%})"


def _parts(report: BacktestReport) -> Iterator[RenderableType]:
    yield _ranker_table(report)
    yield _probability_table(report)
    yield Text("\n".join(_leads(report)))
    single = report.single_seed_roc_auc
    if single is not None and report.seeds > 1:
        yield Text(f"One seed alone, ROC AUC: {single} (base {single.base:.3f})")
    yield _conversion_table(report.grades, title="Conversion by grade", first="grade")
    yield _conversion_table(report.deciles, title="Conversion by decile, best first", first="decile")
    yield from _warning(report)
    yield from map(Text, cost_line(report.measured))


def _figure_table(
    report: BacktestReport, *, title: str, names: Sequence[str], rankers: Mapping[str, Mapping[str, Estimate]]
) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("ranker")
    for name in names:
        table.add_column(name.replace("_at_k", f"@{report.top_k}").replace("_", " "), justify="right")
    for ranker, metrics in rankers.items():
        table.add_row(report.name_of(ranker), *(_told(metrics[name]) for name in names))
    base = rankers["probability"]
    table.add_row("[dim]no knowledge", *(_number(base[name].base) for name in names))
    return table


def _ranker_table(report: BacktestReport) -> Table:
    title, told = "Rankings (mean over cutoffs, 95 % intervals by account)", competing(report.measured)
    return _figure_table(report, title=title, names=RANKING_METRICS, rankers=told.estimates)


def _probability_table(report: BacktestReport) -> Table:
    estimates = competing(report.measured).estimates
    told = {name: found for name, found in estimates.items() if "log_loss" in found}
    title = "Probabilities; no knowledge is the base rate for all"
    return _figure_table(report, title=title, names=PROBABILITY_METRICS, rankers=told)


def _leads(report: BacktestReport) -> Iterator[str]:
    for ranker, lead in competing(report.measured).ahead.items():
        auc = lead["roc_auc"]
        verdict = "better" if auc.low > 0 else "worse" if auc.high < 0 else "not shown to differ"
        yield f"{report.name_of('probability')} minus {report.name_of(ranker)}, ROC AUC: {auc}: {verdict}"


def _conversion_table(conversion: pd.DataFrame, *, title: str, first: str) -> Table:
    table = Table(title=f"{title} (base rate {conversion['base'].iloc[0]:.2%}, lift 1)", title_justify="left")
    for name in (first, "rows", "events", "conversion", "95 % interval", "lift", "95 % interval"):
        table.add_column(name, justify="left" if name == first else "right")
    for label, row in conversion.iterrows():
        table.add_row(str(label), *_conversion_cells(row))
    return table


def _conversion_cells(row: pd.Series[float]) -> tuple[str, ...]:
    counts = f"{int(row['accounts']):,}", f"{int(row['events']):,}"
    if math.isnan(row["conversion"]):
        return (*counts, "-", "-", "-", "-")
    rate = f"{row['conversion']:.2%}", f"{row['low']:.2%} to {row['high']:.2%}"
    lift = f"{row['lift']:.2f}", f"{row['lift_low']:.2f} to {row['lift_high']:.2f}"
    return (*counts, *rate, *lift)


def _warning(report: BacktestReport) -> Iterator[RenderableType]:
    found = report.warning
    if found is None:
        return
    weekly = sorted(set(found.capacities.values()))
    capacity = f"{weekly[0]:,}" if len(weekly) == 1 else f"{weekly[0]:,} to {weekly[-1]:,}"
    yield Text(
        f"Days of warning: each week sales takes {capacity} accounts, the best that were not handed over "
        f"yet, ranked by facts of that week and a model of the cutoff. {len(found.frame):,} events; one not "
        "warned of counts as 0 days, and none can be warned of by more days than passed since the cutoff. "
        f"{found.out_of_reach:,} events of accounts that could not be ranked before are left out."
    )
    table = Table(title="Days of warning (95 % intervals by account, hand-overs as they were)")
    table.title_justify = "left"
    table.add_column("ranker")
    for title in _WARNINGS.values():
        table.add_column(title, justify="right")
    table.add_column("median days earlier, of those either warned of", justify="right")
    for ranker, told in found.estimates.items():
        name = "[dim]accounts at random" if ranker == RANDOM else report.name_of(ranker)
        table.add_row(name, *(_told(told[figure]) for figure in _WARNINGS), "")
    for other, lead in found.ahead.items():
        if other != RANDOM:
            name = f"{report.name_of('probability')} minus {report.name_of(other)}"
            table.add_row(name, *(_told(lead[figure]) for figure in (*_WARNINGS, "median_days_earlier")))
    yield table


def _told(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "-"
    digits = 1 if max(map(abs, (estimate.value, estimate.high))) >= 10 else 3
    bounds = f"{estimate.low:.{digits}f} to {estimate.high:.{digits}f}"
    return f"{estimate.value:.{digits}f} ({bounds})"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
