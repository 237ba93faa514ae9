"""Answers as CRMs like them: one level, one value in each field.

Turns a whole answer into fields that a flow or a workflow can put into properties; every number is that of
the whole answer. Time rule: that of the answer. Null rule: what is not known is null, in no field a text that
says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from features.errors import SpearfishError
from features.feature import Language
from serving.answers import Answer, FitScore, IntentScore, Moment, ScoreAnswer
from serving.flat_reasons import Half, Reasoned, flat_reasons, shortened, two_grades
from serving.problems import problem

__all__ = ["MOST_AGAINST", "MOST_FOR", "CrmScore", "CrmScoreRow", "CrmScores", "flat", "flat_rows"]

MOST_FOR, MOST_AGAINST = 5, 3
"""How many texts there are for what speaks for an account, and against it."""


class CrmScore(Answer):
    """The scores of one account on one level. Sentences are at most 255 characters long."""

    request_id: str | None = Field(description="Names this answer: GET /v1/predictions/{request_id}.")
    account_id: str | None = Field(description="The account; null for a company that is none yet.")
    account_name: str | None
    matched_by: str | None = Field(
        description="account_id, email_domain, website_domain or company_name; none for a company that is no "
        "account: its fit rests on what was sent."
    )
    match_certainty: float | None = Field(description="How sure that is, 0 to 1; null for none.")
    as_of: Moment | None = Field(description="Only facts known before this moment count.")
    score: float | None = Field(description="What the machine says, 0 to 100: the mean of fit and intent.")
    grade: str | None = Field(description="Grades of fit and intent, such as A/B; none where there is none.")
    working_score: float | None = Field(description="The score after feedback of sales: work with this one.")
    adjustment: float | None = Field(description="working_score - score: below 0 after a rejection.")
    adjustment_reason: str | None
    priority: str | None = Field(description="What to do with the account, after feedback of sales.")
    to_sales: bool | None = Field(description="Whether that hands the account to sales.")
    fit_score: float | None
    fit_grade: str | None
    fit_probability: float | None
    fit_probability_low: float | None
    fit_probability_high: float | None
    fit_model: str | None = Field(description="Name and version of the model.")
    fit_unavailable_reason: str | None
    intent_score: float | None
    intent_grade: str | None
    intent_probability: float | None
    intent_probability_low: float | None
    intent_probability_high: float | None
    intent_model: str | None = Field(description="Name and version of the model.")
    intent_unavailable_reason: str | None
    reason_1: str | None = Field(description="What speaks most for the account, of fit and intent.")
    reason_2: str | None
    reason_3: str | None
    reason_4: str | None
    reason_5: str | None
    against_1: str | None = Field(description="What speaks most against the account.")
    against_2: str | None
    against_3: str | None
    mind: str | None = Field(description="What a reader should mind, such as facts that are missing.")
    release: int | None = Field(description="Number of the release that answered.")


class CrmScoreRow(CrmScore):
    """What became of one record of a collection: the fields of its score, or what is wrong with it."""

    position: int = Field(ge=0, description="Place of the record in the request, from 0.")
    problem_status: int | None = Field(description="Status that the record would get alone; null if well.")
    problem_title: str | None = Field(description="What is wrong with the record; null if nothing is.")
    problem_detail: str | None = Field(description="What was got, what is allowed, and the fix.")


class CrmScores(Answer):
    """The answers to a collection, in the order of its records."""

    request_id: str = Field(description="Names this collection in logs; each answer has a name of its own.")
    succeeded: int = Field(ge=0, description="Records with a score.")
    failed: int = Field(ge=0, description="Records with a problem.")
    results: list[CrmScoreRow]


def flat(answer: ScoreAnswer, *, language: Language) -> CrmScore:
    """An answer on one level."""
    return CrmScore(**_fields(answer, language=language))


def flat_rows(
    rows: Sequence[ScoreAnswer | SpearfishError], *, request_id: str, language: Language
) -> CrmScores:
    """The answers to a collection, or what is wrong with its records."""
    results = [
        CrmScoreRow(position=place, **_row(row, request_id=request_id, language=language))
        for place, row in enumerate(rows)
    ]
    failed = sum(row.problem_status is not None for row in results)
    return CrmScores(request_id=request_id, succeeded=len(rows) - failed, failed=failed, results=results)


def _row(row: ScoreAnswer | SpearfishError, *, request_id: str, language: Language) -> dict[str, Any]:
    nothing = dict.fromkeys(("problem_status", "problem_title", "problem_detail"))
    if isinstance(row, ScoreAnswer):
        return {**_fields(row, language=language), **nothing}
    told = problem(row, request_id=request_id)
    wrong = {f"problem_{name}": told[name] for name in ("status", "title", "detail")}
    return {**dict.fromkeys(CrmScore.model_fields), **wrong}


def _fields(answer: ScoreAnswer, *, language: Language) -> dict[str, Any]:
    lead = answer.lead
    fit, intent = _half("fit", answer.fit), _half("intent", answer.intent)
    return {
        "request_id": answer.request_id,
        "account_id": answer.account.account_id,
        "account_name": answer.account.name,
        "matched_by": "account_id" if lead is None else lead.how or "none",
        "match_certainty": 1.0 if lead is None else lead.sure,
        "as_of": answer.as_of,
        "score": answer.machine_score,
        "grade": two_grades(fit["fit_grade"], intent["intent_grade"]),
        "working_score": answer.working_score,
        "adjustment": answer.adjustment,
        "adjustment_reason": _short(answer.adjustment_reason),
        "priority": answer.working_priority.action,
        "to_sales": answer.working_priority.to_sales,
        **fit,
        "fit_unavailable_reason": _short(answer.fit_unavailable_reason),
        **intent,
        "intent_unavailable_reason": _short(answer.intent_unavailable_reason),
        **_texts("reason", _reasons(answer, "reasons_for"), most=MOST_FOR, language=language),
        **_texts("against", _reasons(answer, "reasons_against"), most=MOST_AGAINST, language=language),
        "mind": _short("; ".join(_minded(answer)) or None),
        "release": answer.release.id,
    }


def _half(name: Half, half: FitScore | IntentScore | None) -> dict[str, Any]:
    told = {
        "score": half and half.score,
        "grade": half and half.grade,
        "probability": half and half.probability,
        "probability_low": half and half.probability_interval.low,
        "probability_high": half and half.probability_interval.high,
        "model": half and f"{half.model.name} {half.model.version}",
    }
    return {f"{name}_{key}": value for key, value in told.items()}


def _reasons(answer: ScoreAnswer, side: str) -> list[Reasoned]:
    halves: tuple[tuple[Half, FitScore | IntentScore | None], ...] = (
        ("fit", answer.fit),
        ("intent", answer.intent),
    )
    return [
        (name, reason["contribution"], reason["sentence"])
        for name, half in halves
        if half is not None
        for reason in getattr(half, side)
    ]


def _texts(name: str, reasons: list[Reasoned], *, most: int, language: Language) -> dict[str, str | None]:
    texts = flat_reasons(reasons, most=most, language=language)
    return {f"{name}_{place}": text for place, text in enumerate(texts, start=1)}


def _minded(answer: ScoreAnswer) -> Iterator[str]:
    yield from answer.warnings
    for half in (answer.fit, answer.intent):
        if half is not None and half.inputs.sentence:
            yield half.inputs.sentence


def _short(text: str | None) -> str | None:
    return text and shortened(text)
