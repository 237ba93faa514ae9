"""The published tables of simulated markets, whose truth is known.

Turns the results of the checks of markets, few rows, intervals and hazards into lines of Markdown. Time rule:
none. Null rule: a market that was refused is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.publishing.shown import interval, table

__all__ = ["coverage_figures", "few_rows_figures", "hazard_figures", "market_figures"]

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


def coverage_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """How often intervals hold the mean true chance of accounts scored alike, by the way to find them."""
    first, last = found["seeds"]
    yield (
        f"**Intervals**: {last - first + 1} simulated markets of {found['accounts']:,} accounts, judged on "
        f"{found['judged_accounts']:,} others in 20 bins of equal count; share of the bins whose interval "
        f"holds their mean true chance (nominal {found['nominal']:.2f}), and how wide intervals are; means "
        "with 95 % intervals over markets."
    )
    yield ""
    yield from table(
        ("model", "base rate", "way", "coverage", "of single accounts", "width"),
        (
            [
                _KINDS[kind],
                interval(one["base_rate"]),
                way,
                interval(told["coverage"]),
                interval(told["coverage_of_each_account"]),
                interval(told["width"]),
            ]
            for kind, one in found["kinds"].items()
            for way, told in one["ways"].items()
        ),
    )


def hazard_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """What each hazard costs, and whether a model that beats the best possible ranker is caught."""
    yield (
        f"**Hazards**: simulated markets that are hard in one way at a time, {found['accounts']:,} accounts "
        f"to learn from, {found['judged_accounts']:,} others to be judged on; means with 95 % intervals. Who "
        "beats the best possible ranker has leaked."
    )
    yield ""
    names = ("base_rate", "model", "best", "gap", "calibration_error", "coverage")
    yield from table(
        ("market", "model", "base rate", "ROC AUC", "best", "gap", "calibration error", "coverage", "leaked"),
        (
            [
                one["hazard"].replace("_", " "),
                _KINDS[one["kind"]],
                *(interval(one[name]) for name in names),
                f"{one['beats_the_best']} of {one['markets']}",
            ]
            for one in found["hazards"]
        ),
    )
