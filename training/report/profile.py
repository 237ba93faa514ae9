"""The ideal customer profile as the page shows it.

Time rule: shares are of later accounts. Null rule: a profile without traits says why.
"""

from __future__ import annotations

from typing import Any

from models.profile import Figures, Profile, StatedTrait, Trait, Verdict, percent

__all__ = ["profile_section"]

_USUAL = 5
"""Traits; fewer are explained."""

_VERDICTS: dict[Verdict, str] = {
    "agrees": "Data agree",
    "conflicts": "Data conflict",
    "no_evidence": "No evidence",
}


def profile_section(profile: Profile) -> dict[str, Any]:
    """What the template reads."""
    ends = [trait.later.high for trait in profile.traits]
    end = min(1.0, max([*ends, profile.later.rate]) * 1.05) or 1.0
    return {
        "base": _told(profile.later),
        "base_rate": percent(profile.later.rate),
        "earlier": f"{profile.earlier.accounts:,}",
        "since": (profile.split_at or "")[:10],
        "candidates": profile.candidates,
        "few": _few(profile),
        "missing": "" if profile.traits else profile.missing(),
        "sides": [
            {"title": title, "tone": tone, "traits": [_trait(one, profile, end=end) for one in traits]}
            for title, tone, traits in (
                ("Won more often", "for", [one for one in profile.traits if one.direction == "for"]),
                ("Rarely won", "against", [one for one in profile.traits if one.direction == "against"]),
            )
            if traits
        ],
        "mark": 100 * profile.later.rate / end,
        "stated": [_stated(one) for one in (*profile.stated, *_together(profile))],
        "unmentioned": [profile.traits[place].words() for place in profile.unmentioned],
        "chinese": [profile.sentence(one, language="zh") for one in profile.traits]
        or [profile.missing("zh")],
        "first": [_first(profile, one) for one in profile.traits if one.direction == "for"][:1],
    }


def _first(profile: Profile, trait: Trait) -> str:
    later = trait.later
    return f"{profile.sentence(trait)} (95 % interval {percent(later.low)} to {percent(later.high)})"


def _few(profile: Profile) -> str:
    """Why there are fewer traits than people expect; nothing where there are none, or enough."""
    if not 0 < len(profile.traits) < _USUAL:
        return ""
    return (
        f"{len(profile.traits)} of {profile.candidates} held: with more accounts that were won, more traits "
        "could be told from chance."
    )


def _together(profile: Profile) -> tuple[StatedTrait, ...]:
    return () if profile.together is None else (profile.together,)


def _trait(trait: Trait, profile: Profile, *, end: float) -> dict[str, Any]:
    later = trait.later
    return {
        "words": trait.words(),
        "sentence": profile.sentence(trait),
        "rate": percent(later.rate),
        "accounts": f"{later.accounts:,}",
        "interval": f"{percent(later.low)} to {percent(later.high)}",
        "earlier": f"{percent(trait.earlier.rate)} of {trait.earlier.accounts:,}",
        "width": 100 * later.rate / end,
        "low": 100 * later.low / end,
        "spread": 100 * (min(later.high, end) - later.low) / end,
    }


def _stated(one: StatedTrait) -> dict[str, str]:
    return {"verdict": _VERDICTS[one.verdict], "tone": one.verdict, "words": one.words(), "why": one.why()}


def _told(found: Figures) -> str:
    interval = f"95 % interval {percent(found.low)} to {percent(found.high)}"
    return f"{percent(found.rate)} of {found.accounts:,} later accounts were won ({interval})"
