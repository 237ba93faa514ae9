"""The published tables of hidden positives.

Turns the result of `training.checks.hidden_positives` into lines of Markdown. Time rule: none. Null rule:
methods that were not tried have no line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.publishing.shown import interval, table

__all__ = ["hidden_figures"]


def hidden_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Hidden at random, hidden by selection, and what lost."""
    at_random, selection = found["at_random"], found["by_selection"]
    ranges, base = found["range_where_no_profile_always_wins"], at_random["base"]
    yield (
        f"**Hidden positives**: {len(found['seeds'])} pairs of simulated markets of {found['accounts']:,} "
        f"accounts; recall in the top {base:.0%} of the accounts without a label (any order finds "
        f"{base:.0%}), means with 95 % intervals over markets."
    )
    yield ""
    yield from table(
        ("hidden", "plain classifier", "Spearfish", "difference or ratio"),
        (
            (
                "at random",
                interval(at_random["recall_plain"]),
                interval(at_random["recall_ours"]),
                interval(at_random["recall_ours_less_plain"], sign=True),
            ),
            (
                "by selection",
                interval(selection["recall_plain"]),
                interval(selection["recall_ours"]),
                f"{interval(selection['ours_over_plain'], digits=2)} times",
            ),
        ),
    )
    yield ""
    yield (
        f"By selection, won against lost weighted by the estimated pursuit finds "
        f"{interval(selection['recall_won_lost_weighted'])}, the best possible ranker "
        f"{interval(selection['recall_best'])}; ours less the weighted one: "
        f"{interval(selection['ours_less_won_lost_weighted'], sign=True)}. "
        f"Where some profiles always win, the number of hidden positives is off by "
        f"{interval(at_random['number_off_by'])} of it (within a fifth in "
        f"{at_random['number_within_20_percent']:.0%} of the markets; the interval holds it in "
        f"{at_random['interval_held']:.0%}). Where none does, the range holds it in {ranges['held']:.0%}, "
        f"and its upper end is {interval(ranges['upper_end_over_truth'], digits=1)} times the truth."
    )
    if found["tries"]:
        yield ""
        yield from table(
            ("also tried", "mean"), ((name, interval(one)) for name, one in found["tries"].items())
        )
