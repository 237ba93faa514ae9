"""The ideal customer profile: what sets the accounts that are won apart, in words and figures.

Holds traits that were found on earlier accounts and hold on later ones, and what sales stated, as they stand
in a model card. Time rule: every figure that is shown is of the later accounts unless it says otherwise.
Null rule: a profile without traits says why; a stated trait that cannot be looked at has no figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from features.feature import Language
from models.card import Card

__all__ = [
    "Basis",
    "Condition",
    "Direction",
    "Figures",
    "Operator",
    "Profile",
    "StatedTrait",
    "Trait",
    "Verdict",
    "percent",
    "told_figures",
]

Basis = Literal["won_or_lost", "known"]
Direction = Literal["for", "against"]
Operator = Literal["is", "is_not", "has", "has_not", "at_least", "below", "between"]
Verdict = Literal["agrees", "conflicts", "no_evidence"]

_COLON: dict[Language, str] = {"en": ": ", "zh": "："}


@dataclass(frozen=True)
class Figures:
    """How many of some accounts were won, with an interval.

    rate, low, high: shares of accounts like these, also where those without a win were only drawn.
    """

    accounts: int
    won: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Condition:
    """One condition on a feature.

    value: the level or the member. low: inclusive, high: exclusive; of numbers.
    """

    feature: str
    operator: Operator
    value: str | None
    low: float | None
    high: float | None
    words_en: str
    words_zh: str


@dataclass(frozen=True)
class Trait:
    """One to three conditions that set wins apart.

    direction: whether such accounts are won more often than the others, or less. later: the figures to quote;
    earlier: of the accounts on which it was found, which flatter. chance: adjusted for all that was checked.
    """

    direction: Direction
    conditions: tuple[Condition, ...]
    later: Figures
    earlier: Figures
    chance: float

    def words(self, language: Language = "en") -> str:
        """The conditions in words: "51 to 200 people and uses Salesforce"."""
        if language == "zh":
            return "，".join(condition.words_zh for condition in self.conditions)
        *before, last = (condition.words_en for condition in self.conditions)
        return f"{', '.join(before)} and {last}" if before else last


@dataclass(frozen=True)
class StatedTrait:
    """What sales stated, and what the data say of it. found: of all accounts with an outcome; None when
    nothing can be looked at. verdict: agrees or conflicts only beyond what chance would give."""

    words_en: str
    words_zh: str
    verdict: Verdict
    found: Figures | None
    why_en: str
    why_zh: str

    def words(self, language: Language = "en") -> str:
        return self.words_zh if language == "zh" else self.words_en

    def why(self, language: Language = "en") -> str:
        """What the data say, without the trait's own words."""
        return self.why_zh if language == "zh" else self.why_en

    def sentence(self, language: Language = "en") -> str:
        """The trait and what the data say of it."""
        return f"{self.words(language)}{_COLON[language]}{self.why(language)}"


@dataclass(frozen=True)
class Profile:
    """The whole profile.

    basis: what the rate is a share of: accounts won or lost, or all known ones where no loss is known.
    earlier, later: all accounts of the two periods, each counted once. split_at: between them, ISO with Z.
    candidates: how many traits were checked on the later accounts; those that held are `traits`.
    missing_en, missing_zh: why there is no trait; empty when there are some.
    stated: what sales stated, and all of it together under `together`. unmentioned: learned traits that sales
    did not state, by their place in `traits`.
    """

    basis: Basis
    earlier: Figures
    later: Figures
    split_at: str | None
    candidates: int
    traits: tuple[Trait, ...]
    missing_en: str = ""
    missing_zh: str = ""
    stated: tuple[StatedTrait, ...] = ()
    everyone: Figures | None = None
    together: StatedTrait | None = None
    unmentioned: tuple[int, ...] = ()

    @property
    def later_from(self) -> datetime | None:
        """Where the later accounts begin, naive UTC; None where there are none."""
        return None if self.split_at is None else datetime.fromisoformat(self.split_at.removesuffix("Z"))

    def missing(self, language: Language = "en") -> str:
        return self.missing_zh if language == "zh" else self.missing_en

    def sentence(self, trait: Trait, *, language: Language = "en") -> str:
        """The trait with its figures: "51 to 200 people: won 22 % of 180, all 7 %"."""
        told = told_figures(trait.later, self.later.rate, self.basis, language=language)
        return f"{trait.words(language)}{_COLON[language]}{told}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_card(cls, card: Card) -> Profile | None:
        """The profile in a model card; None where the card holds none."""
        stored = card.get("profile")
        return None if stored is None else cls.from_json(stored)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Profile:
        """What `to_json` wrote. KeyError or TypeError for another shape."""
        told = dict(stored)
        everyone, together = told["everyone"], told["together"]
        return cls(
            **told
            | {
                "earlier": Figures(**told["earlier"]),
                "later": Figures(**told["later"]),
                "traits": tuple(_trait(one) for one in told["traits"]),
                "stated": tuple(_stated(one) for one in told["stated"]),
                "everyone": None if everyone is None else Figures(**everyone),
                "together": None if together is None else _stated(together),
                "unmentioned": tuple(told["unmentioned"]),
            }
        )


def told_figures(found: Figures, base: float, basis: Basis, *, language: Language = "en") -> str:
    """The share that was won, of how many, and that of all: "won 22 % of 180, all 7 %"."""
    rate, of_all, count = percent(found.rate), percent(base), f"{found.accounts:,}"
    if basis == "known" and language == "zh":
        return f"此类已知客户中赢得{rate}（对比{count}个），全部客户为{of_all}"
    if basis == "known":
        return f"won {rate} of such known accounts ({count} compared), all {of_all}"
    if language == "zh":
        return f"{count}个已成交或丢单客户中赢得{rate}，全部客户为{of_all}"
    return f"won {rate} of {count}, all {of_all}"


def percent(share: float) -> str:
    """A share for people: two digits below one in a hundred, whole numbers above ten.

    >>> percent(0.2234), percent(0.071), percent(0.0042)
    ('22 %', '7.1 %', '0.42 %')
    """
    value = 100 * share
    digits = 0 if value >= 9.95 or value < 0.005 else 1 if value >= 0.995 else 2
    return f"{value:.{digits}f} %"


def _trait(stored: Mapping[str, Any]) -> Trait:
    return Trait(
        direction=stored["direction"],
        conditions=tuple(Condition(**condition) for condition in stored["conditions"]),
        later=Figures(**stored["later"]),
        earlier=Figures(**stored["earlier"]),
        chance=stored["chance"],
    )


def _stated(stored: Mapping[str, Any]) -> StatedTrait:
    found = stored["found"]
    return StatedTrait(**{**stored, "found": None if found is None else Figures(**found)})
