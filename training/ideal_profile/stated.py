"""The profile that sales stated, beside the one that the data tell.

Turns stated traits into verdicts with figures: the data agree, conflict, or lack evidence. Time rule: stated
beforehand, a trait is looked at among all accounts with an outcome, each once. Null rule: an account whose
value is not known does not meet the trait.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.declare_accounts import STANDARD
from features.errors import ConfigError, suggestion
from features.feature import Feature
from features.profile_settings import StatedTraitSettings
from features.tables import Attribute
from models.profile import Basis, Condition, Figures, Profile, StatedTrait, Verdict, percent, told_figures
from training.ideal_profile.checking import CHANCE, adjusted, figures, two_sided
from training.ideal_profile.conditions import between, holding, is_flag, is_level

__all__ = ["compare_stated", "require_columns"]

Flags = NDArray[np.bool_]

_FEWEST = 10
_ALL_EN, _ALL_ZH = "everything that sales stated", "销售所述的全部特征"
_UNSEEN = (
    "the model has no such feature: the column was never filled, the value is too rare, or it is left out",
    "模型没有该特征：该列从未填写、该值过于罕见，或已被排除",
)
_BOUNDS = {"at_least", "at_most", "between"}


def require_columns(stated: Sequence[StatedTraitSettings], *, attributes: Sequence[Attribute]) -> None:
    """ConfigError for a stated trait on a column that accounts do not have."""
    columns = [column.name for column in (*STANDARD, *attributes)]
    derived = ["company_age", "employees_growth_365d", *(f"{name}_count" for name in columns)]
    known = [*columns, *derived, *(f"days_since_{name}" for name in columns)]
    for trait in stated:
        if trait.column not in known:
            raise ConfigError(
                "[[profile.stated]] names a column that accounts do not have",
                got=repr(trait.column),
                allowed=", ".join([*columns, "company_age"]),
                fix=suggestion(trait.column, known),
            )


def compare_stated(
    profile: Profile,
    stated: Sequence[StatedTraitSettings],
    *,
    X: NDArray[np.float64],
    won: NDArray[np.int64],
    catalogue: Catalogue,
    stands_for: float = 1.0,
) -> Profile:
    """The profile with what sales stated, judged on accounts (n,) that count once each."""
    data = _Data(won, stands_for, profile)
    asked = [_Asked.of(one, X=X, catalogue=catalogue) for one in stated]
    seen = [one.met for one in asked if one.met is not None and one.met.sum() >= _FEWEST]
    chances = iter(adjusted([two_sided(met, won=won) for met in seen]))
    return replace(
        profile,
        stated=tuple(_judged(one, data, chances=chances) for one in asked),
        everyone=data.everyone,
        together=_together(asked, data),
        unmentioned=_unmentioned(profile, asked),
    )


@dataclass(frozen=True)
class _Asked:
    """A stated trait: its words, the features it is about, and who meets it; None when nobody can tell."""

    words: tuple[str, str]
    features: frozenset[str]
    met: Flags | None

    @classmethod
    def of(cls, trait: StatedTraitSettings, *, X: NDArray[np.float64], catalogue: Catalogue) -> _Asked:
        conditions = list(_conditions(trait, catalogue=catalogue))
        if not conditions:
            return cls((_plain(trait), _plain(trait)), frozenset(), None)
        met = np.any([holding(one, X, catalogue=catalogue) for one in conditions], axis=0)
        words = (
            " or ".join(one.words_en for one in conditions),
            "或".join(one.words_zh for one in conditions),
        )
        return cls(words, frozenset(one.feature for one in conditions), met)


def _conditions(trait: StatedTraitSettings, *, catalogue: Catalogue) -> Iterator[Condition]:
    """The trait on the features of the model; none where the model has no such feature."""
    for feature in catalogue.features:
        if trait.column not in (feature.name, feature.subject):
            continue
        if trait.op in _BOUNDS and feature.kind == "number" and feature.name == trait.column:
            low, high = _bounds(trait)
            yield between(feature, low=low, high=high, whole=_whole(low) and _whole(high))
        elif trait.op == "has" and feature.member and _same(feature.member, trait.texts):
            yield is_flag(feature, yes=True)
        elif trait.op == "is":
            yield from _equal(trait, feature)


def _equal(trait: StatedTraitSettings, feature: Feature) -> Iterator[Condition]:
    if feature.kind == "category":
        yield from (is_level(feature, level) for level in feature.levels if _same(level, trait.texts))
    elif feature.kind == "flag" and not feature.member and isinstance(trait.value, bool):
        yield is_flag(feature, yes=trait.value)


def _bounds(trait: StatedTraitSettings) -> tuple[float | None, float | None]:
    """The bounds, the upper one exclusive: one above a whole number that still counts."""
    low, high = trait.bounds
    if high is None:
        return low, None
    return low, high + 1 if _whole(high) and _whole(low) else float(np.nextafter(high, np.inf))


def _whole(value: float | None) -> bool:
    return value is None or float(value).is_integer()


def _same(text: str, wanted: Sequence[str]) -> bool:
    def plain(word: str) -> str:
        return word.casefold().replace("_", " ").replace("-", " ").strip()

    return plain(text) in map(plain, wanted)


def _plain(trait: StatedTraitSettings) -> str:
    shown = (
        " to ".join(map(str, trait.value))
        if trait.op == "between" and isinstance(trait.value, tuple)
        else None
    )
    value = shown or ", ".join(trait.texts)
    return f"{trait.column.replace('_', ' ')} {trait.op.replace('_', ' ')} {value}"


@dataclass(frozen=True)
class _Data:
    """What stated traits are held against."""

    won: NDArray[np.int64]
    stands_for: float
    profile: Profile

    @property
    def everyone(self) -> Figures:
        return figures(len(self.won), int(self.won.sum()), stands_for=self.stands_for)

    def found(self, met: Flags) -> Figures:
        return figures(int(met.sum()), int(self.won[met].sum()), stands_for=self.stands_for)


def _judged(asked: _Asked, data: _Data, *, chances: Iterator[float]) -> StatedTrait:
    if asked.met is None:
        return StatedTrait(*asked.words, "no_evidence", None, *_UNSEEN)
    found = data.found(asked.met)
    if found.accounts < _FEWEST:
        few = f"only {found.accounts} accounts with an outcome: fewer than {_FEWEST} tell nothing"
        few_zh = f"仅有{found.accounts}个有结果的客户：少于{_FEWEST}个不足以说明问题"
        return StatedTrait(*asked.words, "no_evidence", found, few, few_zh)
    return _told(asked, data, found=found, chance=next(chances))


def _verdict(found: Figures, *, everyone: Figures, chance: float) -> Verdict:
    if chance > CHANCE:
        return "no_evidence"
    return "agrees" if found.rate > everyone.rate else "conflicts"


_WHY: dict[Verdict, tuple[str, str]] = {
    "agrees": ("more than chance would give", "高于偶然水平"),
    "conflicts": ("less than the others, beyond chance", "低于其他客户，且超出偶然范围"),
    "no_evidence": ("within what chance gives", "在偶然波动范围之内"),
}


def _told(asked: _Asked, data: _Data, *, found: Figures, chance: float) -> StatedTrait:
    profile, everyone = data.profile, data.everyone
    verdict = _verdict(found, everyone=everyone, chance=chance)
    about: tuple[Figures, float, Basis] = (found, everyone.rate, profile.basis)
    low, high = percent(found.low), percent(found.high)
    english = (
        f"{told_figures(*about, language='en')}, earlier and later together (95 % interval {low} to {high}); "
        f"{_WHY[verdict][0]}"
    )
    chinese = (
        f"{told_figures(*about, language='zh')}，早期与后期合计（95%区间{low}至{high}）；{_WHY[verdict][1]}"
    )
    rivals = [] if verdict == "agrees" else _rivals(profile, asked)
    if rivals:
        english += "; the data tell instead: " + "; ".join(profile.traits[i].words("en") for i in rivals)
        chinese += "；数据显示的是：" + "；".join(profile.traits[i].words("zh") for i in rivals)
    return StatedTrait(*asked.words, verdict, found, english, chinese)


def _rivals(profile: Profile, asked: _Asked) -> list[int]:
    """Learned traits for a win on the same features."""
    return [
        place
        for place, trait in enumerate(profile.traits)
        if trait.direction == "for" and {one.feature for one in trait.conditions} & asked.features
    ]


def _together(asked: Sequence[_Asked], data: _Data) -> StatedTrait | None:
    """All that can be looked at, met at once; None where that is one trait or none."""
    seen = [one.met for one in asked if one.met is not None]
    if len(seen) < 2:
        return None
    met = np.asarray(np.all(seen, axis=0), dtype=np.bool_)
    whole = _Asked((_ALL_EN, _ALL_ZH), frozenset(), met)
    return _judged(whole, data, chances=iter([two_sided(met, won=data.won)]))


def _unmentioned(profile: Profile, asked: Sequence[_Asked]) -> tuple[int, ...]:
    named = {feature for one in asked for feature in one.features}
    return tuple(
        place
        for place, trait in enumerate(profile.traits)
        if trait.direction == "for" and not {one.feature for one in trait.conditions} & named
    )
