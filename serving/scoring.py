"""The one way in which accounts are scored: the service and the command line both call it, for one or many.

Turns checked requests into features by the same SQL as training, then into whole answers. Time rule: only
facts with `known_at < as_of` count; see `serving.subjects` for the moment that is taken without one. Null
rule: a half that cannot be given is null, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from features.feature import Language
from features.settings import SALES_PRIORITIES
from features.workspace import Workspace
from models.card import ModelKey
from models.explanation import Explained
from models.grades import Grade
from serving.answer_text import answer_text
from serving.answers import (
    AccountName,
    FitScore,
    IntentScore,
    LeadFound,
    Priority,
    ReleaseName,
    ScoreAnswer,
)
from serving.desk import Desk, open_desk
from serving.halves import fire_of, fit_score, intent_score
from serving.phrases import phrase
from serving.releases import LoadedRelease, ServedModel
from serving.requests import ScoreRequest, parse_request
from serving.rows import rows_of
from serving.speaking import Speaker, speakers_of
from serving.store.activities import Activity
from serving.subjects import SECOND, Subject, default_as_of, default_moments, find_subject
from serving.unknown_company import with_fit_range
from serving.working import machine_score, working

__all__ = [
    "Scored",
    "absent",
    "default_as_of",
    "default_moments",
    "new_request_id",
    "priority_of",
    "priority_of_grades",
    "score_account",
    "score_in_full",
    "score_once",
    "score_subjects",
    "utc_now",
    "warnings_of",
]

_STALE = timedelta(days=30)

Row = NDArray[np.float64]
Made = TypeVar("Made")


@dataclass(frozen=True)
class Scored:
    """An answer with all that it was computed from, as the log keeps it.

    request: what was asked, without a word of a person. rows: by model, features, float64 (k,) in the order
    of its catalogue: of those that answer, and of a kind of which none does, of the last that was asked.
    contributions: by model that answers, float64 (k,), log-odds, calibrated. newer: activities that counted
    beside the tables.
    """

    request: ScoreRequest
    answer: ScoreAnswer
    language: Language
    rows: Mapping[ModelKey, Row]
    contributions: Mapping[ModelKey, Row]
    newer: tuple[Activity, ...] = ()
    _made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def again(self, request: ScoreRequest, *, request_id: str) -> Scored:
        """The same answer to another request of the same account and moment."""
        answer = self.answer.model_copy(update={"request_id": request_id})
        return replace(self, request=request, answer=answer)

    def text(self) -> str:
        """The answer as JSON."""
        name = f'{{"request_id":{json.dumps(self.answer.request_id)}'
        return name + self.once("rest", lambda: answer_text(self.answer)[len(name) :])

    def once(self, what: str, make: Callable[[], Made]) -> Made:
        """What is the same for every request that gets this answer, made by the first that needs it."""
        if what not in self._made:
            self._made[what] = make()
        made: Made = self._made[what]
        return made


@dataclass(frozen=True)
class _Asked:
    """A subject with the models that speak of it, and the name of its answer."""

    subject: Subject
    fit: Speaker
    intent: Speaker
    models: tuple[ServedModel, ...]
    request_id: str

    @property
    def answering(self) -> tuple[ServedModel, ...]:
        """The models that answer."""
        return tuple(one.model for one in (self.fit, self.intent) if one.model is not None)


def utc_now() -> datetime:
    """The current second, naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def new_request_id() -> str:
    """A name for one answer: 32 hexadecimal digits."""
    return uuid4().hex


def score_once(
    workspace: Workspace,
    *,
    request: Mapping[str, Any],
    now: datetime | None = None,
    language: Language = "en",
) -> ScoreAnswer:
    """The answer of the service to a request, without a service: for the command line.

    request: what would be the JSON body. Raises what the service turns into problem details.
    """
    now = now or utc_now()
    with open_desk(workspace, now=now) as desk:
        body = json.dumps(request, ensure_ascii=False).encode()
        checked = parse_request(body, attributes=desk.snapshot.manifest.attributes)
        return score_account(desk, request=checked, now=now, language=language)


