"""The published tables of the backtests with dates.

Turns the result of `training.checks.hubspot` into lines of Markdown. Time rule: the figures are of
cutoffs that no choice has read. Null rule: a ranker that was not run has no line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.backtesting.report import RANKERS
from training.publishing.reaching import LOGISTIC
from training.publishing.shown import interval, table

__all__ = ["hubspot_figures"]

_TITLES = {ranker: f"logistic regression, {title}" for ranker, title in LOGISTIC.items()}
_SHOWN = ("roc_auc", "pr_auc", "precision_at_k", "recall_at_k")


def hubspot_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Every ranker, and how far Spearfish is above the logistic regressions."""
    cutoffs = found["cutoffs"]
    events, rows = sum(one["events"] for one in cutoffs), sum(one["accounts"] for one in cutoffs)
    yield (
        f"**HubSpot free tier**: who of the free companies pays within {found['horizon_days']} days; "
        f"{len(cutoffs)} cutoffs, {events} events among {rows:,} rows (base rate {events / rows:.2%}), "
        f"mean over cutoffs, {found['seeds']} seeds, 95 % intervals by company. Chance has a ROC AUC of .5, "
        f"a PR AUC and a precision of {events / rows:.4f}, and a recall of "
        f"{found['metrics']['spearfish']['recall_at_k']['base']:.4f}."
    )
    yield ""
    top = found["top_k"]
    yield from table(
        ("ranker", "ROC AUC", "PR AUC", f"precision at {top}", f"recall at {top}"), _rankers(found["metrics"])
    )
    yield ""
    yield (
        "The reported cutoffs were run three times in the life of the project, each time with what the "
        "development cutoffs preferred by then, so that these figures are a little optimistic. To run the "
        "same choices again is not counted."
    )
    yield ""
    yield from _leads(found["spearfish_minus"])
    yield ""
    yield _warning(found["warning"])


def _warning(found: Mapping[str, Any]) -> str:
    """How early those who buy are told of, when sales looks at so many accounts a week."""
    ours, simple = found["figures"]["probability"], found["figures"]["recent_activity"]
    weekly = found["accounts_a_week"].values()
    lead = found["spearfish_minus"]["recent_activity"]["mean_days"]
    return (
        f"**Days of warning**, {min(weekly)} to {max(weekly)} accounts a week, {found['events']} events: "
        f"warned of {interval(ours['share_warned'])} of them (by recent activity "
        f"{interval(simple['share_warned'])}, by chance {ours['share_warned']['base']:.3f}); median days "
        f"before, of all events, {interval(ours['median_days'], digits=0)} "
        f"(by recent activity {interval(simple['median_days'], digits=0)}), mean "
        f"{interval(ours['mean_days'], digits=1)} ({interval(simple['mean_days'], digits=1)}), which is "
        f"{interval(lead, digits=1, sign=True)} days earlier."
    )


def _leads(found: Mapping[str, Any]) -> Iterator[str]:
    """Ours less each logistic regression, in plain words."""
    for ranker, title in LOGISTIC.items():
        if ranker in found:
            for metric, name in (("roc_auc", "ROC AUC"), ("pr_auc", "PR AUC")):
                lead = found[ranker][metric]
                yield (
                    f"- {name} above logistic regression {title}: {interval(lead, sign=True)}, "
                    f"{_verdict(lead)}."
                )


def _verdict(lead: Mapping[str, float]) -> str:
    if lead["low"] > 0:
        return "surely better"
    return "surely worse" if lead["high"] < 0 else "the two cannot be told apart"


def _rankers(found: Mapping[str, Any]) -> Iterator[list[str]]:
    for ranker, title in {**RANKERS, **_TITLES}.items():
        # The report's own name for the model's probabilities.
        metrics = found.get("spearfish" if ranker == "probability" else ranker)
        if metrics is not None:
            yield [title, *(interval(metrics[name]) for name in _SHOWN)]
