"""What is asked of lists: strict models of the bodies of /v1/lists.

Turns JSON into frozen, checked requests. Time rule: moments are naive UTC, whole seconds. Null rule: a field
that is left out of an edit stays as it is; null means the same.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from serving.exporting.layout import Match
from serving.fields import Identifier, Moment, StrictModel, one_of
from serving.lists.drawing import Suggestion
from serving.lists.handing_over import FORMATS, Format
from serving.lists.life_cycle import ACTIONS, Action
from serving.lists.proposing import DRAWS, Draw
from serving.lists.settings import LARGEST_LIST, PILOT_SIZE, Goal, Rules, Segment, Sentence, require_each_once
from serving.store.list_overrides import Kind
from serving.store.lists import ListDraft

__all__ = [
    "ApprovalRequest",
    "DecisionRequest",
    "DrawRequest",
    "EditRequest",
    "EndRequest",
    "ExcludedRequest",
    "ExportRequest",
    "ListRequest",
    "ProposalRequest",
    "StateRequest",
    "SuggestedAccount",
]

SIDES = ("marketing", "sales")
DECISIONS = ("approved", "changes_requested")
KINDS = ("pin", "drop", "move")
VERDICTS = ("accept", "discard")
STEPS = ("submit", "withdraw", "archive", "restore")
MATCHES: tuple[Match, ...] = get_args(Match)

MOST_SUGGESTIONS = 10_000
"""Of one request; longer draws are files."""


def _words(allowed: tuple[str, ...]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(allowed)})


_Draw = Annotated[str, AfterValidator(one_of(DRAWS)), _words(DRAWS)]
_Side = Annotated[str, AfterValidator(one_of(SIDES)), _words(SIDES)]
_Decision = Annotated[str, AfterValidator(one_of(DECISIONS)), _words(DECISIONS)]
_Kind = Annotated[str, AfterValidator(one_of(KINDS)), _words(KINDS)]
_Verdict = Annotated[str, AfterValidator(one_of(VERDICTS)), _words(VERDICTS)]
_Step = Annotated[str, AfterValidator(one_of(STEPS)), _words(STEPS)]
_Format = Annotated[str, AfterValidator(one_of(FORMATS)), _words(FORMATS)]
_Match = Annotated[str, AfterValidator(one_of(MATCHES)), _words(MATCHES)]

_Revision = Annotated[int, Field(ge=1, le=2**31 - 1)]
_Size = Annotated[int, Field(ge=1, le=LARGEST_LIST)]
_Purpose = Annotated[str, Field(min_length=1, max_length=4_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
_Comment = Annotated[str, Field(max_length=4_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
_Segments = Annotated[list[Segment], Field(max_length=100)]
_Goals = Annotated[list[Goal], Field(max_length=50)]
_SEEN = "The revision of the list that this rests on; where it was changed since, 409 says who did what."


class ListRequest(StrictModel):
    """A new list. It is a pilot of one sub-industry and fifty accounts unless told otherwise."""

    name: Identifier
    owner: Identifier = Field(description="Who answers for it.")
    purpose: _Purpose
    pilot: bool = Field(default=True, description="Whether it is tried out in one sub-industry.")
    sub_industry: Identifier | None = Field(
        default=None,
        description="Industry of a pilot, as accounts have it; null for the one that most of the best have.",
    )
    size: _Size | None = Field(
        default=None, description="Accounts at most; needed unless it is a pilot, which has 50."
    )
    segments: _Segments = Field(default_factory=list)
    goals: _Goals = Field(default_factory=list)
    rules: Rules | None = Field(default=None, description="Who may be on it; null for the usual rules.")

    @model_validator(mode="after")
    def _complete(self) -> ListRequest:
        if self.name.isdigit():
            raise PydanticCustomError("list_name", "name is a number, as those of lists are")
        if not self.pilot and self.size is None:
            raise PydanticCustomError("list_size", "size is missing: a list that is no pilot needs one")
        if not self.pilot and self.sub_industry is not None:
            raise PydanticCustomError("list_pilot", "sub_industry is of a pilot; filter by rules instead")
        _require_known_segments(self.segments, self.goals)
        return self

    def draft(self) -> ListDraft:
        """What the store keeps."""
        return ListDraft(
            name=self.name,
            owner=self.owner,
            purpose=self.purpose,
            pilot=self.pilot,
            sub_industry=self.sub_industry,
            size=self.size or PILOT_SIZE,
            segments=[one.model_dump() for one in self.segments],
            goals=[one.model_dump() for one in self.goals],
            rules=(self.rules or Rules()).model_dump(),
        )


def _require_known_segments(segments: list[Segment], goals: list[Goal]) -> None:
    names = [one.name for one in segments]
    require_each_once("segments", names)
    if any(goal.segment is not None and goal.segment not in names for goal in goals):
        raise PydanticCustomError("goal_segment", "goals name a segment that is not among the segments")


class EditRequest(StrictModel):
    """What is to be changed of a list; what is left out stays."""

    revision: _Revision = Field(description=_SEEN)
    name: Identifier | None = None
    owner: Identifier | None = None
    purpose: _Purpose | None = None
    pilot: bool | None = None
    sub_industry: Identifier | None = None
    size: _Size | None = None
    segments: _Segments | None = None
    goals: _Goals | None = None
    rules: Rules | None = None

    def values(self) -> dict[str, Any]:
        """The fields that are given, as the store keeps them."""
        told = self.model_dump(exclude={"revision"}, exclude_none=True)
        for name in ("segments", "goals"):
            given = getattr(self, name)
            if given is not None:
                told[name] = [one.model_dump() for one in given]
        if self.rules is not None:
            told["rules"] = self.rules.model_dump()
        return told


class ExcludedRequest(StrictModel):
    """Accounts and domains to be kept off a list, in place of those before."""

    revision: _Revision = Field(description=_SEEN)
    entries: Annotated[list[Identifier], Field(max_length=100_000)]


class ReasonGiven(StrictModel):
    """One reason for or against an account."""

    sentence: Sentence
    sentence_zh: Sentence | None = None
    attribute: Identifier | None = None
    contribution: float | None = None


class NearestSeed(StrictModel):
    """A seed that an account is like."""

    account_id: Identifier
    name: Identifier | None = None
    distance: float | None = Field(default=None, description="In the space of the ranker; 0 is the same.")
    shared: Annotated[list[Sentence], Field(max_length=50)] = Field(default_factory=list)
    shared_zh: Annotated[list[Sentence], Field(max_length=50)] = Field(default_factory=list)


_Share = Annotated[float, Field(ge=0, le=1)]


class SuggestedAccount(StrictModel):
    """What the machine says of one account."""

    account_id: Identifier
    score: float | None = Field(default=None, description="Higher is better.")
    probability: _Share | None = None
    probability_low: _Share | None = None
    probability_high: _Share | None = None
    segment: Identifier | None = None
    baseline: float | None = Field(
        default=None, description="With the contributions and other it adds up to the score."
    )
    other: float | None = None
    reasons_for: Annotated[list[ReasonGiven], Field(max_length=50)] = Field(default_factory=list)
    reasons_against: Annotated[list[ReasonGiven], Field(max_length=50)] = Field(default_factory=list)
    nearest: Annotated[list[NearestSeed], Field(max_length=50)] = Field(default_factory=list)

    def suggestion(self) -> Suggestion:
        """As a draw takes it."""
        words = ("baseline", "other", "reasons_for", "reasons_against", "nearest")
        return Suggestion(
            *(self.account_id, self.score, self.probability, self.probability_low, self.probability_high),
            segment=self.segment,
            detail=self.model_dump(include=set(words), exclude_none=True),
        )


class DrawRequest(StrictModel):
    """What a list is to be drawn from: an expansion that is done, or suggestions."""

    kind: _Draw = Field(
        description="first; then refresh (each quarter), rebuild (each year), redraw (another market)."
    )
    why: Sentence
    revision: _Revision = Field(description=_SEEN)
    expansion: Identifier | None = Field(default=None, description="The id of an expansion that is done.")
    suggestions: Annotated[list[SuggestedAccount], Field(max_length=MOST_SUGGESTIONS)] | None = None
    rules: Rules | None = Field(default=None, description="Of a redraw: who may be on it from now on.")
    sub_industry: Identifier | None = Field(
        default=None, description="Of a redraw of a pilot: its industry; null for that of most of the best."
    )

    @model_validator(mode="after")
    def _one_way(self) -> DrawRequest:
        if (self.expansion is None) == (self.suggestions is None):
            raise PydanticCustomError(
                "draw_from", "must name the suggestions in exactly one way: expansion, or suggestions"
            )
        return self

    def draw(self) -> Draw:
        """What kind of draw it is."""
        return next(one for one in DRAWS if one == self.kind)

    def given(self) -> dict[str, Any]:
        """What a redraw brings of the list itself."""
        told: dict[str, Any] = {} if self.rules is None else {"rules": self.rules.model_dump()}
        return told if self.sub_industry is None else told | {"sub_industry": self.sub_industry}


class ProposalRequest(StrictModel):
    """What becomes of a proposal."""

    action: _Verdict = Field(description="accept: it is the draft that is worked on; discard: it is gone.")
    revision: _Revision = Field(description=_SEEN)
    why: _Comment = ""


class DecisionRequest(StrictModel):
    """What somebody decides of an account; it stands beside the machine's score."""

    account_id: Identifier
    kind: _Kind = Field(description="pin: it stays; drop: it is taken off; move: to another segment.")
    reason: Sentence
    segment: Identifier | None = Field(default=None, description="Where it belongs; of a pin or a move.")
    expires_at: Moment | None = Field(
        default=None, description="Until when it counts; the first draw after that follows the machine again."
    )
    replaces: _Revision | None = Field(
        default=None, description="The decision that is seen now, where there is one: its id."
    )

    def decision(self) -> Kind:
        """What kind of decision it is."""
        return "pin" if self.kind == "pin" else "drop" if self.kind == "drop" else "move"


class EndRequest(StrictModel):
    """A decision is to count no longer."""

    why: Sentence


class StateRequest(StrictModel):
    """A list is to go to another state."""

    action: _Step = Field(description="submit (to review), withdraw, archive or restore.")
    revision: _Revision = Field(description=_SEEN)
    comment: _Comment = ""

    def step(self) -> Action:
        """What is to be done."""
        return next(one for one in ACTIONS if one == self.action)


class ApprovalRequest(StrictModel):
    """A reviewer approves a list, or asks for changes: whoever sends it, by the name they are known by."""

    side: _Side
    decision: _Decision
    comment: _Comment = ""
    revision: _Revision = Field(description=_SEEN)


class ExportRequest(StrictModel):
    """A list is to be handed over."""

    format: _Format
    match_by: _Match | None = Field(
        default=None, description="What the CRM finds accounts by; domain is HubSpot's. Null: as before."
    )
    draft: bool = Field(default=False, description="What is being worked on, as csv or xlsx.")

    def file_format(self) -> Format:
        """The format of the file."""
        return next(one for one in FORMATS if one == self.format)

    def match(self) -> Match | None:
        """What the CRM finds accounts by; None for what it did before."""
        return next((one for one in MATCHES if one == self.match_by), None)
