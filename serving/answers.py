"""The answer of POST /v1/score.

What the service and the command line say of one account: a fit half, an intent half, FIRE, the priority and
what they rest on. Time rule: times are UTC, whole seconds, written with Z. Null rule: a half that cannot be
given is null and its `..._unavailable_reason` says why; exactly one of the two is null. No number is ever
NaN or infinite.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from features.feature import Language
from models.grades import Grade
from serving.reasons import Reasons

__all__ = [
    "AccountName",
    "Answer",
    "FieldProblem",
    "Fire",
    "FitScore",
    "InputsRead",
    "IntentScore",
    "Language",
    "LeadFound",
    "ModelVersion",
    "Moment",
    "Priority",
    "ProbabilityInterval",
    "ProblemDetails",
    "ReleaseName",
    "ScoreAnswer",
    "iso",
]


def iso(moment: datetime) -> str:
    """A naive UTC moment as ISO 8601 with Z.

    >>> iso(datetime(2026, 1, 31, 9, 30))
    '2026-01-31T09:30:00Z'
    """
    return f"{moment.isoformat()}Z"


Moment = Annotated[
    datetime,
    PlainSerializer(iso, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class Answer(BaseModel):
    """What every answer model obeys."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class InputsRead(Answer):
    """What the model was told of the company, and what it was not."""

    known: list[str] = Field(description="Columns of the account that the model reads and that are known.")
    missing: list[str] = Field(description="Those that are not known.")
    unseen: list[str] = Field(description="Those with a value that the model has not met in training.")
    out_of_range: list[str] = Field(
        description="Features whose number lies outside all that the model learned from."
    )
    sentence: str | None = Field(
        description="What is missing or out of range, in words; null when nothing is."
    )


class ModelVersion(Answer):
    """Which model said so."""

    name: str = Field(
        description="Registered name: icp_fit, buying_intent, or that of a named model, as icp_fit.emea."
    )
    version: str = Field(description="First twelve digits of the bundle's fingerprint.")
    fingerprint: str = Field(description="SHA-256 of the model bundle: equal exactly when the model is.")
    trained_until: Moment | None = Field(description="Cutoff of the training data, when the model says it.")


class ProbabilityInterval(Answer):
    """How sure the probability is: of accounts that are scored like this one, taken together."""

    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    level: float = Field(ge=0, le=1, description="Share of such intervals that hold what they speak of.")
    meaning: str = Field(description="What lies between low and high, in one sentence.")


class _Half(Answer):
    probability: float = Field(ge=0, le=1, description="1 / (1 + exp(-logit)), bit for bit.")
    probability_interval: ProbabilityInterval
    meaning: str = Field(description="What the probability means, in one sentence.")
    score: float = Field(
        ge=0, le=100, description="Share of the reference population with a lower probability, in percent."
    )
    grade: Grade = Field(description="A is best; the cuts are part of the model.")
    reasons_for: Reasons
    reasons_against: Reasons
    inputs: InputsRead
    other: float = Field(description="Sum of the contributions that are not shown, in log-odds.")
    baseline: float = Field(description="Log-odds before anything is known of the account.")
    logit: float = Field(description="baseline + all contributions shown + other, in log-odds.")


class FitScore(_Half):
    """How much the account looks like those that are won; firmographic and technographic data alone."""

    horizon_days: int | None = Field(description="Always null: fit has no horizon.")
    model: ModelVersion


class IntentScore(_Half):
    """How likely the account is to move within the horizon, from its behaviour."""

    horizon_days: int = Field(description="Days after as_of that the probability speaks of.")
    model: ModelVersion


class Fire(Answer):
    """Fit, intent, recency and relationship, engagement: four views of one account, 0 to 100 each."""

    fit: float | None = Field(ge=0, le=100, description="The fit score; null without one.")
    intent: float | None = Field(ge=0, le=100, description="The intent score; null without one.")
    recency: float | None = Field(
        ge=0, le=100, description="How fresh the last engagement and contact are, and earlier wins."
    )
    engagement: float | None = Field(ge=0, le=100, description="Minutes spent with us in the last 90 days.")
    days_since_last_engagement: float | None = Field(description="Null for never.")
    days_since_last_two_way_contact: float | None = Field(description="Null for never.")
    earlier_wins: int | None
    earlier_losses: int | None
    engagement_minutes_90d: float | None


