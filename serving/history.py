"""What was said of an account before: a logged answer, an account's scores over time, and its feedback.

Turns rows of the store into answers of the interface. Time rule: the newest first; a page ends where the next
one begins, whatever is written meanwhile. Null rule: an account that was never asked for has no latest
answer and an empty history; of an answer that was erased in part, `erased` says what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from serving.answers import AccountName, Answer, Moment, ScoreAnswer, iso
from serving.problems import FieldError, InvalidRequestError, UnknownPredictionError
from serving.store import Store, feedback, predictions
from serving.store.feedback import Feedback
from serving.store.predictions import Place, Prediction

__all__ = [
    "LARGEST_PAGE",
    "AccountHistory",
    "FeedbackGiven",
    "LoggedAnswer",
    "PastScore",
    "account_history",
    "logged_answer",
]

LARGEST_PAGE = 100
_FEEDBACK_SHOWN = 50


class LoggedAnswer(Answer):
    """An answer as it was given."""

    request_id: str
    at: Moment = Field(description="When it was given.")
    release_id: int = Field(description="The release that gave it.")
    erased: str | None = Field(
        description="account: who it was about was forgotten; people: what somebody did who was forgotten is "
        "erased from the request; null when nothing was erased."
    )
    answer: ScoreAnswer


class PastScore(Answer):
    """One answer about an account, in short."""

    request_id: str
    at: Moment
    as_of: Moment
    fit_probability: float | None
    fit_grade: str | None
    intent_probability: float | None
    intent_grade: str | None
    machine_score: float | None
    working_score: float | None
    release_id: int


class FeedbackGiven(Answer):
    """One thing that somebody said of an account."""

    id: int
    at: Moment
    verdict: str = Field(description="accepted, rejected or outcome.")
    reason: str | None = Field(description="Why it was rejected.")
    outcome: str | None = Field(description="What came of it.")
    request_id: str | None = Field(description="The answer that it is about, when one was named.")
    machine_score: float | None = Field(description="Of the account when it was rejected.")
    given_by: str | None


class AccountHistory(Answer):
    """What was answered about an account, and what people said of it."""

    account: AccountName
    latest: ScoreAnswer | None = Field(description="The answer given last, with its reasons.")
    scores: list[PastScore] = Field(description="A page of all answers, the newest first.")
    next_page: str | None = Field(description="What to send as `page` for the next one; null at the end.")
    feedback: list[FeedbackGiven] = Field(description="The latest first, fifty at most.")


def logged_answer(store: Store, *, request_id: str) -> dict[str, Any]:
    """A `LoggedAnswer` as JSON: an older answer may lack what later ones say.

    Raises UnknownPredictionError, WorkspaceError.
    """
    found = None
    # PostgreSQL takes no text with this character.
    if "\x00" not in request_id:
        with store.reading() as connection:
            found = predictions.find(connection, request_id=request_id)
    if found is None:
        raise UnknownPredictionError(
            "the log holds no answer to this request",
            got=request_id,
            fix="check the request_id; answers are kept for a limited time, and the newest reach the log "
            "within a second",
        )
    return {
        "request_id": found.request_id,
        "at": iso(found.at),
        "release_id": found.release_id,
        "erased": found.erased,
        "answer": json.loads(found.answer),
    }


def account_history(
    store: Store,
    *,
    account: AccountName,
    members: Sequence[str],
    limit: int = LARGEST_PAGE,
    page: str | None = None,
) -> dict[str, Any]:
    """An `AccountHistory` as JSON. Raises InvalidRequestError.

    members: every identifier of the account, those of accounts that became one with it included. page: as the
    page before named it.
    """
    after = None if page is None else _place(page)
    with store.reading() as connection:
        rows = predictions.of_account(connection, account_ids=members, limit=limit + 1, after=after)
        newest = (
            rows[:1] if after is None else predictions.of_account(connection, account_ids=members, limit=1)
        )
        said = feedback.of_account(connection, account_ids=members, limit=_FEEDBACK_SHOWN)
    shown = rows[:limit]
    return {
        "account": account.model_dump(),
        "latest": json.loads(newest[0].answer) if newest else None,
        "scores": [_past(row).model_dump(mode="json") for row in shown],
        "next_page": _page(shown) if len(rows) > limit else None,
        "feedback": [_given(one).model_dump(mode="json") for one in said],
    }


def _past(row: Prediction) -> PastScore:
    return PastScore(**{name: getattr(row, name) for name in PastScore.model_fields})


def _given(said: Feedback) -> FeedbackGiven:
    return FeedbackGiven(**{name: getattr(said, name) for name in FeedbackGiven.model_fields})


def _page(rows: Sequence[Prediction]) -> str:
    return f"{iso(rows[-1].at)}~{rows[-1].request_id}"


def _place(page: str) -> Place:
    moment, _, request_id = page.partition("~")
    try:
        at = datetime.fromisoformat(moment.removesuffix("Z"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None or at.microsecond or not request_id or "\x00" in request_id:
        raise InvalidRequestError(
            [
                FieldError(
                    "page", "is no page", page[:80], "what next_page said", "leave it out for the first one"
                )
            ]
        )
    return at, request_id
