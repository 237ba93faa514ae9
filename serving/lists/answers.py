"""What is answered about lists: models of the answers of /v1/lists.

Turns rows of the store into answers. Time rule: times are UTC, whole seconds, written with Z. Null rule: what
is not known is null.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from serving.answers import Answer, Moment
from serving.lists.life_cycle import due
from serving.lists.settings import Goal, Rules, Segment
from serving.store.lists import TargetList

__all__ = ["ListAnswer", "list_answer"]


class ListAnswer(Answer):
    """A target account list."""

    id: int
    name: str
    owner: str = Field(description="Who answers for it.")
    purpose: str
    state: str = Field(description="draft, review, approved or archived.")
    pilot: bool
    sub_industry: str | None = Field(description="The one industry of a pilot.")
    size: int = Field(description="Accounts that it may hold.")
    segments: list[Segment]
    goals: list[Goal]
    rules: Rules
    revision: int = Field(description="Rises with every change: send it back with yours.")
    version: int = Field(
        description="The newest version: what is being worked on, or what was approved last."
    )
    approved_version: int | None = Field(
        description="What a CRM is given; null when nothing was approved yet."
    )
    created_at: Moment
    created_by: str
    changed_at: Moment
    changed_by: str
    refreshed_at: Moment | None = Field(description="When it was drawn last.")
    rebuilt_at: Moment | None = Field(description="When it was last drawn from scratch.")
    due: str | None = Field(description="refresh (a quarter has passed), rebuild (a year), or null.")
    erased: int = Field(description="How many of its accounts were forgotten on request.")


def list_answer(found: TargetList, *, now: datetime) -> ListAnswer:
    """The list as it is answered."""
    told = {name: getattr(found, name) for name in ListAnswer.model_fields if name != "due"}
    told["segments"] = [Segment.model_validate(one) for one in found.segments]
    told["goals"] = [Goal.model_validate(one) for one in found.goals]
    told["rules"] = Rules.model_validate(found.rules)
    return ListAnswer(**told, due=due(found, now=now))
