"""The published tables of the backtests with dates.

Turns the result of `training.checks.hubspot` into lines of Markdown. Time rule: the figures are of
cutoffs that no choice has read. Null rule: a ranker that was not run has no line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.backtesting.report import RANKERS
from training.publishing.shown import interval, table

__all__ = ["hubspot_figures"]

_SHOWN = ("roc_auc", "pr_auc", "precision_at_k", "recall_at_k")


def hubspot_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Every ranker, and how far Spearfish is above the logistic regressions."""
    cutoffs = found["cutoffs"]
    events, rows = sum(one["events"] for one in cutoffs), sum(one["accounts"] for one in cutoffs)
    yield (
        f"**HubSpot free tier**: who of the free companies pays within {found['horizon_days']} days; "
        f"{len(cutoffs)} cutoffs, {events} events among {rows:,} rows (base rate {events / rows:.2%}), "
        f"mean over cutoffs, {found['seeds']} seeds, 95 % intervals by company."
    )
    yield ""
    top = found["top_k"]
    yield from table(
        ("ranker", "ROC AUC", "PR AUC", f"precision at {top}", f"recall at {top}"), _rankers(found["metrics"])
    )
    yield ""
    for ranker, metrics in found["spearfish_minus"].items():
        if ranker.startswith("logistic_regression"):
            lead = metrics["roc_auc"]
            verdict = "better" if lead["low"] > 0 else "not shown to be better"
            yield f"ROC AUC above {RANKERS[ranker]}: {interval(lead)}, {verdict}."


def _rankers(found: Mapping[str, Any]) -> Iterator[list[str]]:
    for ranker, title in RANKERS.items():
        # The report's own name for the model's probabilities.
        metrics = found.get("spearfish" if ranker == "probability" else ranker)
        if metrics is not None:
            yield [title, *(interval(metrics[name]) for name in _SHOWN)]
