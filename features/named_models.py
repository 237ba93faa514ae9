"""Several models by segment, product or region, each with its own name: [[model.named]].

Turns the table of a named model into the settings of labels and learning that it has: its own keys, and
beneath them those of [labels] and of [model.fit] or [model.intent]. Time rule: none of its own; the
population is a rule about accounts as any label has them. Null rule: an account of which a fact is not known
is in no population by that fact, so that the model without a name answers for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, model_validator

from features.errors import ConfigError, suggestion
from features.label_settings import (
    AuditedSettings,
    FitLabelSettings,
    IntentLabelSettings,
    Texts,
    require_one_level,
)
from features.learning_settings import LearningSettings
from features.model_keys import KINDS, Kind, ModelKey, model_key

__all__ = ["NamedModel", "check_named"]

_NAME = re.compile("[a-z][a-z0-9_]{0,29}")

_LEVEL = ("label_rate", "audited", "some_always_win")

Learning = TypeVar("Learning", bound=LearningSettings)


class NamedModel(LearningSettings):
    """[[model.named]]: what is left out is as in [model.fit] or [model.intent].

    name: of the model, after that of its kind, as in icp_fit.emea.
    where: accounts that it is about, of those that [labels] is about: by fact, the values.
    product: of the deals that count, instead of what [labels] says.
    label_rate, audited, some_always_win: of a fit model against the universe, as in [labels.fit], whose own
        are about other accounts and do not hold here.
    """

    name: str
    kind: Kind
    where: dict[str, Texts] = Field(default_factory=dict)
    product: str | None = None
    label_rate: float | None = Field(default=None, gt=0.0, le=1.0)
    audited: AuditedSettings | None = None
    some_always_win: bool = False

    @model_validator(mode="after")
    def _one_level(self) -> NamedModel:
        require_one_level(self.label_rate, self.audited, some_always_win=self.some_always_win)
        if self.kind == "intent" and self.model_fields_set & set(_LEVEL):
            raise ValueError(f"{', '.join(_LEVEL)} are of fit models; leave them out of an intent model")
        return self

    @property
    def key(self) -> ModelKey:
        """Such as fit.emea."""
        return model_key(self.kind, name=self.name)

    def learning(self, shared: Learning) -> Learning:
        """What it learns with. shared: [model.fit] or [model.intent]."""
        given = self.model_fields_set & set(LearningSettings.model_fields)
        return shared.model_copy(update={name: getattr(self, name) for name in given})

    def fit_labels(self, shared: FitLabelSettings) -> FitLabelSettings:
        """[labels.fit] of its own population; it is trained, whether or not the unnamed one is."""
        level = {name: getattr(self, name) for name in _LEVEL}
        return shared.model_copy(update=self._rows(shared) | level | {"enabled": True})

    def intent_labels(self, shared: IntentLabelSettings) -> IntentLabelSettings:
        """[labels.intent] of its own population."""
        return shared.model_copy(update=self._rows(shared))

    def _rows(self, shared: FitLabelSettings | IntentLabelSettings) -> dict[str, Any]:
        where = shared.where | {
            fact: self._shared(fact, values=values, among=shared.where.get(fact, values))
            for fact, values in self.where.items()
        }
        return {"where": where, "product": self.product or shared.product}

    def _shared(self, fact: str, *, values: Texts, among: Texts) -> Texts:
        if not set(values) <= set(among):
            raise ConfigError(
                f"[[model.named]] {self.name}: where.{fact} names accounts that [labels] leaves out",
                got=", ".join(values),
                allowed=", ".join(among),
                fix=f"name some of these, or widen where.{fact} of [labels.{self.kind}]",
            )
        return values


def check_named(model: object, *, file: Path) -> None:
    """Raise ConfigError for a name that is wrong or taken, an unknown kind, and a model without a population.

    model: the raw table [model] of the file; what is no table in it is for others to refuse.
    """
    given = model.get("named", []) if isinstance(model, dict) else []
    if not isinstance(given, list):
        raise ConfigError(
            f"{file}: model.named is no list of models", got=given, fix="write [[model.named]] above each"
        )
    seen: dict[ModelKey, int] = {}
    for number, one in enumerate(given, start=1):
        if isinstance(one, dict):
            place = f"{file}: model.named[{number}]"
            key = _checked(one, place=place)
            _require_free(key, seen=seen, place=place)
            seen[key] = number


def _checked(given: Mapping[str, Any], *, place: str) -> ModelKey:
    name, kind = given.get("name"), given.get("kind")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(
            f"{place}: name is no name of a model",
            got=repr(name),
            allowed="a small letter, then up to 29 small letters, digits and _",
            fix='give one, such as name = "emea"',
        )
    if kind not in KINDS:
        raise ConfigError(
            f"{place} {name}: no such kind of model",
            got=repr(kind),
            allowed=", ".join(KINDS),
            fix=suggestion(str(kind), KINDS) or 'give one, such as kind = "fit"',
        )
    where = given.get("where")
    if not where or (isinstance(where, dict) and not all(where.values())):
        raise ConfigError(
            f"{place} {name}: the model has no population of its own",
            got=f"where = {where}" if where else "a product alone" if given.get("product") else "no where",
            allowed="accounts by fact and values; a product says which deals count, not for whom it answers",
            fix=f'add them, such as where = {{ region = "EMEA" }}, or change [model.{kind}] instead',
        )
    return model_key(kind, name=name)


def _require_free(key: ModelKey, *, seen: Mapping[ModelKey, int], place: str) -> None:
    if key in seen:
        raise ConfigError(
            f"{place}: two models have one name",
            got=f"{key}, which model.named[{seen[key]}] has already",
            allowed="one name for each model of a kind",
            fix="rename one of them",
        )
