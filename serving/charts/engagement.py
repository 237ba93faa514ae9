"""What an account did with us, week by week.

Turns counts of activities by week and channel into a chart. Time rule: weeks begin on Mondays, in UTC. Null
rule: a week without activities has no bar, but its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

__all__ = ["WEEK", "EngagedWeek", "engagement", "monday"]

WEEK = timedelta(days=7)

_COLOURS = ("#0b766c", "#1769aa", "#9a5b00", "#7a4fa3", "#5b7f2b", "#a33d62", "#64748b", "#2a9db0")


@dataclass(frozen=True)
class EngagedWeek:
    """Activities of one channel in a week. week: its Monday."""

    week: date
    channel: str
    activities: int


def monday(moment: datetime) -> date:
    """The first day of the week of a moment.

    >>> monday(datetime(2026, 1, 31))
    datetime.date(2026, 1, 26)
    """
    return moment.date() - timedelta(days=moment.weekday())


def engagement(
    weeks: Sequence[EngagedWeek], *, first: date, last: date, count: str, height: int = 160
) -> Mapping[str, Any]:
    """The Vega-Lite document. first, last: Mondays of the weeks that are shown. count: the axis' title."""
    values = [
        {
            "week": _moment(one.week),
            "end": _moment(one.week + WEEK),
            "channel": one.channel,
            "activities": one.activities,
        }
        for one in weeks
    ]
    return {
        "height": height,
        "data": {"values": values},
        "transform": [
            {
                "stack": "activities",
                "groupby": ["week", "end"],
                "sort": [{"field": "channel"}],
                "as": ["from", "to"],
            }
        ],
        "mark": {"type": "bar", "binSpacing": 1},
        "encoding": {
            "x": {
                "field": "week",
                "type": "temporal",
                "scale": {"type": "utc", "domain": [_moment(first), _moment(last + WEEK)]},
                "axis": {"title": None, "format": "%Y-%m-%d", "tickCount": 5, "grid": False},
            },
            "x2": {"field": "end"},
            "y": {
                "field": "from",
                "type": "quantitative",
                "title": count,
                "axis": {"tickMinStep": 1, "tickCount": 4, "format": "d"},
            },
            "y2": {"field": "to"},
            "color": {"field": "channel", "type": "nominal", "scale": {"range": list(_COLOURS)}},
        },
    }


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
