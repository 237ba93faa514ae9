"""Channels: what their rows carry, and how names, sentences and formulas speak of them.

Turns a channel of one side into the first part of names, the words of sentences and the rows that formulas
read. Time and null rules: none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from features.feature import ALL, REST
from features.wording import channel_noun, channel_noun_zh, plural

__all__ = ["Channel", "merged", "rows_of", "stem", "words_of"]


@dataclass(frozen=True)
class Channel:
    """A channel of one side and what its rows carry; `name` may be ALL or REST.

    many: a row may stand for several activities, or for none.
    besides: of REST, the channels that have features of their own.
    usual: activities without minutes of their own have usual ones. weighted: the levels of people matter.
    labels: the English and the Chinese noun, where the mapping gives them; either may be empty.
    """

    name: str
    outbound: bool = False
    minutes: bool = False
    people: bool = False
    senior: bool = False
    many: bool = False
    besides: tuple[str, ...] = ()
    usual: bool = False
    weighted: bool = False
    labels: tuple[str, ...] = ()


def merged(channels: Sequence[Channel], *, name: str) -> Channel:
    """Channels of one side as one that carries whatever any of them carries."""
    return Channel(
        name,
        channels[0].outbound,
        minutes=any(channel.minutes for channel in channels),
        people=any(channel.people for channel in channels),
        senior=any(channel.senior for channel in channels),
        many=any(channel.many for channel in channels),
        usual=any(channel.usual for channel in channels),
        weighted=any(channel.weighted for channel in channels),
    )


def stem(channel: Channel) -> str:
    """The first part of a name: `web_visit`, `engagement`, `outreach_email`, `engagement_other`."""
    side = "outreach" if channel.outbound else "engagement"
    if channel.name == ALL:
        return side
    if channel.name == REST:
        return f"{side}_other"
    return f"{side}_{channel.name}" if channel.outbound else channel.name


def words_of(channel: Channel) -> dict[str, str]:
    """What the templates of a channel's sentences are filled with; `value` stays open."""
    if channel.name == ALL:
        noun, nouns, chinese = (
            ("outreach", "outreach", "外联") if channel.outbound else ("activity", "activities", "互动")
        )
    elif channel.name == REST:
        noun, nouns, chinese = "activity in other channels", "activities in other channels", "其他渠道互动"
    else:
        label, label_zh = channel.labels or ("", "")
        noun, nouns = (label, plural(label)) if label else channel_noun(channel.name)
        chinese = label_zh or channel_noun_zh(channel.name)
    if channel.outbound:
        noun, nouns, chinese = f"{noun} of ours", f"{nouns} of ours", f"我方{chinese}"
    return {"noun": noun, "nouns": nouns, "zh": chinese, "value": "{value}"}


def rows_of(channel: Channel, *, silent: bool) -> str:
    """The rows of a side that a channel's features read, as SQL. Names of channels hold no quotes."""
    conditions = [] if silent else ["quantity > 0"]
    if channel.name not in (ALL, REST):
        conditions.append(f"channel = '{channel.name}'")
    elif channel.name == REST and channel.besides:
        names = ", ".join(f"'{name}'" for name in channel.besides)
        conditions.append(f"channel NOT IN ({names})")
    return " AND ".join(conditions)
