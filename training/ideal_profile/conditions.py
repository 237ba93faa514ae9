"""Conditions on features: columns of a matrix in, what can be said of an account and who meets it out.

Turns categories, flags and numbers into conditions with words in English and Chinese. Time rule: bounds and
levels come from the rows handed in, which are the earlier ones. Null rule: NaN meets no condition.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.feature import Feature
from features.wording import english_label
from models.profile import Condition, Operator

__all__ = ["Flags", "between", "conditions_of", "holding", "is_flag", "is_level"]

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]

_PEOPLE = (11.0, 51.0, 201.0, 501.0, 1001.0, 5001.0, 10001.0)
"""Where the usual size bands begin."""

_NICE = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_QUANTILES = (1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6)
_UNITS = {"years": ("years", "年"), "days": ("days", "天"), "characters": ("characters", "字")}


def conditions_of(catalogue: Catalogue, X: Matrix) -> Iterator[Condition]:
    """Every single condition that the rows can be asked for."""
    for column, feature in enumerate(catalogue.features):
        if feature.kind == "category":
            yield from (is_level(feature, level) for level in feature.levels)
        elif feature.kind == "flag":
            yield is_flag(feature, yes=True)
            yield is_flag(feature, yes=False)
        else:
            yield from _bands(feature, X[:, column])


def holding(condition: Condition, X: Matrix, *, catalogue: Catalogue) -> Flags:
    """Which rows meet the condition, bool (n,)."""
    column = catalogue.index(condition.feature)
    values, feature = X[:, column], catalogue.features[column]
    if feature.kind == "category":
        found = values == feature.levels.index(condition.value or "")
    elif feature.kind == "flag":
        found = values == (1.0 if condition.operator in ("is", "has") else 0.0)
    else:
        low = -np.inf if condition.low is None else condition.low
        found = (values >= low) & (values < (np.inf if condition.high is None else condition.high))
    return np.asarray(found, dtype=np.bool_)


def is_level(feature: Feature, level: str) -> Condition:
    """The category has this level."""
    english, chinese = _label(feature)
    shown = english_label(level)
    return Condition(feature.name, "is", level, None, None, f"{english} {shown}", f"{chinese}为{shown}")


def is_flag(feature: Feature, *, yes: bool) -> Condition:
    """The flag is set, or known not to be; for a set: it has the member, or not."""
    name, member = feature.name, english_label(feature.member)
    english, chinese = _label(feature)
    if not member:
        words = (english, chinese) if yes else (f"not “{english}”", f"非“{chinese}”")
        return Condition(name, "is" if yes else "is_not", None, None, None, *words)
    if feature.subject == "technologies":
        words = (f"uses {member}", f"使用{member}") if yes else (f"does not use {member}", f"未使用{member}")
    elif yes:
        words = (f"{english} include {member}", f"{chinese}含{member}")
    else:
        words = (f"{english} without {member}", f"{chinese}不含{member}")
    return Condition(name, "has" if yes else "has_not", feature.member, None, None, *words)


def between(feature: Feature, *, low: float | None, high: float | None, whole: bool) -> Condition:
    """The number lies in [low, high); `whole` numbers are told with the last one that counts."""
    operator: Operator = "below" if low is None else "at_least" if high is None else "between"
    english = _range(low, high, whole=whole, language="en")
    chinese = _range(low, high, whole=whole, language="zh")
    name, name_zh = _label(feature)
    if feature.name == "employees":
        words = f"{english} people", f"员工{chinese}人"
    else:
        unit, unit_zh = _UNITS.get(feature.unit or "", ("", ""))
        words = f"{name} {english} {unit}".rstrip(), f"{name_zh}{chinese}{unit_zh}"
    return Condition(feature.name, operator, None, low, high, *words)


def _bands(feature: Feature, values: Matrix) -> Iterator[Condition]:
    known = values[~np.isnan(values)]
    if not len(known):
        return
    whole = bool((known == np.floor(known)).all())
    edges = [None, *_edges(feature, known), None]
    for start, low in enumerate(edges[:-1]):
        for high in edges[start + 1 :]:
            if low is not None or high is not None:
                yield between(feature, low=low, high=high, whole=whole)


def _edges(feature: Feature, known: Matrix) -> list[float]:
    """Round numbers that cut the values into some six bands, rising."""
    if feature.name == "employees":
        found = {edge for edge in _PEOPLE if known.min() < edge <= known.max()}
    else:
        found = {_nice(float(cut)) for cut in np.quantile(known, _QUANTILES)}
    return sorted(edge for edge in found if known.min() < edge <= known.max())


def _nice(value: float) -> float:
    if value == 0 or not np.isfinite(value):
        return 0.0
    scale = 10.0 ** np.floor(np.log10(abs(value)))
    nearest = min(_NICE, key=lambda each: abs(each - abs(value) / scale))
    return float(np.copysign(float(f"{nearest * scale:.6g}"), value))


def _label(feature: Feature) -> tuple[str, str]:
    """The feature's name in its own sentences, without the value."""
    english, chinese = feature.sentence_en, feature.sentence_zh
    if feature.kind == "flag" and not feature.member:
        english, chinese = english.removesuffix(": yes"), chinese.removesuffix("：是")
    elif feature.member:
        english, chinese = english.rsplit(": ", 1)[0], chinese.rsplit("：", 1)[0]
    else:
        english, chinese = (
            text.replace("{value}", "").strip(" :：") or feature.name for text in (english, chinese)
        )
    return _unescaped(english), _unescaped(chinese)


def _unescaped(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


def _range(low: float | None, high: float | None, *, whole: bool, language: str) -> str:
    last = None if high is None else high - 1 if whole else high
    english = language == "en"
    shown = [None if edge is None else _number(edge, english=english) for edge in (low, last)]
    if shown[0] is None:
        until, until_zh = ("at most", "不超过") if whole else ("below", "低于")
        return f"{until} {shown[1]}" if english else f"{until_zh}{shown[1]}"
    if shown[1] is None:
        return f"{shown[0]} or more" if english else f"{shown[0]}及以上"
    if shown[0] == shown[1]:
        return shown[0]
    to = "to" if whole else "to under"
    return f"{shown[0]} {to} {shown[1]}" if english else f"{shown[0]}至{'' if whole else '不足'}{shown[1]}"


def _number(value: float, *, english: bool) -> str:
    # A bound of whole numbers is told to the last one; of millions nobody counts singles.
    rounded = value + 1 if abs(value) >= 1e5 and (value + 1) % 1e3 == 0 else value
    steps = ((1e9, " billion"), (1e6, " million")) if english else ((1e8, "亿"), (1e4, "万"))
    for size, word in steps:
        if abs(rounded) >= size and (english or abs(rounded) >= 1e5):
            return f"{rounded / size:,.4g}{word}"
    return f"{rounded:,.0f}" if float(rounded).is_integer() else f"{rounded:.3g}"
