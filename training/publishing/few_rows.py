"""The published tables of few rows: of wins and losses, and of intent beside other people's learners.

Turns the result of the check of few rows into lines of Markdown. Time rule: none. Null rule: a half that was
not measured has no table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.publishing.markets import few_rows_figures
from training.publishing.shown import interval, table
from training.undated.peers import TITLES

__all__ = ["both_few_rows_figures"]

_TITLES = TITLES | {"trees": "boosted trees", "base_rate": "base rate alone"}
_METRICS = {"roc_auc": "ROC AUC", "log_loss": "log loss"}


def both_few_rows_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Few wins, then few accounts with the event of intent, as far as either was measured."""
    if "sizes" in found:
        yield from few_rows_figures(found)
        yield ""
    if found.get("intent"):
        yield from _intent(found["intent"])


def _intent(sizes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    base, rows = sizes[0]["base_rate"], sizes[0]["judged_rows"]
    yield (
        "**Few accounts with the event of intent**: samples of simulated markets with all snapshots of their "
        f"accounts, judged by the true chances of {rows:,} others of another market (base rate {base:.1%}); "
        "lines and small trees, and how far they are ahead of each other learner on the same samples and "
        "accounts, with 95 % intervals (ROC AUC: above 0 is better; expected log loss: below 0 is better):"
    )
    for metric, title in _METRICS.items():
        others = [name for name in sizes[0]["few_rows_minus"] if metric == "log_loss" or name != "base_rate"]
        yield ""
        yield from table(
            ("accounts with it", "samples", title, *(f"minus {_TITLES[name]}" for name in others)),
            (
                [
                    f"{size['accounts_with_event']:,}",
                    size["samples"],
                    interval(size[metric]["few_rows"], digits=4),
                    *(interval(size["few_rows_minus"][name][metric], digits=4, sign=True) for name in others),
                ]
                for size in sizes
            ),
        )
