"""The published tables of hidden positives.

Turns the result of `training.checks.hidden_positives` into lines of Markdown. Time rule: none. Null rule:
methods that were not tried have no line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.publishing.shown import counted, interval, table

__all__ = ["hidden_figures"]


def hidden_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Hidden at random, hidden by selection, and what lost."""
    base = found["at_random"]["base"]
    yield (
        f"**Hidden positives**: {len(found['seeds'])} pairs of simulated markets of {found['accounts']:,} "
        f"accounts; recall in the top {base:.0%} of the accounts without a label (any order finds "
        f"{base:.0%}), means with 95 % intervals over markets."
    )
    yield ""
    yield from table(("hidden", "plain classifier", "Spearfish", "difference or ratio"), _recalls(found))
    yield ""
    yield f"{_weighted(found['by_selection'])} {_numbers(found)}"
    if found["tries"]:
        yield ""
        yield from table(("also tried", "markets", "mean"), _tries(found["tries"]))


def _tries(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, one in found.items():
        yield name, str(one["markets"]), interval(one)


def _recalls(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    at_random, selection = found["at_random"], found["by_selection"]
    ends = (
        interval(at_random["recall_ours_less_plain"], sign=True),
        f"{interval(selection['ours_over_plain'], digits=2)} times",
    )
    for name, one, end in zip(("at random", "by selection"), (at_random, selection), ends, strict=True):
        yield name, interval(one["recall_plain"]), interval(one["recall_ours"]), end


def _weighted(selection: Mapping[str, Any]) -> str:
    return (
        f"By selection, won against lost weighted by the estimated pursuit finds "
        f"{interval(selection['recall_won_lost_weighted'])}, the best possible ranker "
        f"{interval(selection['recall_best'])}; ours less the weighted one: "
        f"{interval(selection['ours_less_won_lost_weighted'], sign=True)}. The mean chance that ours tells "
        f"is {interval(selection['level_ours'], digits=2)} times the true one, the plain classifier's "
        f"{interval(selection['level_plain'], digits=2)} times."
    )


def _numbers(found: Mapping[str, Any]) -> str:
    at_random, markets = found["at_random"], len(found["seeds"])
    ranges = found["range_where_no_profile_always_wins"]
    return (
        f"Where some profiles always win, the number of hidden positives is off by "
        f"{interval(at_random['number_off_by'])} of it (within a fifth in "
        f"{_of(at_random['number_within_20_percent'], markets)} of the markets; the interval holds it in "
        f"{_of(at_random['interval_held'], markets)}). Where none does, the range holds it in "
        f"{_of(ranges['held'], markets)}, and its upper end is "
        f"{interval(ranges['upper_end_over_truth'], digits=1)} times the truth."
    )


def _of(share: float, markets: int) -> str:
    return interval(counted(round(share * markets), markets), digits=2)
