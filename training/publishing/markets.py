"""The published tables of simulated markets, whose truth is known.

Turns the results of `training.market_check` and `training.few_rows_check` into lines of Markdown. Time rule:
none. Null rule: a market that was refused is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.publishing.shown import interval, table

__all__ = ["few_rows_figures", "market_figures"]

_KINDS = {"fit": "ICP fit", "intent": "buying intent"}
_RANKERS = ("model", "logistic_regression", "best", "gap_to_best", "ahead_of_logistic_regression")
_LEARNERS = ("few_rows", "trees", "logistic_regression", "best")


def market_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Both models beside logistic regression and the best possible ranker."""
    seeds = found["seeds"]
    yield (
        f"**Simulated markets**: trained on {found['accounts']:,} accounts, judged on "
        f"{found['test_accounts']:,} others; {len(seeds)} markets (seeds {seeds[0]} to {seeds[-1]}), "
        "mean ROC AUC with 95 % intervals; any order of the accounts has .5."
    )
    yield ""
    yield from table(
        ("model", "Spearfish", "logistic regression", "best possible", "gap to the best", "above logistic"),
        (
            [title, *(interval(found["roc_auc"][kind][name]) for name in _RANKERS)]
            for kind, title in _KINDS.items()
        ),
    )


def few_rows_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Log loss against the true chances, by how many wins were learned from."""
    yield (
        "**Few wins**: the fit model of small simulated markets, judged by the true chances of other "
        "accounts: mean log loss to be expected (the smaller the better), ROC AUC in brackets. Below "
        "`few_rows` wins the first column is what `train` learns."
    )
    yield ""
    yield from table(
        (
            "wins",
            "lines and small trees",
            "boosted trees",
            "logistic regression",
            "best possible",
            "base rate",
            "better than trees by",
        ),
        (
            [
                f"{one['wins']:.0f}",
                *(f"{one[f'{name}_log_loss']:.4f} ({one[f'{name}_roc_auc']:.3f})" for name in _LEARNERS),
                f"{one['base_rate_log_loss']:.4f}",
                interval(one["log_loss_better_by"], digits=4, sign=True),
            ]
            for one in found["sizes"]
        ),
    )
