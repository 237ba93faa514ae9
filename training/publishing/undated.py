"""The published tables of the undated sets: what their result files say, in Markdown.

Turns the results of `training.checks.undated` and `training.checks.small_tables` into lines of the README.
Time rule: none, and each table says that time was not tested. Null rule: a ranker that was not run has no
line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.undated.peers import TITLES

__all__ = ["small_figures", "undated_figures"]


def undated_figures(found: Mapping[str, Any], *, title: str) -> Iterator[str]:
    """One table per choice of columns: ROC AUC of every ranker, and how far Spearfish is ahead."""
    for name, choice in found["choices"].items():
        yield (
            f"**{title}**, {name.replace('_', ' ')} columns: {choice['events']:,} of {choice['rows']:,} rows "
            f"won (base rate {choice['base_rate']:.1%}), {found['repeats']} x {found['folds']} folds with "
            "equal rows kept together, mean over folds, 95 % intervals by row. Time was not tested: the rows "
            "have no dates."
        )
        yield ""
        yield "| ranker | ROC AUC | Spearfish minus it | the same, equal rows drawn together | seconds |"
        yield "|---|---|---|---|---|"
        yield from _lines(choice)
        yield ""


def _lines(choice: Mapping[str, Any]) -> Iterator[str]:
    for ranker, metrics in choice["metrics"].items():
        own = ranker == "spearfish"
        leads = (choice["spearfish_minus"], choice["spearfish_minus_by_group"])
        lead = _signed(leads[0][ranker]["roc_auc"]) if not own else ""
        grouped = _signed(leads[1][ranker]) if not own else ""
        column = "probability" if own else ranker
        seconds = f"{choice['seconds'][column]:.1f}"
        yield f"| {TITLES[column]} | {_interval(metrics['roc_auc'])} | {lead} | {grouped} | {seconds} |"


def small_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """One table per set: ROC AUC by the number of rows learned from."""
    for name, curve in found["curves"].items():
        rankers = list(next(iter(curve["roc_auc"].values())))
        titles = [TITLES["probability" if ranker == "spearfish" else ranker] for ranker in rankers]
        draws = ", ".join(str(count) for count in sorted(set(curve["draws"].values())))
        yield (
            f"**Small tables**, {name.replace('_', ' ')}: ROC AUC after learning from few rows (80: 40 of "
            f"each class), mean over {draws} samples, 95 % intervals. Time was not tested."
        )
        yield ""
        yield f"| rows | {' | '.join(titles)} |"
        yield "|---|" + "---|" * len(titles)
        for size, row in curve["roc_auc"].items():
            yield f"| {int(size):,} | " + " | ".join(_interval(row[ranker]) for ranker in rankers) + " |"
        yield ""


def _interval(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.4f} ({estimate['low']:.4f} to {estimate['high']:.4f})"


def _signed(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:+.4f} ({estimate['low']:+.4f} to {estimate['high']:+.4f})"
