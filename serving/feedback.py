"""Feedback of sales on an account: taken, stored, and in force with the next answer.

Turns a strict request into a row of the store and into the working score that follows (`serving.working`). It
never changes a probability or a contribution. Time rule: it counts from the second on in which it is taken.
Null rule: a rejection needs its reason and an outcome needs to be said; a rejected account that cannot be
scored has no machine score to rise from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from features.errors import UnknownAccountError
from features.feature import Language
from serving.answers import Answer, Moment, Priority, ScoreAnswer
from serving.desk import Desk
from serving.problems import FieldError, InvalidRequestError
from serving.requests import Identifier, ScoreRequest, StrictModel, one_of
from serving.scoring import score_account
from serving.store import feedback, predictions
from serving.store.feedback import OUTCOMES, VERDICTS, Feedback
from serving.working import VerdictsOfIdentities, working_after

__all__ = [
    "Checked",
    "FeedbackAnswer",
    "FeedbackRequest",
    "check_feedback",
    "require_not_forgotten",
    "store_feedback",
]

_Verdict = Annotated[
    str, AfterValidator(one_of(VERDICTS)), WithJsonSchema({"type": "string", "enum": list(VERDICTS)})
]
_Outcome = Annotated[
    str, AfterValidator(one_of(OUTCOMES)), WithJsonSchema({"type": "string", "enum": list(OUTCOMES)})
]
_Reason = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]


class FeedbackRequest(StrictModel):
    """What sales says of an account: accepted, rejected with a reason, or what came of it."""

    account_id: Identifier = Field(description="The account that it is about.")
    verdict: _Verdict = Field(description="accepted, rejected, or outcome.")
    reason: _Reason | None = Field(None, description="Why it was rejected, in words; with rejected only.")
    outcome: _Outcome | None = Field(None, description="What came of it; with outcome only.")
    request_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z._:-]{1,64}$")] | None = Field(
        None, description="The answer that it is about, if it is about one."
    )
    given_by: Identifier | None = Field(None, description="Who says so, as the CRM names people.")

    @model_validator(mode="after")
    def _complete(self) -> FeedbackRequest:
        given = {"rejected": self.reason, "outcome": self.outcome}
        names = {"rejected": "reason", "outcome": "outcome"}
        for verdict, value in given.items():
            if (verdict == self.verdict) != (value is not None):
                told = "needs" if value is None else "takes no"
                raise PydanticCustomError(
                    "incomplete", f"{self.verdict} {told} {names[verdict]}", {"allowed": "see /docs.json"}
                )
        return self


class FeedbackAnswer(Answer):
    """The feedback as it is stored, and what sales works with from now on."""

    id: int
    at: Moment
    account_id: str
    verdict: str
    machine_score: float | None = Field(description="What the machine says; feedback does not change it.")
    adjustment: float
    working_score: float | None
    adjustment_reason: str | None = Field(description="Why it is held back; null when it is not.")
    working_priority: Priority


@dataclass(frozen=True)
class Checked:
    """Feedback that can be stored, and the answer about its account at that moment.

    members: every identifier of the account, the older ones of accounts that became one included.
    """

    said: Feedback
    scored: ScoreAnswer
    members: tuple[str, ...]


def check_feedback(
    desk: Desk, *, request: FeedbackRequest, now: datetime, language: Language, api_key_id: int | None = None
) -> Checked:
    """Check feedback against what is known of its account. Raises UnknownAccountError for no such account."""
    account_id = desk.snapshot.accounts.by_id(request.account_id).account_id
    scored = score_account(
        desk, request=ScoreRequest.model_validate({"account_id": account_id}), now=now, language=language
    )
    given = request.model_dump() | {"account_id": account_id}
    rejected_at = scored.machine_score if request.verdict == "rejected" else None
    said = Feedback(at=now, api_key_id=api_key_id, machine_score=rejected_at, **given)
    return Checked(said, scored, desk.snapshot.own_rows.members(said.account_id))


def require_not_forgotten(desk: Desk, *, account_id: str) -> None:
    """Ask once more, where an erasure has to wait: it may have looked for feedback since it was checked.

    Raises UnknownAccountError, as the tables will as soon as they are read anew.
    """
    if desk.snapshot.people.forgets(account_id, kind="account"):
        raise UnknownAccountError("no such account", got=account_id, fix="send nothing about it")


def store_feedback(
    connection: Connection, checked: Checked, *, verdicts: VerdictsOfIdentities, language: Language
) -> tuple[Feedback, FeedbackAnswer]:
    """Store it, and say what follows. `verdicts.note` comes after the transaction.

    Raises InvalidRequestError for a request_id whose answer is about another account.
    """
    _require_same_account(connection, checked)
    said, scored = feedback.add(connection, checked.said), checked.scored
    after = working_after(
        said, verdicts=verdicts, score=scored.machine_score, priority=scored.priority, language=language
    )
    return said, FeedbackAnswer(
        id=said.id,
        at=said.at,
        account_id=said.account_id,
        verdict=said.verdict,
        machine_score=after.machine_score,
        adjustment=after.adjustment,
        working_score=after.working_score,
        adjustment_reason=after.reason,
        working_priority=after.priority,
    )


def _require_same_account(connection: Connection, checked: Checked) -> None:
    """What the log does not hold, or no longer, is believed."""
    said = checked.said
    if said.request_id is None:
        return
    found = predictions.find(connection, request_id=said.request_id)
    if found is not None and found.account_id not in checked.members:
        error = FieldError(
            "request_id", "is of an answer about another account", said.request_id, None, "correct it"
        )
        raise InvalidRequestError([error])
