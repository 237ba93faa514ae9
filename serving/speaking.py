"""Which model of a kind speaks of an account, and why another one does not.

Turns subjects and the models of a release, in the order in which they are asked, into the first that speaks
of each. Time rule: facts, deals and ages count as they were known before each subject's `as_of`. Null rule:
where no model speaks, the reason of the last that was asked stands in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from features.feature import Language
from features.label_rules import any_rule, left_out, rule_against
from features.label_settings import RowSettings
from models.card import Kind
from serving.phrases import phrase
from serving.population import intent_obstacle
from serving.records import RECORD_ID
from serving.releases import ServedModel
from serving.subjects import Subject

__all__ = ["Speaker", "speakers_of"]


class Speaker(NamedTuple):
    """The model that answers for an account, or None and why none does; without any model, no reason."""

    model: ServedModel | None = None
    silence: str | None = None


def speakers_of(
    subjects: Sequence[Subject], *, kind: Kind, models: Sequence[ServedModel], language: Language
) -> list[Speaker]:
    """The first model that speaks of each subject."""
    found = [Speaker()] * len(subjects)
    silent = list(range(len(subjects)))
    for model in models:
        reasons = _silences(model, [subjects[place] for place in silent], kind=kind, language=language)
        for place, reason in zip(silent, reasons, strict=True):
            found[place] = Speaker(model) if reason is None else Speaker(None, reason)
        silent = [place for place in silent if found[place].model is None]
    return found


def _silences(
    model: ServedModel, subjects: Sequence[Subject], *, kind: Kind, language: Language
) -> list[str | None]:
    """Why a model does not speak of each subject, None where it does."""
    reasons = [
        _obstacle(model, subject, language=language) if kind == "intent" else None for subject in subjects
    ]
    free = [place for place, reason in enumerate(reasons) if reason is None]
    rules = _rules_against([subjects[place] for place in free], settings=model.labels.of(kind))
    for place, rule in zip(free, rules, strict=True):
        about = phrase(kind, language=language)
        reasons[place] = rule and phrase("ruled_out", language=language, kind=about, rule=rule)
    return reasons


def _obstacle(model: ServedModel, subject: Subject, *, language: Language) -> str | None:
    """Why the intent model does not speak of an account: nothing is known of it, or its deals say so."""
    if subject.is_unknown_company:
        return phrase("not_enough_evidence", language=language)
    labels = model.labels.intent
    deal = intent_obstacle(
        subject.deals, as_of=subject.as_of, product=labels.product, population=labels.population
    )
    if deal is None:
        return None
    if deal.outcome is None:
        return phrase("open_deal", language=language, date=deal.created_at.date())
    return phrase("owner", language=language, date=(deal.closed_at or deal.known_at).date())


def _rules_against(subjects: Sequence[Subject], *, settings: RowSettings) -> list[str | None]:
    """The rule of a model's labels that leaves each subject out, None where it stays."""
    known = [place for place, subject in enumerate(subjects) if subject.account.account_id is not None]
    together = known if len(known) > 1 and any_rule(settings) else []
    found: list[str | None] = [None] * len(subjects)
    for place in set(range(len(subjects))) - set(together):
        found[place] = _rule_against(subjects[place], settings=settings)
    if together:
        rules = _left_out([subjects[place] for place in together], settings=settings)
        for place, rule in zip(together, rules, strict=True):
            found[place] = rule
    return found


def _left_out(subjects: Sequence[Subject], *, settings: RowSettings) -> list[str | None]:
    """As `_rule_against`, of many known accounts by one query for each rule."""
    keys = pd.DataFrame(
        {
            "account_id": [subject.account.account_id for subject in subjects],
            "as_of": pd.Series([subject.as_of for subject in subjects], dtype="datetime64[us]"),
        }
    )
    with subjects[0].connect() as connection:
        rules = left_out(connection, keys, settings=settings)
    return [rule if isinstance(rule, str) else None for rule in rules]


def _rule_against(subject: Subject, *, settings: RowSettings) -> str | None:
    """Segments first, as they are asked first: of them one look tells for all models."""
    left = settings
    if settings.where and subject.segments.holds(settings.where):
        outside = subject.segments.outside(settings.where)
        if outside is not None:
            return outside
        left = settings.model_copy(update={"where": {}})
    return rule_against(
        subject.account.account_id or RECORD_ID,
        as_of=subject.as_of,
        first_known_at=subject.account.first_known_at,
        settings=left,
        connect=subject.connect,
    )
