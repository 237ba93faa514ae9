"""A backtest over time: one line and one point for each cutoff.

Turns predictions of several cutoffs into rows, events, base rate, ROC AUC and PR AUC of each, with intervals
by account, and two charts. Time rule: that of the backtest. Null rule: a cutoff with one class has a base
rate, and no ranking.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from training.backtesting.evaluate import Estimate, measure
from training.report.charts import Chart, step_chart
from training.report.shares import percent_range, rate

__all__ = ["dates_section"]

_REPLICATES = 300
_NAN = float("nan")
_HEADS = ("Date", "Learned from", "Predicted", "Events", "Base rate", "ROC AUC", "PR AUC")


def dates_section(
    rows: pd.DataFrame, *, learned_from: Mapping[datetime, Mapping[str, int]]
) -> dict[str, Any]:
    """heads and rows of a table, and charts where there are several dates.

    rows: cutoff, account_id, label, probability. learned_from: by cutoff, counts of "rows" and "events".
    """
    lines, found = [], {}
    for moment, counts in learned_from.items():
        part = rows[rows["cutoff"] == pd.Timestamp(moment)]
        day = moment.date().isoformat()
        share = rate(part, replicates=_REPLICATES) if len(part) else Estimate(_NAN, _NAN, _NAN, _NAN)
        ranked = _ranked(part, base=share.value)
        found[day] = ranked
        lines.append(
            (
                day,
                f"{counts.get('rows', 0):,} rows, {counts.get('events', 0):,} events",
                f"{len(part):,}",
                f"{int(part['label'].sum()):,}",
                percent_range(share, digits=2),
                *(_shown(ranked[name]) for name in ("roc_auc", "pr_auc")),
            )
        )
    return {"heads": _HEADS, "rows": lines, "charts": list(_charts(found)) if len(found) > 1 else []}


def _ranked(part: pd.DataFrame, *, base: float) -> dict[str, Estimate]:
    if part["label"].nunique() < 2:
        return {"roc_auc": Estimate(_NAN, _NAN, _NAN, 0.5), "pr_auc": Estimate(_NAN, _NAN, _NAN, base)}
    found = measure(part, probabilities=(), replicates=_REPLICATES).estimates["probability"]
    return {name: found[name] for name in ("roc_auc", "pr_auc")}


def _charts(found: Mapping[str, Mapping[str, Estimate]]) -> list[Chart]:
    auc, precision = (
        # The century would not fit beside the others below the axis.
        pd.DataFrame({day[2:]: vars(told[name]) for day, told in found.items()}).T
        for name in ("roc_auc", "pr_auc")
    )
    if auc["value"].isna().all():
        return []
    return [
        step_chart(
            auc,
            title="Ranking at each date",
            words=f"ROC AUC of each date with its 95 % interval: from {_ends(auc)}; a coin: 0.5.",
            label="ROC AUC",
            axis="date of the prediction (dashed: a coin)",
        ),
        step_chart(
            precision,
            title="Precision at each date",
            words=f"PR AUC of each date with its 95 % interval: from {_ends(precision)}; without knowledge "
            f"it is the base rate, {precision['base'].min():.3f} to {precision['base'].max():.3f}.",
            label="PR AUC",
            axis="date of the prediction (dashed: base rate)",
        ),
    ]


def _ends(found: pd.DataFrame) -> str:
    known = found.dropna(subset="value").sort_values("value")
    ends = [known.iloc[place] for place in (0, -1)]
    return " to ".join(f"{one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})" for one in ends)


def _shown(one: Estimate) -> str:
    return "-" if one.value != one.value else str(one)
