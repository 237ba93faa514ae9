"""The answer of GET /v1/model: what is served, since when, by whom, and the card of each model.

Turns the release that answers now and the log of who chose it into names, figures and sentences of one
language. Time rule: times are UTC, whole seconds, written with Z. Null rule: a member that a card does not
have is null, or an empty list.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from features.feature import Language
from models.card import Kind, kind_of
from serving.answers import Answer, ModelVersion, Moment
from serving.halves import model_version
from serving.profile import about
from serving.releases import LoadedRelease, ServedModel
from serving.store import Event

__all__ = ["ModelAnswer", "model_answer"]


class ServedRelease(Answer):
    """The release that answers now, and who chose it."""

    id: int
    created_at: Moment
    created_by: str
    reason: str = Field(description="Why it was made.")
    serving_since: Moment = Field(description="From when on it answers.")
    chosen_by: str = Field(description="Who promoted it, or went back to it.")
    chosen_because: str
    chosen_with: str = Field(description="promote, rollback or activate.")


class ModelFigure(Answer):
    """A figure of a training."""

    name: str
    value: float


class ModelSetting(Answer):
    """What a model was trained with."""

    name: str
    value: str = Field(description="As JSON.")


class ModelCard(Answer):
    """The card of a model that answers now."""

    key: str = Field(description="Its name in requests and answers, such as fit or intent.emea.")
    kind: Kind
    about: str | None = Field(description="Whom it is about, in words; null where it is about all accounts.")
    model: ModelVersion
    meaning: str = Field(description="What its probability means.")
    label: str = Field(description="How the outcome is defined.")
    horizon_days: int | None = Field(description="Days that it looks ahead; null of fit.")
    base_rate: float = Field(ge=0, le=1, description="Share of the rows it learned from with the outcome.")
    counts: list[ModelFigure] = Field(description="What it learned from.")
    metrics: list[ModelFigure] = Field(description="On later accounts, which also chose its size.")
    interval_level: float = Field(description="How often a probability interval holds what it speaks of.")
    interval_meaning: str
    settings: list[ModelSetting]
    features: list[str] = Field(description="What it reads, in its order.")
    not_comparable: list[str] = Field(description="Features left out because only some origins have them.")
    consent_assumed: list[str] = Field(description="What is assumed of consent and not told by the data.")
    data_fingerprint: str = Field(description="Of the tables that it was trained on.")
    lightgbm_version: str
    machine: str = Field(description="Where its scores are the same to the last bit.")


class ModelAnswer(Answer):
    """What is served now."""

    release: ServedRelease
    models: list[ModelCard] = Field(description="In the order in which they are asked.")


def model_answer(release: LoadedRelease, *, events: Iterable[Event], language: Language) -> ModelAnswer:
    """The answer. events: every move of the pointer, the newest first."""
    made = release.release
    chosen = next(event for event in events if event.release_id == made.id)
    return ModelAnswer(
        release=ServedRelease(
            id=made.id,
            created_at=made.created_at,
            created_by=made.created_by,
            reason=made.reason,
            serving_since=chosen.activate_at,
            chosen_by=chosen.who,
            chosen_because=chosen.why,
            chosen_with=chosen.action,
        ),
        models=[_card(model, language=language) for model in release.models],
    )


def _card(model: ServedModel, *, language: Language) -> ModelCard:
    bundle = model.scorer.bundle
    card = bundle.card
    assumed = card.get("consent_assumed", {})
    return ModelCard(
        key=model.key,
        kind=kind_of(model.key),
        about=about(model, language=language),
        model=model_version(model.scorer),
        meaning=card["meaning"][language],
        label=card["label"],
        horizon_days=card["horizon_days"],
        base_rate=card["base_rate"],
        counts=_figures(card["counts"]),
        metrics=_figures(card["metrics"]),
        interval_level=card["interval"]["level"],
        interval_meaning=card["interval"]["meaning"][language],
        settings=[
            ModelSetting(name=name, value=json.dumps(value)) for name, value in card["parameters"].items()
        ],
        features=list(bundle.catalogue.names),
        not_comparable=sorted(card["origins"]["left_out"]) if "origins" in card else [],
        consent_assumed=[f"{source}: {what}" for source, what in sorted(assumed.items())],
        data_fingerprint=card["data_fingerprint"],
        lightgbm_version=card["lightgbm_version"],
        machine=card["machine"],
    )


def _figures(told: Mapping[str, Any]) -> list[ModelFigure]:
    """The members that are numbers."""
    return [ModelFigure(name=name, value=value) for name, value in told.items() if _is_number(value)]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
