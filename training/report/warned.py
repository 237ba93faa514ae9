"""Days of warning on the page: how long before the event sales was told, beside simpler ways.

Turns measured days of warning into a sentence, a table and charts. Time rule: that of the backtest. Null
rule: a median over nobody is a dash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from training.backtesting.evaluate import Estimate
from training.backtesting.warning import RANDOM, Warnings
from training.report.charts import Chart, interval_chart

__all__ = ["warned_section", "warned_sentence"]

_NAMES = {
    "probability": "Spearfish",
    "recent_activity": "most actions in the last 30 days",
    RANDOM: "accounts at random",
}
_HEADS = {
    "median_days": "Median days",
    "mean_days": "Mean days",
    "share_warned": "Share warned of",
    "median_days_if_warned": "Median days of those warned of",
}


def warned_sentence(found: Warnings) -> str:
    """What sales would have gained, in one or two sentences."""
    ours = found.estimates["probability"]
    told = (
        f"With {_weekly(found)} accounts a week to call, sales would have called "
        f"{_share(ours['share_warned'])} of the {len(found.frame):,} that had the event before it happened, "
        f"{_days(ours['median_days_if_warned'])} ahead in the median."
    )
    others = "; ".join(
        f"{_NAMES[name]}, {_share(found.estimates[name]['share_warned'])}"
        for name in ("recent_activity", RANDOM)
        if name in found.estimates
    )
    return f"{told} Calling by something else: {others}."


def warned_section(found: Warnings) -> dict[str, Any]:
    """about, heads and rows of a table, and charts."""
    rows = [
        (_NAMES.get(ranker, ranker), *(_told(told[name], name=name) for name in _HEADS), "")
        for ranker, told in found.estimates.items()
    ]
    rows += [
        (
            f"Spearfish minus {_NAMES.get(other, other)}",
            *(_told(lead[name], name=name, sign="+") for name in (*_HEADS, "median_days_earlier")),
        )
        for other, lead in found.ahead.items()
    ]
    return {
        "about": f"Each week sales takes {_weekly(found)} accounts, the best that were not handed over yet, "
        "ranked by facts of that week and the model of the date. An event that was not warned of counts as 0 "
        "days, and no event can be warned of by more days than passed since the date. "
        f"{len(found.frame):,} events; {found.out_of_reach:,} more, of accounts that could not be ranked "
        "before, are left out.",
        "heads": ("Called first", *_HEADS.values(), "Median days earlier, of those either warned of"),
        "rows": rows,
        "charts": list(_charts(found)),
    }


def _charts(found: Warnings) -> Iterator[Chart]:
    for figure, title, label in (
        ("median_days", "Median days of warning", "days, 0 where not warned of"),
        ("mean_days", "Mean days of warning", "days, 0 where not warned of"),
        ("share_warned", "Events warned of beforehand", "share of the events"),
    ):
        told = {_NAMES.get(name, name): vars(one[figure]) for name, one in found.estimates.items()}
        lines = pd.DataFrame(told).T.iloc[::-1]
        if not lines["value"].any():
            continue
        yield interval_chart(
            lines,
            title=title,
            words=f"{title} with 95 % intervals, by whom sales calls first: Spearfish "
            f"{_told(found.estimates['probability'][figure], name=figure)}, accounts at random "
            f"{_told(found.estimates[RANDOM][figure], name=figure)}.",
            ours=_NAMES["probability"],
            label=label,
        )


def _weekly(found: Warnings) -> str:
    counts = sorted(set(found.capacities.values()))
    return f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"


def _share(one: Estimate) -> str:
    return f"{one.value:.0%} ({one.low:.0%} to {one.high:.0%})"


def _days(one: Estimate) -> str:
    if one.value != one.value:
        return "no day"
    return f"{one.value:.0f} days ({one.low:.0f} to {one.high:.0f})"


def _told(one: Estimate, *, name: str, sign: str = "") -> str:
    if one.value != one.value:
        return "-"
    form = f"{sign}.1%" if name == "share_warned" else f"{sign}.1f"
    return f"{one.value:{form}} ({one.low:{form}} to {one.high:{form}})"
