"""Features that a company declares itself: one [[features]] table of its TOML file each.

Turns a declaration (formula, window, words) into a `Feature` like any other, so that it flows through
batches, single accounts, records in requests, models, explanations and the catalogue. Time rule: the
engine's; a formula cannot reach past the moment. Null rule: the formula's own; the declaration may word a
missing value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator

from features.errors import ConfigError
from features.feature import ALL, FORMULA, Feature, Group
from features.formulas import check_formula
from features.settings import Section
from features.tables import Attribute
from features.wording import english_label

__all__ = ["DeclaredFeature", "declared_features"]

_TABLES: dict[Group, str] = {
    "firmographic": "accounts",
    "technographic": "accounts",
    "engagement": "activities",
    "outreach": "activities",
    "topics": "intent_topics",
    "relationship": "opportunities",
}
"""What the formulas of a group read; fit models see the groups of `accounts` only."""


class DeclaredFeature(Section):
    """[[features]]

    group: decides which rows the formula reads (firmographic and technographic: the account's facts;
        engagement: activities but our own; outreach: our own; topics: one row per topic; relationship: one
        row per deal) and which models may learn from it.
    formula, where: SQL over those rows; `features.formula_rows.readable_columns` names their columns.
    window_days: of activities, how far back; None reads all that was known.
    kind: "flag" for a formula that says yes or no; its sentence is told when it is yes.
    sentence_en, sentence_zh: for sales, with `{value}` unless it is a flag; absent_en, absent_zh: no value.
    meaning_en, meaning_zh: for the catalogue; what is left out is made of the name or the sentence.
    idea: features of one idea are told as one reason; its own by default.
    """

    name: str = Field(pattern="^[a-z][a-z0-9_]{0,59}$")
    group: Group
    formula: str = Field(min_length=1)
    where: str = ""
    window_days: int | None = Field(default=None, ge=1, le=3650)
    kind: Literal["number", "flag"] = "number"
    unit: str | None = None
    sentence_en: str = Field(min_length=1)
    sentence_zh: str = Field(min_length=1)
    absent_en: str = ""
    absent_zh: str = ""
    meaning_en: str = ""
    meaning_zh: str = ""
    idea: str = ""

    @model_validator(mode="after")
    def _check(self) -> DeclaredFeature:
        if self.window_days is not None and _TABLES[self.group] != "activities":
            raise ValueError("window_days narrows activities only; leave it out for this group")
        if self.where and _TABLES[self.group] == "accounts":
            raise ValueError("where narrows rows, but an account's facts are one; use CASE in the formula")
        for sentence in (self.sentence_en, self.sentence_zh):
            self._try(sentence)
        return self

    def _try(self, sentence: str) -> None:
        try:
            shown = sentence.format(value="1")
        except (KeyError, IndexError, ValueError):
            raise ValueError(f"{sentence!r} may hold {{value}} and no other braces") from None
        if (shown == sentence) is (self.kind == "number"):
            raise ValueError(f"{sentence!r} must hold {{value}} for a number, and must not for a flag")

    def feature(self) -> Feature:
        """The declaration as the engine, the models and the explanations know it."""
        label = english_label(self.name)
        return Feature(
            name=self.name,
            group=self.group,
            kind=self.kind,
            table=_TABLES[self.group],
            aggregation=FORMULA,
            subject=ALL,
            sentence_en=self.sentence_en,
            sentence_zh=self.sentence_zh,
            absent_en=self.absent_en or f"{label}: {'no or unknown' if self.kind == 'flag' else 'unknown'}",
            absent_zh=self.absent_zh or f"{label}：{'否或未知' if self.kind == 'flag' else '未知'}",
            idea=self.idea or self.name,
            null_rule="missing where the formula has no value",
            null_rule_zh="公式无值时为缺失",
            window_days=self.window_days,
            unit=self.unit,
            formula=self.formula,
            where=self.where,
            meaning_en=self.meaning_en or _without_value(self.sentence_en),
            meaning_zh=self.meaning_zh or _without_value(self.sentence_zh),
        )


def declared_features(
    declared: Sequence[DeclaredFeature],
    *,
    attributes: Sequence[Attribute],
    taken: Collection[str],
) -> Iterator[Feature]:
    """The declarations as features, each formula tried on empty tables.

    taken: names that exist already. Raises ConfigError for a formula that cannot be computed and for a name
    that is taken.
    """
    names = set(taken)
    for declaration in declared:
        if declaration.name in names:
            raise ConfigError(
                "[[features]] declares a name that exists already",
                got=repr(declaration.name),
                fix="give it another name",
            )
        names.add(declaration.name)
        feature = declaration.feature()
        empty = check_formula(feature, attributes=attributes)
        if empty is not None:
            feature = replace(
                feature,
                null_rule=f"{empty:g} without such rows",
                null_rule_zh=f"没有此类记录时为{empty:g}",
            )
        yield feature


def _without_value(sentence: str) -> str:
    """`{value} long visits` -> "… long visits": what is counted, before anything was."""
    return sentence.format(value="…")