class Priority(Answer):
    """What to do with the account."""

    action: str = Field(description="Entry of the configured table of fit grade by intent grade.")
    to_sales: bool = Field(description="Whether it hands the account to sales; never with fit grade D.")
    why: str = Field(description="The grades that led there, in one sentence.")


class ReleaseName(Answer):
    """The release that answered; both halves come from this one."""

    id: int
    created_at: Moment


class AccountName(Answer):
    """The account that the answer is about. Null members are not known."""

    account_id: str | None = Field(description="Null for an account that was sent as a record.")
    name: str | None
    domain: str | None


class LeadFound(Answer):
    """What became of a lead: the account that it speaks of, or why there is none."""

    account_matched: bool = Field(description="Whether the scores are those of a known account.")
    how: str | None = Field(
        description="What the account was found by: email_domain, website_domain or company_name; null "
        "without one."
    )
    sure: float | None = Field(
        ge=0, le=1, description="How sure that is: 1 for a domain, the likeness of the names otherwise."
    )
    sentence: str = Field(description="How it was matched, or why not, in one sentence.")
    possible_account_ids: list[str] = Field(description="Accounts that are alike, but not enough.")
    seniority: str | None = Field(description="Level of the person, from the title where it was not sent.")
    department: str | None = Field(
        description="Department of the person, from the title where it was not sent."
    )
    role: str | None = Field(description="Role in the buying group that follows from both.")
    fit_range: ProbabilityInterval | None = Field(
        description="For a company that is no account: where the fit probability may end up once what is "
        "unknown is known; null otherwise."
    )


class ScoreAnswer(Answer):
    """Fit, intent and the reasons for both, for one account at one moment."""

    request_id: str = Field(description="Names this answer in logs.")
    account: AccountName
    lead: LeadFound | None = Field(description="What became of the lead; null without one.")
    as_of: Moment = Field(description="Only facts known strictly before this moment were used.")
    data_through: Moment | None = Field(
        description="Newest known fact of the data (for a record: of the record); null when there is none."
    )
    fit: FitScore | None
    fit_unavailable_reason: str | None = Field(description="Why fit is null; null when it is not.")
    intent: IntentScore | None
    intent_unavailable_reason: str | None = Field(description="Why intent is null; null when it is not.")
    fire: Fire
    priority: Priority
    machine_score: float | None = Field(
        ge=0, le=100, description="Mean of the fit and the intent score, or the one there is; null without."
    )
    adjustment: float = Field(
        description="What feedback of sales adds to it: below 0 after a rejection, otherwise 0."
    )
    working_score: float | None = Field(
        ge=0, le=100, description="machine_score with the adjustment: what sales works with."
    )
    adjustment_reason: str | None = Field(description="Why it is held back; null when it is not.")
    working_priority: Priority = Field(
        description="The priority after feedback: nurture in place of sales for an account held back."
    )
    unseen_categories: list[str] = Field(
        description="Features whose value the models have not met in training; scored as 'another one'."
    )
    warnings: list[str] = Field(description="What a reader should mind, in sentences.")
    release: ReleaseName


class FieldProblem(Answer):
    """One thing that is wrong with the request."""

    field: str = Field(description="Path of the field, such as record.activities[3].channel.")
    what: str
    got: str | None = None
    allowed: str | None = None
    fix: str | None = None


class ProblemDetails(Answer):
    """Any error, after RFC 9457 (application/problem+json)."""

    type: str = Field(description="A URI that names the kind of problem.")
    title: str = Field(description="What kind of problem it is, in English or, where asked, in Chinese.")
    status: int
    detail: str = Field(
        description="What is wrong, what was got, what is allowed and the fix; in Chinese where that is "
        "asked for and its words are known. Programs go by the type."
    )
    request_id: str
    errors: list[FieldProblem] = Field(default_factory=list, description="Each thing that is wrong.")
