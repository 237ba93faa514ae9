"""What is answered about expansions, and about accounts like one.

Turns what a job keeps into answers, in one language. Time rule: times are UTC, whole seconds, written with Z.
Null rule: what is not known, or has not happened yet, is null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from features.feature import Language
from serving.answers import Answer, Moment, ProblemDetails
from serving.jobs.answers import expires_at
from serving.jobs.expansion_parts import step_of
from serving.jobs.settings import JobSettings
from serving.lists.member_answers import Why, why
from serving.store.jobs import Job, State

__all__ = [
    "ExpansionAnswer",
    "SimilarAnswer",
    "SuggestedAnswer",
    "SuggestionsAnswer",
    "expansion_answer",
    "suggested",
]


class LeftOutOf(Answer):
    """How many accounts were left out of an expansion for one reason."""

    reason: str
    accounts: int


class NotUsed(Answer):
    """An attribute that tells who is a seed, not who is like one."""

    attribute: str
    sentence: str


class ExpansionResult(Answer):
    """What is said of an expansion as a whole."""

    accounts: int = Field(description="How many are suggested.")
    universe: int = Field(description="How many were looked through, seeds among them.")
    seeds: int
    ranker: str = Field(description="What finds hidden seeds best: similarity, linear or trees.")
    notes: list[str] = Field(description="How sure it is, and what to know of it.")
    left_out: list[LeftOutOf]
    not_used: list[NotUsed]


class PartShare(Answer):
    """A part of a blend, as the share of accounts that are behind."""

    part: str = Field(description="fit, intent or value.")
    share: float | None = Field(description="null where nothing is known.")


class ExpansionAnswer(Answer):
    """An expansion, and how far it is."""

    id: str
    state: State = Field(description="queued, running, done, failed or cancelled.")
    mode: str | None = Field(description="vertical, horizontal or intent; null once it failed or was ended.")
    product: str | None
    size: int | None
    weights: list[PartWeight]
    list_id: int | None = Field(description="The list whose accounts are the seeds, where one is named.")
    seeds: int | None = Field(description="How many seeds were named; null where a filter finds them.")
    steps: int
    steps_done: int
    step: str | None = Field(description="reading, learning, ranking or explaining; null if none runs.")
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    expires_at: Moment | None = Field(description="When it will be deleted; null for never.")
    problem: ProblemDetails | None = Field(description="Why it has failed; null when it has not.")
    result: ExpansionResult | None = Field(description="null before it is done.")


class PartWeight(Answer):
    """How much a part of a blend counts."""

    part: str
    weight: float


class Bounded(Answer):
    """A number as far as the data tell it."""

    value: float | None = Field(description="null where the data allow bounds only.")
    low: float | None
    high: float | None = Field(description="null for no bound.")


class SuggestedAnswer(Answer):
    """An account that is suggested, with its reasons and nearest seeds."""

    place: int
    account_id: str
    name: str | None
    domain: str | None
    score: float = Field(description="Likeness, in the unit of the ranker.")
    times_as_dense: Bounded = Field(description="How many times as dense seeds are here as everywhere.")
    probability: Bounded = Field(description="Of being one of those that the seeds stand for.")
    blended: float | None = Field(description="What the place follows from, where a blend has weights.")
    parts: list[PartShare]
    why: Why | None


class SuggestionsAnswer(Answer):
    """A page of what an expansion suggests, in its order."""

    total: int
    accounts: list[SuggestedAnswer]
    next_page: str | None = Field(description="What to send as `page` for the next one; null at the end.")


class SimilarTo(Answer):
    """The account that others are compared with."""

    account_id: str
    name: str | None
    domain: str | None


class SimilarAnswer(Answer):
    """The accounts that are most like one."""

    account: SimilarTo
    compared: int = Field(description="How many accounts were looked through.")
    notes: list[str]
    accounts: list[SuggestedAnswer]


def expansion_answer(
    job: Job,
    *,
    asked: Mapping[str, Any] | None,
    told: Mapping[str, Any] | None,
    settings: JobSettings,
    language: Language,
) -> ExpansionAnswer:
    """An expansion as it is answered. asked: None once it is gone; told: of the list, once it is done."""
    known = asked or {}
    named = known.get("account_ids")
    return ExpansionAnswer(
        id=job.id,
        state=job.state,
        mode=known.get("mode"),
        product=known.get("product"),
        size=known.get("size"),
        weights=[PartWeight(part=part, weight=told) for part, told in (known.get("weights") or {}).items()],
        list_id=known.get("list_id"),
        seeds=None if named is None else len(named),
        steps=job.rows,
        steps_done=job.done,
        step=step_of(job),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        expires_at=expires_at(job, settings=settings),
        problem=None if job.problem is None else ProblemDetails.model_validate(json.loads(job.problem)),
        result=_result(told, language=language) if told is not None and job.state == "done" else None,
    )


def _result(told: Mapping[str, Any], *, language: Language) -> ExpansionResult:
    numbers = {name: told[name] for name in ("accounts", "universe", "seeds", "ranker")}
    return ExpansionResult(
        **numbers,
        notes=sentences(told["notes"], language=language),
        left_out=[LeftOutOf(**one) for one in told["left_out"]],
        not_used=[
            NotUsed(attribute=one["attribute"], sentence=sentences([one], language=language)[0])
            for one in told["not_used"]
        ],
    )


def sentences(told: Sequence[Mapping[str, str]], *, language: Language) -> list[str]:
    """Sentences in one language."""
    return [one["sentence_zh" if language == "zh" else "sentence"] for one in told]


def suggested(told: Mapping[str, Any], *, language: Language) -> SuggestedAnswer:
    """A suggestion as it is answered. told: as `models.lookalikes.documents` keeps it."""
    own = ("times_as_dense", "probability", "parts", "why")
    return SuggestedAnswer(
        **{name: told[name] for name in SuggestedAnswer.model_fields if name not in own},
        times_as_dense=Bounded(**told["times_as_dense"]),
        probability=Bounded(**told["probability"]),
        parts=[PartShare(part=part, share=share) for part, share in told["parts"].items()],
        why=why(told["score"], told, language=language),
    )
