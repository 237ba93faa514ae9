"""The split: a difference of log-odds in, the parts of time, facts and model that add up to it out.

Turns scores along a path of three steps into their differences. The path: first time alone (the old model
reads the old facts at the later moment), then the new facts (the same model at the same moment), then the
other model. Time passes whether or not anything is learned, and a model is chosen after the facts: so each
part says what would have been seen had the next step not happened. What arises only together counts where the
later step comes in. Each part is told by ideas, by the same exact contributions that explain a score. Time
rule: that of the rows handed in. Null rule: a missing value is a value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.feature import Feature, Group, Language
from models.bundle import Bundle
from models.grades import Grade, GradeCuts
from models.scoring import Scorer

__all__ = ["PATH", "Change", "Judge", "Moved", "Part", "PartName", "Scored", "split"]

Row = NDArray[np.float64]
PartName = Literal["decay", "data", "model"]

PATH: tuple[PartName, ...] = ("decay", "data", "model")
_SMALLEST = 5e-4
"""Log-odds below which an idea is not told by itself; its group counts it all the same."""


@dataclass(frozen=True)
class Scored:
    """What one model says at one moment."""

    model: str
    version: str
    logit: float
    probability: float
    grade: Grade
    score: float


@dataclass(frozen=True)
class Moved:
    """What one idea did to the log-odds.

    before, after: what is known of it, in a sentence per language. changed: whether its value is another one;
    the trees weigh a fact anew beside others that changed.
    """

    feature: str
    group: Group
    contribution: float
    before: tuple[str, str]
    after: tuple[str, str]
    changed: bool

    def sentence(self, language: Language = "en") -> str:
        at = 1 if language == "zh" else 0
        was, now = self.before[at], self.after[at]
        return now if was == now else f"{was} → {now}"


@dataclass(frozen=True)
class Part:
    """One step of the path. total: log-odds. groups: by feature group, and `baseline` of another model, which
    add up to the total (1e-9). ideas: those that did something, the strongest first."""

    name: PartName
    total: float
    groups: dict[str, float]
    ideas: tuple[Moved, ...]


@dataclass(frozen=True)
class Change:
    """The whole change of one model's score; the parts' totals add up to `difference` (1e-9)."""

    before: Scored
    after: Scored
    parts: tuple[Part, ...]

    @property
    def difference(self) -> float:
        return self.after.logit - self.before.logit

    def part(self, name: PartName) -> Part:
        return next(part for part in self.parts if part.name == name)


@dataclass(frozen=True)
class Judge:
    """A model, and where its grades end."""

    bundle: Bundle
    cuts: GradeCuts

    @cached_property
    def scorer(self) -> Scorer:
        return Scorer(self.bundle, threads=1, cuts=self.cuts)


@dataclass(frozen=True)
class _Told:
    """A scored row: its log-odds and the contributions that they are the sum of."""

    catalogue: Catalogue
    row: Row
    scored: Scored
    baseline: float
    contributions: Row

    @classmethod
    def of(cls, judge: Judge, row: Row) -> _Told:
        scores = judge.scorer.score(row[np.newaxis])
        assert scores.contributions is not None
        scored = Scored(
            judge.bundle.name,
            judge.bundle.version,
            float(scores.logit[0]),
            float(scores.probability[0]),
            judge.cuts.grade(float(scores.score[0])),
            float(scores.score[0]),
        )
        return cls(judge.bundle.catalogue, row, scored, scores.baseline, scores.contributions[0])


def split(old: Judge, new: Judge, *, before: Row, aged: Row, fresh: Row, after: Row) -> Change:
    """The parts of the difference between what the old model said and what the new one says.

    before: the old model's features at the first moment. aged: at the second, by the facts of the first.
    fresh: at the second, by all facts known then. after: the same for the new model; float64 (k,).
    """
    told = [_Told.of(old, before), _Told.of(old, aged), _Told.of(old, fresh)]
    same = old.bundle.fingerprint == new.bundle.fingerprint
    told.append(told[-1] if same else _Told.of(new, after))
    # The cuts of a release may differ where its model is the same.
    last = _Told.of(new, after).scored
    parts = [_part(name, *told[step : step + 2]) for step, name in enumerate(PATH)]
    return Change(told[0].scored, last, tuple(parts))


def _part(name: PartName, before: _Told, after: _Told) -> Part:
    moved = list(_moved(before, after))
    groups: dict[str, list[float]] = {}
    for one in moved:
        groups.setdefault(one.group, []).append(one.contribution)
    sums = {group: math.fsum(values) for group, values in groups.items() if any(values)}
    if after.baseline != before.baseline:
        sums["baseline"] = after.baseline - before.baseline
    ideas = sorted(
        (one for one in moved if abs(one.contribution) >= _SMALLEST),
        key=lambda one: (-abs(one.contribution), one.feature),
    )
    return Part(name, after.scored.logit - before.scored.logit, sums, tuple(ideas))


def _moved(before: _Told, after: _Told) -> Iterator[Moved]:
    """Every idea of the two models, with the difference of what its features contribute."""
    ideas: dict[str, dict[str, Feature]] = {}
    for feature in (*before.catalogue.features, *after.catalogue.features):
        ideas.setdefault(feature.idea or feature.name, {}).setdefault(feature.name, feature)
    for features in ideas.values():
        differences = {name: _contribution(after, name) - _contribution(before, name) for name in features}
        speaker = features[_speaker(differences, before=before, after=after)]
        yield Moved(
            speaker.name,
            speaker.group,
            math.fsum(differences.values()),
            _sentences(speaker, before),
            _sentences(speaker, after),
            changed=_cell(before, speaker.name) != _cell(after, speaker.name),
        )


def _speaker(differences: dict[str, float], *, before: _Told, after: _Told) -> str:
    """The feature that tells the idea: the one that did most to its side, one whose value changed first."""
    side = math.copysign(1.0, math.fsum(differences.values()))

    def rank(name: str) -> tuple[bool, float, str]:
        same = _cell(before, name) == _cell(after, name)
        return same, -side * differences[name], name

    return min(differences, key=rank)


def _cell(told: _Told, name: str) -> float | None:
    value = _value(told, name)
    return None if math.isnan(value) else value


def _value(told: _Told, name: str) -> float:
    """The value of a feature; NaN where the model has none of that name."""
    names = told.catalogue.names
    return float(told.row[told.catalogue.index(name)]) if name in names else math.nan


def _contribution(told: _Told, name: str) -> float:
    names: Sequence[str] = told.catalogue.names
    return float(told.contributions[told.catalogue.index(name)]) if name in names else 0.0


def _sentences(feature: Feature, told: _Told) -> tuple[str, str]:
    own = told.catalogue.feature(feature.name) if feature.name in told.catalogue.names else feature
    value = _value(told, feature.name)
    return own.sentence(value, language="en"), own.sentence(value, language="zh")
