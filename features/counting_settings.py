"""The sections of the TOML file that say how engagement and third-party research count.

Turns [engagement] and [topics] into frozen, checked settings, and these into `CountingRules`. Time rule:
none. Null rule: a key that is left out has the default written here; a kind that is left out is the preset.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator

from features.contract import CHANNEL_PATTERN, SENIORITIES
from features.counting import PRESET_RULES, UNKNOWN, CountingRules
from features.errors import suggestion
from features.kinds import KINDS, ActivityKind, Direction, spellings
from features.settings import Section
from features.traffic import DEFAULT_BOTS

__all__ = [
    "EngagementSettings",
    "KindSettings",
    "TopicSettings",
    "WeightSettings",
    "counted_sources",
    "counting_rules",
]

_PRESET_WEIGHTS = {level: weight / 100 for level, weight in PRESET_RULES.weights}
_TRAFFIC_RULES = ("own_domains", "own_emails", "bots")
_Weight = Annotated[float, Field(ge=0.0, le=20.0)]


class KindSettings(Section):
    """[engagement.kinds.NAME]: a kind of your own, or what changes of a preset.

    direction: who acts; a kind that is no preset needs it.
    minutes: what one takes where its row does not say; 0 switches a preset's minutes off.
    label, label_zh: its noun in sentences. words: how the source words it, for `values = "kinds"`.
    """

    direction: Direction | None = None
    minutes: float | None = Field(default=None, ge=0.0, le=1440.0)
    label: str | None = Field(default=None, min_length=1)
    label_zh: str | None = Field(default=None, min_length=1)
    words: tuple[str, ...] = ()


class WeightSettings(Section):
    """[engagement.weights]: what a minute counts, by the level of the person; kept in hundredths."""

    c_level: _Weight = _PRESET_WEIGHTS["c_level"]
    vice_president: _Weight = _PRESET_WEIGHTS["vice_president"]
    director: _Weight = _PRESET_WEIGHTS["director"]
    manager: _Weight = _PRESET_WEIGHTS["manager"]
    staff: _Weight = _PRESET_WEIGHTS["staff"]
    unknown: _Weight = _PRESET_WEIGHTS[UNKNOWN]


class EngagementSettings(Section):
    """[engagement]

    anonymous: whether visits behind which nobody is known count for the account.
    own_domains, own_emails: ours; what comes from them is internal traffic, never engagement.
    bots: parts of a user agent, in any case, that betray a machine.
    """

    anonymous: bool = True
    own_domains: tuple[str, ...] = ()
    own_emails: tuple[str, ...] = ()
    bots: tuple[str, ...] = DEFAULT_BOTS
    kinds: dict[str, KindSettings] = Field(default_factory=dict)
    weights: WeightSettings = WeightSettings()

    @field_validator("kinds")
    @classmethod
    def _kinds_are_told(cls, kinds: dict[str, KindSettings]) -> dict[str, KindSettings]:
        for name, kind in kinds.items():
            if not re.fullmatch(CHANNEL_PATTERN, name):
                raise ValueError(f"kind {name!r}: use lower case letters, digits and _ only")
            if name not in KINDS and kind.direction is None:
                near = suggestion(name, KINDS)
                raise ValueError(
                    f"kind {name!r} is no preset; a kind of your own needs a direction"
                    + (f"; {near}" if near else "")
                )
        return kinds

    @property
    def all_kinds(self) -> dict[str, ActivityKind]:
        """The presets and the kinds declared here, by name."""
        return KINDS | {name: _kind(name, given) for name, given in self.kinds.items()}


def counted_sources(raw: Mapping[str, Any]) -> list[object]:
    """The sources of a TOML document, what [engagement] says put into them.

    `values = "kinds"` of the columns channel and direction become the spellings of every kind, and
    [sources.traffic] the rules of our own people and machines. A faulty section is left to be reported.
    """
    try:
        engagement = EngagementSettings.model_validate_json(
            json.dumps(raw.get("engagement", {})), strict=True
        )
    except ValidationError:
        engagement = EngagementSettings()
    return [_counted(source, engagement) if isinstance(source, dict) else source for source in raw["sources"]]


def _counted(source: dict[str, Any], engagement: EngagementSettings) -> dict[str, Any]:
    full = dict(source)
    if isinstance(source.get("traffic"), dict):
        full["traffic"] = source["traffic"] | {
            name: list(getattr(engagement, name)) for name in _TRAFFIC_RULES
        }
    if isinstance(source.get("columns"), dict):
        found = spellings(engagement.all_kinds.values())
        told = {
            "channel": {word: kind.name for word, kind in found.items()},
            "direction": {word: kind.direction for word, kind in found.items()},
        }
        full["columns"] = {
            name: binding | {"values": told[name], "case": "lower"}
            if name in told and isinstance(binding, dict) and binding.get("values") == "kinds"
            else binding
            for name, binding in source["columns"].items()
        }
    return full


def _kind(name: str, given: KindSettings) -> ActivityKind:
    preset = KINDS.get(name, ActivityKind(name, "inbound"))
    return ActivityKind(
        name,
        given.direction or preset.direction,
        preset.minutes if given.minutes is None else given.minutes,
        given.label_zh or preset.label_zh,
        (*given.words, *preset.words),
        given.label or preset.label,
    )


class TopicSettings(Section):
    """[topics]

    minimum_surging_share: the share of an account's topics that must surge before the account does.
    """

    minimum_surging_share: float = Field(default=PRESET_RULES.minimum_share / 100, gt=0.0, le=1.0)


def counting_rules(engagement: EngagementSettings, topics: TopicSettings) -> CountingRules:
    """How activities and research count, as data."""
    kinds, weights = engagement.all_kinds, engagement.weights
    declared = [kinds[name] for name in sorted(engagement.kinds)]
    return CountingRules(
        tuple(sorted((kind.name, kind.seconds) for kind in kinds.values() if kind.seconds)),
        tuple((level, round(getattr(weights, level) * 100)) for level in (*SENIORITIES, UNKNOWN)),
        engagement.anonymous,
        round(topics.minimum_surging_share * 100),
        tuple((kind.name, kind.label or "", kind.label_zh or "") for kind in declared),
    )
