"""The published tables of simulated markets, whose truth is known.

Turns the results of the checks of markets, few rows, intervals and hazards into lines of Markdown. Time rule:
none. Null rule: a market that was refused is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.backtesting.means import mean_of
from training.publishing.shown import interval, table

__all__ = ["coverage_figures", "few_rows_figures", "hazard_figures", "market_figures"]

_KINDS = {"fit": "ICP fit", "intent": "buying intent"}
_RANKERS = {
    "base_rate": "base rate",
    "model": "Spearfish",
    "logistic_regression": "logistic regression",
    "best": "best possible",
    "gap_to_best": "gap to the best",
    "ahead_of_logistic_regression": "above logistic",
    "calibration_error": "calibration error",
}
_LEARNERS = {
    "few_rows": "lines and small trees",
    "trees": "boosted trees",
    "logistic_regression": "logistic regression",
    "best": "best possible",
}


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
        ("model", *_RANKERS.values()),
        (
            [title, *(interval(found["roc_auc"][kind][name]) for name in _RANKERS)]
            for kind, title in _KINDS.items()
        ),
    )


def few_rows_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Log loss against the true chances, and ROC AUC, by how many wins were learned from."""
    yield (
        "**Few wins**: the fit model of small simulated markets, judged by the true chances of other "
        "accounts; means with 95 % intervals over markets. Below `few_rows` wins lines and small trees are "
        "what `train` learns. Mean log loss to be expected (the smaller the better):"
    )
    yield ""
    seeds = [
        [one for one in found["by_seed"] if one["accounts"] == size["accounts"]] for size in found["sizes"]
    ]
    wins = [f"{size['wins']:.0f}" for size in found["sizes"]]
    better = [interval(size["log_loss_better_by"], digits=4, sign=True) for size in found["sizes"]]
    losses = [[_over(part, f"{name}_log_loss") for name in (*_LEARNERS, "base_rate")] for part in seeds]
    areas = [[_over(part, f"{name}_roc_auc", share=True) for name in _LEARNERS] for part in seeds]
    yield from table(
        ("wins", *_LEARNERS.values(), "base rate alone", "better than trees by"),
        ([count, *line, lead] for count, line, lead in zip(wins, losses, better, strict=True)),
    )
    yield ""
    yield "ROC AUC on the same accounts (any order has .5):"
    yield ""
    lines = ([count, *line] for count, line in zip(wins, areas, strict=True))
    yield from table(("wins", *_LEARNERS.values()), lines)


def _over(markets: Sequence[Mapping[str, float]], name: str, *, share: bool = False) -> str:
    return interval(mean_of([one[name] for one in markets], share=share), digits=4)


def coverage_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """How often intervals hold the mean true chance of accounts scored alike, by the way to find them."""
    yield (
        f"**Intervals**: simulated markets, judged on {found['judged_accounts']:,} accounts of others in 20 "
        f"bins of equal count; share of the bins whose interval holds their mean true chance (nominal "
        f"{found['nominal']:.2f}), and how wide intervals are; means with 95 % intervals over those markets. "
        "The mean over bins hides the worst of them (found by looking, so it looks worse than it is), and "
        "the top one is whom sales would call, so both stand beside it. All settings are those of "
        f"`spearfish train`, but for the snapshots of intent, which lie {found['step_days']} days apart."
    )
    for block in (found, *([found["larger"]] if "larger" in found else [])):
        yield ""
        yield from _block(block)


def _block(found: Mapping[str, Any]) -> Iterator[str]:
    first, last = found["seeds"]
    markets = last - first + 1
    yield (
        f"{markets} markets of {found['accounts']:,} accounts, judged on {found['judged_markets']} others; "
        f"learned by: {_learners(found)}"
    )
    yield ""
    heads = ("model", "base rate", "way", "coverage", "worst bin", "top bin", "of single accounts", "width")
    yield from table(
        heads,
        (
            [
                _KINDS[kind],
                interval(one["base_rate"]),
                _named(way, told, of=markets),
                interval(told["coverage"]),
                *_bins(told),
                interval(told["coverage_of_each_account"]),
                interval(told["width"]),
            ]
            for kind, one in found["kinds"].items()
            for way, told in one["ways"].items()
        ),
    )


def _learners(found: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{_KINDS[kind]} {name} ({count} markets)"
        for kind, one in found["kinds"].items()
        for name, count in one["learners"].items()
    )


def _bins(told: Mapping[str, Any]) -> tuple[str, str]:
    """Of the worst of the 20 bins, counted from the lowest scores, and of the top one."""
    return f"{interval(told['worst_bin'])}, bin {told['worst_bin']['bin']}", interval(told["top_bin"])


def _named(way: str, told: Mapping[str, Any], *, of: int) -> str:
    """The way, and on how many markets it was tried where that was not all."""
    named = way.replace("_", " ")
    return named if told.get("markets", of) == of else f"{named} (on {told['markets']} markets)"


def hazard_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """What each hazard costs, and whether a model that beats the best possible ranker is caught."""
    yield (
        f"**Hazards**: simulated markets that are hard in one way at a time, {found['accounts']:,} accounts "
        f"to learn from, {found['judged_accounts']:,} others to be judged on; means with 95 % intervals over "
        "markets, each judged on one of its own. Who beats the best possible ranker has leaked. The "
        "audit knows no truth: where the leaking field is left in, the last column tells in how many markets "
        "it blocks the field by name, and how many other columns in all."
    )
    yield ""
    names = ("base_rate", "model", "best", "gap", "calibration_error", "coverage")
    heads = (
        *("market", "model", "base rate", "ROC AUC", "best", "gap", "calibration error", "coverage"),
        *("leaked", "blocked by the audit"),
    )
    yield from table(
        heads,
        (
            [
                one["hazard"].replace("_", " "),
                _KINDS[one["kind"]],
                *(interval(one[name]) for name in names),
                f"{one['beats_the_best']} of {one['markets']}",
                _blocked(one),
            ]
            for one in found["hazards"]
        ),
    )


def _blocked(one: Mapping[str, Any]) -> str:
    """Nothing where the audit was not asked."""
    if "audit_names_the_leak" not in one:
        return ""
    return f"{one['audit_names_the_leak']} of {one['markets']}, others {one['audit_blocks_others']}"