def score_account(
    desk: Desk,
    *,
    request: ScoreRequest,
    now: datetime,
    language: Language = "en",
    request_id: str | None = None,
) -> ScoreAnswer:
    """Fit, intent and the reasons for both, for one account at one moment.

    now: naive UTC, whole seconds; nothing may lie after it. Raises UnknownAccountError,
    AmbiguousDomainError, InvalidRequestError or EngineError.
    """
    return score_in_full(desk, request=request, now=now, language=language, request_id=request_id).answer


def score_in_full(
    desk: Desk,
    *,
    request: ScoreRequest,
    now: datetime,
    language: Language = "en",
    request_id: str | None = None,
) -> Scored:
    """As `score_account`, with what the answer was computed from."""
    subject = find_subject(desk, request=request, now=now, language=language)
    (scored,) = score_subjects(
        desk, [subject], request_ids=[request_id or new_request_id()], now=now, language=language
    )
    return scored


def score_subjects(
    desk: Desk,
    subjects: Sequence[Subject],
    *,
    request_ids: Sequence[str],
    now: datetime,
    language: Language,
) -> list[Scored]:
    """The answers of subjects, in their order: features and scores of all that a model answers in one go.

    One subject gets the same bits alone as among others. Raises EngineError.
    """
    asked = _asked(desk, subjects, request_ids=request_ids, language=language)
    rows = rows_of(desk, [(one.subject, [model.key for model in one.models]) for one in asked])
    explained = _explained(asked, rows=rows)
    return [
        _scored(desk, one, rows=own, explained=told, now=now, language=language)
        for one, own, told in zip(asked, rows, explained, strict=True)
    ]


def _asked(
    desk: Desk, subjects: Sequence[Subject], *, request_ids: Sequence[str], language: Language
) -> list[_Asked]:
    fits, intents = desk.release.of_kind("fit"), desk.release.of_kind("intent")
    pairs = zip(
        subjects,
        speakers_of(subjects, kind="fit", models=fits, language=language),
        speakers_of(subjects, kind="intent", models=intents, language=language),
        request_ids,
        strict=True,
    )
    return [
        _Asked(
            subject,
            fit,
            intent,
            (
                *_looked_at(fits, answering=fit.model),
                *(() if subject.is_unknown_company else _looked_at(intents, answering=intent.model)),
            ),
            request_id,
        )
        for subject, fit, intent, request_id in pairs
    ]


def _looked_at(models: Sequence[ServedModel], *, answering: ServedModel | None) -> tuple[ServedModel, ...]:
    """The model of a kind whose features are looked at: the one that answers, else the last."""
    return tuple(models[-1:]) if answering is None else (answering,)


def _explained(
    asked: Sequence[_Asked], *, rows: Sequence[Mapping[ModelKey, Row]]
) -> Iterator[dict[ModelKey, Explained]]:
    """What the models that answer say of each subject: each model is asked once.

    One subject at a time: the reasons of a thousand are more than a processor keeps at hand.
    """
    own: dict[ModelKey, tuple[ServedModel, list[Row]]] = {}
    for one, features in zip(asked, rows, strict=True):
        for model in one.answering:
            own.setdefault(model.key, (model, []))[1].append(features[model.key])
    told = {key: model.scorer.explain(np.stack(features)) for key, (model, features) in own.items()}
    return ({model.key: next(told[model.key]) for model in one.answering} for one in asked)


def _scored(
    desk: Desk,
    asked: _Asked,
    *,
    rows: Mapping[ModelKey, Row],
    explained: Mapping[ModelKey, Explained],
    now: datetime,
    language: Language,
) -> Scored:
    subject = asked.subject
    fit = intent = None
    if asked.fit.model is not None:
        told = explained[asked.fit.model.key]
        fit = fit_score(asked.fit.model.scorer, explained=told, language=language)
    if asked.intent.model is not None:
        told = explained[asked.intent.model.key]
        intent = intent_score(asked.intent.model.scorer, explained=told, language=language)
    priority = priority_of(desk.release, fit=fit, intent=intent, language=language)
    held = working(
        machine_score(fit, intent),
        # Feedback given from the moment on that the answer is of does not count.
        rejection=desk.verdicts.rejection(
            subject.account.account_id or "", before=subject.request.as_of or now + SECOND
        ),
        priority=priority,
        language=language,
    )
    answer = ScoreAnswer(
        request_id=asked.request_id,
        account=AccountName(
            account_id=subject.account.account_id, name=subject.account.name, domain=subject.account.domain
        ),
        lead=_lead(desk, asked, fit=fit, rows=rows, language=language),
        as_of=subject.as_of,
        data_through=subject.data_through,
        fit=fit,
        fit_unavailable_reason=None if fit else (asked.fit.silence or absent("fit", language)),
        intent=intent,
        intent_unavailable_reason=None if intent else (asked.intent.silence or absent("intent", language)),
        fire=fire_of(desk.release.models, rows=rows, fit=fit, intent=intent),
        priority=priority,
        machine_score=held.machine_score,
        adjustment=held.adjustment,
        working_score=held.working_score,
        adjustment_reason=held.reason,
        working_priority=held.priority,
        unseen_categories=_unseen(asked.models, rows=rows),
        warnings=warnings_of(subject, language=language),
        release=ReleaseName(id=desk.release.release.id, created_at=desk.release.release.created_at),
    )
    # A copy: what is remembered of one must not hold the contributions of all.
    contributions = {key: told.contributions.copy() for key, told in explained.items()}
    return Scored(subject.request, answer, language, rows, contributions, subject.newer)


def _lead(
    desk: Desk, asked: _Asked, *, fit: FitScore | None, rows: Mapping[ModelKey, Row], language: Language
) -> LeadFound | None:
    model = asked.fit.model
    row = rows[model.key] if model else None
    return with_fit_range(desk, asked.subject, model, fit=fit, row=row, language=language)


def absent(kind: str, language: Language) -> str:
    """Why there is nothing of a kind, where the release has no model of it."""
    return phrase("no_model", language=language, kind=phrase(kind, language=language))


def priority_of(
    release: LoadedRelease, *, fit: FitScore | None, intent: IntentScore | None, language: Language
) -> Priority:
    """What the release's table says of the grades of two halves."""
    grades: dict[str, Grade | None] = {
        "fit": fit.grade if fit else None,
        "intent": intent.grade if intent else None,
    }
    return priority_of_grades(release, grades=grades, language=language)


def priority_of_grades(
    release: LoadedRelease, *, grades: Mapping[str, Grade | None], language: Language
) -> Priority:
    """As `priority_of`."""
    action = release.priorities.priority(fit=grades["fit"], intent=grades["intent"])
    given = [kind for kind, grade in grades.items() if grade]
    key = {2: "both_grades", 0: "no_grade"}.get(len(given)) or f"{given[0]}_grade"
    return Priority(
        action=action or phrase("nothing", language=language),
        to_sales=action in SALES_PRIORITIES,
        why=phrase(key, language=language, **grades),
    )


def _unseen(models: Iterable[ServedModel], *, rows: Mapping[ModelKey, Row]) -> list[str]:
    return sorted({name for model in models for name in model.scorer.unseen_in(rows[model.key])})


def warnings_of(subject: Subject, *, language: Language) -> list[str]:
    """What a reader of an answer should mind."""
    sent_along = subject.account.account_id is None
    if sent_along or subject.data_through is None or subject.as_of - subject.data_through <= _STALE:
        return []
    return [phrase("old_data", language=language, days=(subject.as_of - subject.data_through).days)]
